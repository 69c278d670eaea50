"""`mapsvc assign`: the area of every point of a file, as one column more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from mapsvc.areas.index import Snapshots
from mapsvc.areas.queries.state import load_geometries
from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.base.settings import Settings
from mapsvc.base.tables.cells import read_code
from mapsvc.catalog import load_catalog
from mapsvc.cli.assign_chunks import Totals, assign_chunk
from mapsvc.cli.context import get_settings, open_store, progress
from mapsvc.geo.assign import Assigner, CleanAreas, UncleanAreas, make_assigner
from mapsvc.geo.crs import geometries_to_wgs84
from mapsvc.geo.datums import DATUMS
from mapsvc.geo.locate.index import AreaIndex
from mapsvc.geo.locate.kernels import prepare_kernels
from mapsvc.geo.pointfile import CHUNK, PointFile, check_target, open_points
from mapsvc.geo.vectorfile import read_borders

CODE_NAMES = ("code", "area_code", "编码", "代码", "区划代码", "网格编码", "片区编码", "bm", "dm", "adcode")
SHOWN = 5


@dataclass(frozen=True)
class Areas:
    """Areas ready to be asked, their codes by row, and what they are called in the report."""

    assigner: Assigner
    codes: tuple[str, ...]
    title: str


@click.command()
@click.argument("points", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--level", help="The level of the areas; the finest that leaves no gaps by default.")
@click.option("--lon", "lon_field", help="The column with the longitude; guessed by its name by default.")
@click.option("--lat", "lat_field", help="The column with the latitude.")
@click.option("--datum", type=click.Choice(DATUMS), default="wgs84", show_default=True, help="Datum of the points.")
@click.option("--encoding", help="Encoding of a CSV file; UTF-8 or GBK is found out by default.")
@click.option("--areas", "areas_file", type=click.Path(path_type=Path), help="Take the areas of a file, not the store.")
@click.option("--layer", help="The layer of an areas file that holds several.")
@click.option("--code", "code_field", help="The column of the areas file with their codes.")
@click.option("--crs", help="EPSG:n, wgs84, cgcs2000, gcj02 or bd09; needed where the areas file does not say.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
def cli(
    points: Path,
    out: Path,
    level: str | None,
    lon_field: str | None,
    lat_field: str | None,
    datum: str,
    encoding: str | None,
    areas_file: Path | None,
    layer: str | None,
    code_field: str | None,
    crs: str | None,
    engine: str,
    overwrite: bool,
) -> None:
    """Give every point of the file POINTS its area and write the same rows, with one column more, to OUT.

    Both are CSV or Parquet. The new column is LEVEL_code, or area_code with --areas, and stays empty outside all areas
    and where a position cannot be read. A point on a border, or in several areas, belongs to the smallest code.
    """
    if areas_file is not None and level is not None:
        raise click.UsageError("--level names areas of the store, --areas a file: give one of them.")
    if areas_file is None and (layer or code_field or crs):
        raise click.UsageError("--layer, --code and --crs describe a file of areas: give --areas too.")
    settings = get_settings()
    source = open_points(points, lon_field=lon_field, lat_field=lat_field, encoding=encoding)
    prepare_kernels(settings.data_dir)
    if areas_file is not None:
        column = "area_code"
        check_target(source, out, column, overwrite=overwrite)
        areas = areas_of_file(areas_file, layer, code_field, crs, settings.max_import_bytes)
    else:
        with areas_of_store(settings, level) as (column, areas):
            check_target(source, out, column, overwrite=overwrite)
    totals = assign_file(source, out, column, areas, datum, engine)
    _print(totals, source, areas, out)


def assign_file(source: PointFile, out: Path, column: str, areas: Areas, datum: str, engine: str) -> Totals:
    """Write the rows of a file of points with the codes of their areas, chunk by chunk; return what was counted."""
    if engine == "dask":
        from mapsvc.cli.assign_dask import assign_by_dask

        return assign_by_dask(source, out, column, areas.assigner, areas.codes, datum)
    codes = np.array([*areas.codes, ""], dtype=object)
    totals = Totals()
    with progress() as bar, source.writer(out, column) as sink:
        task = bar.add_task("points", total=None)
        for chunk in source.chunks(CHUNK):
            answers, counted = assign_chunk(areas.assigner, chunk.lon, chunk.lat, datum)
            sink.write(chunk.rows, codes[answers].tolist())
            totals = totals + counted
            bar.update(task, completed=totals.rows)
    return totals


def areas_of_file(path: Path, layer: str | None, code_field: str | None, crs: str | None, max_bytes: int) -> Areas:
    """Read areas from any file that `areas import` reads; they need not be a coverage.

    Raises as `vectorfile.read_borders`, and `InvalidInput` `missing_column`.
    """
    table = read_borders(path, layer=layer, crs=crs, max_bytes=max_bytes)
    folded = {name.casefold(): name for name in reversed(tuple(table.columns))}
    wanted = [code_field] if code_field else list(CODE_NAMES)
    name = next((folded[name.casefold()] for name in wanted if name.casefold() in folded), None)
    if name is None:
        raise InvalidInput(
            "missing_column",
            f"{path.name} has no column {code_field!r}."
            if code_field
            else f"No column of {path.name} is called a code.",
            hint=f"Name it by --code; the columns are: {', '.join(table.columns) or 'none'}.",
            detail={"columns": list(table.columns)},
        )
    codes = tuple(read_code(cell) for cell in table.columns[name])
    for note in table.notes:
        click.echo(note, err=True)
    geometries = geometries_to_wgs84(table.geometries, table.source)
    return Areas(make_assigner(geometries, codes), codes, path.name)


@contextmanager
def areas_of_store(settings: Settings, level: str | None) -> Iterator[tuple[str, Areas]]:
    """Give the column's name and the areas of a level now in force.

    Raises `InvalidInput` (`unknown_level`), `NotFound` (`no_borders`).
    """
    levels = load_catalog(settings).levels
    if level is not None:
        levels.get(level)
    with open_store(settings) as store:
        snapshot = Snapshots(store, settings, levels).current(store.clock.now())
        chosen = level or next(
            (found.code for found in levels.finest_first() if found.coverage and found.code in snapshot.tables), None
        )
        if chosen is None or chosen not in snapshot.tables:
            raise NotFound(
                "no_borders",
                f"There are no borders of the level {chosen} in the store." if chosen else "The store has no borders.",
                hint="Import them by `mapsvc areas import`, or give a file by --areas.",
            )
        borders = snapshot.borders
        table, source = borders.tables[chosen], borders.answers[chosen]
        index = borders.indexes[source]
        assigner: Assigner
        if isinstance(index, AreaIndex):
            assigner = CleanAreas(index, borders.lineage[source][chosen].astype(np.int32))
        else:
            with store.read() as work:
                assigner = UncleanAreas(load_geometries(work, table), table.codes)
        yield f"{chosen}_code", Areas(assigner, table.codes, f"level {chosen}, generation {snapshot.generation}")


def _print(totals: Totals, source: PointFile, areas: Areas, out: Path) -> None:
    way = "the cell index" if areas.assigner.way == "index" else "the slower way for areas that are no clean coverage"
    click.echo(f"{source.path.name}: {totals.rows:,} rows into {out.name}")
    click.echo(f"areas: {len(areas.codes):,} of {areas.title}, answered by {way}")
    click.echo(f"position: columns {source.lon_field}, {source.lat_field}")
    click.echo(f"inside: {totals.inside:,}")
    click.echo(f"on border: {totals.on_border:,} (the smallest code)")
    click.echo(f"outside: {totals.outside:,}")
    click.echo(f"overlaps: {totals.overlaps:,} (the smallest code; counted as inside)")
    click.echo(f"no position: {totals.unreadable:,}")
    if areas.assigner.repaired_rows:
        click.echo(f"repaired: {_codes(areas, areas.assigner.repaired_rows)}; {totals.repaired:,} points lie there")
    if areas.assigner.empty_rows:
        click.echo(f"without ground: {_codes(areas, areas.assigner.empty_rows)}; they answer for nothing")
    if totals.exchanged > totals.rows // 2:
        click.secho(
            "Longitude and latitude look exchanged: name the columns by --lon and --lat.", fg="yellow", err=True
        )


def _codes(areas: Areas, rows: Sequence[int]) -> str:
    shown = ", ".join(areas.codes[row] or f"row {row + 1}" for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return f"{len(rows)} areas ({shown}{more})" if len(rows) > 1 else f"area {shown}"
