"""What every command needs: settings from the environment, the store, progress on stderr."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store


def get_settings() -> Settings:
    """Return the settings that the environment gives; a wrong one raises `Misconfigured`."""
    return load_settings(os.environ)


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store with the machine's clock; one that is missing or not migrated raises `Misconfigured`."""
    engine = make_engine(settings.store_url)
    try:
        migrate.require_current(engine)
        yield Store(engine, SystemClock())
    finally:
        engine.dispose()


def console() -> Console:
    """Return the console for people: on stderr, so that stdout stays clean for what is asked for."""
    return Console(stderr=True, highlight=False)


def progress() -> Progress:
    """Return a progress bar on stderr that leaves nothing behind; silent where stderr is no terminal."""
    screen = console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )
