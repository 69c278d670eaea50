"""Chores: once in their time, whatever one of them does; orphaned photo files go, wanted ones stay."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import NotFound
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Photo
from mapsvc.jobs.chores import Chore, Chores, make_chores, sweep_photos
from mapsvc.jobs.worker import Worker
from mapsvc.storage.files import GRACE, LocalFiles
from mapsvc.storage.work import Store


def test_a_chore_is_done_at_once_and_then_once_in_its_time(sqlite_store: Store, clock: FixedClock) -> None:
    done: list[str] = []
    chores = Chores(
        [
            Chore("hourly", timedelta(hours=1), lambda store: done.append("hourly")),
            Chore("daily", timedelta(days=1), lambda store: done.append("daily")),
        ]
    )
    assert chores.do_due(sqlite_store) == 2
    for _ in range(8):
        clock.move_to(clock.now() + timedelta(minutes=30))
        chores.do_due(sqlite_store)
    assert done == ["hourly", "daily", "hourly", "hourly", "hourly", "hourly"]


def test_a_chore_that_fails_stops_nothing_and_waits_for_its_next_time(
    sqlite_store: Store, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def fail(_store: Store) -> None:
        done.append("tried")
        raise ValueError("broken broom")

    chores = Chores(
        [Chore("broken", timedelta(hours=1), fail), Chore("other", timedelta(hours=1), lambda store: done.append("ok"))]
    )
    assert chores.do_due(sqlite_store) == 2
    assert chores.do_due(sqlite_store) == 0
    assert done == ["tried", "ok"]
    assert "broken broom" in caplog.text


def put_photo(store: Store, files: LocalFiles, content: bytes, *, with_row: bool) -> str:
    """Store a file that is older than the grace, with or without its row."""
    stored = files.put(content)
    old = (store.clock.now() - GRACE * 2).timestamp()
    os.utime(files.root / stored.sha256[:2] / stored.sha256, (old, old))
    if with_row:
        with store.write() as work:
            work.session.add(
                Photo(
                    uuid=UUID(stored.sha256[:32]),
                    sha256="0" * 64,
                    stored_sha256=stored.sha256,
                    size=stored.size,
                    width=1,
                    height=1,
                    uploaded_at=work.now,
                )
            )
    return stored.sha256


def test_orphaned_photos_go_and_wanted_ones_stay(store: Store, tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "photos")
    wanted = put_photo(store, files, b"of a case", with_row=True)
    orphan = put_photo(store, files, b"of a crash", with_row=False)
    sweep_photos(store, files)
    assert files.read(wanted) == b"of a case"
    with pytest.raises(NotFound):
        files.read(orphan)


def test_the_worker_does_its_chores_when_there_is_nothing_to_deliver(sqlite_store: Store, settings: Settings) -> None:
    files = LocalFiles(settings.data_dir / "photos")
    orphan = put_photo(sqlite_store, files, b"of a crash", with_row=False)
    worker = Worker(sqlite_store, {}, make_chores(settings))
    thread = threading.Thread(target=worker.run, kwargs={"wait_s": 0.01})
    thread.start()
    deadline = time.monotonic() + 10
    while (files.root / orphan[:2] / orphan).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.stop()
    thread.join(5)
    assert not (files.root / orphan[:2] / orphan).exists()
