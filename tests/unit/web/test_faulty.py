from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mapsvc.web import faulty
from tests.town import Town

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_what_somebody_with_an_account_sent_is_kept_before_it_is_refused(town: Town) -> None:
    path, raw = (
        f"/api/v1/cases/{uuid.uuid4()}",
        b'{"category": "E0107", "description": "hours of work", "old_field": 1}',
    )
    answer = town.client().put(path, data=raw, content_type="application/json", headers=town.headers("chief_0"))
    assert answer.status_code == 400
    kept = sorted((town.settings.data_dir / "faulty").iterdir())
    assert [file.suffix for file in kept] == [".body", ".json"]
    assert kept[0].read_bytes() == raw
    about = json.loads(kept[1].read_text())
    assert (about["instance"], about["path"]) == (answer.json["instance"], path)
    assert about["user_id"] == town.logins["chief_0"].user_id
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)


def test_what_a_stranger_sent_is_not_kept(town: Town) -> None:
    assert town.put_json(f"/api/v1/cases/{uuid.uuid4()}", {"old_field": 1}).status_code == 400
    assert not (town.settings.data_dir / "faulty").exists()


def test_the_oldest_go_and_a_full_disk_hides_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty, "MOST_FILES", 3)
    for number in range(5):
        faulty.keep_refused(
            tmp_path,
            b"x",
            instance=f"urn:uuid:{number}",
            path="/",
            user_id=1,
            code="c",
            now=NOW + timedelta(seconds=number),
        )
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 6
    assert names[0].endswith("-2.body")
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    faulty.keep_refused(blocked, b"x", instance="urn:uuid:9", path="/", user_id=1, code="c", now=NOW)
