"""Areas of a snapshot on the way from the coarsest level to the one that owns a case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import InvalidInput
from mapsvc.cases.rules.assignment import path_through


def get_area(snapshot: Snapshot, area_id: int) -> AreaAt:
    """Return an area in force; one that is not raises `InvalidInput`."""
    area = snapshot.find_area_by_id(area_id)
    if area is None:
        raise InvalidInput(
            "unknown_area", f"There is no area {area_id} in force.", hint="Choose an area of the present borders."
        )
    return area


def parents_of(snapshot: Snapshot, area: AreaAt) -> tuple[AreaAt, ...]:
    """Return the areas that hold an area, of every level above it that it has a parent at."""
    found: dict[str, AreaAt] = {}
    todo = [area]
    while todo:
        below = todo.pop()
        table = snapshot.tables[below.level]
        row = int(np.flatnonzero(table.area_ids == below.area_id)[0])
        for level, rows in table.parents.items():
            parent_row = int(rows[row])
            if parent_row >= 0 and level not in found:
                found[level] = snapshot.borders.area_at(level, parent_row)
                todo.append(found[level])
    return tuple(found.values())


def path_to(snapshot: Snapshot, area: AreaAt, path: Sequence[AreaAt]) -> tuple[AreaAt, ...]:
    """Return the path of a case that goes to `area`, from the path of its point; coarsest first."""
    return path_through(area, parents_of(snapshot, area), path, snapshot.levels.codes)
