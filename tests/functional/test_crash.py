"""kill -9, a full disk, a held lock, a store that is gone: what was acknowledged is there, the rest absent whole.

A killed process is not a power cut: these tests cannot see a sync that was left out. That SQLite is
told to sync every commit is checked by its settings in `tests/unit/storage/test_work.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select, text

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Unavailable
from mapsvc.base.settings import Settings
from mapsvc.jobs.queue import LEASE, Job
from mapsvc.jobs.worker import Delivery, Worker
from mapsvc.people.models import Person, User
from mapsvc.storage import imports, migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.files import LocalFiles
from mapsvc.storage.imports import Run
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store
from tests.functional.crash_writers import BATCH, import_rows, source_rows, write_rows

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "functional" / "crash_writers.py"


def address(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


@contextmanager
def started(what: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of the programs; it is killed with -9 at the end, if it still lives."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAMS), what, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def killed_after(lines: int, what: str, *arguments: str) -> list[str]:
    """Kill the program once it has said so many lines; return all that it said, also while it was being killed."""
    with started(what, *arguments) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(lines)]
        process.kill()
        # Not communicate(): it would pass over the lines that readline() has read ahead.
        rest = process.stdout.read()
        errors = process.stderr.read() if process.stderr else ""
        process.wait()
    assert process.returncode == -signal.SIGKILL, errors
    assert all(said), errors
    complete = rest[: rest.rfind("\n") + 1]  # a line cut short was not acknowledged
    return said + complete.split()


def assert_sound(store: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        with store.read() as work:
            assert work.session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert work.session.execute(text("PRAGMA foreign_key_check")).all() == []


def units(store: Store) -> list[int]:
    """Return the numbers of the units that are present; each of them must be whole."""
    with store.read() as work:
        people = {row.code: row.id for row in work.session.scalars(select(Person))}
        accounts = {row.name: row.person_id for row in work.session.scalars(select(User))}
        events = [payload["code"] for payload in work.session.scalars(select(OutboxRow.payload))]
    assert {name.replace("u", "p"): person_id for name, person_id in accounts.items()} == people
    assert sorted(events) == sorted(people)
    return sorted(int(code.removeprefix("p")) for code in people)


@pytest.mark.parametrize("lines", [1, 7, 60])
def test_what_was_acknowledged_survives_kill_9(store: Store, lines: int) -> None:
    said = killed_after(lines, "write_singly", address(store))
    acknowledged = [int(line) for line in said]
    present = units(store)
    assert present[: len(acknowledged)] == acknowledged == list(range(len(acknowledged)))
    assert len(present) - len(acknowledged) in {0, 1}, "at most the one whose acknowledgement was on its way"
    assert_sound(store)
    with store.write() as work:
        work.session.add(Person(code="next", name="the store goes on"))


def begin_again(store: Store) -> Run:
    with store.write() as work:
        return imports.begin_run(work, kind="people", file_name="people.csv", sha256="f" * 64)


def codes(store: Store) -> list[str]:
    with store.read() as work:
        return list(work.session.scalars(select(Person.code).order_by(Person.code)))


@pytest.mark.parametrize("lines", [1, 2, 9])
def test_an_import_killed_on_its_way_is_invisible_and_goes_on(store: Store, lines: int) -> None:
    said = killed_after(lines, "import_rows", address(store))
    with store.read() as work:
        assert work.session.scalars(imports.published_runs()).all() == []
    run = begin_again(store)
    assert run.cursor >= (int(said[-1]) if said[-1] != "begun" else 0)
    assert run.cursor % BATCH == 0
    assert codes(store) == source_rows()[: run.cursor], "each batch is there whole or not at all"
    assert_sound(store)
    import_rows(store)
    assert codes(store) == source_rows()
    done = begin_again(store)
    assert done.counts == {"written": len(source_rows())}
    with store.read() as work:
        assert work.session.scalars(imports.published_runs()).all() == [done.id]


def test_importing_the_same_file_after_it_was_published_writes_nothing(store: Store) -> None:
    import_rows(store)
    run = imports.write_batches(store, begin_again(store), source_rows(), write_rows, size=BATCH)
    assert run.published_at is not None
    assert codes(store) == source_rows()


def test_a_delivery_that_was_killed_is_made_again(store: Store) -> None:
    killed_after(3, "write_singly", address(store))
    expected = [f"p{number}" for number in units(store)]
    begun = killed_after(1, "deliver_and_hang", address(store))
    assert begun == ["p0"]
    heard: list[str] = []

    def listen(_store: Store, job: Job) -> None:
        heard.append(job.payload["code"])

    now = datetime.now(UTC)
    early = Worker(Store(store.engine, FixedClock(now)), {"person_added": (listen,)})
    assert early.run_once() == Delivery(), "the lease of the dead worker is not over"
    late = Worker(Store(store.engine, FixedClock(now + LEASE + timedelta(minutes=1))), {"person_added": (listen,)})
    late.run_once()
    assert sorted(heard) == sorted(expected)


def test_a_lock_is_told_and_ends_with_its_holder(sqlite_store: Store, clock: FixedClock) -> None:
    impatient = Store(make_engine(address(sqlite_store), busy_timeout_ms=100), clock)
    with started("hold_the_lock", address(sqlite_store)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert units(impatient) == [], "a reader neither waits nor sees what is not committed"
        with pytest.raises(Unavailable) as caught, impatient.write():
            pass
        assert caught.value.code == "store_locked"
        holder.kill()
        holder.wait()
    with impatient.write() as work:
        work.session.add(Person(code="p9", name="after it"))
    assert codes(impatient) == ["p9"]
    assert_sound(impatient)
    impatient.engine.dispose()


def assert_full_disk_lost_nothing(said: list[str], store: Store) -> None:
    *acknowledged, code, readable = said
    assert code == "disk_full"
    assert int(readable) == len(acknowledged) > 0, "reading goes on while the disk is full"
    assert units(store) == [int(number) for number in acknowledged]
    assert_sound(store)


def run_to_its_end(what: str, *arguments: str) -> list[str]:
    with started(what, *arguments) as process:
        said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said.split()


def test_a_file_that_may_not_grow_is_a_full_disk(sqlite_store: Store) -> None:
    limit = Path(str(sqlite_store.engine.url.database)).stat().st_size + 300_000
    said = run_to_its_end("write_until_full", address(sqlite_store), str(limit))
    assert_full_disk_lost_nothing(said, sqlite_store)
    with sqlite_store.write() as work:
        work.session.add(Person(code="room", name="there is room again"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of two megabytes, or None where this account may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield None
        return
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path | None, settings: Settings, clock: FixedClock) -> None:
    """On a real small disk; where none can be mounted the limit of file sizes stands in, as in the test above."""
    folder = small_disk or settings.data_dir
    store = Store(make_engine(f"sqlite:///{folder / 'mapsvc.db'}"), clock)
    migrate.upgrade(store.engine)
    limit = [] if small_disk else [str((folder / "mapsvc.db").stat().st_size + 400_000)]
    said = run_to_its_end("write_until_full", address(store), *limit)
    assert_full_disk_lost_nothing(said, store)
    if small_disk:
        with pytest.raises(Unavailable) as caught:
            LocalFiles(folder / "photos").put(os.urandom(2_000_000))
        assert caught.value.code == "disk_full"
        assert list((folder / "photos").glob("??/*")) == []
    store.engine.dispose()


def test_files_that_were_acknowledged_survive_kill_9(tmp_path: Path) -> None:
    said = killed_after(25, "put_files", "-", str(tmp_path))
    files = LocalFiles(tmp_path)
    for name in said:
        assert files.read(name)
    for path in tmp_path.glob("??/*"):
        assert files.read(path.name), "what has its name is whole"


def test_a_migration_killed_half_way_leaves_nothing(settings: Settings) -> None:
    killed_after(1, "upgrade_and_die", settings.store_url)
    engine = make_engine(settings.store_url)
    assert migrate.find_revision(engine) is None
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    migrate.upgrade(engine)
    migrate.require_current(engine)
    engine.dispose()


def test_a_store_that_is_a_folder_is_gone(sqlite_store: Store, settings: Settings) -> None:
    sqlite_store.engine.dispose()
    path = settings.data_dir / "mapsvc.db"
    path.unlink()
    path.mkdir()
    with pytest.raises(Unavailable) as caught:
        units(sqlite_store)
    assert caught.value.code == "store_gone"


def test_a_store_whose_folder_went_away_is_gone(sqlite_store: Store, settings: Settings) -> None:
    assert units(sqlite_store) == []
    shutil.rmtree(settings.data_dir)
    with pytest.raises(Unavailable) as caught, sqlite_store.write():
        pass
    assert caught.value.code == "store_gone"
    assert not settings.data_dir.exists()


def test_a_commit_is_in_the_log_when_it_returns(sqlite_store: Store, tmp_path: Path) -> None:
    """A copy of the files at that moment, as a restart would find them, holds the row."""
    with sqlite_store.write() as work:
        work.session.add(Person(code="a", name="a"))
    path = str(sqlite_store.engine.url.database)
    shutil.copyfile(path, tmp_path / "copy.db")
    shutil.copyfile(f"{path}-wal", tmp_path / "copy.db-wal")
    engine = make_engine(f"sqlite:///{tmp_path / 'copy.db'}")
    with engine.connect() as connection:
        assert connection.scalar(select(func.count(Person.id))) == 1
    engine.dispose()


# The commands themselves.


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mapsvc", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**{name: value for name, value in os.environ.items() if not name.startswith("MAPSVC_")}, **environ},
        timeout=120,
        check=False,
    )


def test_a_command_without_a_store_says_what_to_run_and_makes_none(settings: Settings) -> None:
    done = command("jobs", "list", MAPSVC_DATA_DIR=str(settings.data_dir))
    assert (done.returncode, done.stdout) == (1, "")
    assert "mapsvc db upgrade" in done.stderr
    assert "Traceback" not in done.stderr
    assert not settings.data_dir.exists()


def test_a_command_on_a_damaged_store_says_so(sqlite_store: Store, settings: Settings) -> None:
    sqlite_store.engine.dispose()
    (settings.data_dir / "mapsvc.db").write_bytes(b"not a database at all" * 1000)
    done = command("jobs", "list", MAPSVC_DATA_DIR=str(settings.data_dir))
    assert done.returncode == 1
    assert re.search("damaged", done.stderr)
    assert "Traceback" not in done.stderr


def test_the_worker_ends_on_sigterm(sqlite_store: Store, settings: Settings) -> None:
    migrate.upgrade(make_engine(f"sqlite:///{settings.data_dir / 'own' / 'mapsvc.db'}"))
    process = subprocess.Popen(
        [sys.executable, "-m", "mapsvc", "worker", "--wait", "0.1"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MAPSVC_DATA_DIR": str(settings.data_dir / "own")},
    )
    assert process.stderr is not None
    assert "worker runs" in process.stderr.readline()
    process.terminate()
    assert process.wait(30) == 0
    process.stderr.close()
