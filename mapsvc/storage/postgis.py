"""What PostgreSQL must have before our tables can be made."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from mapsvc.base.errors import Misconfigured


def require_postgis(connection: Connection) -> None:
    """Make sure that the extension is there, or say who can add it."""
    if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")):
        return
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION postgis"))
    except DBAPIError as error:
        database = connection.engine.url.database
        raise Misconfigured(
            "no_postgis",
            f"PostGIS cannot be added to the database {database}: {str(error.orig).strip().splitlines()[0]}.",
            hint="Install postgresql-<version>-postgis-3; then a superuser runs `CREATE EXTENSION postgis` there.",
        ) from error
