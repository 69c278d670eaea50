"""`mapsvc ground`: the district's own base map, a file for each layer."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from mapsvc.areas.ground import GroundFiles
from mapsvc.areas.service.ground import GroundFile, GroundReport, import_ground
from mapsvc.base.errors import InvalidInput
from mapsvc.base.paths import layers_dir
from mapsvc.base.settings import Settings
from mapsvc.catalog import Layer, load_layers
from mapsvc.cli.areas import PATH, get_levels, progress_bar
from mapsvc.cli.context import console, get_settings
from mapsvc.people.rules.actor import SYSTEM


@click.group()
def cli() -> None:
    """Import streets, water, parks and buildings that lie under the borders."""


@cli.command("import")
@click.argument("file", type=PATH)
@click.option("--layer", required=True, help="The ground layer: roads, water, green, buildings, or one of your own.")
@click.option("--layer-name", help="The layer of a file that holds several.")
@click.option("--name", "name_field", help="The column with the name that is written on the map.")
@click.option("--kind", "kind_field", help="The column with the kind, by which the layer file chooses the style.")
@click.option("--households", "households_field", help="The column with the number of households of a building.")
@click.option("--crs", help="EPSG:n, wgs84, cgcs2000, gcj02 or bd09; needed where the file does not say.")
@click.option("--encoding", help="Encoding of a .dbf, such as GBK.")
@click.option("--skip-refused", is_flag=True, help="Import the good rows although others are refused.")
def import_(
    file: Path,
    layer: str,
    layer_name: str | None,
    name_field: str | None,
    kind_field: str | None,
    households_field: str | None,
    crs: str | None,
    encoding: str | None,
    skip_refused: bool,
) -> None:
    """Replace a ground layer by FILE: GeoPackage, Shapefile (also zipped), GeoJSON, KML, FlatGeobuf."""
    settings = get_settings()
    drawing = _drawing(settings, layer)
    source = GroundFile(file, layer_name, name_field, kind_field, households_field, crs, encoding)
    with progress_bar() as show:
        report = import_ground(
            settings.data_dir,
            SYSTEM,
            layer,
            source,
            settings.max_import_bytes,
            skip_refused=skip_refused,
            progress=show,
        )
    _print(console(), report, drawing)


@cli.command("list")
def list_() -> None:
    """List the ground layers that are drawn, and what their files hold."""
    settings = get_settings()
    files = GroundFiles(settings.data_dir)
    table = Table("layer file", "ground layer", "things", "named", "version")
    for layer in _ground_layers(settings):
        found = files.find(layer.ground)
        if found is None:
            table.add_row(layer.code, layer.ground, "-", "-", "-")
            continue
        named = sum(1 for name in found.rows.names if name)
        table.add_row(layer.code, layer.ground, str(len(found.rows)), str(named), found.version)
    Console(width=None if Console().is_terminal else 120).print(table)


def _ground_layers(settings: Settings) -> list[Layer]:
    layers = load_layers(settings.layers_dir or layers_dir(), get_levels(settings))
    return [layer for layer in layers if layer.source == "ground"]


def _drawing(settings: Settings, code: str) -> list[Layer]:
    """Return the layer files that draw a ground layer; what nothing draws is refused, since nobody would see it."""
    layers = _ground_layers(settings)
    found = [layer for layer in layers if layer.ground == code]
    if not found:
        known = ", ".join(dict.fromkeys(layer.ground for layer in layers)) or "none"
        raise InvalidInput(
            "unknown_ground_layer",
            f"No layer file draws a ground layer {code!r}; there are: {known}.",
            hint="Name one of these by --layer (the layer within the file is --layer-name), or write a layer file.",
        )
    return found


def _print(screen: Console, report: GroundReport, drawing: list[Layer]) -> None:
    screen.print(
        f"{report.layer}: {report.read} rows read from {report.source}, {report.written} written, {report.named} named."
    )
    styled = {value for layer in drawing for kind in layer.kinds for value in kind.values}
    for kind, count in sorted(report.kinds.items(), key=lambda item: -item[1]):
        own = "" if kind in styled or not styled else " (no style of its own)"
        screen.print(f"  {kind or 'without a kind'}: {count}{own}", markup=False)
    if report.mended:
        screen.print(f"  {report.mended} polygons crossed themselves and were made valid.")
    for row in report.refused[:20]:
        screen.print(f"  left out, row {row.row}: {row.message} [{row.code}]", markup=False)
    if len(report.refused) > 20:
        screen.print(f"  ... and {len(report.refused) - 20} more")
    for note in report.notes:
        screen.print(f"Warning: {note}", style="yellow", markup=False)
