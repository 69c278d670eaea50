"""Borders by their boxes: an R*Tree on SQLite, the GiST index on PostGIS, behind one construct.

The R*Tree `border_box` is kept by triggers on `border`. It holds 32-bit floats rounded outwards, so
it may name a border that misses the box by up to a metre and never misses one; the exact columns of
`border` are compared as well.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

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


def create_border_boxes(connection: Connection) -> None:
    """Create the R*Tree and its triggers on SQLite; PostGIS needs none, its column has the GiST index."""
    if connection.dialect.name == "sqlite":
        for statement in _SQLITE:
            connection.execute(text(statement))


def drop_border_boxes(connection: Connection) -> None:
    """Undo `create_border_boxes`; the triggers go with the table `border`."""
    if connection.dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            connection.execute(text(f"DROP TRIGGER border_box_{name}"))
        connection.execute(text("DROP TABLE border_box"))
