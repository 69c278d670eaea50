from __future__ import annotations

import hashlib
import io
import os
import uuid
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mapsvc.base.errors import Conflict, TooLarge
from mapsvc.web.uploads import KEPT, Uploads
from tests.town import Town

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CHUNK = "application/offset+octet-stream"


def picture(side: int = 200) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def test_chunks_add_up(tmp_path: Path) -> None:
    uploads, one = Uploads(tmp_path, 100), uuid.uuid4()
    assert uploads.find_offset(one, 1) is None
    assert uploads.append(one, 1, 0, b"abc", NOW) == 3
    assert uploads.append(one, 1, 3, b"def", NOW) == 6
    assert uploads.find_offset(one, 1) == 6
    assert uploads.read(one, 1) == b"abcdef"
    uploads.discard(one, 1)
    uploads.discard(one, 1)
    assert (uploads.find_offset(one, 1), uploads.read(one, 1)) == (None, b"")


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(0, 199), max_size=12))
def test_in_whatever_pieces_it_comes_again_it_is_whole(content: bytes, starts: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        uploads, one, here = Uploads(Path(folder), 1000), uuid.uuid4(), 0
        for start in [*starts, None]:
            begin = min(start, here) if start is not None else here
            end = len(content) if start is None else min(len(content), begin + 17)
            here = uploads.append(one, None, begin, content[begin:end], NOW)
            assert uploads.read(one, None) == content[:here]
        assert uploads.read(one, None) == content


def test_a_gap_is_refused_and_says_where_to_go_on(tmp_path: Path) -> None:
    uploads, one = Uploads(tmp_path, 100), uuid.uuid4()
    with pytest.raises(Conflict) as caught:
        uploads.append(one, None, 5, b"x", NOW)
    assert caught.value.detail == {"offset": 0}
    assert list(tmp_path.iterdir()) == []
    uploads.append(one, None, 0, b"abc", NOW)
    with pytest.raises(Conflict) as caught:
        uploads.append(one, None, 4, b"x", NOW)
    assert caught.value.detail == {"offset": 3}


def test_nobody_goes_on_with_somebody_elses_photo(tmp_path: Path) -> None:
    uploads, one = Uploads(tmp_path, 100), uuid.uuid4()
    uploads.append(one, 1, 0, b"abc", NOW)
    assert uploads.find_offset(one, 2) is None
    assert uploads.find_offset(one, None) is None


def test_no_more_than_the_limit_and_nothing_for_ever(tmp_path: Path) -> None:
    uploads, old, new = Uploads(tmp_path, 10), uuid.uuid4(), uuid.uuid4()
    with pytest.raises(TooLarge):
        uploads.append(old, None, 8, b"abc", NOW)
    uploads.append(old, None, 0, b"abc", NOW)
    past = (NOW - KEPT - timedelta(hours=1)).timestamp()
    os.utime(tmp_path / f"{old}.0.part", (past, past))
    uploads.append(new, None, 0, b"abc", NOW)
    assert uploads.find_offset(old, None) is None
    assert uploads.find_offset(new, None) == 3


def _headers(content: bytes, offset: int) -> dict[str, str]:
    digest = hashlib.sha256(content).hexdigest()
    return {"Upload-Offset": str(offset), "Upload-Length": str(len(content)), "Content-SHA256": digest}


def test_a_photo_in_chunks_ends_as_a_photo(town: Town) -> None:
    content, path = picture(), f"/api/v1/photos/{uuid.uuid4()}"
    assert town.client().head(path).status_code == 404
    half = len(content) // 2
    first = town.client().patch(path, data=content[:half], content_type=CHUNK, headers=_headers(content, 0))
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, str(half))
    asked = town.client().head(path)
    assert (asked.status_code, asked.headers["Upload-Offset"]) == (200, str(half))
    last = town.client().patch(path, data=content[half:], content_type=CHUNK, headers=_headers(content, half))
    assert (last.status_code, last.json["status"]) == (201, "created")
    assert last.json["sha256"] == hashlib.sha256(content).hexdigest()
    stranger = town.client().head(path)
    assert (stranger.headers["Upload-Complete"], "Content-SHA256" in stranger.headers) == ("?1", False)
    guess = town.client().head(path, headers={"Content-SHA256": "0" * 64})
    assert "Content-SHA256" not in guess.headers
    done = town.client().head(path, headers={"Content-SHA256": last.json["sha256"]})
    assert done.headers["Content-SHA256"] == last.json["sha256"]
    assert done.headers["Upload-Complete"] == "?1"
    assert list((town.settings.data_dir / "uploads").iterdir()) == []


def test_what_is_not_what_it_said_is_not_kept(town: Town) -> None:
    content, path = picture(), f"/api/v1/photos/{uuid.uuid4()}"
    headers = {**_headers(content, 0), "Content-SHA256": "0" * 64}
    refused = town.client().patch(path, data=content, content_type=CHUNK, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (400, "hash_mismatch")
    assert town.client().head(path).status_code == 404
    whole = town.client().put(path, data=content, content_type="image/jpeg", headers={"Content-SHA256": "0" * 64})
    assert (whole.status_code, whole.json["code"]) == (400, "hash_mismatch")


def test_the_hash_may_come_as_a_digest(town: Town) -> None:
    content = picture()
    for digest, status in ((hashlib.sha256(content).digest(), 201), (bytes(32), 400)):
        headers = {"Digest": f"sha-256={b64encode(digest).decode()}"}
        path = f"/api/v1/photos/{uuid.uuid4()}"
        assert town.client().put(path, data=content, content_type="image/jpeg", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Upload-Offset": "x"}, "bad_header"),
        ({"Upload-Length": "-1"}, "bad_header"),
        ({"Content-SHA256": ""}, "hash_missing"),
        ({"Content-SHA256": "xyz"}, "bad_hash"),
        ({"Upload-Length": "1"}, "beyond_length"),
        ({"Upload-Offset": "10", "Upload-Length": "9999999"}, "wrong_offset"),
        ({"Upload-Length": str(10**12)}, "photo_too_large"),
    ],
)
def test_chunks_that_make_no_sense(town: Town, changed: dict[str, str], code: str) -> None:
    content = picture()
    headers = {**_headers(content, 0), **changed}
    path = f"/api/v1/photos/{uuid.uuid4()}"
    answer = town.client().patch(path, data=content[:100], content_type=CHUNK, headers=headers)
    assert answer.json["code"] == code


def test_what_is_no_photo_is_refused(town: Town) -> None:
    path = f"/api/v1/photos/{uuid.uuid4()}"
    for content, code in ((b"no picture", "not_a_photo"), (b"", "empty_photo"), (picture()[:500], "broken_photo")):
        answer = town.client().put(path, data=content, content_type="image/jpeg")
        assert answer.json["code"] == code
    assert town.client().put(path, data=picture(), content_type="text/html").status_code == 415


def test_who_may_see_a_photo_may_keep_it_and_ask_again(town: Town) -> None:
    photo = uuid.uuid4()
    town.client().put(f"/api/v1/photos/{photo}", data=picture(), content_type="image/jpeg")
    town.report(photos=[str(photo)])
    seen = town.get(f"/api/v1/photos/{photo}", "chief_0")
    assert (seen.status_code, seen.content_type) == (200, "image/jpeg")
    assert seen.headers["Cache-Control"].startswith("private")
    headers = {**town.headers("chief_0"), "If-None-Match": seen.headers["ETag"]}
    assert town.client().get(f"/api/v1/photos/{photo}", headers=headers).status_code == 304


def test_the_public_sends_so_many_photos_and_no_more(make_town: object) -> None:
    town = make_town(public_reports_per_hour=1)  # type: ignore[operator]
    content, statuses = picture(20), []
    for _ in range(13):
        path = f"/api/v1/photos/{uuid.uuid4()}"
        statuses.append(town.client().put(path, data=content, content_type="image/jpeg").status_code)
    assert statuses == [201] * 12 + [429]
