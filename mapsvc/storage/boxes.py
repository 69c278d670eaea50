"""Borders by their boxes: an R*Tree on SQLite, the GiST index on PostGIS, behind one construct.

The R*Tree `border_box` is kept by triggers on `border`. Both indexes hold 32-bit floats rounded
outwards: they may name a border that misses the box by a metre and never leave one out; the exact
columns of `border` are compared as well, so that both databases give the same answer.
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
