"""A photo comes in by itself: once, cleaned, on disk before it is acknowledged, with the case or ahead of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.dialects import postgresql, sqlite

from mapsvc.base.errors import Forbidden, InvalidInput, TooLarge
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Case, Photo
from mapsvc.cases.queries import photos as queries
from mapsvc.cases.rules.values import PHOTO_KINDS, PhotoReceipt, PhotoUpload
from mapsvc.cases.service.images import CleanPhoto, clean_photo
from mapsvc.cases.service.intake import MAX_PHOTOS
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.files import FileStore
from mapsvc.storage.work import Work

REPORTER_MAY_ADD_FOR = timedelta(days=1)
"""A resident's phone may be slow with its photos; later ones are added by staff."""

MAX_PHOTOS_OF_CASE = 60


@dataclass(frozen=True)
class PreparedPhoto:
    """A photo that was cleaned and lies on disk; only its row is missing."""

    upload: PhotoUpload
    sha256: str
    stored_sha256: str
    clean: CleanPhoto


def prepare_photo(files: FileStore, settings: Settings, upload: PhotoUpload) -> PreparedPhoto:
    """Clean a photo and put it on disk; outside any transaction, since decoding takes long. See `clean_photo`."""
    if upload.kind not in PHOTO_KINDS:
        raise InvalidInput("unknown_photo_kind", f"{upload.kind!r} is no kind.", hint=", ".join(PHOTO_KINDS[:-1]))
    clean = clean_photo(upload.content, max_bytes=settings.max_photo_bytes, max_pixels=settings.max_photo_pixels)
    stored = files.put(clean.content)
    return PreparedPhoto(upload, hashlib.sha256(upload.content).hexdigest(), stored.sha256, clean)


def store_photo(work: Work, actor: Actor, prepared: PreparedPhoto) -> PhotoReceipt:
    """Write the row of a photo: `created`, `same` (sent again), or `conflict` (the UUID holds other bytes).

    With a `case_uuid` that is there already the photo is attached to it; one that is not there yet is waited
    for: the photo is attached when the report names it.
    """
    upload, clean = prepared.upload, prepared.clean
    case = None
    if upload.case_uuid is not None:
        case = queries.find_case_for_photo(work, upload.case_uuid)
    if case is not None:
        _check_may_add(work, actor, case)
    dialect = sqlite.insert if work.on_sqlite else postgresql.insert
    values = {
        "uuid": upload.uuid,
        "case_id": case.id if case is not None else None,
        "kind": upload.kind,
        "sha256": prepared.sha256,
        "stored_sha256": prepared.stored_sha256,
        "size": len(clean.content),
        "width": clean.width,
        "height": clean.height,
        "exif_lon": clean.metadata.lon,
        "exif_lat": clean.metadata.lat,
        "exif_at": clean.metadata.at,
        "exif_error_m": clean.metadata.error_m,
        "uploaded_at": work.now,
        "by_user_id": actor.user_id,
    }
    statement = dialect(Photo).values(**values).on_conflict_do_nothing(index_elements=["uuid"]).returning(Photo.uuid)
    created = work.session.execute(statement).scalar() is not None
    row = work.session.get_one(Photo, upload.uuid, populate_existing=True)
    if row.sha256 != prepared.sha256:
        return PhotoReceipt(status="conflict", uuid=upload.uuid)
    if not created and row.case_id is None and case is not None:
        row.case_id = case.id  # it came ahead of its report, and was sent again after it
    return _receipt(row, "created" if created else "same")


def _check_may_add(work: Work, actor: Actor, case: Case) -> None:
    reporter = actor.user_id is None and case.channel in {"public", "open311"}
    fresh = work.now - case.received_at <= REPORTER_MAY_ADD_FOR
    staff = allows(actor, "photo.add") and queries.may_see(work, actor, case.id)
    if not (staff or actor.system or (reporter and fresh)):
        raise Forbidden("photo_not_allowed", "You may not add photos to this report.", hint="Send a new report.")
    limit = MAX_PHOTOS_OF_CASE if staff or actor.system else MAX_PHOTOS
    if queries.count_photos(work, case.id) >= limit:
        raise TooLarge(
            "too_many_photos", f"A report takes {limit} photos.", hint="Send fewer.", detail={"limit": limit}
        )


def _receipt(row: Photo, status: str) -> PhotoReceipt:
    return PhotoReceipt(
        status=status,
        uuid=row.uuid,
        sha256=row.sha256,
        size=row.size,
        width=row.width,
        height=row.height,
        exif_lon=row.exif_lon,
        exif_lat=row.exif_lat,
        exif_at=row.exif_at,
        exif_error_m=row.exif_error_m,
    )
