"""Answers about a point, as values: which areas hold it, by which rule, how surely, who answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

LocateRule = Literal["inside", "edge", "nearest", "none"]


@dataclass(frozen=True, slots=True)
class AreaAt:
    """One area in force at a point."""

    level: str
    area_id: int
    version_id: int
    code: str
    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An area that may hold the point; `area_id` 0 with an empty code stands for "outside every area"."""

    area_id: int
    level: str
    code: str
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Located:
    """The answer for one point.

    `areas` go from the finest level to the coarsest and nest. `owner_level` is the first level of the chain
    of answers that holds the point; `candidates` and `certainty` are about that level, most likely first.
    `distance_m` is 0 inside an area, else the distance to the nearest one. `certainty` is 1 where no
    accuracy was given.
    """

    areas: tuple[AreaAt, ...]
    candidates: tuple[Candidate, ...]
    rule: LocateRule
    distance_m: float
    certainty: float
    generation: int
    owner_level: str = ""

    def find_area(self, level: str) -> AreaAt | None:
        """Return the area at a level, or None where the point has none."""
        return next((area for area in self.areas if area.level == level), None)

    @property
    def area_ids(self) -> tuple[int, ...]:
        """The ids of all areas at the point."""
        return tuple(area.area_id for area in self.areas)

    @property
    def owner(self) -> AreaAt | None:
        """The area at the owner level: the first that answers."""
        return self.find_area(self.owner_level) if self.owner_level else None


@dataclass(frozen=True, slots=True)
class PostHeld:
    """A post with the names of its people; days are local, `valid_to` is the last day held."""

    post_id: int
    area_id: int
    person_id: int
    name: str
    public: bool
    role: str
    document: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    deputy_id: int | None = None
    deputy_name: str = ""
    liaison_id: int | None = None
    liaison_name: str = ""

    def is_held(self, on: date) -> bool:
        """Whether the post is held on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers for an area on a day; `stand_in` is empty for the chief, else `acting` or `deputy`."""

    person_id: int
    name: str
    public: bool
    stand_in: str
    post_id: int
    document: str
    role: str
    liaison_id: int | None = None
    liaison_name: str = ""


ANSWERING_ROLES = ("chief", "acting", "deputy")
"""Who answers for an area, first one present: the chief, else the acting chief (代理), else the deputy (副职)."""


def choose_responsible(posts: Iterable[PostHeld], on: date) -> Responsible | None:
    """Choose who answers for one area on a day, or None when nobody is in post (then one level up answers).

    Of two in the same role the one appointed later answers; the smaller post id settles what is left.
    """
    best: PostHeld | None = None
    best_key: tuple[int, int, int] | None = None
    for post in posts:
        if post.role not in ANSWERING_ROLES or not post.is_held(on):
            continue
        since = post.valid_from.toordinal() if post.valid_from else 0
        key = (ANSWERING_ROLES.index(post.role), -since, post.post_id)
        if best_key is None or key < best_key:
            best, best_key = post, key
    if best is None:
        return None
    return Responsible(
        person_id=best.person_id,
        name=best.name,
        public=best.public,
        stand_in="" if best.role == "chief" else best.role,
        post_id=best.post_id,
        document=best.document,
        role=best.role,
        liaison_id=best.liaison_id,
        liaison_name=best.liaison_name,
    )


def owner_chain(located: Located, chain: Sequence[str]) -> tuple[AreaAt, ...]:
    """Return the areas to ask for an owner, in the order of a chain of levels; levels without an area are skipped."""
    by_level: Mapping[str, AreaAt] = {area.level: area for area in located.areas}
    return tuple(by_level[level] for level in chain if level in by_level)
