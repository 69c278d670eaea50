"""What makes a row's geometry unfit to be a border: told by row, by a stable code and in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.crs_checks import swapped_degrees
from mapsvc.geo.vectorfile import RowProblem

Floats: TypeAlias = NDArray[np.float64]


def geometry_problems(geometries: Iterable[BaseGeometry | None], *, degrees: bool = True) -> tuple[RowProblem, ...]:
    """Return the first problem of each unfit row, in order of rows.

    Codes: `null_geometry`, `empty_geometry`, `not_polygon`, `not_finite`; with `degrees` also `axes_swapped`,
    `looks_projected`, `out_of_range`; then `self_intersection`, `broken_ring`. Of these the last two can be repaired.

    Examples
    --------
    >>> [p.code for p in geometry_problems([None, shapely.Point(0, 0), shapely.box(30, 118, 31, 119)])]
    ['null_geometry', 'not_polygon', 'axes_swapped']
    """
    array = np.asarray(list(geometries), dtype=object)
    finite = _all_finite(array)
    polygonal = np.isin(shapely.get_type_id(array), (3, 6))
    sound = finite & polygonal & ~shapely.is_empty(array)
    valid = np.ones(len(array), dtype=np.bool_)
    valid[sound] = shapely.is_valid(array[sound])
    bounds = np.zeros((len(array), 4))
    bounds[sound] = shapely.bounds(array[sound])
    out = degrees & ((np.abs(bounds[:, [0, 2]]) > 180) | (np.abs(bounds[:, [1, 3]]) > 90)).any(axis=1)
    out |= degrees & sound & np.array([swapped_degrees(*box) for box in bounds.tolist()], dtype=np.bool_)
    problems = []
    for row in np.flatnonzero(~sound | ~valid | out).tolist():
        if not sound[row]:
            code, message = _unsound(array[row], bool(finite[row]))
        elif out[row]:
            code, message = _outside(bounds[row].tolist())
        else:
            code, message = _invalid(array[row])
        problems.append(RowProblem(row, code, message))
    return tuple(problems)


def _all_finite(array: NDArray[np.object_]) -> NDArray[np.bool_]:
    points, rows = shapely.get_coordinates(array, return_index=True)
    answer = np.ones(len(array), dtype=np.bool_)
    answer[rows[~np.isfinite(points).all(axis=1)]] = False
    return answer


def _unsound(geometry: BaseGeometry | None, finite: bool) -> tuple[str, str]:
    if geometry is None:
        return "null_geometry", "The row has no geometry."
    if geometry.is_empty:
        return "empty_geometry", "The geometry is empty."
    if not finite:
        return "not_finite", "A coordinate is not a finite number."
    return "not_polygon", f"A border must be a polygon, this is a {geometry.geom_type}."


def _outside(box: list[float]) -> tuple[str, str]:
    west, south, east, north = box
    span = f"{west:.4f} to {east:.4f} by {south:.4f} to {north:.4f}"
    if swapped_degrees(west, south, east, north):
        return "axes_swapped", f"Longitude and latitude are swapped: {span}."
    if max(abs(value) for value in box) > 360:
        return "looks_projected", f"These are metres, not degrees: {span}."
    return "out_of_range", f"The border reaches out of the earth's range of degrees: {span}."


def _invalid(geometry: BaseGeometry) -> tuple[str, str]:
    reason = str(shapely.is_valid_reason(geometry))
    words = reason.replace("[", " at ").replace("]", "")
    if "elf-intersection" in reason:
        return "self_intersection", f"The border crosses itself: {words}."
    return "broken_ring", f"The rings make no polygon: {words}."
