"""What a database says when it cannot serve, as one of our errors; the only place that knows their codes."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mapsvc.base.errors import MapsvcError, Unavailable

_AGAIN = "Nothing was acknowledged. Try again in a moment."


def _locked() -> Unavailable:
    return Unavailable("store_locked", "The store is busy: somebody else is writing to it.", hint=_AGAIN)


def gone(what: str) -> Unavailable:
    """Return the error for a store that cannot be reached; `what` is the reason, a clause without a full stop."""
    return Unavailable(
        "store_gone",
        f"The store cannot be reached: {what}.",
        hint="Nothing was acknowledged. Check that the database runs, or that its file is there and may be written.",
    )


def _full() -> Unavailable:
    return Unavailable(
        "disk_full",
        "The disk of the store is full, or takes no more.",
        hint="Nothing was acknowledged. Make room (or raise the limit of file sizes), then try again.",
    )


def _damaged() -> Unavailable:
    return Unavailable(
        "store_damaged",
        "The file of the store is damaged, or is no SQLite database.",
        hint="Nothing was acknowledged. Restore the last backup, or check MAPSVC_DATABASE_URL and MAPSVC_DATA_DIR.",
    )


def translate(error: DBAPIError | StatementError | PoolTimeout, *, reading: bool = False) -> MapsvcError | None:
    """Return our error for a store that is locked, gone, full or damaged; None for anything else (a fault of ours).

    In a `reading` work a refused write is a fault, elsewhere it means that the file may not be written.
    """
    if isinstance(error, PoolTimeout):
        return _locked()
    if isinstance(error.orig, sqlite3.Error):
        refused = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
        return None if reading and refused else _from_sqlite(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    if state is None and isinstance(error, DBAPIError):
        lost = error.connection_invalidated or type(error).__name__ == "OperationalError"
        return gone(_first_line(error.orig)) if lost else None
    return _from_sqlstate(str(state), error.orig)


def _from_sqlite(error: sqlite3.Error) -> MapsvcError | None:
    """Sort by the primary result code, the low byte of the extended one (sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return _locked()
    if primary == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE:
        return _full()  # an exhausted quota or file size limit is an IOERR_WRITE to SQLite
    if primary in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY}:
        return gone(_first_line(error))
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return _damaged()
    return None


def _from_sqlstate(state: str, error: BaseException | None) -> MapsvcError | None:
    """Sort by SQLSTATE (PostgreSQL manual, appendix A)."""
    if state in {"55P03", "40001", "40P01"}:  # lock not available, serialization failure, deadlock
        return _locked()
    if state in {"53100", "53200"}:  # disk full, out of memory
        return _full()
    if state.startswith(("08", "57P")) or state in {"53300", "3D000", "28000", "28P01"}:
        return gone(_first_line(error))
    return None


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else "no reason given"
