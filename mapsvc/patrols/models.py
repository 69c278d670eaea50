"""Rows of patrols: what names a person, for the retention time; and effort by cell and day, which names nobody."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from mapsvc.storage.base import Row
from mapsvc.storage.types import UtcDateTime


class Patrol(Row):
    """One round by one person (巡查). `person_id` is None once the retention time is over.

    `metres` and `seconds` are what was credited; `fixes` how many positions came. `content_sha256` is of the
    fixes as they were read, so that a track that comes twice, by whatever way, is one patrol.
    """

    __tablename__ = "patrol"
    __table_args__ = (Index("ix_patrol_person_id_times", "person_id", "started_at", "ended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    mode: Mapped[str]
    source: Mapped[str] = mapped_column(default="")
    content_sha256: Mapped[str] = mapped_column(unique=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fixes: Mapped[int]
    metres: Mapped[float]
    seconds: Mapped[float]


class PatrolTrack(Row):
    """The fixes of a patrol as they came (`service.packing`); deleted when the retention time is over."""

    __tablename__ = "patrol_track"

    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrol.id"), primary_key=True)
    fixes: Mapped[bytes] = mapped_column(LargeBinary)


class EffortCell(Row):
    """Metres and seconds walked in one cell of 25 m on one local day, by everybody together; kept for good.

    `cell` is the number that `geo.tracks.cell_at` gives; it does not depend on borders, so that every figure of
    effort can be computed again after a redraw.
    """

    __tablename__ = "effort_cell"

    day: Mapped[date] = mapped_column(primary_key=True)
    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    mode: Mapped[str] = mapped_column(primary_key=True)
    metres: Mapped[float]
    seconds: Mapped[float]
