"""`mapsvc areas`: import, check and export borders, list their generations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from mapsvc.areas.index import Snapshots
from mapsvc.areas.queries.areas import list_generations
from mapsvc.areas.service.check_areas import LevelCheck, check_areas
from mapsvc.areas.service.export_areas import export_areas
from mapsvc.areas.service.import_areas import import_areas
from mapsvc.areas.service.prepared import BorderFile, ImportOptions, ImportReport, MadeLevel, Progress
from mapsvc.base.errors import InvalidInput, MapsvcError
from mapsvc.base.paths import data_dir
from mapsvc.base.settings import Settings
from mapsvc.catalog import Levels, load_levels
from mapsvc.cli.context import console, get_settings, open_store, progress
from mapsvc.people.rules.actor import SYSTEM

SHOWN = 20
"""Lines of one kind that are printed; `--verbose` prints all."""

PATH = click.Path(exists=True, dir_okay=True, path_type=Path)


def get_levels(settings: Settings) -> Levels:
    """Return the levels that the settings name, or the shipped ones."""
    return load_levels(settings.levels_file or data_dir() / "levels.toml")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give a callback that moves a progress bar on stderr, one line per stage."""
    with progress() as bar:
        tasks: dict[str, object] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total or None)
            bar.update(tasks[stage], completed=done, total=total or None)  # type: ignore[arg-type]  # a TaskID is an int

        yield show


def day_to_moment(day: date | None, settings: Settings, now: datetime) -> datetime:
    """Return now, or for another day its last moment there: borders that begin on a day hold on that day."""
    if day is None or day == now.astimezone(settings.timezone).date():
        return now
    return datetime.combine(day + timedelta(days=1), time(), settings.timezone) - timedelta(microseconds=1)


class Day(click.ParamType[date]):
    """A calendar day, 2026-12-01."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day; write 2026-12-01.", param, ctx)


@click.group()
def cli() -> None:
    """Import, check and export areas and their borders."""


@cli.command("import")
@click.argument("file", type=PATH)
@click.option("--level", required=True, help="The level of these areas: district, street, community, patch, grid ...")
@click.option("--layer", help="The layer of a file that holds several.")
@click.option("--code", "code_field", help="The column with the code of each area.")
@click.option("--name", "name_field", help="The column with the name.")
@click.option("--kind", "kind_field", help="The column with the kind (综合, 专属).")
@click.option("--households", "households_field", help="The column with the number of households.")
@click.option("--parent", "parents", multiple=True, metavar="[LEVEL=]FIELD", help="The column with the parent's code.")
@click.option(
    "--make-parents",
    "made",
    multiple=True,
    metavar="LEVEL=FIELD[,NAMEFIELD]",
    help="Make the areas of a level above as unions of these, by the column with their code.",
)
@click.option("--crs", help="EPSG:n, wgs84, cgcs2000, gcj02 or bd09; needed where the file does not say.")
@click.option("--encoding", help="Encoding of a .dbf, such as GBK.")
@click.option("--from", "effective_on", type=Day(), help="The day from which the borders are in force; now by default.")
@click.option("--repair", is_flag=True, help="Close small gaps and overlaps; see what it does with --dry-run.")
@click.option(
    "--snapping", "snapping_m", default=0.1, show_default=True, help="Metres within which vertices are joined."
)
@click.option("--gap", "gap_m", default=0.5, show_default=True, help="Width in metres of gaps that are closed.")
@click.option("--merge", is_flag=True, help="Rows with the same code are parts of one area.")
@click.option("--allow-gaps", is_flag=True, help="Gaps between the areas are meant (a lake, an enclave).")
@click.option("--skip-refused", is_flag=True, help="Import the good rows although others are refused.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option("--note", default="", help="Why, or by which document; kept with the generation.")
@click.option("--verbose", is_flag=True, help="Print every line of the report.")
def import_(
    file: Path,
    level: str,
    layer: str | None,
    code_field: str | None,
    name_field: str | None,
    kind_field: str | None,
    households_field: str | None,
    parents: tuple[str, ...],
    made: tuple[str, ...],
    crs: str | None,
    encoding: str | None,
    effective_on: date | None,
    repair: bool,
    snapping_m: float,
    gap_m: float,
    merge: bool,
    allow_gaps: bool,
    skip_refused: bool,
    dry_run: bool,
    note: str,
    verbose: bool,
) -> None:
    """Import the borders of one level from FILE: GeoPackage, Shapefile (also zipped), GeoJSON, KML, FlatGeobuf."""
    settings = get_settings()
    levels = get_levels(settings)
    source = BorderFile(
        path=file,
        layer=layer,
        code_field=code_field,
        name_field=name_field,
        kind_field=kind_field,
        households_field=households_field,
        parent_fields=_parent_fields(levels, level, parents),
        made_levels=tuple(_made_level(text) for text in made),
        crs=crs,
        encoding=encoding,
    )
    options = ImportOptions(
        repair=repair,
        snapping_m=snapping_m,
        gap_m=gap_m,
        merge=merge,
        skip_refused=skip_refused,
        allow_gaps=allow_gaps,
        dry_run=dry_run,
        effective_on=effective_on,
        note=note,
    )
    with open_store(settings) as store:
        try:
            with progress_bar() as show:
                report = import_areas(store, settings, levels, SYSTEM, level, source, options, show)
        except MapsvcError as error:
            if isinstance(error.detail.get("report"), ImportReport):
                print_report(console(), error.detail["report"], verbose=verbose)
            raise
        print_report(console(), report, verbose=verbose)
        if report.generation is not None:
            # The first request after this finds the index ready.
            Snapshots(store, settings, levels).at(report.effective_from or store.clock.now())


def _parent_fields(levels: Levels, level: str, parents: tuple[str, ...]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for text in parents:
        name, _, field = text.rpartition("=")
        above = levels.get(level).nests_in
        if not name and len(above) != 1:
            raise InvalidInput(
                "which_parent",
                f"A {level} lies in {' and in '.join(above) or 'no other level'}: say which one {text} means.",
                hint=f"Write --parent {above[0] if above else 'LEVEL'}={field}.",
            )
        fields[levels.get(name).code if name else above[0]] = field
    return fields


def _made_level(text: str) -> MadeLevel:
    level, _, columns = text.partition("=")
    code, _, name = columns.partition(",")
    if not level or not code:
        raise InvalidInput(
            "bad_make_parents",
            f"{text!r} does not say which level is made by which column.",
            hint="Write --make-parents community=COMMUNITY_CODE,COMMUNITY_NAME.",
        )
    return MadeLevel(level, code, name or None)


def print_report(screen: Console, report: ImportReport, *, verbose: bool = False) -> None:
    """Print what an import did, or would have done."""
    most = None if verbose else SHOWN
    screen.print(f"{report.level}: {report.read} rows read from {report.source}, {report.accepted} accepted.")
    _print_list(screen, "refused", [f"row {r.row}: {r.message} [{r.code}]" for r in report.refused], most)
    _print_list(screen, "repaired", list(report.repaired), most)
    remarks = [
        f"{'fault' if r.blocking else 'note'}: {r.message}" + (f" At {r.lon:.6f}, {r.lat:.6f}." if r.lon else "")
        for r in report.remarks
    ]
    _print_list(screen, "found in the borders", remarks, most)
    mismatches = [
        f"{m.code}: {m.level} {m.by_field or 'none'} is named, {m.by_overlap or 'none'} holds {m.share:.1%} of it"
        for m in report.mismatches
    ]
    _print_list(screen, "parents to look at", mismatches, most)
    for warning in report.warnings:
        screen.print(f"Warning: {warning}", style="yellow", markup=False)
    if report.levels:
        screen.print(_changes_table(report))
    if report.trees is not None:
        for level, read_from in report.trees.answers.items():
            how = "answers by its own index" if level == read_from else f"is read from the {read_from} at the point"
            alone = ", independent" if level in report.trees.independent else ""
            screen.print(f"  {level} {how}{alone}", markup=False)
        for reason in report.trees.reasons:
            screen.print(f"  {reason}", markup=False)
    screen.print(_conclusion(report), style="bold", markup=False)


def _print_list(screen: Console, title: str, lines: list[str], most: int | None) -> None:
    if not lines:
        return
    screen.print(f"{len(lines)} {title}:")
    for line in lines[:most]:
        screen.print(f"  {line}", markup=False)
    if most is not None and len(lines) > most:
        screen.print(f"  ... and {len(lines) - most} more (--verbose prints all)")


def _changes_table(report: ImportReport) -> Table:
    table = Table("level", "new", "changed", "re-noded", "unchanged", "gone")
    for entry in report.levels:
        c = entry.changes
        counts = (c.added, c.changed, c.technical, c.unchanged, c.removed)
        table.add_row(entry.level, *(str(len(codes)) for codes in counts))
    return table


def _conclusion(report: ImportReport) -> str:
    if report.dry_run:
        return "Dry run: nothing was changed."
    if report.generation is None:
        if report.levels and report.changes_nothing:
            return "Nothing changed: the store says all this already."
        return "Nothing was imported."
    begin = "from always" if report.effective_from is None else f"from {report.effective_from.isoformat()}"
    return f"Published as generation {report.generation}, in force {begin}."


@cli.command()
@click.option("--level", "levels_", multiple=True, help="Only this level; all that must be coverages by default.")
@click.option("--as-of", type=Day(), help="As in force on a day.")
@click.option("--households", nargs=2, type=int, help="The band in which each area's households should lie: 300 500.")
@click.option("--verbose", is_flag=True, help="Print every finding.")
def check(levels_: tuple[str, ...], as_of: date | None, households: tuple[int, int] | None, verbose: bool) -> None:
    """Check the borders in force: gaps, overlaps, nesting; where and how large. Exit status 1 when there are faults."""
    settings = get_settings()
    levels = get_levels(settings)
    with open_store(settings) as store, progress_bar() as show:
        moment = day_to_moment(as_of, settings, store.clock.now())
        found = check_areas(store, levels, SYSTEM, moment, levels_, households=households, progress=show)
    screen = console()
    for level in found:
        _print_check(screen, level, None if verbose else SHOWN)
    if not found:
        screen.print("There are no such borders in the store.")
    if not all(level.is_clean for level in found):
        raise click.exceptions.Exit(1)


def _print_check(screen: Console, level: LevelCheck, most: int | None) -> None:
    how = "" if level.read_from == level.level else f", read from the {level.read_from}"
    screen.print(f"{level.level}: {level.areas} areas{how}: {'clean' if level.is_clean else 'faults'}", markup=False)
    lines = [f"{f.severity}: {f.message} At {f.lon:.6f}, {f.lat:.6f}." for f in level.findings]
    _print_list(screen, "findings", lines, most)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--level", "levels_", multiple=True, help="Only this level; all by default, where the format allows it.")
@click.option("--as-of", type=Day(), help="As in force on a day.")
@click.option("--crs", help="EPSG:n, wgs84, cgcs2000, gcj02 or bd09; WGS 84 by default.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def export(file: Path, levels_: tuple[str, ...], as_of: date | None, crs: str | None, force: bool) -> None:
    """Export borders to FILE: .gpkg (a layer per level), .geojson or .shp (one level)."""
    settings = get_settings()
    levels = get_levels(settings)
    with open_store(settings) as store, progress_bar() as show:
        moment = day_to_moment(as_of, settings, store.clock.now())
        written = export_areas(
            store, settings, levels, SYSTEM, file, moment, levels_, crs=crs, overwrite=force, progress=show
        )
    for level, number in written.items():
        click.echo(f"{level}: {number} areas written to {file}.", err=True)


@cli.command()
def generations() -> None:
    """List the generations of borders (界线版次), the latest first."""
    settings = get_settings()
    with open_store(settings) as store, store.read() as work:
        rows = list_generations(work)
    table = Table("number", "level", "in force from", "state", "changes", "independent", "note")
    for row in rows:
        table.add_row(
            str(row.number),
            row.level,
            _local(row.effective_from, settings) if row.published_at else "",
            _state(row.published_at, row.abandoned_at, settings),
            _counts(row.report.get("changes", {}).get(row.level, {})),
            ", ".join(row.independent),
            row.note,
        )
    Console(width=None if Console().is_terminal else 160).print(table)


def _state(published_at: datetime | None, abandoned_at: datetime | None, settings: Settings) -> str:
    if published_at is not None:
        return f"published {_local(published_at, settings)}"
    return "given up" if abandoned_at is not None else "under way"


def _local(moment: datetime | None, settings: Settings) -> str:
    return moment.astimezone(settings.timezone).strftime("%Y-%m-%d %H:%M") if moment else "always"


def _counts(counts: dict[str, int]) -> str:
    shown: Callable[[str, str], str] = lambda key, sign: f"{sign}{counts[key]}" if counts.get(key) else ""  # noqa: E731
    signs = (("added", "+"), ("changed", "~"), ("technical", "·"), ("removed", "-"))
    return " ".join(part for part in (shown(*pair) for pair in signs) if part)
