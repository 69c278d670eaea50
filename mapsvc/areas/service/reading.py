"""A file of borders into rows: its columns found, its coordinates brought to WGS 84, its bad rows told by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from mapsvc.areas.rules.trees import list_ancestors, nesting_of
from mapsvc.areas.service.prepared import (
    MENDABLE,
    SHAPEFILE_NAME,
    BorderFile,
    BorderRows,
    Geometries,
    ImportReport,
    MadeColumn,
    Progress,
    RefusedRow,
    parent_column,
)
from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import Cell, read_code, read_number, read_text
from mapsvc.catalog import Level, Levels
from mapsvc.geo.crs import Source, check_coordinates, geometries_to_wgs84
from mapsvc.geo.datums import belt_warning
from mapsvc.geo.problems import geometry_problems
from mapsvc.geo.vectorfile import BorderLayer, BorderTable, iter_layer, open_borders

GUESSES: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "area_code", "编码", "代码", "区划代码", "网格编码", "片区编码", "bm", "dm", "adcode"),
    "name": ("name", "area_name", "名称", "网格名称", "片区名称", "mc"),
    "kind": ("kind", "类型", "网格类型"),
    "households": ("households", "户数", "总户数"),
}
"""Columns taken without being named, first one present; names are compared without case."""

WHOLE_FILE = ("axes_swapped", "looks_projected", "out_of_range")


@dataclass(frozen=True)
class _Fields:
    """Which columns of the file are read as what."""

    code: str
    name: str | None
    kind: str | None
    households: str | None
    parents: Mapping[str, str]
    exported: Mapping[str, str]

    def all(self, source: BorderFile) -> list[str]:
        made = [column for m in source.made_levels for column in (m.code_field, m.name_field)]
        wanted = [self.code, self.name, self.kind, self.households, *self.parents.values()]
        wanted += [*self.exported.values(), *made]
        return list(dict.fromkeys(column for column in wanted if column))


def read_borders(
    levels: Levels, level: str, source: BorderFile, max_bytes: int, progress: Progress
) -> tuple[BorderRows, ImportReport]:
    """Read a file; rows that cannot be areas are left out and told in the report, by their number from 1.

    Polygons that cross themselves stay: whether they are mended or refused is for the import to say.
    """
    with open_borders(
        source.path,
        layer=source.layer,
        crs=source.crs,
        encoding=source.encoding,
        max_bytes=max_bytes,
        max_unpacked_bytes=max_bytes,
    ) as opened:
        fields = _choose_fields(levels, level, opened, source)
        tables = []
        for table in iter_layer(opened, columns=fields.all(source)):
            tables.append(table)
            progress("read", table.first_row + len(table), max(opened.count, 0))
    return _to_rows(levels.get(level), source, fields, tables)


def _choose_fields(levels: Levels, level: str, opened: BorderLayer, source: BorderFile) -> _Fields:
    by_name = {field.casefold(): field for field in opened.fields}

    def chosen(what: str, named: str | None) -> str | None:
        return named or next((by_name[guess] for guess in GUESSES[what] if guess in by_name), None)

    code = chosen("code", source.code_field)
    if code is None:
        raise InvalidInput(
            "code_field_needed",
            f"No column of {source.path.name} is called a code; it has: {', '.join(opened.fields) or 'none'}.",
            hint="Name the column that holds the code of each area by --code.",
            detail={"fields": list(opened.fields)},
        )
    return _Fields(
        code,
        chosen("name", source.name_field),
        chosen("kind", source.kind_field),
        chosen("households", source.households_field),
        source.parent_fields,
        _exported_parents(levels, level, by_name),
    )


def _exported_parents(levels: Levels, level: str, by_name: Mapping[str, str]) -> dict[str, str]:
    """Return the columns in which an export of ours wrote the parents; a shapefile cuts their names short."""
    found = {}
    for above in list_ancestors(nesting_of(levels), level):
        name = parent_column(above)
        for written in (name, name[:SHAPEFILE_NAME]):
            if written in by_name:
                found[above] = by_name[written]
                break
    return found


def _to_rows(
    level: Level, source: BorderFile, fields: _Fields, tables: Sequence[BorderTable]
) -> tuple[BorderRows, ImportReport]:
    geometries: Geometries = np.concatenate([table.geometries for table in tables])
    columns = {name: [value for table in tables for value in table.columns[name]] for name in tables[0].columns}
    system, given = tables[0].source, tables[0].crs_given
    refused = {
        problem.row: RefusedRow(problem.row + 1, "", problem.code, problem.message)
        for table in tables
        for problem in table.problems
    }
    cells = _Cells(len(geometries), columns, refused)
    codes = cells.read(fields.code, read_code)
    kinds = cells.read(fields.kind, lambda cell: _kind(level, read_text(cell)))
    households = cells.read_optional(fields.households, _whole)
    names = cells.read(fields.name, read_text) if fields.name else codes
    parents = {above: cells.read(column, read_code) for above, column in fields.parents.items()}
    exported = {above: cells.read(column, read_code) for above, column in fields.exported.items()}
    made = tuple(
        MadeColumn(
            m.level,
            cells.read(m.code_field, read_code),
            cells.read(m.name_field, read_text) if m.name_field else cells.read(m.code_field, read_code),
        )
        for m in source.made_levels
    )
    refuse_geometries(geometries, system, codes, refused)
    keep = [row for row in range(len(geometries)) if row not in refused]
    ground = geometries_to_wgs84(geometries[keep], system) if keep else geometries[keep]
    rows = BorderRows(
        rows=tuple(range(1, len(geometries) + 1)),
        codes=codes,
        names=names,
        geometries=geometries,
        kinds=kinds,
        households=households,
        parents=parents,
        made=made,
        source=source_name(system),
        datum_stated=given,
        exported=exported,
    ).take(keep)
    named = tuple(replace(refused[row], area_code=codes[row]) for row in sorted(refused))
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    report = ImportReport(
        level=level.code,
        source=f"{source.path.name} ({source_name(system)})",
        read=len(geometries),
        accepted=0,
        refused=named,
        warnings=(*notes, *belt_warnings(system, ground)),
    )
    return replace(rows, geometries=ground), report


class _Cells:
    """Reads columns cell by cell; a cell that cannot be read refuses its row."""

    def __init__(self, number: int, columns: Mapping[str, Sequence[Any]], refused: dict[int, RefusedRow]) -> None:
        self._number = number
        self._columns = columns
        self._refused = refused

    def read(self, column: str | None, read: Callable[[Cell], str]) -> tuple[str, ...]:
        if column is None:
            return ("",) * self._number
        return tuple(value or "" for value in self.read_optional(column, read))

    def read_optional(self, column: str | None, read: Callable[[Cell], Any]) -> tuple[Any, ...]:
        if column is None:
            return (None,) * self._number
        values = []
        for row, cell in enumerate(self._columns[column]):
            try:
                values.append(read(cell))
            except InvalidInput as error:
                values.append(None)
                problem = RefusedRow(row + 1, "", error.code, f"{column}: {error.message}")
                self._refused.setdefault(row, problem)
        return tuple(values)


def _whole(cell: Cell) -> int | None:
    number = read_number(cell)
    if number is None:
        return None
    if number < 0 or number != int(number):
        raise InvalidInput("bad_number", f"{read_text(cell)!r} is no number of households.")
    return int(number)


def _kind(level: Level, text: str) -> str:
    """Return the code of a kind of the level; levels without kinds take any word."""
    if not text or not level.kinds:
        return text
    for kind in level.kinds:
        if text.casefold() in (kind.code, kind.en.casefold()) or text in (kind.zh, f"{kind.zh}网格"):
            return kind.code
    known = ", ".join(f"{kind.code} ({kind.zh})" for kind in level.kinds)
    raise InvalidInput("unknown_kind", f"{text!r} is no kind of {level.code}; kinds are {known}.")


def refuse_geometries(
    geometries: Geometries, system: Source, codes: Sequence[str], refused: dict[int, RefusedRow]
) -> None:
    """Refuse rows that are no polygons or lie nowhere; where that is the whole file, say so of the file."""
    problems = geometry_problems(geometries, degrees=system.is_geographic)
    misplaced = [problem for problem in problems if problem.code in WHOLE_FILE]
    if misplaced and len(misplaced) * 2 >= len(geometries):
        # Raises with the words for a whole file: swapped axes, metres called degrees.
        check_coordinates(geometries[[problem.row for problem in misplaced]], system)
    for problem in problems:
        if problem.code not in MENDABLE and problem.row not in refused:
            refused[problem.row] = RefusedRow(problem.row + 1, codes[problem.row], problem.code, problem.message)


def source_name(system: Source) -> str:
    """Return what a report calls a coordinate system or datum."""
    return system.name if system.kind == "datum" else f"EPSG:{system.epsg}" if system.epsg else system.name


def belt_warnings(system: Source, ground: Geometries) -> tuple[str, ...]:
    """Warn where the outline of the mainland, inside which GCJ-02 is shifted, is known coarsely only."""
    if system.name not in ("gcj02", "bd09") or len(ground) == 0:
        return ()
    points = shapely.get_coordinates(ground)
    warning = belt_warning(points[:, 0], points[:, 1])
    return (warning,) if warning else ()
