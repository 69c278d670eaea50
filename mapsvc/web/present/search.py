"""Finds areas and named places on the ground by what somebody typed: a code, a name, or a part of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.state import AreaTable
from mapsvc.web.present.ground import Drawn
from mapsvc.web.present.speech import Speech

MOST_FOUND = 12
LONGEST = 60
EXACT, BEGINS, HOLDS, MISSES = range(4)


@dataclass(frozen=True)
class Found:
    """One line of the answer: an area (`level`, `code`), or a place (both empty). `box` is west, south, east, north."""

    name: str
    about: str
    level: str
    code: str
    lon: float
    lat: float
    box: tuple[float, float, float, float] | None


def search(words: Speech, snapshot: Snapshot, drawn: Sequence[Drawn], text: str) -> tuple[Found, ...]:
    """Return the best matches: exact before beginnings before parts, coarse levels before fine ones, areas first."""
    asked = " ".join(text.split()).casefold()[:LONGEST]
    if not asked:
        return ()
    found = [*_areas(words, snapshot, asked), *_places(words, drawn, asked)]
    found.sort(key=lambda item: item[0])
    return tuple(one for _, one in found[:MOST_FOUND])


def _rank(asked: str, *texts: str) -> int:
    best = MISSES
    for text in texts:
        folded = text.casefold()
        if folded == asked:
            return EXACT
        if folded.startswith(asked):
            best = min(best, BEGINS)
        elif asked in folded:
            best = min(best, HOLDS)
    return best


Ranked = tuple[tuple[int, int, int, str], Found]


def _areas(words: Speech, snapshot: Snapshot, asked: str) -> Iterable[Ranked]:
    order = [level for level in words.levels.codes if level in snapshot.tables]
    for depth, level in enumerate(order):
        table, taken = snapshot.tables[level], 0
        for row, (code, name) in enumerate(zip(table.codes, table.names, strict=True)):
            rank = _rank(asked, code, name)
            if rank == MISSES:
                continue
            yield (rank, 0, depth, code), _area(words, snapshot, table, row)
            taken += 1
            if taken >= 4 * MOST_FOUND:
                break


def _area(words: Speech, snapshot: Snapshot, table: AreaTable, row: int) -> Found:
    above = [snapshot.tables[level].names[int(rows[row])] for level, rows in table.parents.items() if rows[row] >= 0]
    about = " · ".join([words.level_name(table.level), *reversed(above[-2:])])
    lon, lat = table.label_lonlat[row].tolist()
    return Found(table.names[row] or table.codes[row], about, table.level, table.codes[row], lon, lat, None)


def _places(words: Speech, drawn: Sequence[Drawn], asked: str) -> Iterable[Ranked]:
    for depth, one in enumerate(reversed(drawn)):
        rows: dict[str, list[int]] = {}
        names = one.ground.rows.names
        for name in sorted(set(names), key=lambda name: (_rank(asked, name), name))[: 2 * MOST_FOUND]:
            if name and _rank(asked, name) != MISSES:
                rows[name] = []
        if not rows:
            continue
        for row, name in enumerate(names):
            if name in rows:
                rows[name].append(row)
        # Numbers of buildings repeat from court to court: such a name alone leads nowhere.
        numbers = any(value is not None for value in one.ground.rows.households)
        for name, members in rows.items():
            if numbers and len(members) > 1:
                continue
            geometries = one.ground.rows.geometries[np.array(members)]
            west, south, east, north = shapely.total_bounds(geometries).tolist()
            place = shapely.point_on_surface(geometries[int(np.argmax(shapely.length(geometries)))])
            about = one.layer.legend(words.language)
            found = Found(name, about, "", "", place.x, place.y, (west, south, east, north))
            yield (_rank(asked, name), 1, depth, name), found
