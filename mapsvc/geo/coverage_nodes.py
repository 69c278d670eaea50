"""Areas noded again on the lattice, where rounding has made borders cross."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.lattice import STEP

Geometries: TypeAlias = NDArray[np.object_]
Ints: TypeAlias = NDArray[np.int64]

ROUNDS = 3


def renode(geometries: Geometries) -> Geometries:
    """Return areas that match edge by edge, changing only those that do not, and their neighbours.

    By snap-rounded overlay: the borders of the places in question are noded on the lattice, and each face
    goes to the first area that held it. Ground that nobody held stays nobody's. An area can lose all its
    ground when it is thinner than the lattice. After a few rounds what still does not match is handed back as it is.
    """
    answer = geometries.copy()
    for _ in range(ROUNDS):
        bad = _unmatched(answer)
        if len(bad) == 0:
            break
        standing = np.flatnonzero(~shapely.is_empty(answer))
        tree = shapely.STRtree(answer[standing])
        _, near = tree.query(answer[bad], predicate="dwithin", distance=2 * STEP)
        touched = np.unique(np.concatenate([bad, standing[near]])).astype(np.int64)
        answer[touched] = _overlaid(answer[touched])
    return answer


def _unmatched(geometries: Geometries) -> Ints:
    standing = np.flatnonzero(~shapely.is_empty(geometries))
    loose = ~shapely.is_empty(shapely.coverage_invalid_edges(geometries[standing]))
    loose |= ~shapely.is_valid(geometries[standing])
    return standing[loose].astype(np.int64)


def _overlaid(geometries: Geometries) -> Geometries:
    lines = shapely.union_all(shapely.boundary(geometries), grid_size=STEP)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    valid = np.where(shapely.is_valid(geometries), geometries, shapely.make_valid(geometries))
    tree = shapely.STRtree(valid)
    face, owner = tree.query(shapely.point_on_surface(faces), predicate="within")
    first: dict[int, int] = {}
    for number, holder in sorted(zip(face.tolist(), owner.tolist(), strict=True)):
        first.setdefault(number, holder)
    held: dict[int, list[int]] = {}
    for number, holder in first.items():
        held.setdefault(holder, []).append(number)
    answer = np.full(len(geometries), shapely.Polygon(), dtype=object)
    for holder, numbers in held.items():
        answer[holder] = shapely.coverage_union_all(faces[numbers])
    return answer
