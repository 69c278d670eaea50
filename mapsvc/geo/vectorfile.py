"""Border files as people have them: GeoPackage, Shapefile (zipped too), GeoJSON, KML, FlatGeobuf.

A file is looked at before GDAL opens it: size, first bytes, what a zip holds. Rows come in batches, in
the coordinates of the file; its system is named by the file or by a person, and never guessed. What is wrong with a
single row is told by `geometry_problems`, what is wrong with the file is raised.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyarrow.lib import ArrowException
from pyogrio.errors import CRSError as GdalCrsError
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

from mapsvc.base.errors import InvalidInput, UnsupportedType
from mapsvc.geo.crs import Source, parse_crs
from mapsvc.geo.dbftext import check_encoding, detect_dbf_encoding
from mapsvc.geo.vectorlook import DRIVERS, check_content, check_size, names_its_crs
from mapsvc.geo.vectorzip import Unpacked, unpack

Geometries: TypeAlias = NDArray[np.object_]

MAX_BYTES = 500_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
BATCH = 5_000

_GDAL_ERRORS = (DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError, GdalCrsError)


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one row, numbered from 0, by a stable code and in words."""

    row: int
    code: str
    message: str


@dataclass(frozen=True, eq=False)
class BorderTable:
    """Borders as the file has them: `geometries` in the coordinates of `source`, and a column of values per field.

    `first_row` is the number, from 0, of the first of these rows in the file. `problems` are rows whose geometry
    could not even be built (their geometry is `None`). `crs_given` tells that a person named the system.
    `notes` are sentences for the report.
    """

    geometries: Geometries
    columns: Mapping[str, Sequence[Any]]
    source: Source
    crs_given: bool
    layer: str
    first_row: int = 0
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.geometries)


@dataclass(frozen=True)
class BorderLayer:
    """One layer of a file before its rows are read; `count` is -1 when the format does not tell."""

    path: Path
    driver: str
    layer: str
    fields: tuple[str, ...]
    count: int
    source: Source
    crs_given: bool
    encoding: str | None
    notes: tuple[str, ...]


@contextmanager
def open_borders(
    path: Path,
    *,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> Iterator[BorderLayer]:
    """Give the layer of a file, ready to be read by `iter_layer`; a zip is unpacked until the end of the block.

    Raises
    ------
    NotFound, TooLarge, UnsupportedType
        `file_not_found`; `file_too_large`, `zip_too_large`; `not_a_border_file`.
    InvalidInput
        `crs_needed`, `unknown_crs`, `crs_not_supported`, `layer_needed`, `unknown_layer`, `no_polygons`,
        `unreadable_file`, `truncated_file`, `invalid_text`, `unknown_encoding`, `encoding_needed`, `missing_part`,
        `xml_entities`, and those of `vectorzip.unpack`.
    """
    check_size(path, max_bytes)
    with ExitStack() as stack:
        chosen, inner = path, layer
        if path.suffix.lower() in (".zip", ".kmz"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mapsvc-"))
            chosen, inner = _choose(unpack(path, Path(folder), max_unpacked_bytes), layer)
        check_content(chosen)
        yield _layer_of(chosen, inner, crs, encoding)


def read_borders(
    path: Path,
    *,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    max_bytes: int = MAX_BYTES,
    columns: Sequence[str] | None = None,
) -> BorderTable:
    """Return all rows of a file's layer at once; errors as `open_borders`, and `unknown_field`."""
    with open_borders(path, layer=layer, crs=crs, encoding=encoding, max_bytes=max_bytes) as opened:
        parts = list(iter_layer(opened, columns=columns))
    joined = {name: [value for part in parts for value in part.columns[name]] for name in parts[0].columns}
    return replace(
        parts[0],
        geometries=np.concatenate([part.geometries for part in parts]),
        columns=joined,
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def iter_borders(
    path: Path,
    *,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    max_bytes: int = MAX_BYTES,
    columns: Sequence[str] | None = None,
    batch: int = BATCH,
) -> Iterator[BorderTable]:
    """Yield the rows of a file's layer in batches, in bounded memory; errors as `read_borders`."""
    with open_borders(path, layer=layer, crs=crs, encoding=encoding, max_bytes=max_bytes) as opened:
        yield from iter_layer(opened, columns=columns, batch=batch)


def iter_layer(
    opened: BorderLayer, *, columns: Sequence[str] | None = None, batch: int = BATCH
) -> Iterator[BorderTable]:
    """Yield the rows of an open layer; at least one batch, which may be empty.

    Fewer rows than the file announces are a `truncated_file`.
    """
    wanted = list(opened.fields) if columns is None else _checked_fields(opened, columns)
    done = 0
    try:
        with warnings.catch_warnings():
            # GDAL's warnings of single rows come back as problems of rows.
            warnings.simplefilter("ignore", RuntimeWarning)
            for table in _batches(opened, wanted, batch):
                done += len(table)
                yield table
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "invalid_text",
            f"A text in rows after {done} is not {opened.encoding or 'UTF-8'}.",
            hint="Name the encoding by --encoding, such as GBK.",
            detail={"after_row": done},
        ) from error
    except (*_GDAL_ERRORS, OSError, ArrowException) as error:
        raise _unreadable(opened.path, error) from error
    if done < opened.count:
        raise InvalidInput(
            "truncated_file",
            f"The file announces {opened.count} rows and holds {done}: it is not complete.",
            hint="Copy or upload it again.",
            detail={"announced": opened.count, "read": done},
        )


def _batches(opened: BorderLayer, wanted: list[str], batch: int) -> Iterator[BorderTable]:
    options: dict[str, Any] = {"layer": opened.layer, "columns": wanted, "batch_size": batch, "use_pyarrow": True}
    if opened.driver == "ESRI Shapefile" and opened.encoding:
        options["encoding"] = opened.encoding
    done = 0
    with pyogrio.raw.open_arrow(opened.path, **options) as (meta, reader):
        shape = meta["geometry_name"] or "wkb_geometry"
        empty = True
        for record in reader:
            geometries, problems, solid = _geometries(record.column(shape).to_pylist(), done, opened.source)
            notes = (*opened.notes, *(("Heights (Z) were dropped: borders are flat.",) if solid else ()))
            values = {name: record.column(name).to_pylist() for name in wanted}
            yield BorderTable(geometries, values, opened.source, opened.crs_given, opened.layer, done, problems, notes)
            done += len(geometries)
            empty = False
        if empty:
            none = np.empty(0, dtype=object)
            blank: dict[str, list[Any]] = {name: [] for name in wanted}
            yield BorderTable(none, blank, opened.source, opened.crs_given, opened.layer, 0, (), opened.notes)


def _geometries(
    wkb: Sequence[bytes | None], first: int, source: Source
) -> tuple[Geometries, tuple[RowProblem, ...], bool]:
    """Return geometries, rows whose rings cannot be built, and whether heights were dropped."""
    raw = np.empty(len(wkb), dtype=object)
    raw[:] = wkb
    with np.errstate(invalid="ignore"):
        geometries: Geometries = shapely.from_wkb(raw, on_invalid="ignore")
    broken = np.flatnonzero(
        shapely.is_missing(geometries) & np.array([value is not None for value in wkb], dtype=np.bool_)
    )
    problems = tuple(
        RowProblem(first + row, "broken_ring", "A ring is not closed or has fewer than four points.")
        for row in broken.tolist()
    )
    solid = bool(shapely.has_z(geometries).any())
    keeps_z = source.kind == "epsg" and bool(source.crs.is_geocentric)
    if solid and not keeps_z:
        with np.errstate(invalid="ignore"):
            geometries = shapely.force_2d(geometries)
    return geometries, problems, solid and not keeps_z


def _choose(found: Sequence[Unpacked], layer: str | None) -> tuple[Path, str | None]:
    """Return the file of a zip that is meant, and the layer within it; with one file, `layer` is for that file."""
    if len(found) == 1:
        only = found[0]
        return only.path, None if layer == only.name else layer
    named = [item for item in found if item.name == layer]
    if len(named) == 1:
        return named[0].path, None
    raise _layer_error([item.name for item in found], layer)


def _layer_of(path: Path, layer: str | None, crs: str | None, encoding: str | None) -> BorderLayer:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            name = _layer_name(path, layer)
            text = _encoding(path, encoding)
            shapefile = path.suffix.lower() == ".shp"
            info = pyogrio.read_info(
                path, layer=name, force_feature_count=True, **({"encoding": text[0]} if shapefile and text[0] else {})
            )
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "invalid_text",
            "The names of the fields cannot be read.",
            hint="Name the encoding by --encoding, such as GBK.",
        ) from error
    except _GDAL_ERRORS as error:
        raise _unreadable(path, error) from error
    if info["driver"] not in DRIVERS:
        raise UnsupportedType(
            "not_a_border_file", f"{path.name} is read as {info['driver']}, which holds no borders here."
        )
    source, given, notes = _source(path, info, crs)
    fields = tuple(str(field) for field in info["fields"])
    return BorderLayer(
        path, info["driver"], name, fields, int(info["features"]), source, given, text[0], (*notes, *text[1])
    )


def _layer_name(path: Path, layer: str | None) -> str:
    names = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if layer is None and len(names) == 1:
        return names[0]
    if layer in names:
        return layer
    if not names:
        raise InvalidInput(
            "no_polygons", f"{path.name} holds no layer with geometry.", hint="Export the borders again."
        )
    raise _layer_error(names, layer)


def _layer_error(names: Sequence[str], layer: str | None) -> InvalidInput:
    listed = ", ".join(names[:20])
    code, message = "layer_needed", f"There are {len(names)} layers: {listed}."
    if layer is not None:
        code, message = "unknown_layer", f"There is no layer {layer!r}; there are: {listed}."
    return InvalidInput(code, message, hint="Name one by --layer.", detail={"layers": list(names)})


def _encoding(path: Path, encoding: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the encoding of a shapefile's texts and what to say about it; other formats are UTF-8 by definition."""
    if encoding is not None:
        return check_encoding(encoding), ()
    table = path.with_suffix(".dbf")
    if path.suffix.lower() != ".shp" or not table.is_file():
        return None, ()
    found = detect_dbf_encoding(table)
    return found.name, (found.note,) if found.note else ()


def _source(path: Path, info: Mapping[str, Any], crs: str | None) -> tuple[Source, bool, tuple[str, ...]]:
    """Return the file's system, whether a person named it, and what to say about it."""
    stated = info["crs"] if names_its_crs(path, info["driver"]) else None
    if crs is not None:
        given = parse_crs(crs)
        if stated is not None and not _same_system(str(stated), given):
            return given, True, (f"The file says {_short(str(stated))}; it was read as {given.name}, as you said.",)
        return given, True, ()
    if stated is None:
        raise InvalidInput(
            "crs_needed",
            f"{path.name} does not say in which coordinate system or datum it is.",
            hint="Name it by --crs: EPSG:n, wgs84, cgcs2000, gcj02 or bd09. Files from AMap or Tencent maps are gcj02.",
        )
    return parse_crs(str(stated)), False, ()


def _same_system(stated: str, given: Source) -> bool:
    try:
        return parse_crs(stated) == given
    except InvalidInput:
        return False


def _short(stated: str) -> str:
    return stated if len(stated) < 40 else stated[:37] + "..."


def _checked_fields(opened: BorderLayer, columns: Sequence[str]) -> list[str]:
    missing = [name for name in columns if name not in opened.fields]
    if missing:
        raise InvalidInput(
            "unknown_field",
            f"The file has no field {missing[0]!r}; it has: {', '.join(opened.fields)}.",
            hint="Name the field as it is written in the file.",
            detail={"field": missing[0], "fields": list(opened.fields)},
        )
    return list(dict.fromkeys(columns))


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    why = str(error).splitlines()[0][:200].replace(str(path), path.name)
    return InvalidInput(
        "unreadable_file",
        f"{path.name} cannot be read: it is damaged or not complete ({why}).",
        hint="Open it in the program that made it and export it again.",
    )
