"""Who answers for a case (分派, 落格定责): decided from where the point lies and who is in post.

The first level of the chain that holds the point owns the case. Where nobody is in post there, one
level up answers, and says so. A category that may not be given to a community, grid or chief as the
main responsible body goes to the office levels only. A fix that is less than `certain` sure goes to
the most likely area as an *edge* case; outside every area the nearest one answers; else it is *unplaced*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from mapsvc.areas.rules.located import AreaAt, Candidate, Located, Responsible, owner_chain
from mapsvc.cases.rules.values import Side


class Posts(Protocol):
    """Whoever knows who is in post: a snapshot."""

    def responsible(self, area_id: int, on: date) -> Responsible | None:
        """Say who answers for an area on a local day."""
        ...


@dataclass(frozen=True)
class Decision:
    """An assignment as decided, with every fact that made it; the reason sentence is written from it.

    `rule` is how: `inside`, `edge`, `nearest`, `none` from the point; `side` (the reporter said which
    side), `manual`, `hand_over`, `decided`, `raised` by a step. `vacant` are the areas passed over because nobody
    was in post. `cause` is why an open case was decided again: `redraw` (other borders), `post` (other people),
    empty for all else. `notices` are codes that pages put into words.
    """

    rule: str
    owner: AreaAt | None
    responsible: Responsible | None
    path: tuple[AreaAt, ...]
    vacant: tuple[AreaAt, ...]
    sides: tuple[Side, ...]
    distance_m: float
    certainty: float
    generation: int
    edge: bool = False
    office_only: bool = False
    cause: str = ""

    @property
    def unplaced(self) -> bool:
        """Whether no area answers."""
        return self.owner is None

    @property
    def notices(self) -> tuple[str, ...]:
        """What whoever looks at the case ought to be told."""
        told: list[str] = []
        if self.owner is None:
            told.append("unplaced")
        if self.edge:
            told.append("edge")
        if self.rule == "nearest":
            told.append("nearest")
        if self.vacant:
            told.append("vacant")
        if self.owner is not None and self.responsible is None:
            told.append("nobody_in_post")
        if self.responsible is not None and self.responsible.stand_in:
            told.append(self.responsible.stand_in)
        return tuple(told)


def decide(
    located: Located, posts: Posts, chain: Sequence[str], on: date, *, certain: float, office_only: bool = False
) -> Decision:
    """Decide from a located point; `chain` are the levels that may own the case."""
    owners = owner_chain(located, chain)
    owner, responsible, vacant = first_in_post(owners, posts, on)
    sides = tuple(_side(candidate) for candidate in located.candidates)
    return Decision(
        rule=located.rule if owner is not None else "none",
        owner=owner,
        responsible=responsible,
        path=tuple(reversed(located.areas)),
        vacant=vacant,
        sides=sides,
        distance_m=located.distance_m,
        certainty=located.certainty if owner is not None else 0.0,
        generation=located.generation,
        edge=owner is not None and located.rule != "none" and located.certainty < certain,
        office_only=office_only,
    )


def first_in_post(
    owners: Sequence[AreaAt], posts: Posts, on: date
) -> tuple[AreaAt | None, Responsible | None, tuple[AreaAt, ...]]:
    """Return the first area where somebody is in post, who that is, and the areas passed over.

    Where nobody is in post anywhere the first area keeps the case without a person: a case is
    never without an area because of a vacancy.
    """
    vacant: list[AreaAt] = []
    for area in owners:
        responsible = posts.responsible(area.area_id, on)
        if responsible is not None:
            return area, responsible, tuple(vacant)
        vacant.append(area)
    return (owners[0] if owners else None), None, ()


def decide_for_area(
    area: AreaAt, path: Sequence[AreaAt], posts: Posts, chain: Sequence[str], on: date, *, rule: str, generation: int
) -> Decision:
    """Give a case to an area that somebody named: by hand, by the side of the road, by raising it.

    `path` are the areas that hold the case from now on, coarsest first, with `area` among them.
    """
    owners = (area, *next_level_up(path, chain, area.level))
    owner, responsible, vacant = first_in_post(owners, posts, on)
    return Decision(
        rule=rule,
        owner=owner,
        responsible=responsible,
        path=tuple(path),
        vacant=vacant,
        sides=(),
        distance_m=0.0,
        certainty=1.0,
        generation=generation,
    )


def path_through(
    area: AreaAt, parents: Sequence[AreaAt], path: Sequence[AreaAt], levels: Sequence[str]
) -> tuple[AreaAt, ...]:
    """Return the path of a case that goes to `area` although its point may lie beside it, coarsest first.

    The area and its parents replace those of the point at their levels. Levels finer than the area's
    are left out where the area changes, since the point's grid does not lie in it. `levels` are all
    levels from the coarsest to the finest.
    """
    by_level = {each.level: each for each in path}
    if by_level.get(area.level) != area:
        finer = levels[levels.index(area.level) + 1 :] if area.level in levels else ()
        by_level = {level: each for level, each in by_level.items() if level not in finer}
    by_level.update({each.level: each for each in (*parents, area)})
    ranked = sorted(by_level.values(), key=lambda each: levels.index(each.level) if each.level in levels else -1)
    return tuple(ranked)


def next_level_up(path: Sequence[AreaAt], chain: Sequence[str], level: str) -> tuple[AreaAt, ...]:
    """Return the areas above `level` in the chain that hold the point, nearest first (小事不出街巷, 大事不出社区).

    A level that is not in the chain (a grid) is below all of it.
    """
    begin = chain.index(level) + 1 if level in chain else 0
    by_level = {area.level: area for area in path}
    return tuple(by_level[name] for name in chain[begin:] if name in by_level)


def _side(candidate: Candidate) -> Side:
    return Side(
        candidate.area_id or None, candidate.level, candidate.code, candidate.name, round(candidate.probability, 4)
    )
