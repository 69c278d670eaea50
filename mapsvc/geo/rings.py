"""All rings of many polygons as one table of points, so that edges can be worked on at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Geometries: TypeAlias = NDArray[np.object_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class RingTable:
    """Points of all rings, each ring closed, in the order of the geometries.

    `ring`, of each point, numbers the rings through; `part_of_ring` and `row_of_part` lead to the part
    and to the geometry's row. Rows that are no polygons have no points here.
    """

    geometries: Geometries
    points: Floats
    ring: Ints
    part_of_ring: Ints
    row_of_part: Ints

    @classmethod
    def of(cls, geometries: Iterable[BaseGeometry | None]) -> RingTable:
        """Return the table of the polygons among the geometries, with Z where they have it."""
        array = np.asarray(list(geometries), dtype=object)
        rows = np.flatnonzero(np.isin(shapely.get_type_id(array), (3, 6)) & ~shapely.is_empty(array))
        parts, row_of_part = shapely.get_parts(array[rows], return_index=True)
        rings, part_of_ring = shapely.get_rings(parts, return_index=True)
        solid = bool(shapely.has_z(array[rows]).any())
        points, ring = shapely.get_coordinates(rings, include_z=solid, return_index=True)
        return cls(
            array, points, ring.astype(np.int64), part_of_ring.astype(np.int64), rows[row_of_part].astype(np.int64)
        )

    @property
    def row(self) -> Ints:
        """The geometry's row of each point."""
        return self.row_of_part[self.part_of_ring[self.ring]]

    def edges(self) -> Ints:
        """Return the number of each edge's first point; its second is the next one."""
        found: Ints = np.flatnonzero(self.ring[1:] == self.ring[:-1]).astype(np.int64)
        return found

    def with_points(self, after: Ints, points: Floats) -> Geometries:
        """Return the geometries with `points[k]` inserted after point `after[k]`, in order where those are equal.

        Rows that gain nothing are the same objects as before.
        """
        answer = self.geometries.copy()
        if len(after) == 0:
            return answer
        ring = np.insert(self.ring, after + 1, self.ring[after])
        every = np.insert(self.points, after + 1, points, axis=0)
        changed = np.zeros(len(self.geometries), dtype=np.bool_)
        changed[self.row[after]] = True
        wanted = changed[self.row_of_part[self.part_of_ring]]
        keep = wanted[ring]
        _, ring_number = np.unique(ring[keep], return_inverse=True)
        rings: Any = shapely.linearrings(every[keep], indices=ring_number)
        old_parts, part_number = np.unique(self.part_of_ring[wanted], return_inverse=True)
        polygons: Any = shapely.polygons(rings, indices=part_number)
        rows = self.row_of_part[old_parts]
        multi = shapely.get_type_id(self.geometries[rows]) == 6
        answer[rows[~multi]] = polygons[~multi]
        if multi.any():
            targets, number = np.unique(rows[multi], return_inverse=True)
            answer[targets] = shapely.multipolygons(polygons[multi], indices=number)
        return answer


def point_hashes(points: Floats) -> NDArray[np.uint64]:
    """Return a number of 64 bits for each pair of coordinates, the same for equal pairs, well mixed for others."""
    bits = np.ascontiguousarray(points[:, :2] + 0.0).view(np.uint64)
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    return np.asarray(mixed * np.uint64(0xD6E8FEB86659FD93))


def equal_points(points: Floats, one: Ints, other: Ints) -> NDArray[np.bool_]:
    """Return which points number `one[k]` and `other[k]` are equal."""
    return np.asarray((points[one, 0] == points[other, 0]) & (points[one, 1] == points[other, 1]))
