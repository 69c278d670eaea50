"""Imports in batches: invisible until published, resumable, never twice, and in nobody's way."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from mapsvc.base.clock import FixedClock, SystemClock
from mapsvc.base.errors import Conflict, NotFound
from mapsvc.base.settings import Settings
from mapsvc.people.models import Person
from mapsvc.storage import imports
from mapsvc.storage.engine import make_engine
from mapsvc.storage.imports import Run
from mapsvc.storage.work import Store, Work
from tests.conftest import settings_for

ROWS = [f"p{number:03}" for number in range(25)]


def begin(store: Store, sha256: str = "a" * 64) -> Run:
    with store.write() as work:
        return imports.begin_run(work, kind="people", file_name="people.csv", sha256=sha256)


def write_people(work: Work, batch: Sequence[str]) -> dict[str, int]:
    work.session.execute(insert(Person), [{"code": code, "name": code} for code in batch])
    return {"written": len(batch)}


def count_people(store: Store) -> int:
    with store.read() as work:
        return work.session.scalar(select(func.count(Person.id))) or 0


def visible(store: Store) -> list[int]:
    with store.read() as work:
        return list(work.session.scalars(imports.published_runs()))


def test_a_run_is_visible_from_its_publishing_on(store: Store, clock: FixedClock) -> None:
    run = imports.write_batches(store, begin(store), ROWS, write_people, size=10)
    assert (run.cursor, run.counts) == (25, {"written": 25})
    assert visible(store) == []
    with store.write() as work:
        imports.publish_run(work, run.id)
    assert visible(store) == [run.id]
    assert begin(store).published_at == clock.now()


def test_the_same_file_finds_its_run_and_another_one_does_not(store: Store) -> None:
    first = begin(store)
    assert begin(store).id == first.id
    assert begin(store, "b" * 64).id != first.id


def stop_after(batches: int) -> Callable[[Work, Sequence[str]], dict[str, int]]:
    left = [batches]

    def write(work: Work, batch: Sequence[str]) -> dict[str, int]:
        counts = write_people(work, batch)
        if left[0] == 0:
            raise KeyboardInterrupt  # after the batch was written, before its commit
        left[0] -= 1
        return counts

    return write


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_an_import_that_was_stopped_goes_on_where_it_was(store: Store, batches: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        imports.write_batches(store, begin(store), ROWS, stop_after(batches), size=10)
    assert count_people(store) == batches * 10
    assert visible(store) == []
    again = begin(store)
    assert (again.cursor, again.counts.get("written", 0)) == (batches * 10, batches * 10)
    done = imports.write_batches(store, again, ROWS, write_people, size=7)
    assert (done.cursor, done.counts["written"], count_people(store)) == (25, 25, 25)


def test_two_processes_with_one_file_do_not_write_it_twice(store: Store) -> None:
    slow = begin(store)
    imports.write_batches(store, begin(store), ROWS, write_people, size=10)
    with pytest.raises(Conflict) as caught:
        imports.write_batches(store, slow, [f"again{row}" for row in ROWS], write_people, size=10)
    assert caught.value.code == "import_elsewhere"
    assert count_people(store) == 25


def test_a_published_run_takes_no_more_rows(store: Store) -> None:
    run = begin(store)
    with store.write() as work:
        imports.publish_run(work, run.id)
    with pytest.raises(Conflict):
        imports.write_batches(store, run, ROWS, write_people)
    assert count_people(store) == 0


def test_progress_is_told_after_each_commit(store: Store) -> None:
    told: list[tuple[int, int]] = []
    imports.write_batches(
        store, begin(store), ROWS, write_people, size=10, written=lambda done: told.append((done, count_people(store)))
    )
    assert told == [(10, 10), (20, 20), (25, 25)]


def test_a_run_given_up_stays_invisible_and_can_be_taken_up(store: Store) -> None:
    run = imports.write_batches(store, begin(store), ROWS[:10], write_people)
    with store.write() as work:
        imports.abandon_run(work, run.id)
    with store.read() as work:
        assert imports.list_unfinished_runs(work) == ()
    assert visible(store) == []
    again = begin(store)
    assert again.cursor == 10
    with store.read() as work:
        assert [found.id for found in imports.list_unfinished_runs(work)] == [run.id]


def test_giving_up_a_published_run_changes_nothing(store: Store) -> None:
    run = begin(store)
    with store.write() as work:
        imports.publish_run(work, run.id)
        imports.abandon_run(work, run.id)
    assert visible(store) == [run.id]


def test_an_unknown_run_is_told(store: Store) -> None:
    with pytest.raises(NotFound), store.write() as work:
        imports.publish_run(work, 77)


def test_the_hash_of_a_file_follows_its_bytes_and_the_options(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 1_000_000)
    assert imports.file_sha256(path) == hashlib.sha256(b"x" * 1_000_000).hexdigest()
    found = {imports.file_sha256(path), imports.file_sha256(path, "gbk"), imports.file_sha256(path, "gb", "k")}
    assert len(found) == 3


def test_readers_and_writers_do_not_wait_for_an_import(store: Store) -> None:
    """The longest wait of a writer beside an import is a few of its batches, never the import."""
    run = begin(store)
    done = threading.Event()

    def import_all() -> None:
        try:
            imports.write_batches(store, run, (f"i{number}" for number in range(8000)), write_people, size=200)
        finally:
            done.set()

    thread = threading.Thread(target=import_all)
    thread.start()
    waits: list[float] = []
    number = 0
    while not done.is_set() or number < 3:
        began = time.monotonic()
        with store.write() as work:
            work.session.add(Person(code=f"w{number}", name="written beside it"))
        with store.read() as work:
            work.session.scalar(select(func.count(Person.id)).where(Person.code.startswith("w")))
        waits.append(time.monotonic() - began)
        number += 1
    thread.join()
    assert count_people(store) == 8000 + number
    assert number >= 3
    assert max(waits) < 5, "a writer waited for the import itself"


def _read_then_write(url: str, name: str, times: int) -> None:
    engine = make_engine(url)
    store = Store(engine, SystemClock())
    for number in range(times):
        with store.write() as work:
            seen = work.session.scalar(select(func.count(Person.id)))
            work.session.add(Person(code=f"{name}-{number}", name=str(seen)))
    engine.dispose()


def test_four_processes_that_read_and_then_write_all_come_through(store: Store, settings: Settings) -> None:
    """None ends with "database is locked", and on SQLite each saw what all before it wrote."""
    url = settings_for(settings, store.engine).store_url
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_read_then_write, args=(url, f"n{number}", 15)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with store.read() as work:
        seen = sorted(int(name) for name in work.session.scalars(select(Person.name)))
    assert len(seen) == 60
    if work.on_sqlite:
        assert seen == list(range(60))
