"""Rules of posts: which may not be held at once, and which roles of the program follow from them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mapsvc.people.rules.actor import RoleHeld

POST_ROLES = ("chief", "acting", "deputy", "member")

ROLE_WORDS = {
    # words in tables: the role they mean. Sources: notes on practice, sections 1 and 8.
    "chief": "chief",
    "片区长": "chief",
    "网格长": "chief",
    "街道负责人": "chief",
    "社区书记": "chief",
    "楼栋长": "chief",
    "责任人": "chief",
    "负责人": "chief",
    "正职": "chief",
    "acting": "acting",
    "代理": "acting",
    "代理片区长": "acting",
    "代理网格长": "acting",
    "deputy": "deputy",
    "副片区长": "deputy",
    "副网格长": "deputy",
    "副职": "deputy",
    "AB岗": "deputy",
    "member": "member",
    "成员": "member",
    "网格员": "member",
    "包联领导": "member",
    "民警": "member",
    "物业经理": "member",
}


@dataclass(frozen=True, slots=True)
class Term:
    """The days of one post, both included; None is open. `label` tells posts apart."""

    begin: date | None
    end: date | None
    label: int

    def overlaps(self, other: Term) -> bool:
        """Whether both are held on some day."""
        starts_before = other.end is None or self.begin is None or self.begin <= other.end
        return starts_before and (self.end is None or other.begin is None or other.begin <= self.end)


def find_overlap(terms: Sequence[Term]) -> tuple[Term, Term] | None:
    """Return two terms that share a day, or None: an area has at most one chief on any day."""
    ordered = sorted(terms, key=lambda term: (term.begin or date.min, term.end or date.max))
    for one, other in itertools.pairwise(ordered):
        if one.overlaps(other):
            return one, other
    return None


@dataclass(frozen=True, slots=True)
class PostLine:
    """What a person has to do with one post: holds it, stands in for its holder (AB岗), or acts for him (联络员)."""

    level: str
    area_id: int
    role: str
    person_id: int
    capacity: str
    """`holder`, `deputy` or `liaison`."""


def roles_from_posts(lines: Iterable[PostLine], office_levels: Sequence[str] = ("street",)) -> tuple[RoleHeld, ...]:
    """Return the roles that follow from posts.

    A chief, acting chief or deputy of a grid is `grid_chief`, of a level in `office_levels` `street`, of any other
    level `area_chief`; a member is `patrol`. Who stands in for another holds his role on his behalf; a
    liaison is `liaison` for the one he works for.
    """
    found: dict[RoleHeld, None] = {}
    for line in lines:
        role = _role(line, office_levels)
        on_behalf = line.person_id if line.capacity != "holder" else None
        found[RoleHeld(role, area_id=line.area_id, for_person_id=on_behalf)] = None
    return tuple(found)


def _role(line: PostLine, office_levels: Sequence[str]) -> str:
    if line.capacity == "liaison":
        return "liaison"
    if line.role == "member":
        return "patrol"
    if line.level == "grid":
        return "grid_chief"
    return "street" if line.level in office_levels else "area_chief"
