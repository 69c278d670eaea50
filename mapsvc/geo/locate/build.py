"""From polygons to the cell index: borders on the lattice, each edge once, cells, records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.base.errors import InvalidInput, TooLarge
from mapsvc.geo.lattice import from_lattice, to_lattice
from mapsvc.geo.locate.kernels import build_kernels
from mapsvc.geo.locate.layout import LINE_WORDS, LONGEST_EDGE, MAX_SHIFT, MIN_SHIFT, Cells, Grid

_CAP = 6
_CELLS_PER_EDGE = 20
_WORDS_PER_EDGE = 32
_MOST_CELLS = 1 << 24

_POLYGON = 3
_MULTIPOLYGON = 6


@dataclass(frozen=True)
class Rings:
    """All rings of all areas: lattice vertices, offsets into them, and for each ring its owner and if it is a hole."""

    xy: NDArray[np.int64]
    offsets: NDArray[np.int64]
    owners: NDArray[np.int32]
    holes: NDArray[np.bool_]


def build_cells(geometries: NDArray[np.object_]) -> Cells:
    """Build the index of a coverage; area numbers are the rows of `geometries`.

    Raises `InvalidInput`: `not_an_area` for a row that is no polygon or is empty, `out_of_range`, `not_finite`,
    `edge_too_long`, `not_a_coverage` where an overlap comes to light, `too_crowded`; `TooLarge` for more than 8 GiB.
    """
    rings = _rings(geometries)
    areas = len(geometries)
    if areas == 0:
        return Cells(Grid(0, 0, MIN_SHIFT, MIN_SHIFT, 0, 0), 0, np.zeros(1, np.int32), np.zeros(LINE_WORDS, np.int32))
    kernels = build_kernels()
    edges, left, right, status, one, other = kernels.match_edges(rings.xy, rings.offsets, rings.owners, rings.holes)
    if status == kernels.EDGE_TOO_LONG:
        raise InvalidInput(
            "edge_too_long",
            f"The area in row {one - 1} has an edge longer than {LONGEST_EDGE / 1e8:.0f} degrees.",
            hint="Put vertices along long straight borders, or check the coordinate system.",
            detail={"row": int(one - 1)},
        )
    if status == kernels.OVERLAP:
        raise _overlap(f"Rows {other - 1} and {one - 1} lie on the same side of one edge", int(other - 1), int(one - 1))
    if len(edges) == 0:
        raise InvalidInput("not_an_area", "None of the areas has any ground.", hint="Check the geometries.")
    grid = _choose_grid(edges)
    parts = (grid.west, grid.south, grid.shift_x, grid.shift_y, grid.nx, grid.ny)
    offsets, spans = kernels.rows_of_edges(edges, *parts)
    # Made here rather than in the loop, so that numpy asks for large pages: a tenth off building and asking.
    table = np.empty(grid.cells + 1, np.int32)
    room = np.empty(_WORDS_PER_EDGE * len(edges) + 1024, np.int32)
    words, status, x, y = kernels.pack_rows(edges, left, right, offsets, spans, *parts, _CAP, table, room)
    if status != kernels.FINE:
        raise _refusal(status == kernels.OVERLAP, status == kernels.TOO_CROWDED, int(x), int(y))
    table.flags.writeable = False
    words.flags.writeable = False
    return Cells(grid, areas, table, words)


def _rings(geometries: NDArray[np.object_]) -> Rings:
    kinds = shapely.get_type_id(geometries)
    fine = np.isin(kinds, (_POLYGON, _MULTIPOLYGON)) & ~shapely.is_empty(geometries)
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        raise InvalidInput(
            "not_an_area",
            f"The geometry in row {row} is not a polygon with ground.",
            hint="Give Polygon or MultiPolygon geometries, none of them empty.",
            detail={"row": row},
        )
    if len(geometries) == 0:
        return Rings(np.empty((0, 2), np.int64), np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.bool_))
    _, degrees, offsets = shapely.to_ragged_array(geometries, include_z=False)
    of_rings, of_polygons = offsets[0].astype(np.int64), offsets[1].astype(np.int64)
    # Rows that are Polygons among MultiPolygons come as MultiPolygons of one part.
    of_areas = offsets[2] if len(offsets) == 3 else np.arange(len(of_polygons))
    owners = np.repeat(np.arange(1, len(geometries) + 1, dtype=np.int32), np.diff(of_polygons[of_areas]))
    holes = np.ones(len(owners), np.bool_)
    holes[of_polygons[:-1]] = False
    xy = to_lattice(degrees)
    wrong = (np.abs(degrees) > (180.0, 90.0)).any(axis=1)
    if wrong.any():
        row = int(owners[np.searchsorted(of_rings, np.flatnonzero(wrong)[0], side="right") - 1]) - 1
        raise InvalidInput(
            "out_of_range",
            f"The area in row {row} has a vertex outside longitude -180 to 180, latitude -90 to 90.",
            hint="Longitude comes first; projected coordinates must be converted to degrees before.",
            detail={"row": row},
        )
    return Rings(xy, of_rings, owners, holes)


def _choose_grid(edges: NDArray[np.int64]) -> Grid:
    """Choose square or 2:1 cells: about 20 for each edge, fewer when there are very many edges.

    With a column of free cells in the west, where the walk along a row begins. For 839, 10,000 and 100,000 areas of
    60 vertices: 15, 20 and 8 cells for each edge were the fastest or within a tenth of it, in the least memory.
    """
    xs, ys = edges[:, [0, 2]], edges[:, [1, 3]]
    west, east, south, north = int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())
    wanted = min(_CELLS_PER_EDGE * len(edges), _MOST_CELLS + 2 * len(edges))
    best: tuple[float, Grid] | None = None
    for shift_y in range(MIN_SHIFT, MAX_SHIFT + 1):
        for shift_x in (shift_y, shift_y + 1):
            if shift_x > MAX_SHIFT:
                continue
            first = west - (1 << shift_x)
            nx = ((east - first) >> shift_x) + 1
            ny = ((north - south) >> shift_y) + 1
            miss = abs(float(np.log(nx * ny / wanted)))
            if best is None or miss < best[0]:
                best = miss, Grid(first, south, shift_x, shift_y, nx, ny)
    assert best is not None
    return best[1]


def _overlap(what: str, *rows: int) -> InvalidInput:
    return InvalidInput(
        "not_a_coverage",
        f"{what}: these areas overlap.",
        hint="Check the coverage and repair it, or assign by the slower way for files with overlaps.",
        detail={"rows": rows},
    )


def _refusal(is_overlap: bool, is_crowded: bool, x: int, y: int) -> InvalidInput | TooLarge:
    lon, lat = (float(value) for value in from_lattice([x, y]))
    if is_overlap:
        return InvalidInput(
            "not_a_coverage",
            f"Areas overlap near {lon:.6f}, {lat:.6f}.",
            hint="Check the coverage and repair it, or assign by the slower way for files with overlaps.",
            detail={"lon": lon, "lat": lat},
        )
    if is_crowded:
        return InvalidInput(
            "too_crowded",
            f"Borders near {lon:.6f}, {lat:.6f} lie so close together that no point between them is left.",
            hint="Check the coordinate system: areas of a millimetre are no areas.",
            detail={"lon": lon, "lat": lat},
        )
    return TooLarge(
        "index_too_large", "The borders need an index of more than 8 GiB.", hint="Split the areas into several levels."
    )
