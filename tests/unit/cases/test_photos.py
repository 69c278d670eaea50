"""Photos come in: once, with their case or ahead of it, from whoever may add them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from mapsvc.base.errors import Forbidden, InvalidInput, TooLarge
from mapsvc.cases.models import Photo
from mapsvc.cases.rules.values import PhotoReceipt, PhotoUpload
from mapsvc.cases.service.intake import MAX_PHOTOS
from mapsvc.cases.service.photos import prepare_photo, store_photo
from mapsvc.people.rules.actor import PUBLIC, Actor
from mapsvc.storage.files import LocalFiles

from .conftest import District


def jpeg(colour: tuple[int, int, int] = (1, 2, 3)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "photos")


def send(district: District, files: LocalFiles, actor: Actor, upload: PhotoUpload) -> PhotoReceipt:
    prepared = prepare_photo(files, district.settings, upload)
    with district.store.write() as work:
        return store_photo(work, actor, prepared)


def case_of(district: District, photo: UUID) -> int | None:
    with district.store.read() as work:
        return work.session.get_one(Photo, photo).case_id


def test_a_photo_is_on_disk_and_its_receipt_repeats_the_hash_that_was_sent(
    district: District, files: LocalFiles
) -> None:
    case = district.open()
    content = jpeg()
    receipt = send(district, files, PUBLIC, PhotoUpload(uuid4(), content, "far", case.uuid))
    assert receipt.status == "created"
    assert receipt.sha256 == hashlib.sha256(content).hexdigest()
    assert case_of(district, receipt.uuid) == case.case_id
    with district.store.read() as work:
        row = work.session.get_one(Photo, receipt.uuid)
        assert (row.width, row.height, row.kind) == (30, 20, "far")
        stored = files.read(row.stored_sha256)
    assert Image.open(io.BytesIO(stored)).size == (30, 20)


def test_the_same_photo_again_is_the_same_and_others_under_its_uuid_are_a_conflict(
    district: District, files: LocalFiles
) -> None:
    upload = PhotoUpload(uuid4(), jpeg())
    assert send(district, files, PUBLIC, upload).status == "created"
    assert send(district, files, PUBLIC, upload).status == "same"
    other = send(district, files, PUBLIC, replace(upload, content=jpeg((9, 9, 9))))
    assert (other.status, other.sha256) == ("conflict", "")


def test_a_photo_may_come_ahead_of_its_report(district: District, files: LocalFiles) -> None:
    intake = district.intake()
    upload = PhotoUpload(uuid4(), jpeg(), "near", intake.uuid)
    send(district, files, PUBLIC, upload)
    assert case_of(district, upload.uuid) is None
    receipt = district.open(intake=replace(intake, photos=(upload.uuid,)))
    assert case_of(district, upload.uuid) == receipt.case_id


def test_a_photo_that_came_ahead_is_attached_when_it_is_sent_again(district: District, files: LocalFiles) -> None:
    intake = district.intake()
    upload = PhotoUpload(uuid4(), jpeg(), "near", intake.uuid)
    send(district, files, PUBLIC, upload)
    receipt = district.open(intake=intake)
    assert send(district, files, PUBLIC, upload).status == "same"
    assert case_of(district, upload.uuid) == receipt.case_id


def test_who_may_add_photos(district: District, files: LocalFiles) -> None:
    public = district.open()
    own = district.open(district.desk("intake"), channel="hotline")

    def sent(actor: Actor, case: UUID) -> str:
        return send(district, files, actor, PhotoUpload(uuid4(), jpeg(), "near", case)).status

    assert sent(PUBLIC, public.uuid) == "created"
    assert sent(district.chief("P1"), public.uuid) == "created"
    for actor, case in (
        (PUBLIC, own.uuid),
        (district.chief("P2"), public.uuid),
        (district.desk("leader"), public.uuid),
    ):
        with pytest.raises(Forbidden):
            sent(actor, case)
    district.clock.move_to(district.clock.now() + timedelta(days=2))
    with pytest.raises(Forbidden):
        sent(PUBLIC, public.uuid)
    assert sent(district.chief("P1"), public.uuid) == "created"


def test_a_resident_sends_so_many_photos_and_no_more(district: District, files: LocalFiles) -> None:
    case = district.open()
    for _ in range(MAX_PHOTOS):
        district.photo(case.uuid)
    with pytest.raises(TooLarge) as caught:
        send(district, files, PUBLIC, PhotoUpload(uuid4(), jpeg(), "near", case.uuid))
    assert caught.value.detail["limit"] == MAX_PHOTOS


def test_an_unknown_kind_is_refused_before_anything_is_stored(district: District, files: LocalFiles) -> None:
    with pytest.raises(InvalidInput) as caught:
        prepare_photo(files, district.settings, PhotoUpload(uuid4(), jpeg(), "selfie"))
    assert caught.value.code == "unknown_photo_kind"
    assert not files.root.exists()
