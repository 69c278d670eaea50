"""Printed figures derived again from the event log, and compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.queries.log import columns_from_log
from mapsvc.insight.queries.months import Difference, FrozenMonth, Numbers, count_numbers, differences, find_month
from mapsvc.insight.rules.windows import Window
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class Verification:
    """What the rows say, what the log says, and, where the month was printed, both about the moment of printing.

    `frozen_log` is derived from the log as it stood when the month was printed. `row_differences` are between rows and
    log now; `frozen_differences` between what was printed and `frozen_log`; `moved` is how the month has changed
    since, which is no fault: cases that were open then have been closed.
    """

    rows: Numbers
    log: Numbers
    frozen: FrozenMonth | None
    frozen_log: Numbers | None

    @property
    def row_differences(self) -> tuple[Difference, ...]:
        """Where the rows are not what the log makes of them."""
        return differences(self.log, self.rows)

    @property
    def frozen_differences(self) -> tuple[Difference, ...]:
        """Where what was printed is not what the log said at that moment."""
        if self.frozen is None or self.frozen_log is None:
            return ()
        return differences(self.frozen.numbers, self.frozen_log)

    @property
    def moved(self) -> tuple[Difference, ...]:
        """How the month's figures have changed since they were printed."""
        return () if self.frozen is None else differences(self.frozen.numbers, self.rows)

    @property
    def agrees(self) -> bool:
        """Whether every figure can be derived from the log."""
        return not (self.row_differences or self.frozen_differences)


def verify(work: Work, columns: CaseColumns, question: Question, window: Window) -> Verification:
    """Derive the figures of a window from the event log and compare them with those of the rows and the printed ones.

    Reads the whole log once, and once more for a month that was printed; some seconds per 100,000 events.
    """
    rows = count_numbers(Figures(columns, SYSTEM, question))
    log = count_numbers(Figures(columns_from_log(work, columns, question.as_of), SYSTEM, question))
    frozen = find_month(work, window.month, question.area_id) if window.month else None
    frozen_log = None
    if frozen is not None:
        then = columns_from_log(work, columns, frozen.as_of)
        frozen_log = count_numbers(Figures(then, SYSTEM, replace(question, as_of=frozen.as_of)))
    return Verification(rows, log, frozen, frozen_log)
