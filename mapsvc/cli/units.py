"""`mapsvc units`: import handling units and the table of their duties."""

from __future__ import annotations

from pathlib import Path

import click

from mapsvc.areas.service.duties import UnitImportOptions, UnitsReport, import_units
from mapsvc.areas.service.duty_polygons import PolygonFile
from mapsvc.base.errors import MapsvcError
from mapsvc.base.paths import data_dir
from mapsvc.catalog import load_categories
from mapsvc.cli.areas import PATH, get_levels
from mapsvc.cli.context import console, get_settings, open_store
from mapsvc.cli.posts import print_problems, read_columns
from mapsvc.people.rules.actor import SYSTEM


@click.group()
def cli() -> None:
    """Import handling units and their duties."""


@cli.command("import")
@click.argument("file", type=PATH)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option("--skip-refused", is_flag=True, help="Import the good rows although others are refused.")
@click.option(
    "--errors", type=click.Path(path_type=Path), help="Where the error workbook goes; beside FILE by default."
)
@click.option("--sheet", default="", help="The sheet of a workbook; the first that fits by default.")
@click.option("--column", "columns", multiple=True, metavar="NAME=HEADER", help="Which header means a column.")
@click.option("--polygons", type=PATH, help="A file of polygons: GeoPackage, Shapefile, GeoJSON, KML, FlatGeobuf.")
@click.option("--polygon-layer", help="The layer of a file of polygons that holds several.")
@click.option("--polygon-name", help="Its column with the names that the duties use.")
@click.option("--crs", help="Of the polygons: EPSG:n, wgs84, cgcs2000, gcj02 or bd09; needed where the file is silent.")
@click.option("--encoding", help="Encoding of the polygons' .dbf, such as GBK.")
def import_(
    file: Path,
    dry_run: bool,
    skip_refused: bool,
    errors: Path | None,
    sheet: str,
    columns: tuple[str, ...],
    polygons: Path | None,
    polygon_layer: str | None,
    polygon_name: str | None,
    crs: str | None,
    encoding: str | None,
) -> None:
    """Import units and their duties from FILE, xlsx or CSV, a line per duty.

    Columns: unit_code, unit_name, phone, kind, category (a code, the beginning of one, or * for all), level, area_code,
    owner, polygon (the name of a feature of --polygons), from, to; Chinese headers are known too. A line without
    category is a unit alone.
    """
    settings = get_settings()
    levels = get_levels(settings)
    categories = load_categories(settings.categories_file or data_dir() / "categories.toml", levels)
    options = UnitImportOptions(
        dry_run=dry_run,
        skip_refused=skip_refused,
        errors=errors or file.with_name(f"{file.stem}.errors.xlsx"),
        sheet=sheet,
        columns=read_columns(columns),
        polygons=PolygonFile(polygons, polygon_layer, polygon_name, crs, encoding, settings.max_import_bytes)
        if polygons
        else None,
    )
    screen = console()
    with open_store(settings) as store:
        try:
            report = import_units(store, levels, categories, SYSTEM, file, options)
        except MapsvcError as error:
            refused = error.detail.get("report")
            if isinstance(refused, UnitsReport):
                print_problems(screen, refused.problems, refused.errors)
            raise
    print_problems(screen, report.problems, report.errors)
    for warning in report.warnings:
        screen.print(warning)
    if report.written is None:
        screen.print(f"{report.read} rows read, {report.refused} refused; nothing was changed.")
        return
    w = report.written
    screen.print(
        f"{report.read} rows read: {w.units_added} units added, {w.units_changed} changed; "
        f"{w.duties_added} duties added, {w.duties_changed} changed, {w.duties_unchanged} unchanged."
    )
