"""What becomes of an open case when borders or posts change under it: whether its owner stays, why, in which state."""

from __future__ import annotations

from collections.abc import Mapping

from mapsvc.areas.rules.located import Located
from mapsvc.cases.rules.workflow import state_for_new_owner

REDRAW, POST = "redraw", "post"
"""The two causes: the borders changed (界线调整), or who is in post changed (任职变动)."""

CAUSES = (REDRAW, POST)
STEP_OF = {REDRAW: "hand_over_borders", POST: "owner_changed"}

BY_HAND = frozenset({"manual", "decided", "hand_over"})
"""Rules by which a person chose the area: it keeps the case as long as it is in force."""

AT_THE_POINT = frozenset({"side", "raised"})
"""Rules by which an area was taken because it lay at the point: it keeps the case as long as it does."""

_SIGNED_ANEW = frozenset({"received", "assigned", "in_progress", "returned"})


def keeps_case(rule: str, area_id: int, located: Located | None) -> bool:
    """Whether the area that a person chose, in force still, keeps its case. `located` is None without a position."""
    if rule in BY_HAND or (rule in AT_THE_POINT and located is None):
        return True
    if rule not in AT_THE_POINT or located is None:
        return False
    return area_id in located.area_ids or any(area_id == candidate.area_id for candidate in located.candidates)


def is_same_path(before: Mapping[str, int], after: Mapping[str, int], *, kept: bool) -> bool:
    """Whether the areas that hold a case, by level, are the same.

    A case that went to an area by hand may have lost the levels finer than that; getting them back
    is no change of borders.
    """
    if kept:
        return all(after.get(level) == area_id for level, area_id in before.items())
    return before == after


def state_under_new_owner(workflow: str, state: str, *, unplaced: bool, has_unit: bool) -> str:
    """Return the state after borders or posts gave the case to another area.

    The new owner signs; what a unit has in hand, awaits its check or is suspended goes on where it is.
    """
    if has_unit or state not in _SIGNED_ANEW:
        return state
    return state_for_new_owner(workflow, state, unplaced=unplaced)
