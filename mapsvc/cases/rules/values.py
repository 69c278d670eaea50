"""What goes into the services of cases and what comes back: frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

CHANNELS = ("public", "staff", "patrol", "hotline", "open311", "api", "import")
CHANNEL_GROUPS = {
    "patrol": ("patrol", "staff"),
    "residents": ("public", "open311", "api"),
    "hotline": ("hotline",),
    "import": ("import",),
}
"""The channels as figures group them: what staff find, what residents report, the hotline, older ledgers."""

POSITION_SOURCES = ("gps", "tap", "exif", "typed", "import")
STATES = ("received", "assigned", "in_progress", "fixed", "closed", "returned", "suspended")
OUTCOMES = ("solved", "refused", "duplicate", "not_ours", "cannot")
PHOTO_KINDS = ("far", "near", "reference", "before", "after", "")


@dataclass(frozen=True)
class Position:
    """Where it was seen, as sent: degrees in `datum`, accuracy as a radius in metres (None: exact)."""

    lon: float
    lat: float
    datum: str = "wgs84"
    accuracy_m: float | None = None
    source: str = "tap"


@dataclass(frozen=True)
class Contact:
    """How the reporter can be called back; kept apart from the case."""

    name: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Intake:
    """One report as it comes in.

    `content_sha256` is the hex SHA-256 of the raw bytes that were sent: the same UUID with the same
    hash is the same report. `observed_at` is when it was seen (aware), not when it arrived.
    `photos` were stored before (`store_photo`) and are attached here. `side_area_id` answers the
    question which side of the border it is, from among the candidates. `workflow` is normally left
    empty: channel and category choose it. `owner` says whose the broken component is (权属单位), as the duty table
    writes it; it decides which unit is proposed, not who answers, and is not for the public to say.
    """

    uuid: UUID
    content_sha256: str
    category: str
    channel: str
    condition: str = ""
    description: str = ""
    place_text: str = ""
    position: Position | None = None
    observed_at: datetime | None = None
    contact: Contact | None = None
    photos: tuple[UUID, ...] = ()
    side_area_id: int | None = None
    source_number: str = ""
    workflow: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Side:
    """One possible area of an edge case, with its probability in 0..1."""

    area_id: int | None
    level: str
    code: str
    name: str
    probability: float


@dataclass(frozen=True)
class Receipt:
    """What the one who reported is told: `status` is `created`, `same` or `conflict`.

    `conflict` means that the UUID is taken by other content; then every other field is blank,
    since the case there may be somebody else's. `person_name` is filled only where the name is
    public (公示) or the one who asks has an account. `sides` is not empty only for an edge case.
    """

    status: str
    uuid: UUID
    case_id: int = 0
    number: str = ""
    track_code: str = ""
    state: str = ""
    version: int = 0
    area_level: str = ""
    area_code: str = ""
    area_name: str = ""
    person_name: str = ""
    unplaced: bool = False
    edge: bool = False
    sides: tuple[Side, ...] = ()
    due_at: datetime | None = None
    sign_due_at: datetime | None = None
    reason_zh: str = ""
    reason_en: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepRequest:
    """One step of the workflow as asked for; only the fields that the step needs are read.

    `version` is the case's version that the asker saw (None: not said; then only the state
    decides). `taken_at` is when a phone took the step without signal (aware); it is kept beside the
    moment of arrival. `area_id` names the area of `assign`, `hand_over`, `decide_side`, `answer_side`;
    `duplicate_of` the number or UUID of the case that stays; `result` what a visit found; `owner` whose a
    component is (权属单位), an empty text that nobody is known to own it.
    """

    case_uuid: UUID
    step_uuid: UUID
    step: str
    content_sha256: str
    version: int | None = None
    reason: str = ""
    photos: tuple[UUID, ...] = ()
    unit_id: int | None = None
    area_id: int | None = None
    category: str = ""
    condition: str = ""
    position: Position | None = None
    until: datetime | None = None
    duplicate_of: str = ""
    result: str = ""
    owner: str | None = None
    taken_at: datetime | None = None
    track_code: str = ""


@dataclass(frozen=True)
class StepReceipt:
    """What a step did: `status` is `taken`, `same` (sent before) or `conflict` (UUID taken by other content)."""

    status: str
    step_uuid: UUID
    case_uuid: UUID
    step: str = ""
    sequence: int = 0
    from_state: str = ""
    state: str = ""
    outcome: str = ""
    version: int = 0
    due_at: datetime | None = None
    sign_due_at: datetime | None = None
    area_name: str = ""
    person_name: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """Who would get a case with this position and category, and when it would fall due; nothing is written."""

    area_id: int | None
    area_level: str
    area_code: str
    area_name: str
    person_name: str
    stand_in: str
    unplaced: bool
    edge: bool
    certainty: float
    sides: tuple[Side, ...]
    due_at: datetime
    sign_due_at: datetime
    unit_id: int | None
    unit_name: str
    reason_zh: str
    reason_en: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhotoUpload:
    """A photo as sent. `case_uuid` may name a case that has it already; None: it is attached later by UUID."""

    uuid: UUID
    content: bytes
    kind: str = ""
    case_uuid: UUID | None = None


@dataclass(frozen=True)
class PhotoReceipt:
    """What was stored; `sha256` repeats the hash of the bytes that were sent.

    `exif_lon`, `exif_lat` are WGS 84 degrees as the camera wrote them, `exif_at` its local time as
    ISO text (cameras write no zone), `exif_error_m` its positioning error in metres.
    """

    status: str
    uuid: UUID
    sha256: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    exif_lon: float | None = None
    exif_lat: float | None = None
    exif_at: str = ""
    exif_error_m: float | None = None
