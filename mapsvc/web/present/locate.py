"""Answers about points as they leave the house: areas for everybody, persons for staff or where posted up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import orjson

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.located import AreaAt, Located

MOST_REMEMBERED = 50_000


@dataclass(frozen=True)
class ChiefAnswer:
    """Who answers for the area that day; `stand_in` is empty for the chief, else `acting` or `deputy`."""

    name: str
    role: str
    stand_in: str


@dataclass(frozen=True)
class AreaAnswer:
    """One area at the point. `chief` is null where nobody is in post, or where the name is not for the asker."""

    level: str
    area_id: int
    code: str
    name: str
    kind: str
    vacant: bool
    chief: ChiefAnswer | None


@dataclass(frozen=True)
class CandidateAnswer:
    """An area that may hold the point; code null stands for "outside every area"."""

    area_id: int | None
    level: str
    code: str | None
    name: str
    probability: float


@dataclass(frozen=True)
class LocateAnswer:
    """The answer for one point; `lon`, `lat` are WGS 84 whatever datum was sent. `areas`: finest first."""

    lon: float
    lat: float
    rule: str
    distance_m: float
    certainty: float
    generation: int
    owner_level: str | None
    areas: tuple[AreaAnswer, ...]
    candidates: tuple[CandidateAnswer, ...]


def present_areas(areas: Sequence[AreaAt], snapshot: Snapshot, on: date, *, staff: bool) -> tuple[AreaAnswer, ...]:
    """Return the areas with who answers for each; names that are not public only for `staff`."""
    return tuple(_area(area, snapshot, on, staff=staff) for area in areas)


def _area(area: AreaAt, snapshot: Snapshot, on: date, *, staff: bool) -> AreaAnswer:
    found = snapshot.responsible(area.area_id, on)
    shown = found is not None and (staff or found.public)
    chief = ChiefAnswer(found.name, found.role, found.stand_in) if found is not None and shown else None
    return AreaAnswer(area.level, area.area_id, area.code, area.name, area.kind, found is None, chief)


def _candidates(located: Located) -> tuple[CandidateAnswer, ...]:
    return tuple(
        CandidateAnswer(c.area_id or None, c.level, c.code or None, c.name, round(c.probability, 4))
        for c in located.candidates
    )


def present_located(
    lon: float, lat: float, located: Located, areas: tuple[AreaAnswer, ...] | orjson.Fragment
) -> LocateAnswer:
    """Join one answer; `areas` may be text made before (see `AreaTexts`)."""
    return LocateAnswer(
        lon=lon,
        lat=lat,
        rule=located.rule,
        distance_m=round(located.distance_m, 2),
        certainty=round(located.certainty, 4),
        generation=located.generation,
        owner_level=located.owner_level or None,
        areas=areas,  # a fragment is the same value, already written down
        candidates=_candidates(located),
    )


_Texts = dict[tuple[bool, tuple[AreaAt, ...]], orjson.Fragment]


class AreaTexts:
    """The JSON of the areas at a point, kept for one snapshot and day: most points share it with many others."""

    def __init__(self) -> None:
        # One name for both, so that no reader meets texts of one snapshot under the key of another.
        self._kept: tuple[tuple[str, date], _Texts] | None = None

    def get(self, areas: tuple[AreaAt, ...], snapshot: Snapshot, on: date, *, staff: bool) -> orjson.Fragment:
        """Return the areas as JSON text, made when first asked for."""
        kept = self._kept
        if kept is None or kept[0] != (snapshot.key, on) or len(kept[1]) > MOST_REMEMBERED:
            kept = self._kept = ((snapshot.key, on), {})
        found = kept[1].get((staff, areas))
        if found is None:
            found = orjson.Fragment(orjson.dumps(present_areas(areas, snapshot, on, staff=staff)))
            kept[1][staff, areas] = found
        return found


@dataclass(frozen=True)
class AreaName:
    """An area that some of the points lie in."""

    level: str
    area_id: int
    code: str
    name: str


@dataclass(frozen=True)
class LocateManyAnswer:
    """Answers for many points: for each level the code of every point's area, null where there is none.

    `nearest` lists the points (by their place in what was sent, from 0) that lie outside and were
    answered by the nearest area.
    """

    generation: int
    count: int
    levels: Mapping[str, Sequence[str | None]]
    nearest: Sequence[int]
    areas: Sequence[AreaName]
