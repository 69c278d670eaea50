"""Rows of cases. The case row holds the present state; assignments and events are only appended to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mapsvc.storage.base import Row
from mapsvc.storage.types import UtcDateTime


def _partial(name: str, only: str, *columns: str) -> Index:
    """Return an index of the few cases for which a condition holds; queries repeat it in these words."""
    here = only.replace("IS TRUE", "IS 1")  # as SQLAlchemy writes a truth on SQLite
    return Index(f"ix_case_file_{name}", *columns, sqlite_where=text(here), postgresql_where=text(only))


class Case(Row):
    """One reported problem, from intake to closure. Position in WGS 84, None while it has none.

    `owner_area_id` answers for it (None: unplaced); `owner_person_id` is who that is today.
    `area_version_id` and `generation` name the border version that decided. `version` counts
    changes, for refusing two people who take the same step at once. A row with `import_run_id` is
    visible only once its run is published (`storage.imports.published_runs`). `owner` is not who answers:
    it is whose the component is (权属单位), in words, empty where nobody said. `whistle` is how far a
    whistle (吹哨) has come: empty, `asked`, `blown`, `declined`.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_file_owner_area_id_state", "owner_area_id", "state"),
        Index("ix_case_file_received_at", "received_at", "id"),
        Index("ix_case_file_category", "category", postgresql_ops={"category": "text_pattern_ops"}),
        # The open cases are few among millions: what lists and counters ask of them stands in the index itself.
        _partial("open", "state <> 'closed'", "due_at", "id", "state", "historic", "import_run_id", "sign_due_at"),
        _partial("closed", "state = 'closed'", "due_at", "id"),
        _partial("fixed_at", "fixed_at IS NOT NULL", "fixed_at"),
        _partial("closed_at", "closed_at IS NOT NULL", "closed_at"),
        _partial("outcome", "outcome <> ''", "outcome"),
        _partial("unplaced", "unplaced IS TRUE", "id"),
        _partial("edge", "edge IS TRUE", "id"),
        _partial("handover_area_id", "handover_area_id IS NOT NULL", "handover_area_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    track_code: Mapped[str] = mapped_column(unique=True)
    import_key: Mapped[str | None] = mapped_column(unique=True)
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"), index=True)
    content_sha256: Mapped[str]
    channel: Mapped[str] = mapped_column(index=True)
    source_number: Mapped[str] = mapped_column(default="", index=True)
    source_flag: Mapped[str] = mapped_column(default="")
    historic: Mapped[bool] = mapped_column(default=False)

    category: Mapped[str]
    condition: Mapped[str] = mapped_column(default="")
    workflow: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    place_text: Mapped[str] = mapped_column(Text, default="")
    owner: Mapped[str] = mapped_column(default="", server_default=text("''"))

    lon: Mapped[float | None]
    lat: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    position_source: Mapped[str] = mapped_column(default="")
    input_datum: Mapped[str] = mapped_column(default="wgs84")

    observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    state: Mapped[str]
    outcome: Mapped[str] = mapped_column(default="")
    unplaced: Mapped[bool] = mapped_column(default=False)
    edge: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sign_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    owner_area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    owner_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    area_version_id: Mapped[int | None] = mapped_column(ForeignKey("area_version.id"))
    generation: Mapped[int | None]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    handover_area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    sides_changed: Mapped[int] = mapped_column(default=0)
    returns: Mapped[int] = mapped_column(default=0)
    reworks: Mapped[int] = mapped_column(default=0)
    extensions: Mapped[int] = mapped_column(default=0)
    whistle: Mapped[str] = mapped_column(default="", server_default=text("''"), index=True)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    handled_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    checked_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    opened_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    version: Mapped[int] = mapped_column(default=1)

    # Marks of its steps for the figures (`rules.marks`); the events are the truth, and can be folded to these.
    filed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dispatched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fixed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    instant_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    check_result: Mapped[str | None]


class CaseArea(Row):
    """The area that holds the case at each level, for scope, filters and raising; follows re-assignment."""

    __tablename__ = "case_area"
    __table_args__ = (Index("ix_case_area_area_id_case_id", "area_id", "case_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))


class Reporter(Row):
    """Who reported: apart from the case, so that a query of cases cannot leak it."""

    __tablename__ = "reporter"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")


class Follower(Row):
    """Somebody who met the same problem (我也遇到): `uuid` is of the form that was sent, the code opens the case."""

    __tablename__ = "follower"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    track_code: Mapped[str] = mapped_column(unique=True)
    content_sha256: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Assignment(Row):
    """Why this chief: area, border version, rule, distance, certainty, candidates; never changed."""

    __tablename__ = "assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    rule: Mapped[str]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    area_version_id: Mapped[int | None] = mapped_column(ForeignKey("area_version.id"))
    generation: Mapped[int | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id"))
    stand_in: Mapped[str] = mapped_column(default="")
    distance_m: Mapped[float]
    certainty: Mapped[float]
    candidates: Mapped[list[Any]] = mapped_column(JSON, default=list)
    reason: Mapped[str] = mapped_column(Text, default="")
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class CaseEvent(Row):
    """One step taken: who, for whom, when, from which state to which, why. Only appended to."""

    __tablename__ = "case_event"
    __table_args__ = (UniqueConstraint("case_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    sequence: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    step: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    role: Mapped[str] = mapped_column(default="")
    for_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    content_sha256: Mapped[str] = mapped_column(default="")


class Deadline(Row):
    """One clock of a case (`total`, `sign`, `handle`, `check`), frozen as computed; moved only by an event."""

    __tablename__ = "deadline"
    __table_args__ = (Index("ix_deadline_case_id_clock", "case_id", "clock"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    clock: Mapped[str]
    amount: Mapped[float]
    unit: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    calendar: Mapped[str] = mapped_column(default="")
    met_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Photo(Row):
    """A photo as stored: re-encoded, upright, without EXIF; what EXIF said is kept as fields.

    `sha256` is of the bytes that were sent, so that a re-send can be recognised.
    """

    __tablename__ = "photo"

    uuid: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    kind: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str]
    stored_sha256: Mapped[str]
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    exif_lon: Mapped[float | None]
    exif_lat: Mapped[float | None]
    exif_at: Mapped[str] = mapped_column(default="")
    exif_error_m: Mapped[float | None]
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Disclosure(Row):
    """Somebody revealed a reporter's contact, with the reason given."""

    __tablename__ = "disclosure"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str]
