"""Write the layers of the district's own base map: streets, water, parks, buildings; from a file or from a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from mapsvc.areas.ground import Geometries, GroundRows, check_code, save
from mapsvc.areas.service.prepared import Progress, RefusedRow, no_progress
from mapsvc.areas.service.reading import GUESSES
from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import read_number, read_text
from mapsvc.geo.crs import Source, check_coordinates, geometries_to_wgs84
from mapsvc.geo.crs_checks import swapped_degrees
from mapsvc.geo.vectorfile import BorderTable, iter_layer, open_borders
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require

LONGEST_TEXT = 200
MOST_HOUSEHOLDS = 100_000
DIGITS = 7
"""Decimals of a degree that are kept: a centimetre, which is more than any screen shows."""


@dataclass(frozen=True)
class GroundFile:
    """A file with one layer of the ground, and how its columns are to be read."""

    path: Path
    layer: str | None = None
    name_field: str | None = None
    kind_field: str | None = None
    households_field: str | None = None
    crs: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class GroundReport:
    """What was written: how many things of which kinds, which rows were left out, what was mended."""

    layer: str
    source: str
    read: int
    written: int
    kinds: dict[str, int]
    named: int
    mended: int = 0
    refused: tuple[RefusedRow, ...] = ()
    notes: tuple[str, ...] = ()


def write_ground(data_dir: Path, actor: Actor, layer: str, rows: GroundRows, source: str = "program") -> GroundReport:
    """Replace a ground layer by these rows; whole or not at all.

    Polygons that cross themselves are made valid, since nothing is decided by them. Raises `InvalidInput`
    `ground_refused` for rows without a place on earth and for texts that no map shows; no rows empty the layer.
    """
    require(actor, "area.import")
    check_code(layer)
    _check_columns(rows)
    problems = _problems(rows)
    if problems:
        raise InvalidInput(
            "ground_refused",
            f"{len(problems)} of {len(rows)} rows cannot be drawn. The first: {problems[0].message}",
            hint="Correct or leave them out; the layer is as it was.",
            detail={"refused": problems},
        )
    drawn, mended = _mend(rows.geometries)
    clean = GroundRows(
        drawn,
        [read_text(name) for name in rows.names] or [""] * len(rows),
        [read_text(kind) for kind in rows.kinds] or [""] * len(rows),
        list(rows.households) or [None] * len(rows),
    )
    save(data_dir, layer, clean, source)
    kinds: dict[str, int] = {}
    for kind in clean.kinds:
        kinds[kind] = kinds.get(kind, 0) + 1
    named = sum(1 for name in clean.names if name)
    return GroundReport(layer, source, len(rows), len(rows), kinds, named, mended)


def import_ground(
    data_dir: Path,
    actor: Actor,
    layer: str,
    source: GroundFile,
    max_bytes: int,
    *,
    skip_refused: bool = False,
    progress: Progress = no_progress,
) -> GroundReport:
    """Replace a ground layer by a file's; formats, datums and refusals are those of an import of borders.

    Raises `InvalidInput` `ground_refused` when rows cannot be drawn and `skip_refused` is not given.
    """
    require(actor, "area.import")
    check_code(layer)
    with open_borders(
        source.path,
        layer=source.layer,
        crs=source.crs,
        encoding=source.encoding,
        max_bytes=max_bytes,
        max_unpacked_bytes=max_bytes,
    ) as opened:
        fields = _choose_fields(opened.fields, source)
        tables = []
        for table in iter_layer(opened, columns=[field for field in fields if field]):
            tables.append(table)
            progress("read", table.first_row + len(table), max(opened.count, 0))
    rows, refused = _to_rows(tables, fields)
    if refused and not skip_refused:
        raise InvalidInput(
            "ground_refused",
            f"{len(refused)} of {sum(map(len, tables))} rows cannot be drawn. "
            f"The first, row {refused[0].row}: {refused[0].message}",
            hint="Correct the file, or leave such rows out by --skip-refused; the layer is as it was.",
            detail={"refused": refused},
        )
    system = tables[0].source
    name = system.name if system.kind == "datum" else f"EPSG:{system.epsg}" if system.epsg else system.name
    report = write_ground(data_dir, actor, layer, rows, f"{source.path.name} ({name})")
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    return replace(report, read=sum(map(len, tables)), refused=tuple(refused), notes=notes)


def _choose_fields(there: Sequence[str], source: GroundFile) -> tuple[str | None, str | None, str | None]:
    by_name = {field.casefold(): field for field in there}

    def chosen(what: str, named: str | None) -> str | None:
        return named or next((by_name[guess] for guess in GUESSES[what] if guess in by_name), None)

    return (
        chosen("name", source.name_field),
        chosen("kind", source.kind_field),
        chosen("households", source.households_field),
    )


def _to_rows(
    tables: Sequence[BorderTable], fields: tuple[str | None, str | None, str | None]
) -> tuple[GroundRows, list[RefusedRow]]:
    geometries: Geometries = np.concatenate([table.geometries for table in tables])
    system = tables[0].source
    refused = {
        problem.row: RefusedRow(problem.row + 1, "", problem.code, problem.message)
        for table in tables
        for problem in table.problems
    }

    def column(name: str | None) -> list[Any]:
        return [value for table in tables for value in table.columns[name]] if name else [None] * len(geometries)

    names, kinds = ([read_text(cell) for cell in column(name)] for name in fields[:2])
    households: list[int | None] = []
    for row, cell in enumerate(column(fields[2])):
        try:
            number = read_number(cell)
            if number is not None and number != int(number):
                raise InvalidInput("bad_number", f"{read_text(cell)!r} is no number of households.")
            households.append(None if number is None else int(number))
        except InvalidInput as error:
            households.append(None)
            refused.setdefault(row, RefusedRow(row + 1, "", error.code, f"{fields[2]}: {error.message}"))
    for problem in _problems(GroundRows(geometries, names, kinds, households), system):
        refused.setdefault(problem.row - 1, problem)
    keep = [row for row in range(len(geometries)) if row not in refused]
    kept = geometries[np.array(keep, dtype=np.int64)]
    # Raises with the words for a whole file: swapped axes, metres called degrees.
    check_coordinates(kept, system)
    ground = geometries_to_wgs84(kept, system, junctions=False) if keep else kept
    rows = GroundRows(
        ground,
        [names[row] for row in keep],
        [kinds[row] for row in keep],
        [households[row] for row in keep],
    )
    return rows, [refused[row] for row in sorted(refused)]


def _check_columns(rows: GroundRows) -> None:
    for name, column in (("names", rows.names), ("kinds", rows.kinds), ("households", rows.households)):
        if len(column) not in (0, len(rows)):
            raise InvalidInput(
                "ground_columns_differ",
                f"There are {len(rows)} geometries and {len(column)} {name}.",
                hint="Give one value for each, or none at all.",
            )


def _problems(rows: GroundRows, system: Source | None = None) -> list[RefusedRow]:
    """Return what cannot be drawn, by row from 1; `system` is that of the coordinates, WGS 84 degrees by default."""
    degrees = system is None or system.is_geographic
    found = []
    empty = shapely.is_missing(rows.geometries) | shapely.is_empty(rows.geometries)
    bounds = shapely.bounds(rows.geometries)
    points, owners = shapely.get_coordinates(rows.geometries, return_index=True)
    finite = np.ones(len(rows), dtype=np.bool_)
    finite[owners[~np.isfinite(points).all(axis=1)]] = False
    for n in range(len(rows)):
        west, south, east, north = bounds[n].tolist()
        if empty[n]:
            found.append((n, "empty_geometry", "The row has no geometry."))
        elif not finite[n]:
            found.append((n, "not_finite", "A coordinate is not a finite number."))
        elif degrees and system is None and swapped_degrees(west, south, east, north):
            found.append((n, "axes_swapped", "Longitude and latitude are swapped."))
        elif degrees and system is None and (max(-west, east) > 180 or max(-south, north) > 85):
            found.append((n, "out_of_range", "It reaches out of the range of degrees that a map shows."))
        elif rows.geometries[n].geom_type == "GeometryCollection":
            found.append((n, "mixed_geometry", "It mixes lines, polygons and points."))
        elif _too_long(rows.names, n) or _too_long(rows.kinds, n):
            found.append((n, "text_too_long", f"A name or kind has more than {LONGEST_TEXT} letters."))
        elif rows.households and not _sane(rows.households[n]):
            found.append((n, "bad_number", f"{rows.households[n]} is no number of households."))
    return [RefusedRow(n + 1, "", code, message) for n, code, message in found]


def _too_long(column: Sequence[str], n: int) -> bool:
    return bool(column) and len(column[n]) > LONGEST_TEXT


def _sane(number: int | None) -> bool:
    return number is None or 0 <= number <= MOST_HOUSEHOLDS


def _mend(geometries: Geometries) -> tuple[Geometries, int]:
    """Return flat geometries on a centimetre grid, polygons valid; and how many had to be made so."""
    flat: Geometries = shapely.transform(shapely.force_2d(geometries), lambda c: np.round(c, DIGITS))
    polygonal = np.isin(shapely.get_type_id(flat), (3, 6))
    bad = polygonal & ~shapely.is_valid(flat)
    flat[bad] = shapely.make_valid(flat[bad], method="structure", keep_collapsed=False)
    return flat, int(bad.sum())
