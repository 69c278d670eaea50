"""Make an empty store for tests from the row classes; a test of the migrations proves that it is the migrated one."""

from __future__ import annotations

from sqlalchemy import Engine, text

import mapsvc.areas.models
import mapsvc.cases.models
import mapsvc.insight.models
import mapsvc.patrols.models
import mapsvc.people.models
import mapsvc.storage.imports
import mapsvc.storage.outbox  # noqa: F401  # each import adds its tables to the metadata
from mapsvc.storage import boxes, words
from mapsvc.storage.base import Row
from mapsvc.storage.migrate import HEAD


def create(engine: Engine) -> None:
    """Create all tables, and what stands beside them: PostGIS, the boxes of borders, the revision."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
        Row.metadata.create_all(connection)
        boxes.create_border_boxes(connection)
        boxes.create_case_positions(connection)
        words.create_case_words(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
