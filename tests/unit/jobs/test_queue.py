"""The outbox as a queue: due, taken, leased, put off, parked, tried again, forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Conflict, NotFound
from mapsvc.jobs import queue
from mapsvc.jobs.queue import FIRST_DELAY, LEASE, LONGEST_DELAY, MAX_TRIES, Job
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store

KINDS = ("ring",)


def put(store: Store, *kinds: str, due_in: timedelta = timedelta(0)) -> None:
    with store.write() as work:
        for number, kind in enumerate(kinds):
            work.session.add(
                OutboxRow(kind=kind, payload={"number": number}, created_at=work.now, due_at=work.now + due_in)
            )
            work.session.flush()  # so that the ids are in this order


def take(store: Store, limit: int = 10) -> tuple[Job, ...]:
    with store.write() as work:
        return queue.take_jobs(work, KINDS, limit)


def row(store: Store, job_id: int) -> OutboxRow:
    with store.read() as work:
        return work.session.scalars(select(OutboxRow).where(OutboxRow.id == job_id)).one()


def test_the_longest_due_is_taken_first_and_only_so_many(store: Store, clock: FixedClock) -> None:
    put(store, "ring", due_in=timedelta(seconds=-1))
    put(store, "ring", "ring", due_in=timedelta(seconds=-5))
    assert [job.id for job in take(store, 2)] == [2, 3]
    assert [(job.id, job.payload, job.tries) for job in take(store)] == [(1, {"number": 0}, 1)]


def test_what_is_not_due_or_not_asked_for_stays(store: Store, clock: FixedClock) -> None:
    put(store, "ring", due_in=timedelta(minutes=1))
    put(store, "other")
    assert take(store) == ()
    clock.move_to(clock.now() + timedelta(minutes=1))
    assert [job.kind for job in take(store)] == ["ring"]


def test_a_taken_job_comes_again_only_after_its_lease(store: Store, clock: FixedClock) -> None:
    put(store, "ring")
    assert len(take(store)) == 1
    clock.move_to(clock.now() + LEASE - timedelta(seconds=1))
    assert take(store) == ()
    clock.move_to(clock.now() + timedelta(seconds=1))
    assert [job.tries for job in take(store)] == [2]


def test_a_finished_job_never_comes_again(store: Store, clock: FixedClock) -> None:
    put(store, "ring")
    (job,) = take(store)
    with store.write() as work:
        queue.finish(work, job)
    clock.move_to(clock.now() + LEASE * 2)
    assert take(store) == ()
    assert row(store, job.id).done_at is not None


def test_a_job_given_back_is_due_as_if_never_taken(store: Store) -> None:
    put(store, "ring")
    (job,) = take(store)
    with store.write() as work:
        queue.give_back(work, job)
    assert [again.tries for again in take(store)] == [1]


def test_a_failed_job_waits_and_is_parked_after_the_last_try(store: Store, clock: FixedClock) -> None:
    put(store, "ring")
    began = clock.now()
    for tries in range(1, MAX_TRIES + 1):
        (job,) = take(store)
        assert job.tries == tries
        with store.write() as work:
            assert queue.fail(work, job, f"broken at try {tries}") == (tries == MAX_TRIES)
        clock.move_to(row(store, job.id).due_at)
    assert timedelta(minutes=15) < clock.now() - began < timedelta(hours=2)
    clock.move_to(clock.now() + timedelta(days=365))
    assert take(store) == ()
    with store.read() as work:
        assert [(job.id, job.error) for job in queue.list_jobs(work, parked=True)] == [
            (1, f"broken at try {MAX_TRIES}")
        ]
        assert queue.count_parked(work) == 1


def test_a_job_whose_worker_always_died_is_parked_too(store: Store, clock: FixedClock) -> None:
    put(store, "ring")
    for _ in range(MAX_TRIES):
        assert len(take(store)) == 1
        clock.move_to(clock.now() + LEASE)
    with store.write() as work:
        assert queue.park_exhausted(work) == 1
    assert "worker ended" in row(store, 1).error
    assert take(store) == ()


def test_a_parked_job_can_be_tried_again_from_the_beginning(store: Store, clock: FixedClock) -> None:
    test_a_job_whose_worker_always_died_is_parked_too(store, clock)
    with store.write() as work:
        queue.retry(work, 1)
    assert [job.tries for job in take(store)] == [1]
    assert row(store, 1).parked_at is None


def test_what_was_delivered_or_never_was_is_not_tried_again(store: Store) -> None:
    put(store, "ring")
    (job,) = take(store)
    with store.write() as work:
        queue.finish(work, job)
    with pytest.raises(Conflict) as conflict, store.write() as work:
        queue.retry(work, 1)
    with pytest.raises(NotFound) as missing, store.write() as work:
        queue.retry(work, 99)
    assert (conflict.value.code, missing.value.code) == ("job_done", "no_such_job")


def test_jobs_that_nobody_hears_are_done(store: Store) -> None:
    put(store, "other", "ring", "third")
    with store.write() as work:
        assert queue.finish_unheard(work, KINDS, 10) == 2
    with store.read() as work:
        assert [job.kind for job in queue.list_jobs(work)] == ["ring"]


def test_delivered_jobs_are_forgotten_and_parked_ones_are_not(store: Store, clock: FixedClock) -> None:
    put(store, "other", "ring")
    with store.write() as work:
        queue.finish_unheard(work, KINDS, 10)
        parked = work.session.get_one(OutboxRow, 2)
        parked.parked_at = work.now
    later = clock.now() + timedelta(days=40)
    with store.write() as work:
        assert queue.forget_delivered(work, clock.now()) == 0
        assert queue.forget_delivered(work, later) == 1
    with store.read() as work:
        assert [job.id for job in queue.list_jobs(work)] == [2]


def test_the_queue_says_whether_something_is_due(store: Store, clock: FixedClock) -> None:
    def due() -> bool:
        with store.read() as work:
            return queue.is_any_due(work)

    assert not due()
    put(store, "ring", due_in=timedelta(seconds=1))
    assert not due()
    clock.move_to(clock.now() + timedelta(seconds=1))
    assert due()
    take(store)
    assert not due()


def test_workers_at_once_never_take_the_same_job(store: Store) -> None:
    put(store, *["ring"] * 60)
    taken: list[int] = []
    failures: list[BaseException] = []

    def take_some() -> None:
        try:
            for _ in range(10):
                taken.extend(job.id for job in take(store, 3))
        except BaseException as error:  # noqa: BLE001  # told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=take_some) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(taken) == list(range(1, 61))


@pytest.mark.postgis
def test_on_postgresql_a_second_worker_passes_by_what_the_first_holds(postgis_store: Store) -> None:
    put(postgis_store, "ring", "ring", "ring")
    with postgis_store.write() as first:
        held = queue.take_jobs(first, KINDS, 2)
        assert [job.id for job in take(postgis_store)] == [3], "it did not wait for the first one's commit"
    assert [job.id for job in held] == [1, 2]


@given(st.integers(1, 10**9), st.integers(1, MAX_TRIES))
def test_the_delay_doubles_is_bounded_and_can_be_computed_again(job_id: int, tries: int) -> None:
    delay = queue.delay_after(job_id, tries)
    plain = min(FIRST_DELAY * 2 ** (tries - 1), LONGEST_DELAY)
    assert plain <= delay <= plain * 1.25
    assert delay == queue.delay_after(job_id, tries)


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    delays = {queue.delay_after(job_id, 3) for job_id in range(100)}
    assert len(delays) == 100
