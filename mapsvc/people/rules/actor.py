"""The one who acts, as a value: roles and scope, resolved once per request, job or command."""

from __future__ import annotations

from dataclasses import dataclass, field

ROLES: dict[str, tuple[str, str]] = {
    # role: (Chinese label, English label); words of notes on practice, section 1
    "intake": ("受理员", "intake clerk"),
    "dispatcher": ("派遣员", "dispatcher"),
    "duty_officer": ("值班长", "duty officer"),
    "unit_staff": ("处置单位经办人", "unit staff"),
    "patrol": ("巡查员", "patrol member"),
    "grid_chief": ("网格长", "grid chief"),
    "area_chief": ("片区长", "area chief"),
    "liaison": ("联络员", "liaison"),
    "street": ("街道", "street office"),
    "planner": ("网格规划员", "planner"),
    "approver": ("方案批准人", "plan approver"),
    "leader": ("领导", "leader (reads only)"),
    "admin": ("系统管理员", "administrator"),
}

PLACE_BOUND = frozenset({"grid_chief", "area_chief", "liaison", "street"})
"""Roles that hold in an area only: by a post or a grant for it. Without one they hold nowhere."""

UNIT_BOUND = frozenset({"unit_staff"})
"""Roles that hold for a handling unit only."""


@dataclass(frozen=True)
class RoleHeld:
    """One role and where it holds: everywhere (both None), in one area with all below it, or for one unit."""

    role: str
    area_id: int | None = None
    unit_id: int | None = None
    for_person_id: int | None = None
    """For a liaison or a stand-in: the person on whose behalf it is held."""


@dataclass(frozen=True)
class Actor:
    """Who acts, with which roles, where. `user_id` is None for the public and for the system itself.

    `area_ids` are the areas of the roles held (not their descendants: a query of cases joins
    `case_area`, which has a row for every level). `language` is `zh` or `en`.
    """

    user_id: int | None
    name: str
    roles: tuple[RoleHeld, ...] = ()
    person_id: int | None = None
    language: str = "zh"
    system: bool = False
    via_token: bool = field(default=False, compare=False)

    @property
    def role_names(self) -> frozenset[str]:
        """The names of all roles held anywhere."""
        return frozenset(held.role for held in self.roles)

    def areas_of(self, *roles: str) -> frozenset[int] | None:
        """Return the areas in which one of `roles` is held; None means everywhere.

        A role of place or unit without its area or unit holds nowhere.
        """
        found: set[int] = set()
        for held in self.roles:
            if held.role in roles:
                if held.area_id is None and held.unit_id is None and held.role not in PLACE_BOUND | UNIT_BOUND:
                    return None
                if held.area_id is not None:
                    found.add(held.area_id)
        return frozenset(found)

    @property
    def unit_ids(self) -> frozenset[int]:
        """The units for which this actor is staff."""
        return frozenset(held.unit_id for held in self.roles if held.unit_id is not None)


PUBLIC = Actor(user_id=None, name="")
"""Somebody without an account."""

SYSTEM = Actor(user_id=None, name="mapsvc", system=True)
"""The program itself: worker, imports, the demo."""
