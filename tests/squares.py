"""Made ground for tests: a net of squares of about 100 m, with codes, parents and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from mapsvc.areas.service.prepared import BorderRows, MadeColumn
from mapsvc.base.paths import data_dir
from mapsvc.catalog import Levels, load_levels
from mapsvc.geo.lattice import snap_coordinates

WEST, SOUTH, SIDE = 123.0, 41.8, 0.001


def shipped_levels() -> Levels:
    """Return the levels that travel with the program."""
    return load_levels(data_dir() / "levels.toml")


def square(column: int, row: int, wide: int = 1, high: int = 1) -> shapely.Polygon:
    """Return a block of squares with a vertex at every corner of the net along it, so that neighbours match."""
    around = (
        [(column + n, row) for n in range(wide)]
        + [(column + wide, row + n) for n in range(high)]
        + [(column + wide - n, row + high) for n in range(wide)]
        + [(column, row + high - n) for n in range(high)]
    )
    corners = np.array(around, dtype=float) * SIDE + (WEST, SOUTH)
    return shapely.Polygon(snap_coordinates(corners))


def middle(column: int, row: int) -> tuple[float, float]:
    """Return the longitude and latitude of the middle of a square."""
    return WEST + (column + 0.5) * SIDE, SOUTH + (row + 0.5) * SIDE


def rows_of(
    areas: Mapping[str, shapely.Geometry | None],
    *,
    names: Mapping[str, str] | None = None,
    parents: Mapping[str, Sequence[str]] | None = None,
    made: Sequence[MadeColumn] = (),
    **more: object,
) -> BorderRows:
    """Return border rows of areas by code, numbered from 1."""
    geometries = np.empty(len(areas), dtype=object)
    geometries[:] = list(areas.values())
    return BorderRows(
        rows=tuple(range(1, len(areas) + 1)),
        codes=tuple(areas),
        names=tuple((names or {}).get(code, f"name {code}") for code in areas),
        geometries=geometries,
        parents={level: tuple(codes) for level, codes in (parents or {}).items()},
        made=tuple(made),
        **more,  # type: ignore[arg-type]
    )


def grid_rows(columns: int = 4, rows: int = 4, *, prefix: str = "G") -> BorderRows:
    """Return a net of single squares as grids; communities of 2 x 2 squares and patches of whole columns are made."""
    places = [(c, r) for r in range(rows) for c in range(columns)]
    codes = [f"{prefix}{r:02}{c:02}" for c, r in places]
    return rows_of(
        {code: square(*place) for code, place in zip(codes, places, strict=True)},
        made=(
            _made("community", [f"C{r // 2}{c // 2}" for c, r in places]),
            _made("patch", [f"P{c // 2}" for c, _ in places]),
            _made("street", [f"S{c // 2}" for c, _ in places]),
            _made("district", ["D" for _ in places]),
        ),
    )


def _made(level: str, codes: Sequence[str]) -> MadeColumn:
    return MadeColumn(level, tuple(codes), tuple(f"name {code}" for code in codes))
