"""The lattice of 1e-8 degree (about 1 mm) on which every border is stored.

Two areas that share a vertex share it exactly, because both hold the same pair of integers. All
borders are rounded here and nowhere else: vertex by vertex, so that equal vertices stay equal; never
by `shapely.set_precision`, which re-nodes each polygon for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from mapsvc.base.errors import InvalidInput

STEP = 1e-8
"""Degrees between two neighbouring points of the lattice."""

PER_DEGREE = 100_000_000
"""Points of the lattice in one degree: dividing by it gives the double nearest to the decimal."""

Geometries = NDArray[np.object_]
Ring = NDArray[np.int64]


def to_lattice(lonlat: ArrayLike) -> NDArray[np.int64]:
    """Return degrees as whole numbers of lattice steps, halves going to the even number.

    Parameters
    ----------
    lonlat : array_like of float
        Degrees, of any shape; longitude first where they are pairs. All must be finite.

    Examples
    --------
    >>> to_lattice([[118.123456789, 30.5]])
    array([[11812345679,  3050000000]])
    """
    degrees = np.asarray(lonlat, dtype=np.float64)
    if not np.isfinite(degrees).all():
        raise InvalidInput(
            "not_finite",
            "A coordinate is not a finite number.",
            hint="Remove or correct positions that are NaN or infinite.",
        )
    return np.rint(degrees * PER_DEGREE).astype(np.int64)


def from_lattice(steps: ArrayLike) -> NDArray[np.float64]:
    """Return lattice steps as degrees: for each the double that its decimal with 8 digits reads as.

    Examples
    --------
    >>> from_lattice([11812345679])
    array([118.12345679])
    >>> int(to_lattice(from_lattice([11812345679]))[0])
    11812345679
    """
    return np.asarray(steps, dtype=np.int64) / np.float64(PER_DEGREE)


def snap_coordinates(lonlat: ArrayLike) -> NDArray[np.float64]:
    """Return degrees moved to the nearest point of the lattice; doing it twice changes nothing."""
    return from_lattice(to_lattice(lonlat))


@dataclass(frozen=True)
class Snapped:
    """Geometries on the lattice and what rounding did to them.

    `collapsed` holds, in ascending order, the rows of which a ring lost its area: such a hole or part
    is left out, and a polygon without any ring left is `POLYGON EMPTY`. `repeated` counts the
    vertices dropped because they had become equal to the one before.
    """

    geometries: Geometries
    collapsed: tuple[int, ...]
    repeated: int


def snap(geometries: Iterable[BaseGeometry | None]) -> Snapped:
    """Round every vertex to the lattice, drop repeated vertices and report rings that collapse.

    `None` and empty geometries stay as they are and keep their row. A Z ordinate is dropped. Lines and
    points are rounded too; only polygons are looked at for rings that collapse.
    """
    source = _as_array(geometries)
    flat: Geometries = shapely.force_2d(source) if shapely.has_z(source).any() else source.copy()
    coordinates, rows = shapely.get_coordinates(flat, return_index=True)
    snapped = snap_coordinates(coordinates)
    moved: Geometries = shapely.set_coordinates(flat, snapped)
    same = (snapped[1:] == snapped[:-1]).all(axis=1) & (rows[1:] == rows[:-1])
    suspects = np.unique(rows[1:][same])
    collapsed: list[int] = []
    dropped = 0
    for row in suspects:
        before = int(shapely.get_num_coordinates(moved[row]))
        moved[row], whole = _without_repeats(moved[row])
        dropped += before - int(shapely.get_num_coordinates(moved[row]))
        if not whole:
            collapsed.append(int(row))
    flattened = _rows_with_flat_rings(moved)
    for row in flattened:
        moved[row], _ = _without_repeats(moved[row])
    return Snapped(moved, tuple(sorted({*collapsed, *flattened})), dropped)


def snap_geometries(geometries: Iterable[BaseGeometry | None]) -> Geometries:
    """Return the geometries on the lattice; see `snap`, which also reports what collapsed.

    Examples
    --------
    >>> triangle = shapely.from_wkt("POLYGON ((0 0, 1 0, 1 0.000000001, 1 1, 0 0))")
    >>> snap_geometries([triangle])[0].wkt
    'POLYGON ((0 0, 1 0, 1 1, 0 0))'
    """
    return snap(geometries).geometries


def on_lattice(geometries: Iterable[BaseGeometry | None]) -> NDArray[np.bool_]:
    """Return for each geometry whether all its vertices lie on the lattice; `None` and empty do."""
    array = _as_array(geometries)
    coordinates, rows = shapely.get_coordinates(array, return_index=True)
    whole = np.where(np.isfinite(coordinates), coordinates, 0.5 * STEP)
    off = (snap_coordinates(whole) != coordinates).any(axis=1)
    answer = np.ones(len(array), dtype=np.bool_)
    answer[rows[off]] = False
    return answer


def lattice_hash(geometry: BaseGeometry) -> str:
    """Return the SHA-256, in hex, of a polygon's rings on the lattice.

    It depends on the ground alone: not on where a ring starts, nor on its direction, nor on the order
    of holes or parts, nor on whether one part is a Polygon or a MultiPolygon, nor on the version of
    GEOS. A vertex more or less on a straight border does change it.

    Examples
    --------
    >>> one = shapely.box(0, 0, 1, 1)
    >>> lattice_hash(one) == lattice_hash(shapely.reverse(one)) == lattice_hash(MultiPolygon([one]))
    True
    """
    digest = hashlib.sha256(b"mapsvc lattice 1")
    parts = sorted(_part_bytes(part) for part in _polygons(geometry))
    digest.update(len(parts).to_bytes(4, "little"))
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def lattice_hashes(geometries: Iterable[BaseGeometry]) -> tuple[str, ...]:
    """Return `lattice_hash` of each geometry, in order."""
    return tuple(lattice_hash(geometry) for geometry in geometries)


def _as_array(geometries: Iterable[BaseGeometry | None]) -> Geometries:
    if isinstance(geometries, np.ndarray):
        return geometries
    items = list(geometries)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [] if geometry.is_empty else [geometry]
    if isinstance(geometry, MultiPolygon):
        return [part for part in geometry.geoms if not part.is_empty]
    raise InvalidInput(
        "not_polygon",
        f"A border must be a polygon, this is a {getattr(geometry, 'geom_type', type(geometry).__name__)}.",
        hint="Give Polygon or MultiPolygon geometries.",
    )


def _part_bytes(part: Polygon) -> bytes:
    shell = _ring_bytes(to_lattice(shapely.get_coordinates(part.exterior)))
    holes = sorted(_ring_bytes(to_lattice(shapely.get_coordinates(hole))) for hole in part.interiors)
    return b"".join([len(holes).to_bytes(4, "little"), shell, *holes])


def _ring_bytes(ring: Ring) -> bytes:
    """Return the ring from its smallest vertex on, in the direction that sorts first.

    A ring that touches itself can pass its smallest vertex more than once: all its starts compete.
    """
    open_ring = ring[:-1]
    keep = (open_ring != np.roll(open_ring, 1, axis=0)).any(axis=1)
    points = open_ring[keep] if keep.any() else open_ring[:1]
    left = points[:, 0].min()
    candidates = np.flatnonzero(points[:, 0] == left)
    low = points[candidates, 1].min()
    starts = candidates[points[candidates, 1] == low]
    little: Ring = points.astype("<i8")
    ahead: list[bytes] = [np.roll(little, -start, axis=0).tobytes() for start in starts]
    back: list[bytes] = [np.roll(little[::-1], start + 1, axis=0).tobytes() for start in starts]
    return len(points).to_bytes(4, "little") + min(*ahead, *back)


def _rows_with_flat_rings(array: Geometries) -> tuple[int, ...]:
    """Return rows with a ring of no area at all: a line there and back."""
    rings, rows = shapely.get_rings(array, return_index=True)
    if len(rings) == 0:
        return ()
    areas = shapely.area(shapely.polygons(rings))
    # A true area is at least half a lattice cell; what is far below that is rounding of zero.
    suspects = np.flatnonzero(areas < 1e-12)
    flat = {int(rows[k]) for k in suspects if _twice_area(shapely.get_coordinates(rings[k])) == 0}
    return tuple(sorted(flat))


def _twice_area(ring: NDArray[np.float64]) -> int:
    """Return twice the ring's signed area in lattice cells, exactly, by Python's integers."""
    points: Any = to_lattice(ring).tolist()
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(points))


def _without_repeats(geometry: BaseGeometry) -> tuple[BaseGeometry, bool]:
    """Return the geometry without repeated vertices and flat rings, and whether every ring stayed."""
    if not isinstance(geometry, Polygon | MultiPolygon):
        return shapely.remove_repeated_points(geometry, 0.0), True
    whole = True
    parts: list[Polygon] = []
    for part in _polygons(geometry):
        shell = _clean_ring(shapely.get_coordinates(part.exterior))
        if shell is None:
            whole = False
            continue
        holes = [_clean_ring(shapely.get_coordinates(hole)) for hole in part.interiors]
        whole = whole and all(hole is not None for hole in holes)
        parts.append(Polygon(shell, [hole for hole in holes if hole is not None]))
    if isinstance(geometry, MultiPolygon) and parts:
        return MultiPolygon(parts), whole
    return (parts[0] if parts else Polygon()), whole


def _clean_ring(points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    keep = np.ones(len(points), dtype=np.bool_)
    keep[1:] = (points[1:] != points[:-1]).any(axis=1)
    kept = points[keep]
    if len(kept) < 4 or _twice_area(kept) == 0:
        return None
    return kept
