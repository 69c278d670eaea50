"""`mapsvc cases`: import tables of cases, export them, move open deadlines to a new calendar."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
from rich.console import Console

from mapsvc import catalog
from mapsvc.areas.index import Snapshots
from mapsvc.base import paths
from mapsvc.base.errors import InvalidInput
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.tickets import COLUMNS, CategoryMap
from mapsvc.cases.service.clocks import recompute_deadlines
from mapsvc.cases.service.export_cases import export_cases
from mapsvc.cases.service.import_cases import CasesReport, import_cases
from mapsvc.cases.service.import_rows import ImportOptions
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.cli.context import console, get_settings, open_store, progress
from mapsvc.people.rules.actor import SYSTEM

SHOWN = 20
PATH = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def cli() -> None:
    """Import and export cases; move deadlines."""


@cli.command("import")
@click.argument("file", type=PATH)
@click.option("--source", required=True, help="Where the rows come from, such as 12345; keeps two sources apart.")
@click.option(
    "--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="A column, where the guess is not wanted."
)
@click.option("--crs", default="wgs84", show_default=True, help="Datum or EPSG:n of the positions.")
@click.option("--categories", "category_file", type=PATH, help='TOML: default = "E0110" and [words] "theirs" = "ours".')
@click.option("--category", default="", help="Our category for words that are not known.")
@click.option("--sheet", default="", help="The sheet of a workbook; otherwise the first that fits.")
@click.option("--live", is_flag=True, help="The rows are work to be done now: clocks run and chiefs are told.")
@click.option(
    "--own", is_flag=True, help="The rows are your own cases with their past: they count in figures and go on here."
)
@click.option(
    "--bad", type=click.Path(path_type=Path, dir_okay=False), help="Where bad rows go; FILE.bad.xlsx otherwise."
)
def import_(
    file: Path,
    source: str,
    columns: tuple[str, ...],
    crs: str,
    category_file: Path | None,
    category: str,
    sheet: str,
    live: bool,
    own: bool,
    bad: Path | None,
) -> None:
    """Import a CSV or xlsx FILE: good rows in, bad rows into a workbook with their reasons."""
    settings = get_settings()
    book = get_rulebook(settings)
    options = ImportOptions(
        source=source,
        columns=read_columns(columns),
        crs=crs,
        categories=read_category_map(category_file, category, book),
        sheet=sheet,
        live=live,
        own=own,
    )
    with open_store(settings) as store, progress() as bar:
        snapshot = Snapshots(store, settings, book.levels).current(store.clock.now(), fresh=True)
        task = bar.add_task(f"{file.name}", total=None)
        report = import_cases(
            store, settings, snapshot, book, SYSTEM, file, options, bad_file=bad,
            progress=lambda done: bar.update(task, completed=done),
        )  # fmt: skip
    print_report(console(), report)


def read_columns(texts: tuple[str, ...]) -> dict[str, str]:
    """Return the columns chosen by hand, given as FIELD=COLUMN."""
    names = [column.name for column in COLUMNS]
    chosen: dict[str, str] = {}
    for text in texts:
        name, sign, header = text.partition("=")
        if not sign or not header or name not in names:
            raise InvalidInput(
                "bad_map", f"--map {text!r} is not FIELD=COLUMN.", hint=f"Fields are {', '.join(names)}."
            )
        chosen[name] = header
    return chosen


def read_category_map(path: Path | None, default: str, book: Rulebook) -> CategoryMap:
    """Read a TOML file of their words and our codes; every code must be in use."""
    document: dict[str, object] = {}
    if path is not None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InvalidInput("bad_category_map", f"{path} cannot be read: {error}.") from error
    words = document.get("words", {})
    if not isinstance(words, dict):
        raise InvalidInput("bad_category_map", f"{path} has no table [words].", hint='[words] "theirs" = "ours".')
    found = CategoryMap(
        default or str(document.get("default", "")), {str(key): str(value) for key, value in words.items()}
    )
    for code in {found.default, *found.words.values()} - {""}:
        book.categories.get_in_use(code)
    return found


def get_rulebook(settings: Settings) -> Rulebook:
    """Return the rulebook of the settings."""
    levels = catalog.load_levels(settings.levels_file or paths.data_dir() / "levels.toml")
    categories = catalog.load_categories(settings.categories_file or paths.data_dir() / "categories.toml", levels)
    return make_rulebook(settings, levels, categories, load_calendar(settings))


def print_report(screen: Console, report: CasesReport) -> None:
    """Print what an import did, for people."""
    if report.same_file:
        screen.print("This very file was imported before; nothing was added.")
    screen.print(
        f"{report.total} rows: {report.imported} imported, {report.already} there already, {report.bad} bad; "
        f"{report.inside} inside an area, {report.nearest} given to the nearest, {report.unplaced} unplaced, "
        f"{report.flagged} flagged as duplicates by the source."
    )
    if report.without_position:
        told = ", ".join(str(row) for row in report.without_position[:100])
        more = " ..." if len(report.without_position) > 100 else ""
        screen.print(f"{len(report.without_position)} rows without a position lie in the unplaced tray: {told}{more}")
    for problem in report.problems[:SHOWN]:
        screen.print(f"  row {problem.row}, {problem.column or 'row'}: {problem.message}", markup=False)
    if len(report.problems) > SHOWN:
        screen.print(f"  ... and {len(report.problems) - SHOWN} more")
    if report.bad_file is not None:
        screen.print(f"The bad rows, with their faults marked, are in {report.bad_file}.", markup=False)


@cli.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--open", "open_only", is_flag=True, help="Open cases only.")
@click.option("--category", default="", help="A category, or the beginning of its code.")
@click.option("--area", default="", metavar="LEVEL:CODE", help="Cases of one area.")
def export(file: Path, open_only: bool, category: str, area: str) -> None:
    """Export cases to FILE.csv or FILE.geojson, without anything of their reporters."""
    settings = get_settings()
    book = get_rulebook(settings)
    with open_store(settings) as store:
        area_id = None
        if area:
            level, _, code = area.partition(":")
            snapshot = Snapshots(store, settings, book.levels).current(store.clock.now(), fresh=True)
            found = snapshot.find_area(book.levels.get(level).code, code)
            if found is None:
                raise InvalidInput("unknown_area", f"There is no {level} {code!r} in force.", hint="Write LEVEL:CODE.")
            area_id = found.area_id
        filters = CaseFilters(open_only=open_only, category=category, area_id=area_id)
        with store.read() as work:
            count = export_cases(work, SYSTEM, filters, file)
    console().print(f"{count} cases are in {file}.", markup=False)


@cli.command("deadlines")
@click.option("--apply", "apply_", is_flag=True, help="Move them; each case keeps an event with the reason.")
@click.option("--reason", default="", help="Why they are moved, such as the number of the holiday notice.")
def deadlines(apply_: bool, reason: str) -> None:
    """List the open cases whose deadlines the present calendar would move; with --apply, move them."""
    settings = get_settings()
    screen = console()
    calendar = load_calendar(settings)
    with open_store(settings) as store:
        year = store.clock.now().year
        for told in (*calendar.warnings(year), *calendar.warnings(year + 1)):
            screen.print(told)
        if apply_:
            with store.write() as work:
                moved = recompute_deadlines(work, SYSTEM, calendar, apply=True, reason=reason)
        else:
            with store.read() as work:
                moved = recompute_deadlines(work, SYSTEM, calendar)
    for each in moved:
        before, after = (moment.astimezone(settings.timezone) for moment in (each.due_before, each.due_after))
        click.echo(f"{each.number}\t{each.clock}\t{before:%Y-%m-%d %H:%M}\t{after:%Y-%m-%d %H:%M}")
    screen.print(f"{len(moved)} deadlines {'were' if apply_ else 'would be'} moved.")
