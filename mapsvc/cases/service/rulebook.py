"""Put the rulebook together from the catalog and the calendar file that the settings name."""

from __future__ import annotations

import tomllib

from mapsvc.base import paths
from mapsvc.base.errors import Misconfigured
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.calendar import Calendar, calendar_from_document
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.catalog import Categories, Levels


def load_calendar(settings: Settings) -> Calendar:
    """Read the calendar file of the settings, or the shipped one; a wrong one raises `Misconfigured`."""
    path = settings.calendar_file or paths.data_dir() / "calendar.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(
            "bad_calendar",
            f"The calendar file {path} cannot be read: {error}.",
            hint="data/calendar.toml shows the form.",
            detail={"file": str(path)},
        ) from error
    return calendar_from_document(document, settings.timezone, file=str(path))


def make_rulebook(settings: Settings, levels: Levels, categories: Categories, calendar: Calendar) -> Rulebook:
    """Return the rulebook of a process; made once at its start."""
    return Rulebook(levels, categories, calendar, certain=settings.certain)
