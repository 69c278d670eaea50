"""Levels whose areas are made as unions of finer ones, and made again when these are imported anew."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

import numpy as np

from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable
from mapsvc.areas.rules.ground import (
    parents_by_overlap,
    polygons_of,
    union_of,
)
from mapsvc.areas.rules.trees import Nesting, list_ancestors, nearest_above, nesting_of
from mapsvc.areas.service.linking import find_parents, unknown_parents
from mapsvc.areas.service.prepared import (
    BorderRows,
    MadeColumn,
    PreparedLevel,
)
from mapsvc.base.errors import InvalidInput
from mapsvc.catalog import Levels
from mapsvc.geo.lattice import lattice_hash, snap
from mapsvc.storage.work import Work


def make_levels(
    work: Work, levels: Levels, tables: Mapping[str, AreaTable], level: str, rows: BorderRows
) -> dict[str, PreparedLevel]:
    """Make the areas of levels above as unions of the imported ones; each made area lies in one made parent."""
    above = list_ancestors(nesting_of(levels), level)
    for column in rows.made:
        levels.get(column.level)
        if column.level not in above:
            raise InvalidInput(
                "not_above",
                f"A {level} does not lie in a {column.level}.",
                hint=f"Levels above it: {', '.join(above)}.",
            )
    nesting, present = nesting_of(levels), {*tables, *(column.level for column in rows.made), *rows.parents}
    made = {column.level: _make_level(nesting, present, column, rows) for column in rows.made}
    for name in made:
        for parent_level in nearest_above(nesting, name, present):
            there = None if parent_level in made[name].parents else find_parents(work, parent_level, made, tables)
            if there is not None:
                overlap, _ = parents_by_overlap(made[name].geometries, there.codes, there.geometries)
                made[name] = replace(made[name], parents={**made[name].parents, parent_level: overlap})
    return made


def make_again(work: Work, levels: Levels, tables: Mapping[str, AreaTable], level: str, rows: BorderRows) -> BorderRows:
    """Make the levels again that the last import of this level made: their borders are nothing but its unions.

    Their codes come from the rows where these name them, else from the parents that a finer made level has in
    the store. A code that is new needs its name, and so --make-parents.
    """
    columns = {column.level: column for column in rows.made}
    made = queries.find_made_levels(work, level)
    for made_level in sorted(made, key=lambda code: -levels.get(code).order):
        table = tables.get(made_level)
        if table is None or made_level in columns:
            continue
        codes = rows.parents.get(made_level) or _codes_by_store(tables, columns, made_level)
        if codes is None:
            continue
        names = dict(zip(table.codes, table.names, strict=True))
        unknown = sorted(set(codes) - names.keys() - {""})
        if unknown:
            raise unknown_parents(level, made_level, unknown)
        columns[made_level] = MadeColumn(made_level, codes, tuple(names.get(code, "") for code in codes))
    return replace(rows, made=tuple(columns.values()))


def _codes_by_store(
    tables: Mapping[str, AreaTable], columns: Mapping[str, MadeColumn], made_level: str
) -> tuple[str, ...] | None:
    """Return the codes of a made level by way of a finer made one, whose areas lie in it by the store."""
    for column in columns.values():
        finer = tables.get(column.level)
        if finer is None or made_level not in finer.parents:
            continue
        above = tables[made_level]
        parent_rows = finer.parents[made_level].tolist()
        parents = {code: above.codes[row] for code, row in zip(finer.codes, parent_rows, strict=True) if row >= 0}
        if all(code in parents for code in column.codes):
            return tuple(parents[code] for code in column.codes)
    return None


def _make_level(nesting: Nesting, present: Container[str], column: MadeColumn, rows: BorderRows) -> PreparedLevel:
    members: dict[str, list[int]] = {}
    for n, code in enumerate(column.codes):
        if not code:
            raise InvalidInput(
                "no_parent_code", f"Row {rows.rows[n]} ({rows.codes[n]}) names no {column.level} to be made."
            )
        members.setdefault(code, []).append(n)
    codes = tuple(sorted(members))
    geometries = np.empty(len(codes), dtype=object)
    for n, code in enumerate(codes):
        geometries[n] = polygons_of(union_of(rows.geometries[members[code]]))
    geometries = snap(geometries).geometries
    return PreparedLevel(
        level=column.level,
        codes=codes,
        names=tuple(
            _one_value(column.level, code, {column.names[n] for n in members[code]}, "names") for code in codes
        ),
        kinds=("",) * len(codes),
        households=(None,) * len(codes),
        geometries=geometries,
        hashes=tuple(lattice_hash(geometry) for geometry in geometries),
        parents=_parents_of_made(nesting, present, column, rows, codes, members),
    )


def _parents_of_made(
    nesting: Nesting,
    present: Container[str],
    column: MadeColumn,
    rows: BorderRows,
    codes: tuple[str, ...],
    members: Mapping[str, list[int]],
) -> dict[str, tuple[str, ...]]:
    """Take the parents of made areas from the rows: from a column that makes them too, or one that names them."""
    found: dict[str, tuple[str, ...]] = {}
    named = {other.level: other.codes for other in rows.made} | dict(rows.parents)
    for parent_level in nearest_above(nesting, column.level, present):
        values = named.get(parent_level)
        if values is not None:
            found[parent_level] = tuple(
                _one_value(column.level, code, {values[n] for n in members[code]}, f"{parent_level} codes")
                for code in codes
            )
    return found


def _one_value(level: str, code: str, values: set[str], what: str) -> str:
    if len(values) > 1:
        raise InvalidInput(
            "made_area_contradicts",
            f"The {level} {code} has several {what}: {', '.join(sorted(values)[:5])}.",
            hint="Correct the rows, so that all of one area say the same.",
        )
    return values.pop()
