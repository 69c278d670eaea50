"""One transaction, one "now"; reading works that cannot write; failures of the store as errors of ours."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Misconfigured, Unavailable
from mapsvc.base.events import BordersPublished, Event
from mapsvc.base.settings import Settings
from mapsvc.people.models import Person
from mapsvc.storage.engine import describe, make_engine
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store
from tests.conftest import settings_for
from tests.postgis import Cluster


def add(store: Store, code: str) -> None:
    with store.write() as work:
        work.session.add(Person(code=code, name=code))


def codes(store: Store) -> list[str]:
    with store.read() as work:
        return list(work.session.scalars(select(Person.code).order_by(Person.code)))


def test_a_writing_work_commits_at_its_end(store: Store) -> None:
    add(store, "a")
    assert codes(store) == ["a"]


def test_a_writing_work_that_raises_writes_nothing(store: Store) -> None:
    def add_and_fail() -> None:
        with store.write() as work:
            work.session.add(Person(code="a", name="a"))
            work.session.flush()  # so that the row is in the database before the exception
            raise KeyError("something of ours")

    with pytest.raises(KeyError):
        add_and_fail()
    assert codes(store) == []


def test_now_stands_still_within_a_work(store: Store, clock: FixedClock) -> None:
    before = clock.now()
    with store.write() as work:
        clock.move_to(before + timedelta(hours=1))
        assert work.now == before
    with store.read() as work:
        assert work.now == before + timedelta(hours=1)


def test_a_reading_work_cannot_write_in_sql(store: Store) -> None:
    add(store, "a")
    with pytest.raises(DBAPIError) as caught, store.read() as work:
        work.session.execute(update(Person).values(name="changed"))
    assert not isinstance(caught.value, IntegrityError)
    with store.read() as work:
        assert work.session.scalars(select(Person.name)).all() == ["a"]


@pytest.mark.parametrize("how", ["add", "change", "delete"])
def test_a_reading_work_does_not_lose_changes_silently(store: Store, how: str) -> None:
    add(store, "a")

    def change() -> None:
        with store.read() as work:
            row = work.session.scalars(select(Person)).one()
            if how == "add":
                work.session.add(Person(code="b", name="b"))
            elif how == "change":
                row.name = "changed"
            else:
                work.session.delete(row)

    with pytest.raises(RuntimeError, match="holds changes"):
        change()


def test_a_connection_writes_again_after_it_has_read(store: Store) -> None:
    for code in "abc":
        add(store, code)
        assert code in codes(store)


def test_rows_stay_readable_after_the_work(store: Store) -> None:
    with store.write() as work:
        written = Person(code="a", name="王芳")
        work.session.add(written)
    assert (written.id, written.name) == (1, "王芳")
    with store.read() as work:
        read = work.session.scalars(select(Person)).one()
    assert read.name == "王芳"


def test_a_reading_work_sees_one_moment(store: Store) -> None:
    with store.read() as work:
        assert work.session.scalars(select(Person.code)).all() == []
        add(store, "a")
        assert work.session.scalars(select(Person.code)).all() == []
    assert codes(store) == ["a"]


def test_a_writer_does_not_block_readers(store: Store) -> None:
    with store.write() as work:
        work.session.add(Person(code="a", name="a"))
        work.session.flush()  # the write lock is held and the row is in the database
        began = time.monotonic()
        assert codes(store) == []
        assert time.monotonic() - began < 1


def test_many_waiting_writers_do_not_block_readers(sqlite_store: Store) -> None:
    """Each writer that stands at the lock holds a connection; one is left for whoever only reads."""

    def write(number: int) -> None:
        add(sqlite_store, f"waited {number}")

    with ThreadPoolExecutor(24) as pool:
        with sqlite_store.write():
            waiting = [pool.submit(write, number) for number in range(24)]
            time.sleep(0.5)
            assert not any(one.done() for one in waiting)
            began = time.monotonic()
            assert codes(sqlite_store) == []
            assert time.monotonic() - began < 5, "it waited for a writer to give up"
        for one in waiting:
            one.result()
    assert len(codes(sqlite_store)) == 24


def test_foreign_keys_are_kept(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as work:
        work.session.execute(text("INSERT INTO role_grant (user_id, role) VALUES (99, 'patrol')"))


@dataclass(frozen=True)
class Rang(Event):
    kind: ClassVar[str] = "rang"
    times: int


def test_an_event_is_written_with_its_cause_or_not_at_all(store: Store, clock: FixedClock) -> None:
    def ring_and_fail() -> None:
        with store.write() as work:
            work.emit(Rang(1))
            raise KeyError

    with pytest.raises(KeyError):
        ring_and_fail()
    with store.write() as work:
        work.emit(Rang(2))
        work.emit(BordersPublished(3, None))
    with store.read() as work:
        rows = work.session.scalars(select(OutboxRow).order_by(OutboxRow.id)).all()
    assert [(row.kind, row.payload) for row in rows] == [
        ("rang", {"times": 2}),
        ("borders_published", {"generation": 3, "effective_from": None}),
    ]
    assert {row.created_at for row in rows} == {clock.now()}


def test_a_reading_work_emits_nothing(store: Store) -> None:
    with store.read() as work, pytest.raises(AssertionError):
        work.emit(Rang(1))


# SQLite is set up as promised.


def test_sqlite_pragmas(sqlite_store: Store) -> None:
    with sqlite_store.read() as work:
        found = {
            name: work.session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.mark.postgis
def test_postgresql_reads_repeatably_and_writes_committed(postgis_store: Store) -> None:
    def levels(work_session: object) -> tuple[str, str]:
        execute = work_session.scalar  # type: ignore[attr-defined]
        return execute(text("SHOW transaction_isolation")), execute(text("SHOW transaction_read_only"))

    with postgis_store.read() as work:
        assert levels(work.session) == ("repeatable read", "on")
    with postgis_store.write() as work:
        assert levels(work.session) == ("read committed", "off")


# The store is locked, gone, damaged.


@pytest.fixture
def impatient(store: Store, settings: Settings, clock: FixedClock) -> Iterator[Store]:
    """Another process's view of the same store, which waits a tenth of a second for a lock."""
    engine = make_engine(settings_for(settings, store.engine).store_url, busy_timeout_ms=100)
    yield Store(engine, clock)
    engine.dispose()


def test_a_locked_store_says_so_and_writes_nothing(store: Store, impatient: Store) -> None:
    add(store, "a")
    with store.write() as holder:
        holder.session.execute(update(Person).values(name="held"))
        with pytest.raises(Unavailable) as caught, impatient.write() as work:
            work.session.execute(update(Person).values(name="other"))
    assert caught.value.code == "store_locked"
    with store.read() as work:
        assert work.session.scalars(select(Person.name)).all() == ["held"]


def test_a_deleted_file_is_never_written_to(sqlite_store: Store, settings: Settings) -> None:
    add(sqlite_store, "a")
    for path in settings.data_dir.glob("mapsvc.db*"):
        path.unlink()
    with pytest.raises(Unavailable) as caught:
        add(sqlite_store, "b")
    assert caught.value.code == "store_gone"
    with pytest.raises(Unavailable):
        codes(sqlite_store)
    assert not (settings.data_dir / "mapsvc.db").exists(), "an empty store must not take the place of a lost one"


def test_a_file_deleted_in_the_middle_acknowledges_nothing(sqlite_store: Store, settings: Settings) -> None:
    def write_meanwhile() -> None:
        with sqlite_store.write() as work:
            work.session.add(Person(code="a", name="a"))
            (settings.data_dir / "mapsvc.db").unlink()

    with pytest.raises(Unavailable) as caught:
        write_meanwhile()
    assert caught.value.code == "store_gone"


def test_a_restored_file_is_taken_up(sqlite_store: Store, settings: Settings) -> None:
    path = settings.data_dir / "mapsvc.db"
    add(sqlite_store, "a")
    copy = sqlite3.connect(path)
    copy.execute("VACUUM INTO ?", (str(path.with_suffix(".backup")),))
    copy.close()
    add(sqlite_store, "b")
    for suffix in ("", "-wal", "-shm"):
        Path(str(path) + suffix).unlink(missing_ok=True)
    path.with_suffix(".backup").rename(path)
    assert codes(sqlite_store) == ["a"]


def test_a_file_that_is_no_database_is_told(sqlite_store: Store, settings: Settings) -> None:
    (settings.data_dir / "mapsvc.db").write_bytes(b"PK\x03\x04" * 4096)
    with pytest.raises(Unavailable) as caught:
        codes(sqlite_store)
    assert caught.value.code == "store_damaged"


@pytest.mark.postgis
def test_a_connection_that_was_cut_is_told_and_the_next_work_has_a_new_one(postgis_store: Store) -> None:
    add(postgis_store, "a")

    def be_cut_off() -> None:
        with postgis_store.write() as work:
            work.session.add(Person(code="b", name="b"))
            work.session.flush()  # something to lose
            work.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable) as caught:
        be_cut_off()
    assert caught.value.code == "store_gone"
    assert codes(postgis_store) == ["a"]


@pytest.mark.postgis
def test_a_server_that_does_not_run_is_told(postgis_cluster: Cluster, clock: FixedClock) -> None:
    engine = make_engine(postgis_cluster.url("postgres").replace(f"port={postgis_cluster.port}", "port=1"))
    with pytest.raises(Unavailable) as caught:
        codes(Store(engine, clock))
    assert caught.value.code == "store_gone"
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["mysql://root@localhost/x", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql+psycopg2://x/y"]
)
def test_other_stores_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        make_engine(url)
    assert caught.value.code == "bad_database_url"


def test_an_address_for_people_has_no_password(settings: Settings) -> None:
    engine = make_engine("postgresql+psycopg://clerk:secret@db.example/mapsvc")
    assert "secret" not in describe(engine)
    assert describe(make_engine(settings.store_url)) == str(settings.data_dir / "mapsvc.db")


# Several at once.


def test_threads_that_read_and_then_write_all_come_through(store: Store) -> None:
    """With a deferred begin most of these would end with "database is locked"."""
    add(store, "counter")
    failures: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(10):
                with store.write() as work:
                    row = work.session.scalars(select(Person).with_for_update()).one()
                    row.phone = str(int(row.phone or "0") + 1)
        except BaseException as error:  # noqa: BLE001  # told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.read() as work:
        assert work.session.scalars(select(Person.phone)).all() == ["40"]


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    shanghai = datetime.fromisoformat("2026-11-23T09:00:00+08:00")
    with store.write() as work:
        work.session.add(OutboxRow(kind="x", payload={}, created_at=shanghai, due_at=shanghai))
    with store.read() as work:
        found = work.session.scalars(select(OutboxRow.created_at)).one()
        early = work.session.scalars(select(OutboxRow.id).where(OutboxRow.due_at < shanghai)).all()
        late = work.session.scalars(
            select(OutboxRow.id).where(OutboxRow.due_at < shanghai + timedelta(seconds=1))
        ).all()
    assert (found, found.tzinfo) == (shanghai, UTC)
    assert (early, late) == ([], [1])
