"""Borders and cases by their boxes: an R*Tree on SQLite, a GiST index on PostGIS, behind one construct.

The R*Trees `border_box` and `case_position` are kept by triggers. They and PostGIS's boxes hold 32-bit floats
rounded outwards: they may name what misses the box by a metre and never leave anything out; the exact
columns are compared as well, so that both databases give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Double, Integer, Select, column, func, select, table, text
from sqlalchemy.types import NullType

from mapsvc.storage.types import SRID
from mapsvc.storage.work import Work

# The tables by name only: the row class is higher up, in `areas`.
_SIDES = tuple(column(name, Double) for name in ("west", "east", "south", "north"))
_BORDER = table("border", column("id", Integer), column("geometry", NullType()), *_SIDES)
_BORDER_BOX = table("border_box", column("id", Integer), *(column(side.name, Double) for side in _SIDES))
_CASE = table("case_file", column("id", Integer), column("lon", Double), column("lat", Double))
_CASE_POSITION = table("case_position", column("id", Integer), *(column(side.name, Double) for side in _SIDES))

_SQLITE = (
    "CREATE VIRTUAL TABLE border_box USING rtree(id, west, east, south, north)",
    """CREATE TRIGGER border_box_insert AFTER INSERT ON border BEGIN
        INSERT INTO border_box VALUES (new.id, new.west, new.east, new.south, new.north);
    END""",
    """CREATE TRIGGER border_box_update AFTER UPDATE OF id, west, east, south, north ON border BEGIN
        DELETE FROM border_box WHERE id = old.id;
        INSERT INTO border_box VALUES (new.id, new.west, new.east, new.south, new.north);
    END""",
    """CREATE TRIGGER border_box_delete AFTER DELETE ON border BEGIN
        DELETE FROM border_box WHERE id = old.id;
    END""",
)

_SQLITE_CASES = (
    "CREATE VIRTUAL TABLE case_position USING rtree(id, west, east, south, north)",
    """CREATE TRIGGER case_position_insert AFTER INSERT ON case_file WHEN new.lon IS NOT NULL BEGIN
        INSERT INTO case_position VALUES (new.id, new.lon, new.lon, new.lat, new.lat);
    END""",
    """CREATE TRIGGER case_position_update AFTER UPDATE OF id, lon, lat ON case_file BEGIN
        DELETE FROM case_position WHERE id = old.id;
        INSERT INTO case_position
        SELECT new.id, new.lon, new.lon, new.lat, new.lat WHERE new.lon IS NOT NULL;
    END""",
    """CREATE TRIGGER case_position_delete AFTER DELETE ON case_file BEGIN
        DELETE FROM case_position WHERE id = old.id;
    END""",
    "INSERT INTO case_position SELECT id, lon, lon, lat, lat FROM case_file WHERE lon IS NOT NULL",
)
_POSTGIS_CASES = "CREATE INDEX ix_case_file_point ON case_file USING gist (point(lon, lat))"


@dataclass(frozen=True)
class Box:
    """A box in degrees of WGS 84; its sides belong to it."""

    west: float
    south: float
    east: float
    north: float


def borders_in_box(work: Work, box: Box) -> Select[int]:
    """Return a SELECT of the ids of borders whose box meets `box`, for `Border.id.in_(...)` or a join."""
    sides = _BORDER.c
    exact = (
        sides.west <= box.east,
        sides.east >= box.west,
        sides.south <= box.north,
        sides.north >= box.south,
    )
    if work.on_sqlite:
        tree = _BORDER_BOX.c
        return (
            select(sides.id)
            .join_from(_BORDER_BOX, _BORDER, sides.id == tree.id)
            .where(
                tree.west <= box.east, tree.east >= box.west, tree.south <= box.north, tree.north >= box.south, *exact
            )
        )
    envelope = func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, SRID, type_=NullType())
    return select(sides.id).where(sides.geometry.op("&&")(envelope), *exact)


def cases_in_box(work: Work, box: Box) -> Select[int]:
    """Return a SELECT of the ids of cases in a box or a metre beside it: who asks compares lon and lat as well."""
    if work.on_sqlite:
        tree = _CASE_POSITION.c
        return select(tree.id).where(
            tree.west <= box.east, tree.east >= box.west, tree.south <= box.north, tree.north >= box.south
        )
    corners = func.box(func.point(box.west, box.south), func.point(box.east, box.north), type_=NullType())
    return select(_CASE.c.id).where(func.point(_CASE.c.lon, _CASE.c.lat, type_=NullType()).op("<@")(corners))


def create_case_positions(connection: Connection) -> None:
    """Create the index of the positions of cases over those that are there, and what keeps it."""
    for statement in _SQLITE_CASES if connection.dialect.name == "sqlite" else (_POSTGIS_CASES,):
        connection.execute(text(statement))


def drop_case_positions(connection: Connection) -> None:
    """Undo `create_case_positions`."""
    if connection.dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            connection.execute(text(f"DROP TRIGGER case_position_{name}"))
        connection.execute(text("DROP TABLE case_position"))
    else:
        connection.execute(text("DROP INDEX ix_case_file_point"))


def create_border_boxes(connection: Connection) -> None:
    """Create the R*Tree and its triggers on SQLite; PostGIS needs none, its column has the GiST index."""
    if connection.dialect.name == "sqlite":
        for statement in _SQLITE:
            connection.execute(text(statement))


def drop_border_boxes(connection: Connection) -> None:
    """Undo `create_border_boxes`."""
    if connection.dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            connection.execute(text(f"DROP TRIGGER border_box_{name}"))
        connection.execute(text("DROP TABLE border_box"))
