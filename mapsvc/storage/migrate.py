"""Bring a store to a revision. Alembic is loaded only when it has something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from mapsvc.base.errors import Misconfigured
from mapsvc.storage.engine import create_store_file, describe, store_file
from mapsvc.storage.failures import translate

HEAD = "0009"
"""The newest revision, written here so that asking for it does not load Alembic; a test compares the two."""

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Make the store where there is none, and bring it to the revision, in one transaction."""
    create_store_file(engine)
    _run(engine, "upgrade", revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to a revision; "base" leaves no table of ours."""
    _require_file(engine)
    _run(engine, "downgrade", revision)


def find_revision(engine: Engine) -> str | None:
    """Return the revision that the store is at; None where it holds none of our tables."""
    if engine.dialect.name == "sqlite" and not store_file(engine).exists():
        return None
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(select(column("version_num")).select_from(table("alembic_version")))
            return found
    except DBAPIError as error:
        raise (translate(error) or error) from error


def require_current(engine: Engine) -> None:
    """Raise `Misconfigured` unless the store is there and at the newest revision; cheap, and without Alembic."""
    found = find_revision(engine)
    if found == HEAD:
        return
    if found is None:
        message = f"There is no store at {describe(engine)} yet, or it was never set up."
    elif found > HEAD:
        raise Misconfigured(
            "store_too_new",
            f"The store {describe(engine)} is at revision {found}; this program knows {HEAD}.",
            hint="Install the newer program, or restore the backup that belongs to this one.",
        )
    else:
        message = f"The store {describe(engine)} is at revision {found}; this program needs {HEAD}."
    raise Misconfigured("store_not_migrated", message, hint="Run `mapsvc db upgrade`.")


def _require_file(engine: Engine) -> None:
    if find_revision(engine) is None:
        require_current(engine)


def _run(engine: Engine, direction: str, revision: str) -> None:
    from alembic.util import CommandError  # 0.1 s, wanted by this command only

    try:
        with engine.execution_options(mapsvc_begin="IMMEDIATE").begin() as connection:
            _alembic(connection, direction, revision)
    except CommandError as error:
        raise Misconfigured("unknown_revision", f"{error}.", hint=f"The newest revision is {HEAD}.") from error
    except DBAPIError as error:
        raise (translate(error) or error) from error


def _alembic(connection: Connection, direction: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)
