"""`mapsvc insight`: print the briefing of an area, verify printed figures against the event log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.base.errors import InvalidInput
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.rules.cuts import light_of
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cli.cases import get_rulebook
from mapsvc.cli.context import console, get_settings, open_store
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.queries.months import Difference, Numbers
from mapsvc.insight.rules.rates import FORMULAS, TALLY_PARTS
from mapsvc.insight.rules.windows import Window, read_window
from mapsvc.insight.service.briefing.print import FORMS, print_briefing
from mapsvc.insight.service.verify import Verification, verify
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

MONTH_HELP = "A month such as 2026-11; the present one otherwise."
AREA_HELP = "An area; everything otherwise."


@click.group()
def cli() -> None:
    """Print briefings and verify figures."""


@dataclass(frozen=True)
class Asked:
    """What a command is about, with all that answers it."""

    store: Store
    settings: Settings
    book: Rulebook
    snapshot: Snapshot
    window: Window
    figures: Figures


@contextmanager
def asking(month: str, area: str) -> Iterator[Asked]:
    """Open the store and read the cases for a month and an area."""
    settings = get_settings()
    book = get_rulebook(settings)
    with open_store(settings) as store:
        now = store.clock.now()
        snapshot = Snapshots(store, settings, book.levels).current(now, fresh=True)
        window = read_window(month, now, settings.timezone)
        question = Question(
            since=window.since,
            until=window.until,
            as_of=now.replace(microsecond=0) + timedelta(seconds=1),
            light=light_of(book.categories),
            area_id=find_area_id(snapshot, book, area),
        )
        columns = ColumnsMemory(store).current(fresh=True)
        yield Asked(store, settings, book, snapshot, window, Figures(columns, SYSTEM, question))


def find_area_id(snapshot: Snapshot, book: Rulebook, text: str) -> int | None:
    """Return the id of LEVEL:CODE, None for an empty text; an area that is not in force raises."""
    if not text:
        return None
    level, _, code = text.partition(":")
    found = snapshot.find_area(book.levels.get(level).code, code)
    if found is None:
        raise InvalidInput("unknown_area", f"There is no {level} {code!r} in force.", hint="Write LEVEL:CODE.")
    return found.area_id


@cli.command("briefing")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--area", default="", metavar="LEVEL:CODE", help=AREA_HELP)
@click.option("--month", default="", metavar="YYYY-MM", help=MONTH_HELP)
def briefing(out: Path, area: str, month: str) -> None:
    """Write the briefing (通报) of an area to OUT.docx, OUT.xlsx or OUT.png.

    The first print of a month that is over fixes its figures.
    """
    form = out.suffix.lstrip(".").lower()
    if form not in FORMS:
        raise InvalidInput("unknown_form", f"{out.name} is no briefing.", hint=f"Use {', '.join(FORMS)}.")
    with asking(month, area) as asked, asked.store.write() as work:
        printed = print_briefing(
            work, asked.settings, asked.book, asked.snapshot, asked.figures, asked.window, form
        )  # fmt: skip
        out.write_bytes(printed.content)
    console().print(f"{printed.name} is in {out}.", markup=False)


@cli.command("verify")
@click.option("--area", default="", metavar="LEVEL:CODE", help=AREA_HELP)
@click.option("--month", default="", metavar="YYYY-MM", help=MONTH_HELP)
def verify_(area: str, month: str) -> None:
    """Derive the figures of a month from the event log and compare them; exit status 1 where they differ."""
    with asking(month, area) as asked, asked.store.read() as work:
        found = verify(work, asked.figures.columns, asked.figures.question, asked.window)
    for line in lines_of(found):
        click.echo(line)
    screen = console()
    for difference in found.moved:
        screen.print(f"Moved since it was printed: {_say(difference, 'printed', 'now')}", markup=False)
    for difference in found.row_differences:
        screen.print(f"Rows and log differ: {_say(difference, 'log', 'rows')}", markup=False)
    for difference in found.frozen_differences:
        screen.print(f"Printed and log differ: {_say(difference, 'printed', 'log')}", markup=False)
    if not found.agrees:
        raise click.exceptions.Exit(1)
    screen.print("Every figure can be derived from the event log.")


def lines_of(found: Verification) -> Iterator[str]:
    """Yield a line per figure: its name, as the rows have it, as the log has it, as it was printed."""
    yield "figure\trows\tlog\tprinted"
    printed = found.frozen.numbers if found.frozen else None
    for name in ("received", *TALLY_PARTS):
        yield "\t".join([name, *(_count(numbers, name) for numbers in (found.rows, found.log, printed))])
    for name in found.rows.counts:
        cells = (_pair(numbers, name) for numbers in (found.rows, found.log, printed))
        yield "\t".join([FORMULAS[name].zh, *cells])


def _count(numbers: Numbers | None, name: str) -> str:
    return "" if numbers is None else str(getattr(numbers.tally, name))


def _pair(numbers: Numbers | None, name: str) -> str:
    if numbers is None or name not in numbers.counts:
        return ""
    return "{}/{}".format(*numbers.counts[name])


def _say(difference: Difference, then: str, now: str) -> str:
    formula = FORMULAS.get(difference.name)
    name = formula.zh if formula else difference.name
    before, after = ("{}/{}".format(*pair) if formula else str(pair[0]) for pair in (difference.then, difference.now))
    return f"{name}: {then} {before}, {now} {after}"
