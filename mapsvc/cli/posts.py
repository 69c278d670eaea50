"""`mapsvc posts`: import who answers for which area, list areas without a chief."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from rich.console import Console

from mapsvc.areas.queries.posts import areas_without_chief
from mapsvc.areas.service.import_posts import PostImportOptions, PostsReport, import_posts
from mapsvc.base.errors import InvalidInput, MapsvcError
from mapsvc.base.tables.rows import CellProblem
from mapsvc.cli.areas import PATH, SHOWN, Day, day_to_moment, get_levels
from mapsvc.cli.context import console, get_settings, open_store
from mapsvc.people.rules.actor import SYSTEM


def read_columns(texts: tuple[str, ...]) -> dict[str, str]:
    """Return the columns chosen by hand, given as NAME=HEADER."""
    chosen: dict[str, str] = {}
    for text in texts:
        name, sign, header = text.partition("=")
        if not sign or not name or not header:
            raise InvalidInput("bad_column", f"{text!r} does not say NAME=HEADER.", hint="For example person=姓名.")
        chosen[name] = header
    return chosen


def print_problems(screen: Console, problems: tuple[CellProblem, ...], errors: Path | None) -> None:
    """Print the first problems of a table and where the error workbook lies."""
    for problem in problems[:SHOWN]:
        screen.print(f"  row {problem.row}, {problem.column or 'row'}: {problem.message}", markup=False)
    if len(problems) > SHOWN:
        screen.print(f"  ... and {len(problems) - SHOWN} more")
    if errors is not None:
        screen.print(f"The refused rows, with their faults marked, are in {errors}.", markup=False)


@click.group()
def cli() -> None:
    """Import who answers for which area."""


@cli.command("import")
@click.argument("file", type=PATH)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option("--skip-refused", is_flag=True, help="Import the good rows although others are refused.")
@click.option("--end-previous", is_flag=True, help="End a chief in post on the day before a new one begins.")
@click.option(
    "--errors", type=click.Path(path_type=Path), help="Where the error workbook goes; beside FILE by default."
)
@click.option("--sheet", default="", help="The sheet of a workbook; the first that fits by default.")
@click.option("--column", "columns", multiple=True, metavar="NAME=HEADER", help="Which header means a column.")
def import_(
    file: Path,
    dry_run: bool,
    skip_refused: bool,
    end_previous: bool,
    errors: Path | None,
    sheet: str,
    columns: tuple[str, ...],
) -> None:
    """Import posts from FILE, xlsx or CSV.

    Columns: level, area_code, role, person_code, person, phone, deputy_code, liaison_code, document, from, to;
    Chinese headers are known too.
    """
    settings = get_settings()
    options = PostImportOptions(
        dry_run=dry_run,
        skip_refused=skip_refused,
        end_previous=end_previous,
        errors=errors or file.with_name(f"{file.stem}.errors.xlsx"),
        sheet=sheet,
        columns=read_columns(columns),
    )
    screen = console()
    with open_store(settings) as store:
        try:
            report = import_posts(store, get_levels(settings), SYSTEM, file, options)
        except MapsvcError as error:
            refused = error.detail.get("report")
            if isinstance(refused, PostsReport):
                print_problems(screen, refused.problems, refused.errors)
            raise
    print_problems(screen, report.problems, report.errors)
    if report.written is None:
        screen.print(f"{report.read} rows read, {report.accepted} good; nothing was changed.")
        return
    w = report.written
    screen.print(
        f"{report.read} rows read: {w.added} posts added, {w.changed} changed, {w.unchanged} unchanged, "
        f"{w.ended} ended; {w.persons_added} people added, {w.persons_changed} changed."
    )


@cli.command()
@click.option("--level", "levels_", multiple=True, help="Only this level; all with posts by default.")
@click.option("--as-of", type=Day(), help="On another day.")
def vacant(levels_: tuple[str, ...], as_of: date | None) -> None:
    """List the areas that have no chief; their cases go to a stand-in or one level up."""
    settings = get_settings()
    levels = get_levels(settings)
    wanted = [levels.get(code).code for code in levels_] or [level.code for level in levels if level.may_hold_posts]
    with open_store(settings) as store, store.read() as work:
        moment = day_to_moment(as_of, settings, work.now)
        day = as_of or work.now.astimezone(settings.timezone).date()
        found = areas_without_chief(work, wanted, day, moment)
    for area in found:
        since = f"since {area.since}" if area.since else "never had one"
        click.echo(f"{area.level} {area.code} {area.name}: {since}; {area.stand_in or 'one level up'} answers")
    click.echo(f"{len(found)} areas without a chief.", err=True)
