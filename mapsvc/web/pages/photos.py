"""Photos that come with a form: cleaned and put on disk before any transaction, written with what they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID, uuid5

from flask import request

from mapsvc.base.errors import TooLarge
from mapsvc.cases.rules.values import PhotoReceipt, PhotoUpload
from mapsvc.cases.service.photos import PreparedPhoto, prepare_photo, store_photo
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.work import Work
from mapsvc.web.parts import parts

MOST_PHOTOS = 6


def read_photos(owner: UUID, kind: str) -> tuple[PreparedPhoto, ...]:
    """Return the photos of the form, on disk; the same bytes in the same form always get the same UUID."""
    files = [file for file in request.files.getlist("photos") if file.filename]
    if len(files) > MOST_PHOTOS:
        raise TooLarge("too_many_photos", f"A form takes {MOST_PHOTOS} photos.", hint="Send fewer.")
    found, limit = [], parts().settings.max_photo_bytes
    for file in files:
        content = file.stream.read(limit + 1)
        uuid = uuid5(owner, hashlib.sha256(content).hexdigest())
        found.append(prepare_photo(parts().files, parts().settings, PhotoUpload(uuid, content, kind)))
    return tuple(found)


def store_photos(work: Work, actor: Actor, prepared: Sequence[PreparedPhoto]) -> tuple[PhotoReceipt, ...]:
    """Write the rows of the photos."""
    return tuple(store_photo(work, actor, photo) for photo in prepared)


def hashes(prepared: Sequence[PreparedPhoto]) -> tuple[str, ...]:
    """Return the hashes of what was sent, for telling a form sent twice from another one."""
    return tuple(photo.sha256 for photo in prepared)
