"""The past of a case as another office's table tells it: which steps were taken, when, in which workflow.

A ledger has a column for each milestone (立案时间, 派遣时间, 处置完成时间 ...). Each becomes an event at its own
moment, so that figures of imported years are derived from the log as those of our own are. A milestone that the
table does not tell of makes no event: nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mapsvc.cases.rules.workflow import QUICK, find_rule, first_state

MILESTONES = ("filed", "dispatched", "signed", "fixed", "reworked", "refixed", "checked")
"""Columns of steps, in the order in which they are taken; closing comes after them."""

CHANNEL_WORDS: Mapping[str, str] = {
    "public": "public", "群众": "public", "居民": "public", "随手拍": "public", "公众": "public", "公众上报": "public",
    "hotline": "hotline", "12345": "hotline", "热线": "hotline", "12345热线": "hotline", "工单": "hotline",
    "patrol": "patrol", "巡查": "patrol", "巡查发现": "patrol", "网格上报": "patrol",
    "staff": "staff", "工作人员": "staff", "自采": "staff",
}  # fmt: skip
REFUSED_WORDS = ("不予立案", "不予受理", "refused")


@dataclass(frozen=True, slots=True)
class PastStep:
    """One step that was taken."""

    step: str
    at: datetime
    from_state: str
    to_state: str


@dataclass(frozen=True)
class PastRow:
    """What a row tells of the steps taken: the moment of each milestone (None: not told) and of the closing.

    `instant` says that `fixed` was on the spot (即查即改). `refused`: closed without being filed.
    """

    received: datetime
    moments: Mapping[str, datetime | None]
    closed: datetime | None
    workflow: str
    first_state: str
    instant: bool = False
    refused: bool = False

    @property
    def tells(self) -> bool:
        """Whether there is anything but intake and closing."""
        return self.refused or any(self.moments.get(name) is not None for name in MILESTONES)

    def steps(self) -> tuple[PastStep, ...]:
        """Return the steps in their order, the intake first, each from the state that the one before it left."""
        found = [PastStep("open", self.received, "", self.first_state)]
        for step, at in self._taken():
            state = found[-1].to_state
            moves = find_rule(self.workflow, step).moves
            # Where the table leaves steps out this step is not one of that state; it leads on all the same.
            found.append(PastStep(step, at, state, moves.get(state) or next(iter(moves.values()))))
        return tuple(found)

    def disorder(self) -> str:
        """Return the first milestone that lies before the one that must precede it; empty for none."""
        last = self.received
        for name in (*MILESTONES, "closed"):
            at = self.closed if name == "closed" else self.moments.get(name)
            if at is None:
                continue
            if at < last:
                return name
            last = at
        return ""

    def _taken(self) -> Iterator[tuple[str, datetime]]:
        quick = self.workflow == QUICK
        names = {
            "filed": "" if quick else "accept",
            "dispatched": "dispatch",
            "signed": "sign" if quick else "unit_sign",
            "fixed": "instant_fix" if quick and self.instant else "fix",
            "reworked": "check_fail",
            "refixed": "fix",
            "checked": "check_pass",
        }
        for name in MILESTONES:
            at = self.moments.get(name)
            if at is not None and names[name]:
                yield names[name], at
        if self.closed is not None:
            yield "refuse" if self.refused else "close", self.closed


def without_owner(steps: tuple[PastStep, ...]) -> tuple[PastStep, ...]:
    """Return the steps of a case that lies nowhere: it begins in the tray, not on somebody's desk."""
    if not steps or steps[0].to_state == first_state(QUICK, unplaced=True):
        return steps
    first = replace(steps[0], to_state=first_state(QUICK, unplaced=True))
    return (first, *(replace(step, from_state=first.to_state) for step in steps[1:2]), *steps[2:])


def read_channel(text: str) -> str:
    """Return the channel that a word means; empty where the word is none, or there is no word."""
    return CHANNEL_WORDS.get(text.strip().casefold(), "")
