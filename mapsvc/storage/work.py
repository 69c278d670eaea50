"""One request, command or job is one `Work`: one session, one transaction, one "now"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from mapsvc.base.clock import Clock
from mapsvc.base.events import Event
from mapsvc.storage.failures import translate
from mapsvc.storage.outbox import OutboxRow

_READING = {
    "mapsvc_begin": "DEFERRED",
    "mapsvc_reading": True,
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
}
_WRITING = {"mapsvc_begin": "IMMEDIATE", "mapsvc_reading": False, "isolation_level": "READ COMMITTED"}


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

    def emit(self, event: Event, *, due_at: datetime | None = None) -> None:
        """Write an event to the outbox in this transaction; the worker delivers it after the commit.

        `due_at`: not before this moment, for a fact that is known before it comes true.
        """
        assert self.writing, "an event is emitted by a writing work only"
        due = max(due_at or self.now, self.now)
        self.session.add(OutboxRow(kind=event.kind, payload=event.payload(), created_at=self.now, due_at=due))


class Store:
    """The place that works come from: an engine and a clock.

    A store that is locked, gone, full or damaged raises `Unavailable`; nothing was written then.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        sqlite = engine.dialect.name == "sqlite"
        self._reading = _bound(engine, _READING, sqlite)
        self._writing = _bound(engine, _WRITING, sqlite)

    @contextmanager
    def read(self) -> Iterator[Work]:
        """Open a deferred transaction that cannot write: readers never wait for writers, and see one moment.

        Rows stay readable after the end. A change made to one is a fault and raises, it is never lost silently.
        """
        with _translated(reading=True), Session(self._reading, autoflush=False) as session:
            yield Work(session, self.clock.now(), writing=False)
            if session.new or session.dirty or session.deleted:
                raise RuntimeError("a reading work holds changes; open it by Store.write()")

    @contextmanager
    def write(self) -> Iterator[Work]:
        """Open an immediate transaction; commits at the end, rolls back on any exception. Keep it short.

        Prepare (read files, decode, check) before it: on SQLite all other writers wait for its end.
        """
        with _translated(reading=False), Session(self._writing, expire_on_commit=False) as session, session.begin():
            session.connection()  # takes the write lock now, so that "now" is read under it
            yield Work(session, self.clock.now(), writing=True)


def _bound(engine: Engine, options: dict[str, object], sqlite: bool) -> Engine:
    """SQLite has one isolation level, the strongest; the driver's names for others are not ours."""
    kept = {name: value for name, value in options.items() if not sqlite or name.startswith("mapsvc_")}
    return engine.execution_options(**kept)


@contextmanager
def _translated(*, reading: bool) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        ours = translate(error, reading=reading)
        if ours is None:
            raise
        raise ours from error
