"""Engines for both stores. SQLite runs in WAL with synchronous=FULL; a commit that returned is on disk.

A connection to SQLite never creates the file and never goes on with one that was deleted or
replaced below it: what is written to an unlinked file would be acknowledged and lost.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from mapsvc.base.errors import Misconfigured, Unavailable
from mapsvc.storage.failures import gone

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another one before the store counts as locked."""

KEPT_CONNECTIONS, MORE_CONNECTIONS = 8, 120
"""Connections to SQLite in one process: a reader must find one also while many writers wait for the lock."""

CACHE_KIB = 65_536
"""What a connection to SQLite keeps of the file at most; lists of a million cases come back to the same pages."""

_HINT = "Use sqlite:///path or postgresql+psycopg://user@host/name."


def make_engine(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql+psycopg://...`; anything else is refused.

    Nothing is opened and no file is made: `migrate.upgrade` makes a store that is not there.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Misconfigured("bad_database_url", "The address of the store cannot be read.", hint=_HINT) from error
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database not in {None, "", ":memory:"}:
        return _sqlite_engine(parsed, busy_timeout_ms)
    if parsed.drivername == "postgresql+psycopg":
        return _postgresql_engine(parsed, busy_timeout_ms)
    raise Misconfigured("bad_database_url", f"The store {parsed.drivername} is not supported.", hint=_HINT)


def describe(engine: Engine) -> str:
    """Return the store's address for people, without a password."""
    if engine.dialect.name == "sqlite":
        return str(store_file(engine))
    return engine.url.render_as_string(hide_password=True)


def store_file(engine: Engine) -> Path:
    """Return the file of a SQLite store."""
    assert engine.url.database is not None
    return Path(engine.url.database).absolute()


def create_store_file(engine: Engine) -> None:
    """Make the empty file of a SQLite store, with its folder, where there is none; nothing on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        path = store_file(engine)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(exist_ok=True)
        except OSError as error:
            raise Unavailable(
                "store_gone",
                f"The store {path} cannot be made: {error.strerror}.",
                hint="Check that the data folder exists and may be written.",
            ) from error


def _postgresql_engine(url: URL, busy_timeout_ms: int) -> Engine:
    try:
        return create_engine(
            url,
            pool_pre_ping=True,
            connect_args={"options": f"-c lock_timeout={busy_timeout_ms} -c timezone=UTC", "connect_timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "driver_missing", "PostgreSQL needs the package psycopg.", hint="pip install 'mapsvc[postgis]'"
        ) from error


class _Compiler(SQLiteCompiler):
    """Writes `Select.with_hint(table, "INDEXED BY ...", "sqlite")`, for which SQLAlchemy leaves this place empty."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _sqlite_engine(url: URL, busy_timeout_ms: int) -> Engine:
    path = Path(str(url.database)).absolute()
    address = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            address,
            uri=True,
            timeout=busy_timeout_ms / 1000,
            check_same_thread=False,
            isolation_level=None,  # the driver must not begin transactions of its own
        )

    engine = create_engine(url, creator=connect, pool_size=KEPT_CONNECTIONS, max_overflow=MORE_CONNECTIONS)
    engine.dialect.statement_compiler = _Compiler

    def prepare(connection: Any, record: ConnectionPoolEntry) -> None:
        _prepare_sqlite(connection)
        record.info["inode"] = _inode(path)

    def check_file(_connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if record.info["inode"] != _inode(path):
            raise DisconnectionError(f"{path} was deleted or replaced")

    def check_file_again(connection: Connection) -> None:
        if connection.connection.info["inode"] != _inode(path):
            raise gone(f"{path} was deleted or replaced while it was being written to")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "checkout", check_file)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "commit", check_file_again)
    return engine


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # once per transaction, and pathlib costs three times as much
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_sqlite(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"cache_size=-{CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin as the work asks: IMMEDIATE takes the write lock at once, a reading work may not write at all."""
    mode = connection.get_execution_options().get("mapsvc_begin", "DEFERRED")
    reading = connection.get_execution_options().get("mapsvc_reading", False)
    info = connection.connection.info
    if info.get("query_only", False) != reading:
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
        info["query_only"] = reading
    connection.exec_driver_sql("BEGIN IMMEDIATE" if mode == "IMMEDIATE" else "BEGIN")
