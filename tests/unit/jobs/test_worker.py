"""The worker: delivers to all who listen, survives what fails, ends when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Unavailable
from mapsvc.base.events import Event
from mapsvc.jobs import queue
from mapsvc.jobs.queue import LEASE, MAX_TRIES, Job
from mapsvc.jobs.worker import Delivery, Worker
from mapsvc.storage.work import Store


@dataclass(frozen=True)
class Rang(Event):
    kind: ClassVar[str] = "rang"
    number: int


@dataclass(frozen=True)
class Unheard(Event):
    kind: ClassVar[str] = "unheard"


def emit(store: Store, *events: Event) -> None:
    with store.write() as work:
        for event in events:
            work.emit(event)
            work.session.flush()  # so that the ids are in this order


def waiting(store: Store) -> list[tuple[int, int, bool]]:
    with store.read() as work:
        return [(job.id, job.tries, job.parked_at is not None) for job in queue.list_jobs(work)]


class Listener:
    """Notes what it hears; fails as often as told."""

    def __init__(self, fails: int = 0) -> None:
        self.heard: list[int] = []
        self.fails = fails

    def __call__(self, store: Store, job: Job) -> None:
        self.heard.append(int(job.payload["number"]))
        if self.fails:
            self.fails -= 1
            raise ValueError("the listener is broken")


def test_all_who_listen_hear_everything_once(store: Store) -> None:
    first, second = Listener(), Listener()
    emit(store, Rang(1), Rang(2), Unheard())
    worker = Worker(store, {"rang": (first, second)})
    assert worker.run_once() == Delivery(delivered=2, unheard=1)
    assert first.heard == second.heard == [1, 2]
    assert worker.run_once() == Delivery()
    assert waiting(store) == []


def test_what_fails_is_tried_again_and_does_not_hold_up_others(store: Store, clock: FixedClock) -> None:
    listener = Listener(fails=1)
    emit(store, Rang(1), Rang(2))
    worker = Worker(store, {"rang": (listener,)})
    assert worker.run_once() == Delivery(delivered=1, put_off=1)
    assert worker.run_once() == Delivery()
    clock.move_to(clock.now() + timedelta(minutes=1))
    assert worker.run_once() == Delivery(delivered=1)
    assert listener.heard == [1, 2, 1]


def test_what_always_fails_is_parked_with_its_reason(store: Store, clock: FixedClock) -> None:
    emit(store, Rang(1))
    worker = Worker(store, {"rang": (Listener(fails=100),)})
    seen = []
    for _ in range(MAX_TRIES):
        seen.append(worker.run_once())
        clock.move_to(clock.now() + timedelta(hours=1))
    assert seen == [Delivery(put_off=1)] * (MAX_TRIES - 1) + [Delivery(parked=1)]
    assert worker.run_once() == Delivery()
    assert waiting(store) == [(1, MAX_TRIES, True)]
    with store.read() as work:
        (job,) = queue.list_jobs(work, parked=True)
    assert "the listener is broken" in job.error


def test_a_listener_may_write_to_the_store(store: Store) -> None:
    def echo(store: Store, job: Job) -> None:
        if job.payload["number"] < 3:
            with store.write() as work:
                work.emit(Rang(job.payload["number"] + 1))

    emit(store, Rang(1))
    worker = Worker(store, {"rang": (echo,)})
    assert [worker.run_once().delivered for _ in range(4)] == [1, 1, 1, 0]


def test_a_stop_gives_back_what_was_not_begun(store: Store) -> None:
    listener = Listener()

    def stop_after_it(store: Store, job: Job) -> None:
        listener(store, job)
        worker.stop()

    emit(store, Rang(1), Rang(2), Rang(3))
    worker = Worker(store, {"rang": (stop_after_it,)})
    assert worker.run_once() == Delivery(delivered=1)
    assert listener.heard == [1]
    assert waiting(store) == [(2, 0, False), (3, 0, False)]
    next_worker = Worker(store, {"rang": (listener,)})
    assert next_worker.run_once() == Delivery(delivered=2)


def test_a_job_lost_by_a_dead_worker_is_delivered_after_the_lease(store: Store, clock: FixedClock) -> None:
    listener = Listener()
    emit(store, Rang(1))
    with store.write() as work:
        queue.take_jobs(work, ["rang"], 1)  # by a worker of which nothing was heard again
    worker = Worker(store, {"rang": (listener,)})
    assert worker.run_once() == Delivery()
    clock.move_to(clock.now() + LEASE)
    assert worker.run_once() == Delivery(delivered=1)


def test_running_until_stopped(store: Store) -> None:
    listener = Listener()
    worker = Worker(store, {"rang": (listener,)})
    thread = threading.Thread(target=worker.run, kwargs={"wait_s": 0.01})
    thread.start()
    emit(store, Rang(1))
    _until(lambda: listener.heard == [1])
    emit(store, Rang(2))
    _until(lambda: listener.heard == [1, 2])
    worker.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert waiting(store) == []


def test_a_store_that_cannot_be_reached_does_not_end_the_worker(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(sqlite_store, {})
    calls: list[int] = []

    def gone(limit: int) -> Delivery:
        calls.append(limit)
        if len(calls) == 3:
            worker.stop()
        raise Unavailable("store_gone", "The store cannot be reached.")

    monkeypatch.setattr(worker, "run_once", gone)
    worker.run(wait_s=0.01)
    assert len(calls) == 3
    assert "waits for the store" in caplog.text


def _until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        time.sleep(0.01)
