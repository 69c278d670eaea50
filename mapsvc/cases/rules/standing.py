"""In which roles somebody stands before one case: the roles held, where the case lies, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from mapsvc.cases.rules.workflow import CASE_WORKERS, CHIEFS, REPORTER, SYSTEM_ROLE
from mapsvc.people.rules.actor import PLACE_BOUND, Actor, RoleHeld

TRAY_ROLES = frozenset({"intake", "dispatcher", "duty_officer"})
_ANSWERS_HAND_OVER = frozenset({"accept_hand_over", "decline_hand_over"})


@dataclass(frozen=True)
class Place:
    """Where a case stands: the areas that hold it at every level, its unit, the side it is offered to."""

    area_ids: frozenset[int]
    unit_id: int | None = None
    handover_area_id: int | None = None
    unplaced: bool = False


def roles_on(actor: Actor, place: Place, *, step: str = "", reporter: bool = False) -> dict[str, RoleHeld]:
    """Return the roles in which `actor` may act on a case, with the holding that gives each.

    A desk role held without an area holds everywhere, a role of place only in its areas, unit staff act
    for their own unit only. Accepting or declining a hand-over is for the chief of the other side.
    """
    found: dict[str, RoleHeld] = {}
    for held in actor.roles:
        if held.role in CASE_WORKERS and _holds_here(held, place, step):
            known = found.get(held.role)
            # One's own post goes before one held for somebody else.
            if known is None or (known.for_person_id is not None and held.for_person_id is None):
                found[held.role] = held
    if reporter:
        found[REPORTER] = RoleHeld(REPORTER)
    if actor.system:
        found[SYSTEM_ROLE] = RoleHeld(SYSTEM_ROLE)
    return found


def _holds_here(held: RoleHeld, place: Place, step: str) -> bool:
    if held.role == "unit_staff":
        return held.unit_id is not None and held.unit_id == place.unit_id
    if held.area_id is None:
        return held.role not in PLACE_BOUND and held.role != "patrol"
    if held.role in CHIEFS and step in _ANSWERS_HAND_OVER:
        return held.area_id == place.handover_area_id
    if held.area_id in place.area_ids:
        return True
    return held.role in TRAY_ROLES and place.unplaced


def persons_of(actor: Actor, held: RoleHeld | None) -> frozenset[int]:
    """Return the persons whose hand this is: one's own, and the leader's on whose behalf one acts."""
    return frozenset(person for person in (actor.person_id, held.for_person_id if held else None) if person is not None)
