"""`mapsvc maps`: write a map as one HTML file that opens without a network."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import click

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import Conflict, InvalidInput, Unavailable
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.rules.cuts import light_of
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.catalog import Levels, load_catalog
from mapsvc.cli.cases import get_rulebook
from mapsvc.cli.context import console, get_settings, open_store
from mapsvc.cli.demo import CAPTION
from mapsvc.demo.build import built_profile
from mapsvc.insight.rules.windows import read_window
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.web.present.mapfile.asked import BORDERS, MapFileAsked, MapFileSource, find_theme
from mapsvc.web.present.mapfile.file import make_map_file
from mapsvc.web.present.speech import Speech
from mapsvc.web.present.times import Times
from mapsvc.web.words.book import LANGUAGES, load_book


@click.group()
def cli() -> None:
    """Write maps as files."""


@cli.command("export")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--level", default="", metavar="LEVEL", help="The level in front; that of the owners of cases otherwise.")
@click.option("--lines", default=None, metavar="LEVEL,...", help="Levels drawn as lines; all coarser ones otherwise.")
@click.option("--area", default="", metavar="LEVEL:CODE", help="Only what lies in an area.")
@click.option(
    "--theme",
    default=BORDERS,
    show_default=True,
    metavar="NAME",
    help="borders, cases, heat, or a rate by its name or title (整改率).",
)
@click.option("--month", default="", metavar="WINDOW", help="2026-11, 28d, two days ...; the present month otherwise.")
@click.option("--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Of the file.")
@click.option(
    "--audience",
    type=click.Choice(["public", "staff"]),
    default="public",
    show_default=True,
    help="Figures are for staff only.",
)
@click.option("--force", is_flag=True, help="Replace OUT.")
def export(
    out: Path,
    level: str,
    lines: str | None,
    area: str,
    theme: str,
    month: str,
    language: str,
    audience: str,
    force: bool,
) -> None:
    """Write a map to OUT.html: one file that opens by itself, without a network.

    It holds what its audience may see: for the public borders (under a map review number) and names, for staff also
    figures. No file holds persons, the content of cases, or places finer than some ten metres.
    """
    _check_target(out, force=force)
    settings = get_settings()
    book = get_rulebook(settings)
    with open_store(settings) as store:
        now = store.clock.now()
        snapshot = Snapshots(store, settings, book.levels).current(now, fresh=True)
        asked = MapFileAsked(
            window=read_window(month, now, settings.timezone),
            level=level,
            lines=None if lines is None else tuple(name for name in lines.split(",") if name),
            theme=find_theme(theme),
            area=find_area(snapshot, book.levels, area),
            staff=audience == "staff",
        )
        profile = built_profile(store)
        with store.read() as work:
            source = MapFileSource(
                work=work,
                snapshot=snapshot,
                layers=load_catalog(settings).layers,
                actor=SYSTEM,
                say=speech_of(settings, book, language, now),
                columns=lambda: ColumnsMemory(store).current(fresh=True),
                light=light_of(book.categories),
                as_of=now.replace(microsecond=0) + timedelta(seconds=1),
                site=settings.display_name or (profile.display_name if profile else ""),
                caption=settings.caption or (CAPTION if profile else ""),
                # The borders of the demo's invented town are nobody's: there is nothing to review.
                reviewed=bool(settings.map_review_number) or profile is not None,
                review_number=settings.map_review_number,
            )
            made = make_map_file(source, asked)
    content = made.html.encode("utf-8")
    write_whole(out, content, force=force)
    screen = console()
    for note in made.notes:
        screen.print(note, markup=False)
    screen.print(
        f"{out}: {book.levels.get(made.level).title(language)}, {len(made.html.encode('utf-8')):,} bytes.", markup=False
    )
    if asked.staff:
        screen.print("This file is for staff: whoever has it sees what is in it, without a log-in.", style="yellow")


def find_area(snapshot: Snapshot, levels: Levels, text: str) -> AreaAt | None:
    """Return the area that LEVEL:CODE names, None for an empty text; one that is not in force raises."""
    if not text:
        return None
    level, _, code = text.partition(":")
    found = snapshot.find_area(levels.get(level).code, code)
    if found is None:
        raise InvalidInput("unknown_area", f"There is no {level} {code!r} in force.", hint="Write LEVEL:CODE.")
    return found


def speech_of(settings: Settings, book: Rulebook, language: str, now: datetime) -> Speech:
    """Return the words of a tongue."""
    words = load_book()
    return Speech(words, language, Times(words, language, settings.timezone, now), book.levels, book.categories)


def _check_target(out: Path, *, force: bool) -> None:
    if out.suffix.lower() not in (".html", ".htm"):
        raise InvalidInput("unknown_form", f"{out.name} is no map.", hint="Give a name that ends in .html.")
    if out.exists() and not force:
        raise _there(out)


def _there(out: Path) -> Conflict:
    return Conflict("file_exists", f"{out} is there already.", hint="Choose another name, or replace it by --force.")


def write_whole(out: Path, content: bytes, *, force: bool) -> None:
    """Write a file so that nobody ever sees a part of it; without `force` one that appeared meanwhile is kept."""
    aside = out.with_name(f".{out.name}.{uuid4().hex[:8]}.part")
    try:
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.replace(aside, out)  # noqa: PTH105  # says that it replaces
        else:
            os.link(aside, out)  # refuses what is there, in one step
    except FileExistsError as error:
        raise _there(out) from error
    except OSError as error:
        raise Unavailable(
            "cannot_write", f"{out} cannot be written: {error.strerror}.", hint="Check the folder and the free space."
        ) from error
    finally:
        aside.unlink(missing_ok=True)
