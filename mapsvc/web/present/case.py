"""Cases as they leave the house by the API: never a reporter's name, phone or follow code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from mapsvc.cases.queries.views import AllowedStep, AreaOnPath, AssignmentView, CaseRow, CaseView, DeadlineView, Page
from mapsvc.cases.rules.values import Receipt, Side


@dataclass(frozen=True)
class PointGeometry:
    """A GeoJSON point, WGS 84, longitude first."""

    coordinates: tuple[float, float]
    type: Literal["Point"] = "Point"


@dataclass(frozen=True)
class CaseProperties:
    """One line of the work list. Times are UTC; `area` is who answers (null: in the unplaced tray)."""

    id: int
    number: str
    source_number: str
    category: str
    condition: str
    workflow: str
    channel: str
    state: str
    outcome: str
    overdue: bool
    unplaced: bool
    edge: bool
    historic: bool
    description: str
    place_text: str
    owner: str
    area_level: str
    area_code: str
    area_name: str
    person_name: str
    unit_name: str
    observed_at: datetime
    received_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    sign_due_at: datetime | None
    reworks: int
    version: int


@dataclass(frozen=True)
class CaseFeature:
    """One case as a GeoJSON feature; its id is the UUID, its geometry null while it has no position."""

    id: UUID
    geometry: PointGeometry | None
    properties: CaseProperties
    type: Literal["Feature"] = "Feature"


@dataclass(frozen=True)
class Link:
    """Where to go on."""

    href: str
    rel: str
    type: str = "application/geo+json"


@dataclass(frozen=True)
class CaseCollection:
    """Some cases and the way on. `matched` is exact up to a cap, beyond it `matched_at_least` is true."""

    features: tuple[CaseFeature, ...]
    returned: int
    matched: int
    matched_at_least: bool
    cursor: str | None
    links: tuple[Link, ...]
    type: Literal["FeatureCollection"] = "FeatureCollection"


_PLAIN = tuple(CaseProperties.__dataclass_fields__)


def present_row(row: CaseRow) -> CaseFeature:
    """Return one line of the work list as a feature."""
    geometry = PointGeometry((row.lon, row.lat)) if row.lon is not None and row.lat is not None else None
    return CaseFeature(row.uuid, geometry, CaseProperties(**{name: getattr(row, name) for name in _PLAIN}))


def present_page(page: Page, next_href: str | None) -> CaseCollection:
    """Return a page of the work list."""
    features = tuple(present_row(row) for row in page.rows)
    links = (Link(next_href, "next"),) if next_href else ()
    return CaseCollection(features, len(features), page.count, page.count_capped, page.cursor, links)


@dataclass(frozen=True)
class EventAnswer:
    """One line of the history."""

    uuid: UUID
    sequence: int
    at: datetime
    step: str
    from_state: str
    to_state: str
    by: str
    role: str
    on_behalf_of: str
    reason: str
    data: Mapping[str, str]


@dataclass(frozen=True)
class PhotoAnswer:
    """One photo and where it lies."""

    uuid: UUID
    kind: str
    width: int
    height: int
    uploaded_at: datetime
    href: str


@dataclass(frozen=True)
class CaseDetail:
    """Everything about one case; `steps` are those that the one who asks may take now."""

    id: UUID
    geometry: PointGeometry | None
    properties: CaseProperties
    position_source: str
    input_datum: str
    accuracy_m: float | None
    source_flag: str
    returns: int
    extensions: int
    extension_stage: str
    sides_changed: int
    handover_area_name: str
    duplicate_of: str
    duplicates: tuple[str, ...]
    path: tuple[AreaOnPath, ...]
    events: tuple[EventAnswer, ...]
    assignments: tuple[AssignmentView, ...]
    deadlines: tuple[DeadlineView, ...]
    photos: tuple[PhotoAnswer, ...]
    steps: tuple[AllowedStep, ...]
    contact_available: bool
    checked: bool
    notices: tuple[str, ...]
    type: Literal["Feature"] = "Feature"


def present_case(view: CaseView) -> CaseDetail:
    """Return one case; the follow code is left out, since whoever holds it speaks for the reporter."""
    row = present_row(view.row)
    return CaseDetail(
        id=row.id,
        geometry=row.geometry,
        properties=row.properties,
        position_source=view.position_source,
        input_datum=view.input_datum,
        accuracy_m=view.accuracy_m,
        source_flag=view.source_flag,
        returns=view.returns,
        extensions=view.extensions,
        extension_stage=view.extension_stage,
        sides_changed=view.sides_changed,
        handover_area_name=view.handover_area_name,
        duplicate_of=view.duplicate_of_number,
        duplicates=view.duplicates,
        path=view.path,
        events=tuple(
            EventAnswer(
                e.uuid, e.sequence, e.at, e.step, e.from_state, e.to_state, e.by, e.role, e.on_behalf_of, e.reason,
                dict(e.data),
            )
            for e in view.events
        ),
        assignments=view.assignments,
        deadlines=view.deadlines,
        photos=tuple(
            PhotoAnswer(p.uuid, p.kind, p.width, p.height, p.uploaded_at, f"/api/v1/photos/{p.uuid}")
            for p in view.photos
        ),
        steps=view.steps,
        contact_available=view.contact_available,
        checked=view.checked,
        notices=view.notices,
    )  # fmt: skip


@dataclass(frozen=True)
class ReceiptAnswer:
    """What the one who reported is told; `status` is `created` or `same`, `sha256` of the bytes as they came."""

    status: str
    uuid: UUID
    sha256: str
    number: str
    track_code: str
    state: str
    version: int
    area_level: str
    area_code: str
    area_name: str
    person_name: str
    unplaced: bool
    edge: bool
    sides: tuple[Side, ...]
    due_at: datetime | None
    sign_due_at: datetime | None
    reason_zh: str
    reason_en: str
    notices: tuple[str, ...]


def present_receipt(receipt: Receipt, sha256: str) -> ReceiptAnswer:
    """Return the receipt with the hash of what was sent: a client lets go of its copy only on that."""
    names = [name for name in ReceiptAnswer.__dataclass_fields__ if name != "sha256"]
    values: dict[str, Any] = {name: getattr(receipt, name) for name in names}
    return ReceiptAnswer(sha256=sha256, **values)
