"""Imports that nobody sees until their last, small transaction.

An import reads and checks its file outside any transaction, then writes batches, each in a short
transaction of its own that also moves `cursor`; a batch that was committed is never written again,
so an import that was killed goes on where it stopped. Rows carry the id of their run and count as
visible only once the run is published, which is one update of one row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from mapsvc.storage.base import Row
from mapsvc.storage.types import UtcDateTime


class ImportRun(Row):
    """One import of one file: `cursor` counts the source rows already dealt with, `counts` what became of them.

    `sha256` is of the whole file: the same file again finds its run. `abandoned_at` is set when
    somebody gave the run up; its rows stay invisible for good.
    """

    __tablename__ = "import_run"
    __table_args__ = (UniqueConstraint("kind", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    abandoned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


def published_runs() -> Select[int]:
    """Return the ids of published runs; a row is visible when its `import_run_id` is null or among them."""
    return select(ImportRun.id).where(ImportRun.published_at.is_not(None))
