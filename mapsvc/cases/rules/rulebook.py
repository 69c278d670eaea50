"""Everything that decisions about cases hang on and that an office configures, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mapsvc.cases.rules import workflow
from mapsvc.cases.rules.calendar import Calendar
from mapsvc.cases.rules.deadlines import Span
from mapsvc.catalog import Categories, Category, Condition, Levels, Term

EMERGENCY_SIGN = Span(0.5, "urgent_hour")
"""An emergency is signed for within half an hour, whatever the day."""


@dataclass(frozen=True)
class Rulebook:
    """Levels, categories, calendar, and the few numbers that rules need.

    `certain`: at this probability or more a report is assigned hard. `sample_share`: the part of
    quick cases that another person checks before they are closed (practice: 5 to 10 %). `near_due`:
    a case that falls due within this span is 临期. `max_suspension`: 挂账 ends after a year at most.
    """

    levels: Levels
    categories: Categories
    calendar: Calendar
    certain: float = 0.95
    sample_share: float = 0.08
    near_due: timedelta = timedelta(hours=4)
    max_suspension: timedelta = timedelta(days=365)

    def local_day(self, moment: datetime) -> date:
        """Return the local calendar day of a moment."""
        return moment.astimezone(self.calendar.timezone).date()

    def chain_of(self, category: Category | None) -> tuple[str, ...]:
        """Return the levels that may own a case of this category, the first owner first."""
        return self.levels.chain(category.chain if category else "default")

    def level_names(self) -> dict[str, tuple[str, str]]:
        """Return each level's Chinese and English name."""
        return {level.code: (level.zh, level.en) for level in self.levels}

    def total_term(self, condition: Condition) -> Span:
        """Return the term of the total clock."""
        return _span(condition.term)

    def sign_term(self, condition: Condition) -> Span:
        """Return the term within which a case is signed for."""
        return EMERGENCY_SIGN if condition.emergency else _span(self.categories.stages["sign"])

    def check_term(self) -> Span:
        """Return the term within which a fixed case is checked."""
        return _span(self.categories.stages["check"])

    def workflow_of(self, channel: str, category: Category, condition: Condition) -> str:
        """Return the workflow by channel and category."""
        return workflow.workflow_for(
            channel, category.workflow, emergency=condition.emergency, no_chief=category.no_chief
        )


def _span(term: Term) -> Span:
    return Span(term.amount, term.unit)
