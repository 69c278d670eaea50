"""The same thing sent many times at once is one thing; two people who want the same step are told apart."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from mapsvc.cases.models import Case, CaseEvent, Photo, Reporter
from tests import squares
from tests.contract.test_permissions import picture
from tests.town import CATEGORY, Town

Answer = TypeVar("Answer")


def _at_once(count: int, act: Callable[[int], Answer]) -> list[Answer]:
    """Let so many threads act at the same moment."""
    gate = threading.Barrier(count)

    def one(number: int) -> Answer:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def _body(**more: object) -> bytes:
    lon, lat = squares.middle(0, 0)
    return json.dumps({"category": CATEGORY, "position": {"lon": lon, "lat": lat}, **more}).encode()


def _put(town: Town, path: str, raw: bytes, who: str = "") -> TestResponse:
    return town.client().put(path, data=raw, content_type="application/json", headers=town.headers(who))


def _count(town: Town, row: type) -> int:
    with town.store.read() as work:
        return work.session.scalar(select(func.count()).select_from(row)) or 0


def test_twenty_puts_of_one_report_are_one_report(either_town: Town) -> None:
    path, raw = f"/api/v1/cases/{uuid.uuid4()}", _body(contact={"name": "n", "phone": "1"})
    answers = _at_once(20, lambda _: _put(either_town, path, raw))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
    assert len({answer.json["number"] for answer in answers}) == 1
    assert {answer.json["sha256"] for answer in answers} == {hashlib.sha256(raw).hexdigest()}
    assert [_count(either_town, row) for row in (Case, Reporter, CaseEvent)] == [1, 1, 1]


def test_the_same_id_with_other_bytes_is_refused_and_tells_nothing(either_town: Town) -> None:
    path = f"/api/v1/cases/{uuid.uuid4()}"
    first = _put(either_town, path, _body(description="first"))
    other = _put(either_town, path, _body(description="other"))
    assert (other.status_code, other.json["code"]) == (409, "uuid_taken")
    assert first.json["number"] not in other.text
    assert first.json["track_code"] not in other.text
    # The same content in other bytes is other content: what counts is what was sent.
    spaced = _put(either_town, path, _body(description="first").replace(b", ", b",  "))
    assert spaced.status_code == 409
    assert _put(either_town, path, _body(description="first")).status_code == 200


def test_a_report_sent_again_after_staff_changed_the_case_is_the_same(either_town: Town) -> None:
    case_uuid, raw = uuid.uuid4(), _body()
    path = f"/api/v1/cases/{case_uuid}"
    assert _put(either_town, path, raw).status_code == 201
    refused = either_town.step(case_uuid, "refuse", "duty_officer", reason="not ours to judge")
    assert refused.status_code == 201, refused.data
    again = _put(either_town, path, raw)
    assert (again.status_code, again.json["status"], again.json["state"]) == (200, "same", "closed")


def test_a_step_sent_twenty_times_is_taken_once(either_town: Town) -> None:
    case_uuid, _ = either_town.report()
    path = f"/api/v1/cases/{case_uuid}/steps/{uuid.uuid4()}"
    raw = json.dumps({"step": "comment", "reason": "seen"}).encode()
    answers = _at_once(20, lambda _: _put(either_town, path, raw, "chief_0"))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
    assert _count(either_town, CaseEvent) == 2
    other = _put(either_town, path, json.dumps({"step": "comment", "reason": "other"}).encode(), "chief_0")
    assert (other.status_code, other.json["code"]) == (409, "uuid_taken")


def test_of_two_people_at_the_same_step_one_wins_and_the_other_is_told_who(either_town: Town) -> None:
    case_uuid, _ = either_town.report()
    people = ("intake", "duty_officer")
    answers = _at_once(2, lambda n: either_town.step(case_uuid, "refuse", people[n], reason="twice", version=1))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    winner = people[[answer.status_code for answer in answers].index(201)]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert lost.json["code"] == "somebody_was_first"
    assert winner in lost.json["detail"]
    assert _count(either_town, CaseEvent) == 2


def test_a_photo_sent_twenty_times_is_one_photo(either_town: Town) -> None:
    path, content = f"/api/v1/photos/{uuid.uuid4()}", picture()
    answers = _at_once(20, lambda _: either_town.client().put(path, data=content, content_type="image/jpeg"))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
    assert {answer.json["sha256"] for answer in answers} == {hashlib.sha256(content).hexdigest()}
    assert _count(either_town, Photo) == 1


def test_chunks_sent_by_two_phones_at_once_make_one_whole(town: Town) -> None:
    content = picture() + bytes(200_000)  # what follows the picture's end is ignored by decoders
    path, digest = f"/api/v1/photos/{uuid.uuid4()}", hashlib.sha256(content).hexdigest()

    def send(_: int) -> list[int]:
        seen = []
        for start in range(0, len(content), 50_000):
            headers = {"Upload-Offset": str(start), "Upload-Length": str(len(content)), "Content-SHA256": digest}
            answer = town.client().patch(
                path,
                data=content[start : start + 50_000],
                content_type="application/offset+octet-stream",
                headers=headers,
            )
            seen.append(answer.status_code)
        return seen

    seen = [status for phone in _at_once(3, send) for status in phone]
    assert set(seen) <= {200, 201, 204, 409}
    assert seen.count(201) == 1
    assert _count(town, Photo) == 1
