"""The cuts by which figures are counted: a population of cases in a window, and the part of it that counts.

A number on a screen and the list behind it are made by the same cut: `cases.queries.cuts` says it in SQL for
lists, `cases.queries.columns.cuts` over the columns in memory for figures, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mapsvc.base.errors import InvalidInput
from mapsvc.catalog import Categories

NOT_FILED_OUTCOMES = ("refused", "duplicate", "not_ours")
"""What ends so never had to be settled here: it stands in no cohort of what fell due."""

POPULATIONS: Mapping[str, str] = {
    # population: what it is, for readers of the code; the screens' words are `insight.*`
    "received": "came in within the window",
    "due": "fell due within the window; neither suspended nor refused, merged or not ours",
    "findings": "found by staff themselves, on patrol or off it, within the window",
    "own_power": "findings that their finder may mend on the spot: the whitelist of category and condition",
    "due_findings": "findings that fell due within the window",
    "due_hotline": "tickets of the hotline that fell due within the window",
    "standard": "came in within the window and has to be filed: the standard workflow",
    "filed": "of these, those that were filed",
    "instant": "findings mended on the spot",
    "instant_checked": "findings mended on the spot whose mending somebody else has checked",
    "mended": "mended within the window, and the mending stands",
}
PARTS: Mapping[str, str] = {
    "closed": "is closed",
    "on_time": "was closed by its deadline; closed late does not count",
    "in_time": "is open and its time has not run out, or stands still",
    "overdue": "is open and its time has run out",
    "mended": "is mended, in time or late",
    "solved": "was closed as solved and not opened again",
    "filed": "was filed",
    "dispatched": "was dispatched to a unit",
    "reworked": "was opened again or failed a check",
    "extended": "was given more time",
    "instant": "was mended on the spot and neither opened again nor failed its check",
    "own_power": "is one of the light ones, that its finder may mend on the spot",
    "passed": "passed its check",
    "recurred": "came again at the same place within days of being mended",
}


@dataclass(frozen=True)
class Cut:
    """One population and, where `part` is not empty, which of it counts.

    The window is `since` <= moment < `until` (aware, whole seconds). Nothing after `as_of` counts, the moment at
    which the figure was made. `only` keeps those that count (True) or those that do not (False); None keeps all.
    `light` are the pairs of category and condition that may be mended on the spot (`light_of`), "" the first
    condition. `recurred` are the ids of the part `recurred`, which no condition on one case can tell.
    """

    population: str
    since: datetime
    until: datetime
    as_of: datetime
    part: str = ""
    only: bool | None = None
    light: frozenset[tuple[str, str]] = frozenset()
    recurred: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.population not in POPULATIONS:
            raise InvalidInput("unknown_cut", f"There is no population {self.population!r}.")
        if self.part and self.part not in PARTS:
            raise InvalidInput("unknown_cut", f"There is no part {self.part!r}.")

    @property
    def end(self) -> datetime:
        """The moment before which something must have happened: the end of the window, or `as_of` if it is earlier."""
        return min(self.until, self.as_of)


def light_of(categories: Categories) -> frozenset[tuple[str, str]]:
    """Return the pairs of category and condition within the finder's own power; "" stands for the first condition."""
    found = set()
    for category in categories:
        for number, condition in enumerate(category.conditions):
            if condition.instant_fix:
                found |= {(category.code, condition.code)} | ({(category.code, "")} if number == 0 else set())
    return frozenset(found)
