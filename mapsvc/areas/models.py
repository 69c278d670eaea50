"""Rows of areas: institutions, borders, versions, generations, posts, duties. Rows only.

Dates of validity are instants (UTC); None means "always" at the beginning and "open" at the end;
an interval holds its beginning and not its end.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mapsvc.storage.base import Row
from mapsvc.storage.types import Geometry, UtcDateTime


class Area(Row):
    """One institution at a level: a permanent id and code, no geometry of its own."""

    __tablename__ = "area"
    __table_args__ = (UniqueConstraint("level", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str]
    code: Mapped[str]


class Border(Row):
    """A drawn border, kept once under the hash of its lattice rings; on the 1e-8 degree lattice.

    The box columns are in degrees; `area_m2` is geodesic. Boxes are also kept in an R*Tree
    (`border_box`) on SQLite and by a GiST index on PostGIS.
    """

    __tablename__ = "border"
    __table_args__ = (Index("ix_border_geometry", "geometry", postgresql_using="gist").ddl_if(dialect="postgresql"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lattice_hash: Mapped[str] = mapped_column(unique=True)
    geometry: Mapped[BaseGeometry] = mapped_column(Geometry)
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    area_m2: Mapped[float]


class Generation(Row):
    """The numbered state of all borders from an effective date on.

    A row without `published_at` is an import under way that nobody sees. `independent` lists the
    levels answered by an index of their own because no finer level adds up to them.
    """

    __tablename__ = "generation"

    number: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str]
    effective_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    abandoned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text, default="")
    independent: Mapped[list[str]] = mapped_column(JSON, default=list)
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class AreaVersion(Row):
    """An area's border, name and parents from `valid_from` to `valid_to`; immutable but for its end.

    `border_id` is None for a level that is the union of a finer one. Visible only once its
    generation is published.
    """

    __tablename__ = "area_version"
    __table_args__ = (Index("ix_area_version_validity", "valid_from", "valid_to"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    generation: Mapped[int] = mapped_column(ForeignKey("generation.number"), index=True)
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="")
    border_id: Mapped[int | None] = mapped_column(ForeignKey("border.id"), index=True)
    label_lon: Mapped[float]
    label_lat: Mapped[float]
    households: Mapped[int | None]
    technical: Mapped[bool] = mapped_column(default=False)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("generation.number"))


class AreaVersionParent(Row):
    """One parent of a version, at most one per level."""

    __tablename__ = "area_version_parent"

    version_id: Mapped[int] = mapped_column(ForeignKey("area_version.id"), primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    parent_area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)


class Post(Row):
    """A person holding a role for an area from one day to another, by a document.

    Roles: `chief` (片区长, 网格长 ...: the one who answers for the area), `deputy`, `acting`
    (代理), `member` (team). `deputy_id` stands in (AB岗); `liaison_id` acts for a leader (联络员).
    Days are local calendar days; `valid_to` is the last day held.
    """

    __tablename__ = "post"
    __table_args__ = (Index("ix_post_area_id_valid", "area_id", "valid_from", "valid_to"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str]
    document: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    liaison_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)


class Duty(Row):
    """Which unit is due (处置责任) for a category at a place.

    `category` is a code or the beginning of one; `area_id`, `level`, `owner` and `border_id` narrow
    the place; the most particular one wins: owner, then polygon, area, level, anywhere. `polygon` is
    the name of the border, by which a line is known again when its polygon is redrawn.
    """

    __tablename__ = "duty"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    category: Mapped[str] = mapped_column(index=True)
    level: Mapped[str] = mapped_column(default="")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    owner: Mapped[str] = mapped_column(default="")
    border_id: Mapped[int | None] = mapped_column(ForeignKey("border.id"))
    polygon: Mapped[str] = mapped_column(default="", server_default=text("''"))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class Revision(Row):
    """A counter that grows with each visible change (`borders`, `posts`), so that snapshots know."""

    __tablename__ = "revision"

    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
