"""Borders made to match, behind a preview: what would move, from whom to whom, and what cannot be repaired.

`shapely.coverage_clean` does the work, in metres of a local frame, since degrees are not the same
length both ways. It has traps, and each is met here: a missing row shifts all later ones, a
polygon under others comes back empty, one narrower than the snapping distance vanishes, and holes
narrower than the gap width are filled, intended or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.coverage_moves import MovedPiece, list_moves, max_shift_m
from mapsvc.geo.coverage_nodes import renode
from mapsvc.geo.lattice import lattice_hash, snap
from mapsvc.geo.measure import LocalFrame, frame_of
from mapsvc.geo.pieces import mean_width_m, polygon_parts, polygons_only, width_m

Geometries: TypeAlias = NDArray[np.object_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

COMPACT = 0.3
"""A hole rounder than this (4 pi area / perimeter squared; a circle has 1, a square 0.79) looks intended."""


@dataclass(frozen=True)
class Refusal:
    """A row that cannot be repaired: `reason` is `duplicate`, `swallowed`, `too_narrow` or `no_ground`."""

    row: int
    code: str
    reason: str
    message: str


@dataclass(frozen=True)
class Hole:
    """A compact hole no wider than the gaps to be closed: kept, unless filling holes was asked for."""

    codes: tuple[str, ...]
    lon: float
    lat: float
    area_m2: float
    width_m: float
    filled: bool


@dataclass(frozen=True)
class Change:
    """What a repair does to one area, in words."""

    code: str
    message: str


@dataclass(frozen=True, eq=False)
class RepairPreview:
    """What a repair would do. Nothing is applied: the caller shows it, and takes `geometries` when it is accepted.

    `geometries` has a row for each row given, in the same order, on the lattice; `None` where the row is
    refused; a row without ground (`None`, empty, no polygon) is handed back as it came. `moved` lists ground
    that changes hands (`None` for nobody); pieces under `MINOR_M2` are only counted in `minor_m2`. `max_shift_m` is
    the furthest that a border moves at any of its vertices, old or new. `is_clean` says whether the areas left match
    edge by edge.
    """

    geometries: Geometries
    codes: tuple[str, ...]
    refused: tuple[Refusal, ...]
    changes: tuple[Change, ...]
    moved: tuple[MovedPiece, ...]
    holes: tuple[Hole, ...]
    minor_m2: float
    max_shift_m: float
    is_clean: bool


def repair_coverage(
    geometries: Iterable[BaseGeometry | None],
    codes: Sequence[str],
    *,
    snapping_m: float,
    gap_m: float,
    outline: BaseGeometry | None = None,
    fill_holes: bool = False,
) -> RepairPreview:
    """Return a preview of the areas with matching borders.

    Vertices nearer than `snapping_m` are drawn together: take the known error of the data. Gaps up to `gap_m`
    wide go to the neighbour with the longest border; with an `outline`, also those open to its rim.

    Examples
    --------
    >>> left, right = shapely.box(118, 30, 118.01, 30.01), shapely.box(118.009999, 30, 118.02, 30.01)
    >>> preview = repair_coverage([left, right], ["A", "B"], snapping_m=0.2, gap_m=0.5)
    >>> preview.is_clean, [(move.from_code, move.to_code) for move in preview.moved]
    (True, [('B', 'A')])
    """
    array = np.asarray(list(geometries), dtype=object)
    names = tuple(codes)
    frame = frame_of(array)
    rows, metric, changes = _standing(array, names, frame)
    refused = _refuse_before(array, rows, metric, names, snapping_m)
    gone = {refusal.row for refusal in refused}
    keep = np.array([row not in gone for row in rows.tolist()], dtype=np.bool_)
    cleaned, holes = _clean(metric[keep], snapping_m, gap_m, fill_holes)
    if outline is not None:
        cleaned = _close_inlets(cleaned, frame.geometries_to_metres([outline])[0], gap_m)
    answer, late = _on_lattice(array, names, rows[keep], cleaned, frame)
    refused += late
    for refusal in refused:
        answer[refusal.row] = None
    left = answer[rows]
    left[shapely.is_missing(left)] = shapely.Polygon()
    after = frame.geometries_to_metres(left)
    duplicates = {refusal.row for refusal in refused if refusal.reason == "duplicate"}
    moved, minor = list_moves(
        metric, after, [names[k] for k in rows.tolist()], frame, ignore=np.isin(rows, list(duplicates))
    )
    there = left[~shapely.is_empty(left)]
    return RepairPreview(
        answer,
        names,
        tuple(sorted(refused, key=lambda refusal: refusal.row)),
        (*changes, *_changes(moved, refused)),
        moved,
        tuple(_described(hole, metric, names, rows, after, frame) for hole in holes),
        minor,
        max_shift_m(metric, after),
        bool(shapely.coverage_is_valid(there) and shapely.is_valid(there).all()),
    )


def _standing(
    array: Geometries, codes: Sequence[str], frame: LocalFrame
) -> tuple[Ints, Geometries, tuple[Change, ...]]:
    """Return the rows with ground, that ground in metres and valid, and which rows had to be made valid."""
    rows = np.flatnonzero(np.isin(shapely.get_type_id(array), (3, 6)) & ~shapely.is_empty(array)).astype(np.int64)
    metric = frame.geometries_to_metres(array[rows])
    broken = ~shapely.is_valid(metric)
    changes = tuple(
        Change(codes[rows[k]], f"made valid: {shapely.is_valid_reason(array[rows[k]])}")
        for k in np.flatnonzero(broken).tolist()
    )
    metric[broken] = polygons_only(shapely.make_valid(metric[broken]))
    return rows, metric, changes


def _refuse_before(
    array: Geometries, rows: Ints, metric: Geometries, codes: Sequence[str], snapping_m: float
) -> list[Refusal]:
    """Refuse what cleaning would lose in silence: rings without area, the same ground twice, areas too narrow."""
    refused = []
    owner: dict[str, str] = {}
    narrow = mean_width_m(metric) <= snapping_m
    narrow[narrow] = width_m(metric[narrow]) <= snapping_m
    for k, row in enumerate(rows.tolist()):
        code = codes[row]
        if shapely.is_empty(metric[k]):
            refused.append(Refusal(row, code, "no_ground", f"{code} encloses no ground."))
            continue
        twin = owner.setdefault(lattice_hash(array[row]), code)
        if twin is not code:
            refused.append(Refusal(row, code, "duplicate", f"{code} has the same border as {twin}."))
        elif narrow[k]:
            width = float(width_m(metric[k : k + 1])[0])
            message = (
                f"{code} is {width:.2g} m wide: snapping at {snapping_m:g} m would lose it; snap at less than that."
            )
            refused.append(Refusal(row, code, "too_narrow", message))
    return refused


def _clean(
    metric: Geometries, snapping_m: float, gap_m: float, fill_holes: bool
) -> tuple[Geometries, list[BaseGeometry]]:
    """Return the areas cleaned, row by row, and the holes that look intended though gaps of their width are closed."""
    if len(metric) == 0:
        return metric, []
    holes = _intended_holes(metric, snapping_m, gap_m)
    # A hole takes part as if it were an area, so that nobody can take its ground.
    guards = np.array([] if fill_holes else holes, dtype=object)
    members = np.concatenate([metric, guards])
    cleaned = _coverage_clean(members, snapping_m, gap_m)
    assert len(cleaned) == len(members)
    return cleaned[: len(metric)].copy(), holes


def _coverage_clean(members: Geometries, snapping_m: float, gap_m: float) -> Geometries:
    """Clean without `None` among the members: one would move every later row up by one."""
    assert not shapely.is_missing(members).any()
    cleaned: Geometries = shapely.coverage_clean(members, snapping_distance=snapping_m, gap_width=gap_m)  # type: ignore[attr-defined]
    return cleaned


def _intended_holes(metric: Geometries, snapping_m: float, gap_m: float) -> list[BaseGeometry]:
    """Return compact enclosed holes, wider than the snapping distance and narrow enough to be filled."""
    parts, _ = polygon_parts(np.array([shapely.union_all(metric)], dtype=object))
    rings = [ring for part in parts for ring in part.interiors]
    if not rings:
        return []
    holes = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    possible = (mean_width_m(holes) <= gap_m) & (_roundness(holes) >= COMPACT)
    holes = holes[possible]
    widths = width_m(holes)
    return list(holes[(widths > snapping_m) & (widths <= gap_m)])


def _roundness(polygons: Geometries) -> Floats:
    return np.asarray(4 * np.pi * shapely.area(polygons) / shapely.length(polygons) ** 2)


def _close_inlets(cleaned: Geometries, outline: BaseGeometry, gap_m: float) -> Geometries:
    """Give each narrow strip between the areas and the outline to the area with the longest border on it."""
    standing = np.flatnonzero(~shapely.is_empty(cleaned))
    if len(standing) == 0:
        return cleaned
    left = shapely.difference(outline, shapely.union_all(cleaned[standing]))
    strips, _ = polygon_parts(np.array([left], dtype=object))
    strips = strips[width_m(strips) <= gap_m] if len(strips) else strips
    if len(strips) == 0:
        return cleaned
    tree = shapely.STRtree(cleaned[standing])
    gained: dict[int, list[BaseGeometry]] = {}
    for strip in strips:
        near = standing[tree.query(strip, predicate="dwithin", distance=1e-6)]
        if len(near) == 0:
            continue
        border = shapely.length(shapely.intersection(strip.boundary.buffer(1e-6), shapely.boundary(cleaned[near])))
        gained.setdefault(int(near[int(np.argmax(border))]), []).append(strip)
    answer = cleaned.copy()
    for row, pieces in gained.items():
        answer[row] = shapely.union_all([answer[row], *pieces])
    return _coverage_clean(answer, snapping_m=1e-4, gap_m=1e-3)


def _on_lattice(
    array: Geometries, codes: Sequence[str], rows: Ints, cleaned: Geometries, frame: LocalFrame
) -> tuple[Geometries, list[Refusal]]:
    """Return all rows with the cleaned ones in degrees on the lattice, and refusals of those that lost all ground."""
    rounded = renode(snap(frame.geometries_from_metres(cleaned)).geometries)
    # What comes back as it was stays the very same object, ring start and all.
    same = shapely.equals_exact(rounded, array[rows], tolerance=0.0, normalize=True)
    rounded[same] = array[rows][same]
    answer = array.copy()
    answer[rows] = rounded
    lost = [
        Refusal(row, codes[row], "swallowed", f"{codes[row]} lies under other areas: nothing of it is left.")
        for row, shape in zip(rows.tolist(), rounded, strict=True)
        if shapely.is_empty(shape)
    ]
    return answer, lost


def _changes(moved: Sequence[MovedPiece], refused: Sequence[Refusal]) -> list[Change]:
    totals: dict[tuple[str | None, str | None], float] = {}
    for piece in moved:
        key = (piece.from_code, piece.to_code)
        totals[key] = totals.get(key, 0.0) + piece.area_m2
    changes = [Change(refusal.code, f"refused: {refusal.message}") for refusal in refused]
    for (source, target), area in sorted(totals.items(), key=lambda item: -item[1]):
        if target is None:
            changes.append(Change(source or "", f"gives up {area:.2g} m2"))
        else:
            changes.append(Change(target, f"takes {area:.2g} m2 from {source or 'nobody'}"))
    return changes


def _described(
    hole: BaseGeometry, metric: Geometries, codes: Sequence[str], rows: Ints, after: Geometries, frame: LocalFrame
) -> Hole:
    x, y = shapely.get_coordinates(shapely.point_on_surface(hole))[0].tolist()
    lon, lat = frame.from_metres(x, y)
    around = np.flatnonzero(shapely.dwithin(metric, hole, 1e-6))
    filled = bool(shapely.intersects(after, shapely.Point(x, y)).any())
    names = tuple(sorted(codes[rows[k]] for k in around))
    wide = float(width_m(np.array([hole], dtype=object))[0])
    return Hole(names, float(lon), float(lat), float(hole.area), wide, filled)
