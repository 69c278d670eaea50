"""Borders out to a file that other programs read: GeoPackage, GeoJSON, Shapefile, FlatGeobuf."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataSourceError, GeometryError

from mapsvc.areas.queries.areas import AreaVersionView, count_areas, iter_areas
from mapsvc.areas.service.prepared import SHAPEFILE_NAME, Progress, no_progress, parent_column
from mapsvc.base.errors import Conflict, InvalidInput, NotFound, Unavailable, UnsupportedType
from mapsvc.base.settings import Settings
from mapsvc.catalog import Levels
from mapsvc.geo.crs import WGS84, Source, geometries_from_wgs84, parse_crs
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Store

DRIVERS = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".shp": "ESRI Shapefile",
    ".fgb": "FlatGeobuf",
}
INTERNAL = "内部使用"
"""What every exported border says of itself where no caption is set: it has no map review number."""


def export_areas(
    store: Store,
    settings: Settings,
    levels: Levels,
    actor: Actor,
    path: Path,
    moment: datetime,
    wanted: Sequence[str] = (),
    *,
    crs: str | None = None,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> dict[str, int]:
    """Write the areas in force at a moment and return how many of each level.

    A GeoPackage has a layer per level; the other formats hold one. Codes, names, parents and days come along, and
    the datum stands in a column, because GCJ-02 and BD-09 have no code that a file could name. Written aside,
    then put in place.
    """
    require(actor, "area.export")
    driver = _driver(path, overwrite)
    target = parse_crs(crs) if crs else WGS84
    with store.read() as work:
        there = count_areas(work, moment)
    chosen = [levels.get(code).code for code in wanted] or [level.code for level in levels if level.code in there]
    missing = [code for code in chosen if code not in there]
    if missing or not chosen:
        raise NotFound("no_areas", f"There are no areas of the level {', '.join(missing) or 'any'} in force.")
    if driver != "GPKG" and len(chosen) > 1:
        raise InvalidInput(
            "one_level_needed",
            f"A {path.suffix} file holds one level; there are {', '.join(chosen)}.",
            hint="Name one by --level, or write a .gpkg file.",
        )
    with tempfile.TemporaryDirectory(dir=_parent(path), prefix=".export-") as folder:
        aside = Path(folder) / path.name
        for n, level in enumerate(chosen):
            progress("export", n, len(chosen))
            with store.read() as work:
                views = [view for batch in iter_areas(work, level, moment) for view in batch]
            _write(aside, driver, levels, level, views, target, settings.caption or INTERNAL)
        progress("export", len(chosen), len(chosen))
        for part in sorted(Path(folder).iterdir()):
            shutil.move(part, path.parent / part.name)
    return {level: there[level] for level in chosen}


def _driver(path: Path, overwrite: bool) -> str:
    driver = DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise UnsupportedType(
            "unknown_format",
            f"Borders are not written to {path.suffix or 'files without an ending'}.",
            hint=f"Choose one of {', '.join(DRIVERS)}.",
        )
    if path.exists() and not overwrite:
        raise Conflict("file_exists", f"{path} is there already.", hint="Give another name, or --force.")
    return driver


def _parent(path: Path) -> Path:
    if not path.parent.is_dir():
        raise NotFound("folder_not_found", f"There is no folder {path.parent}.")
    return path.parent


def _write(
    path: Path,
    driver: str,
    levels: Levels,
    level: str,
    views: Sequence[AreaVersionView],
    target: Source,
    caption: str,
) -> None:
    borders = np.array([view.border for view in views], dtype=object)
    ground = borders if target == WGS84 else geometries_from_wgs84(borders, target)
    columns = _columns(levels, level, views, target, caption)
    if driver == "ESRI Shapefile":
        columns = {name[:SHAPEFILE_NAME]: values for name, values in columns.items()}
    masks = [np.array([value is None for value in values], dtype=np.bool_) for values in columns.values()]
    try:
        with warnings.catch_warnings():
            # GCJ-02 and BD-09 have no name that a file could carry; the column `datum` says it.
            warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
            pyogrio.raw.write(
                path,
                shapely.to_wkb(ground),
                [_array(values) for values in columns.values()],
                list(columns),
                field_mask=masks,
                layer=level if driver == "GPKG" else None,
                driver=driver,
                geometry_type="MultiPolygon",
                promote_to_multi=True,
                crs=_crs_text(target),
                encoding="UTF-8",
            )
    except (DataSourceError, GeometryError, OSError) as error:
        raise Unavailable(
            "export_not_written",
            f"{path.name} could not be written: {error}.",
            hint="Check that the folder can be written and has room.",
        ) from error


def _columns(
    levels: Levels, level: str, views: Sequence[AreaVersionView], target: Source, caption: str
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "level": [view.level for view in views],
        "code": [view.code for view in views],
        "name": [view.name for view in views],
        "kind": [view.kind for view in views],
        "households": [view.households for view in views],
    }
    for above in levels.above(level) if level in levels else ():
        if any(above in view.parents for view in views):
            columns[parent_column(above)] = [view.parents.get(above, "") for view in views]
    columns |= {
        "valid_from": [view.valid_from.isoformat() if view.valid_from else "" for view in views],
        "valid_to": [view.valid_to.isoformat() if view.valid_to else "" for view in views],
        "generation": [view.generation for view in views],
        "area_m2": [view.area_m2 for view in views],
        "datum": [target.name if target.kind == "datum" else f"EPSG:{target.epsg}" for _ in views],
        "caption": [caption for _ in views],
    }
    return columns


def _array(values: Sequence[Any]) -> NDArray[Any]:
    """Return a column as an array whose type GDAL knows; what is masked holds a zero."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, int) for value in known):
        return np.array([0 if value is None else value for value in values], dtype=np.int64)
    if known and all(isinstance(value, int | float) for value in known):
        return np.array([0.0 if value is None else value for value in values], dtype=np.float64)
    return np.array(["" if value is None else value for value in values], dtype=object)


def _crs_text(target: Source) -> str | None:
    """Return how a file names the system; None for GCJ-02 and BD-09, which have no name that programs know."""
    if target.name in ("gcj02", "bd09"):
        return None
    return f"EPSG:{target.epsg}" if target.epsg else target.wkt
