"""A month keeps the figures that were first printed of it."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import NotFound
from mapsvc.insight.models import MonthReport
from mapsvc.insight.queries.area import sees_whole
from mapsvc.insight.queries.figures import Figures
from mapsvc.insight.queries.months import EVERYTHING, FrozenMonth, count_numbers, find_month
from mapsvc.insight.rules.windows import Window
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.people.rules.permissions import require, scope
from mapsvc.storage.work import Work

PRINT = "insight.export"


def check_may_print(actor: Actor, snapshot: Snapshot, area_id: int | None) -> None:
    """Raise unless the actor may print the figures of an area with all below it (None: of everything).

    Whoever sees only some of its cases may not: the figures would bear the area's name and be others.
    """
    require(actor, PRINT)
    if scope(actor, PRINT).everywhere or (area_id is not None and sees_whole(actor, snapshot, area_id, PRINT)):
        return
    raise NotFound("unknown_area", "There is no such area, or it is not yours.", hint="Choose one of your own areas.")


def freeze_month(work: Work, actor: Actor, snapshot: Snapshot, figures: Figures, window: Window) -> FrozenMonth | None:
    """Keep a month that is over as it stands now, or return it as it was kept before; None while it is not over.

    The figures are counted over everything in the area, whoever prints. Of two who print at once the first is kept.
    """
    asked = figures.question
    check_may_print(actor, snapshot, asked.area_id)
    if not window.month or not window.is_over(work.now):
        return None
    found = find_month(work, window.month, asked.area_id)
    if found is not None:
        return found
    numbers = count_numbers(Figures(figures.columns, SYSTEM, asked))
    dialect = sqlite.insert if work.on_sqlite else postgresql.insert
    statement = dialect(MonthReport).values(
        month=window.month,
        area_id=asked.area_id or EVERYTHING,
        as_of=asked.as_of,
        made_at=work.now,
        made_by_user_id=actor.user_id,
        figures=numbers.as_json(),
    )
    work.session.execute(statement.on_conflict_do_nothing(index_elements=["month", "area_id"]))
    return find_month(work, window.month, asked.area_id)
