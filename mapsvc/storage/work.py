"""One request, command or job is one `Work`: one session, one transaction, one "now"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mapsvc.base.clock import Clock
from mapsvc.base.events import Event
from mapsvc.storage.outbox import OutboxRow


class Work:
    """A session inside its transaction, and the moment at which everything in it happens."""

    def __init__(self, session: Session, now: datetime, *, writing: bool) -> None:
        self.session = session
        self.now = now
        self.writing = writing

    @property
    def on_sqlite(self) -> bool:
        """Whether the store is SQLite (the few queries that differ ask this)."""
        return self.session.get_bind().dialect.name == "sqlite"

    def emit(self, event: Event) -> None:
        """Write an event to the outbox in this transaction; the worker delivers it after the commit."""
        self.session.add(OutboxRow(kind=event.kind, payload=event.payload(), created_at=self.now, due_at=self.now))


class Store:
    """The place that works come from: an engine and a clock."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    @contextmanager
    def read(self) -> Iterator[Work]:
        """Open a deferred transaction that is always rolled back: readers never wait for writers."""
        with Session(self.engine.execution_options(mapsvc_begin="DEFERRED"), autoflush=False) as session:
            yield Work(session, self.clock.now(), writing=False)
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open an immediate transaction; commits at the end, rolls back on any exception. Keep it short."""
        with Session(self.engine.execution_options(mapsvc_begin="IMMEDIATE")) as session, session.begin():
            session.connection()  # takes the write lock now, so that "now" is read under it
            yield Work(session, self.clock.now(), writing=True)
