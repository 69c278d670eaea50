"""What the routes of cases take: the schemas of their bodies and queries."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from mapsvc.cases.rules.values import Contact, Intake, Position, StepRequest
from mapsvc.web.requests import Body, Query, Text
from mapsvc.web.values import Accuracy, AsOf, Bbox, Datum, Lat, Lon

Short = Annotated[Text, Field(max_length=100)]
Owner = Annotated[Text, Field(max_length=200)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[Text, Field(max_length=40)]
Long = Annotated[Text, Field(max_length=4000)]
Place = Annotated[Text, Field(max_length=500)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Photos = Annotated[tuple[UUID, ...], Field(max_length=10)]
PositionSource = Literal["gps", "tap", "exif", "typed"]


class PositionBody(Body):
    """Where it was seen."""

    lon: Lon
    lat: Lat
    datum: Datum = "wgs84"
    accuracy_m: Accuracy | None = None
    source: PositionSource = "tap"

    def value(self) -> Position:
        """Return what the services take."""
        return Position(self.lon, self.lat, self.datum, self.accuracy_m, self.source)


class ContactBody(Body):
    """How the reporter can be called back; seen by intake and call-back only."""

    name: Short = ""
    phone: Short = ""


class CaseBody(Body):
    """One report. Without an account the channel is `public`; with one it is `api` unless stated."""

    category: Code
    condition: Code = ""
    description: Long = ""
    place_text: Place = ""
    position: PositionBody | None = None
    observed_at: AwareDatetime | None = None
    contact: ContactBody | None = None
    photos: Photos = ()
    side_area_id: Id | None = None
    channel: Literal["public", "staff", "patrol", "hotline", "api"] | None = None
    source_number: Short = ""
    owner: Owner = ""
    workflow: Literal["", "quick", "standard"] = ""

    def value(self, uuid: UUID, sha256: str, *, known: bool) -> Intake:
        """Return what the service takes; `known`: somebody with an account sends it."""
        contact = Contact(self.contact.name, self.contact.phone) if self.contact else None
        return Intake(
            uuid=uuid,
            content_sha256=sha256,
            category=self.category,
            channel=self.channel or ("api" if known else "public"),
            condition=self.condition,
            description=self.description,
            place_text=self.place_text,
            position=self.position.value() if self.position else None,
            observed_at=self.observed_at,
            contact=contact,
            photos=self.photos,
            side_area_id=self.side_area_id,
            source_number=self.source_number,
            owner=self.owner,
            workflow=self.workflow,
        )


class StepBody(Body):
    """One step of the workflow; only the fields that the step needs are read."""

    step: Code
    version: Id | None = None
    reason: Long = ""
    photos: Photos = ()
    unit_id: Id | None = None
    area_id: Id | None = None
    category: Code = ""
    condition: Code = ""
    position: PositionBody | None = None
    until: AwareDatetime | None = None
    duplicate_of: Short = ""
    result: Short = ""
    owner: Owner | None = None
    taken_at: AwareDatetime | None = None
    track_code: Short = ""

    def value(self, case_uuid: UUID, step_uuid: UUID, sha256: str) -> StepRequest:
        """Return what the service takes."""
        plain = self.model_dump(exclude={"position", "photos"})
        return StepRequest(
            case_uuid=case_uuid,
            step_uuid=step_uuid,
            content_sha256=sha256,
            position=self.position.value() if self.position else None,
            photos=self.photos,
            **plain,
        )


class CasesQuery(Query):
    """Which cases; every field narrows."""

    bbox: Bbox | None = None
    area: Annotated[Text, Field(description="`level:code`, or a code that only one area bears.", max_length=80)] = ""
    status: Annotated[
        Text, Field(description="States, comma between; `open` stands for all but closed.", max_length=120)
    ] = ""
    category: Annotated[Text, Field(description="A code, or the beginning of one.", max_length=40)] = ""
    since: Annotated[AsOf | None, Field(description="Changed at or after this day or moment.")] = None
    overdue: bool = False
    unplaced: bool = False
    edge: bool = False
    mine: bool = False
    text: Annotated[Text, Field(max_length=100)] = ""
    sort: Literal["urgency", "newest"] = "urgency"
    cursor: Annotated[Text, Field(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class PreviewQuery(Query):
    """A position and a category: who would get it."""

    lon: Lon
    lat: Lat
    category: Code
    condition: Code = ""
    owner: Owner = ""
    datum: Datum = "wgs84"
    accuracy: Accuracy | None = None

    def position(self) -> Position:
        """Return the position as the services take it."""
        return Position(self.lon, self.lat, self.datum, self.accuracy, "tap")


class PhotoQuery(Query):
    """What the photo shows, and the case that has it already; else the report names it later."""

    kind: Literal["far", "near", "reference", "before", "after", ""] = ""
    case: UUID | None = None


class ReceiptsBody(Body):
    """Which reports, steps and photos a phone believes to have delivered: by id, or by id with its SHA-256."""

    ids: Annotated[list[UUID], Field(max_length=500)] = Field(default_factory=list)
    hashes: Annotated[dict[UUID, Sha256], Field(max_length=500)] = Field(default_factory=dict)
