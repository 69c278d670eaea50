"""Programs that the crash tests start and kill: `python crash_writers.py WHAT URL [FOLDER]`.

Each prints a line, flushed, for what it acknowledges, after the commit and never before.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sqlalchemy import insert, select

import mapsvc.storage.boxes
from mapsvc.base.clock import SystemClock
from mapsvc.base.errors import Unavailable
from mapsvc.base.events import Event
from mapsvc.jobs.queue import Job
from mapsvc.jobs.worker import Worker
from mapsvc.people.models import Person, User
from mapsvc.storage import imports, migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.files import LocalFiles
from mapsvc.storage.work import Store, Work

BATCH = 50


@dataclass(frozen=True)
class PersonAdded(Event):
    kind: ClassVar[str] = "person_added"
    code: str


def say(line: object) -> None:
    print(line, flush=True)


def add_unit(work: Work, number: int) -> None:
    """Write a person, their account and an event: three tables, present together or not at all."""
    person = Person(code=f"p{number}", name="王芳" * 50)
    work.session.add(person)
    work.session.flush()  # the account needs the id, and the crash may come between the two
    work.session.add(
        User(name=f"u{number}", display_name="x", password_hash=None, person_id=person.id, created_at=work.now)
    )
    work.emit(PersonAdded(f"p{number}"))


def write_singly(store: Store) -> None:
    """Write units for ever, each acknowledged by its number."""
    number = 0
    while True:
        with store.write() as work:
            add_unit(work, number)
        say(number)
        number += 1


def write_until_full(store: Store, limit_bytes: int | None) -> None:
    """Write units until the disk is full; say the error's code, then that reading still works."""
    if limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    try:
        write_singly(store)
    except Unavailable as error:
        say(error.code)
    with store.read() as work:
        say(len(work.session.scalars(select(Person.id)).all()))


def source_rows() -> list[str]:
    return [f"row{number:05}" for number in range(2000)]


def write_rows(work: Work, batch: Sequence[str]) -> dict[str, int]:
    for code in batch:  # one statement per row, so that most kills come within a batch
        work.session.execute(insert(Person).values(code=code, name=code, phone="", public=False))
    return {"written": len(batch)}


def import_rows(store: Store) -> None:
    """Import all rows in batches, each acknowledged by the cursor; then publish."""
    with store.write() as work:
        run = imports.begin_run(work, kind="people", file_name="people.csv", sha256="f" * 64)
    say("begun")
    run = imports.write_batches(store, run, source_rows(), write_rows, size=BATCH, written=say)
    with store.write() as work:
        imports.publish_run(work, run.id)
    say("published")


def deliver_and_hang(store: Store) -> None:
    """Deliver one event, and never come to its end."""

    def hang(_store: Store, job: Job) -> None:
        say(job.payload["code"])
        time.sleep(600)

    Worker(store, {PersonAdded.kind: (hang,)}).run_once()


def hold_the_lock(store: Store) -> None:
    """Hold the write lock until killed, with something written and not committed."""
    with store.write() as work:
        add_unit(work, 0)
        work.session.flush()  # something is in the write-ahead log
        say("held")
        time.sleep(600)


def put_files(folder: Path) -> None:
    """Store files for ever, each acknowledged by its name."""
    files = LocalFiles(folder)
    number = 0
    while True:
        say(files.put(f"{number} ".encode() * 20_000).sha256)
        number += 1


def upgrade_and_die(url: str) -> None:
    """Be killed in the middle of the first migration, with most tables made."""

    def die(_connection: object) -> None:
        say("dying")
        os.kill(os.getpid(), signal.SIGKILL)

    mapsvc.storage.boxes.create_border_boxes = die
    migrate.upgrade(make_engine(url))


def main() -> None:
    what, url, *more = sys.argv[1:]
    if what == "upgrade_and_die":
        upgrade_and_die(url)
        return
    if what == "put_files":
        put_files(Path(more[0]))
        return
    store = Store(make_engine(url), SystemClock())
    if what == "write_until_full":
        write_until_full(store, int(more[0]) if more else None)
        return
    programs = {
        "write_singly": write_singly,
        "import_rows": import_rows,
        "deliver_and_hang": deliver_and_hang,
        "hold_the_lock": hold_the_lock,
    }
    programs[what](store)


if __name__ == "__main__":
    main()
