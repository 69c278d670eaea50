"""Rows of figures: months as they were first printed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mapsvc.storage.base import Row
from mapsvc.storage.types import UtcDateTime


class MonthReport(Row):
    """The figures of one month for one area, frozen when they were first printed; never changed.

    `area_id` 0 stands for everything (no foreign key: a unique constraint takes no NULL for equal). `month` is
    2026-11. `as_of` is the moment of the figures; `figures` holds numerator and denominator of each, by name.
    """

    __tablename__ = "month_report"
    __table_args__ = (UniqueConstraint("month", "area_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[str]
    area_id: Mapped[int]
    as_of: Mapped[datetime] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
