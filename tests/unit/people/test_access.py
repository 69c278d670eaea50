"""Log-in and tokens, on both stores: what lets in, what refuses, and that refusals tell nothing."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from mapsvc.base.clock import FixedClock
from mapsvc.base.errors import Forbidden, InvalidInput, NotAuthenticated, NotFound
from mapsvc.people import queries
from mapsvc.people.models import ApiToken, User
from mapsvc.people.queries import UserRecord
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor
from mapsvc.people.rules.passwords import hash_password, verify_password
from mapsvc.people.service import access, users
from mapsvc.people.service.users import NewGrant, NewUser
from mapsvc.storage.work import Store

TODAY = date(2026, 11, 23)
PASSWORD = "three brown foxes"
HASH = hash_password("n", PASSWORD)


@pytest.fixture
def user(store: Store) -> UserRecord:
    with store.write() as work:
        users.add_user(work, SYSTEM, NewUser("noise", password_hash=HASH, grants=(NewGrant("admin"),)))
        return users.add_user(work, SYSTEM, NewUser("HeFang", "何芳", HASH, grants=(NewGrant("intake"),)))


def as_actor(store: Store, user: UserRecord) -> Actor:
    with store.read() as work:
        actor = queries.load_actor(work, user.id, TODAY)
    assert actor is not None
    return actor


def row(store: Store, user: UserRecord) -> User:
    with store.read() as work:
        return work.session.scalars(select(User).where(User.id == user.id)).one()


def refused(store: Store, name: str, password: str) -> NotAuthenticated:
    with pytest.raises(NotAuthenticated) as caught:
        access.log_in(store, name, password)
    return caught.value


def test_name_and_password_let_in(store: Store, user: UserRecord) -> None:
    assert access.log_in(store, "hefang", PASSWORD) == user
    assert access.log_in(store, "  HEFANG ", PASSWORD).id == user.id


def test_every_refusal_reads_alike(store: Store, user: UserRecord, clock: FixedClock) -> None:
    with store.write() as work:
        users.add_user(work, SYSTEM, NewUser("tokens-only"))
        closed = users.add_user(work, SYSTEM, NewUser("closed", password_hash=HASH))
        users.lock_user(work, SYSTEM, closed.id)
        waits = users.add_user(work, SYSTEM, NewUser("waits", password_hash=HASH))
        work.session.execute(
            update(User).where(User.id == waits.id).values(locked_until=work.now + timedelta(minutes=1))
        )
    attempts = [("hefang", "wrong"), ("nobody", PASSWORD), ("tokens-only", PASSWORD), ("closed", PASSWORD)]
    answers = {str(refused(store, *attempt)) for attempt in [*attempts, ("waits", PASSWORD), ("hefang", "")]}
    assert len(answers) == 1
    clock.move_to(clock.now() + timedelta(minutes=2))
    assert access.log_in(store, "waits", PASSWORD).id == waits.id


def test_every_refusal_takes_the_same_least_time(
    store: Store, user: UserRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    ticks = iter([10.0, 10.03, 20.0, 20.07, 30.0, 30.5])
    monkeypatch.setattr(access.time, "monotonic", lambda: next(ticks))
    monkeypatch.setattr(access.time, "sleep", slept.append)
    for name in ("hefang", "nobody", "nobody"):
        refused(store, name, "wrong")
    assert slept == pytest.approx([0.09, 0.05, 0.0])


def test_failures_are_counted_although_they_are_refused(
    store: Store, user: UserRecord, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REFUSED_AFTER_S", 0.0)
    for _ in range(4):
        refused(store, "hefang", "wrong")
    assert row(store, user).failed_logins == 4
    assert row(store, user).locked_until is None
    refused(store, "hefang", "wrong")
    assert row(store, user).locked_until == clock.now() + timedelta(seconds=15)
    refused(store, "hefang", PASSWORD)
    assert row(store, user).failed_logins == 5
    clock.move_to(clock.now() + timedelta(seconds=16))
    refused(store, "hefang", "wrong")
    assert row(store, user).locked_until == clock.now() + timedelta(seconds=30)
    clock.move_to(clock.now() + timedelta(seconds=31))
    access.log_in(store, "hefang", PASSWORD)
    assert (row(store, user).failed_logins, row(store, user).locked_until) == (0, None)


def test_failures_at_the_same_time_are_all_counted(
    store: Store, user: UserRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REFUSED_AFTER_S", 0.0)
    together = threading.Barrier(4)

    def fail() -> None:
        together.wait()
        refused(store, "hefang", "wrong")

    threads = [threading.Thread(target=fail) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert row(store, user).failed_logins == 4


def test_a_password_changed_in_between_refuses(store: Store, user: UserRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    other = hash_password("n", "another good one")

    def slow(kept: str | None, password: str) -> bool:
        with store.write() as work:
            users.set_password(work, SYSTEM, user.id, other)
        return verify_password(kept, password)

    monkeypatch.setattr(access, "verify_password", slow)
    refused(store, "hefang", PASSWORD)


def test_a_weak_hash_is_renewed_at_log_in(store: Store, user: UserRecord) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    with store.write() as work:
        work.session.execute(update(User).where(User.id == user.id).values(password_hash=weak))
    access.log_in(store, "hefang", PASSWORD)
    renewed = row(store, user).password_hash
    assert renewed != weak
    assert verify_password(renewed, PASSWORD)
    assert row(store, user).revision == user.revision


def test_changing_ones_own_password_ends_sessions(store: Store, user: UserRecord) -> None:
    actor = as_actor(store, user)
    changed = access.change_own_password(store, actor, PASSWORD, "four green herons")
    assert changed.revision == user.revision + 1
    access.log_in(store, "hefang", "four green herons")
    refused(store, "hefang", PASSWORD)
    with store.read() as work:
        assert queries.load_actor(work, user.id, TODAY, revision=user.revision) is None
        assert queries.load_actor(work, user.id, TODAY, revision=changed.revision) is not None


def test_the_old_password_is_asked_for_and_the_new_one_checked(store: Store, user: UserRecord) -> None:
    actor = as_actor(store, user)
    with pytest.raises(NotAuthenticated):
        access.change_own_password(store, actor, "wrong", "four green herons")
    with pytest.raises(InvalidInput):
        access.change_own_password(store, actor, PASSWORD, "short")
    with pytest.raises(NotAuthenticated):
        access.change_own_password(store, PUBLIC, PASSWORD, "four green herons")
    access.log_in(store, "hefang", PASSWORD)


def test_a_token_stands_for_its_account(store: Store, user: UserRecord) -> None:
    actor = as_actor(store, user)
    with store.write() as work:
        issued = access.issue_token(work, actor, user.id, " phone ")
        noise = access.issue_token(work, SYSTEM, user.id, "other")
    assert issued.name == "phone"
    assert issued.secret.startswith("mapsvc_")
    assert issued.secret != noise.secret
    with store.read() as work:
        found = queries.load_actor_by_token(work, issued.secret, TODAY)
        kept = work.session.scalars(select(ApiToken.token_sha256)).all()
        assert queries.load_actor_by_token(work, issued.secret + "x", TODAY) is None
        assert queries.load_actor_by_token(work, "", TODAY) is None
        assert queries.load_actor_by_token(work, kept[0], TODAY) is None
    assert found == actor
    assert found is not None
    assert found.via_token
    assert all(issued.secret not in text for text in kept)


def test_tokens_end(store: Store, user: UserRecord, clock: FixedClock) -> None:
    actor = as_actor(store, user)
    with store.write() as work:
        dated = access.issue_token(work, actor, user.id, "dated", expires_at=work.now + timedelta(days=1))
        revoked = access.issue_token(work, actor, user.id, "revoked")
        closed = access.issue_token(work, actor, user.id, "closed")
    with store.write() as work:
        access.revoke_token(work, actor, revoked.id)
        access.revoke_token(work, actor, revoked.id)
    with store.read() as work:
        assert queries.load_actor_by_token(work, dated.secret, TODAY) is not None
        assert queries.load_actor_by_token(work, revoked.secret, TODAY) is None
    clock.move_to(clock.now() + timedelta(days=1))
    with store.write() as work:
        assert queries.load_actor_by_token(work, dated.secret, TODAY) is None
        assert queries.load_actor_by_token(work, closed.secret, TODAY) is not None
        users.lock_user(work, SYSTEM, user.id)
    with store.write() as work:
        assert queries.load_actor_by_token(work, closed.secret, TODAY) is None
        users.unlock_user(work, SYSTEM, user.id)
    with store.read() as work:
        assert queries.load_actor_by_token(work, closed.secret, TODAY) is None
        actions = [change.action for change in queries.list_account_changes(work, SYSTEM, user.id)]
    assert actions.count("token_revoked") == 1
    assert actions[-2:] == ["locked", "unlocked"]


def test_tokens_of_others_are_the_administrators(store: Store, user: UserRecord) -> None:
    actor = as_actor(store, user)
    with store.write() as work:
        other = users.add_user(work, SYSTEM, NewUser("other"))
        theirs = access.issue_token(work, SYSTEM, other.id, "theirs")
        with pytest.raises(Forbidden):
            access.issue_token(work, actor, other.id, "mine")
        with pytest.raises(Forbidden):
            access.revoke_token(work, actor, theirs.id)
        with pytest.raises(Forbidden):
            queries.list_tokens(work, actor, other.id)
        with pytest.raises(NotFound):
            access.revoke_token(work, SYSTEM, 9999)
        with pytest.raises(NotFound):
            access.issue_token(work, SYSTEM, 9999, "nobody's")
        with pytest.raises(InvalidInput):
            access.issue_token(work, actor, user.id, "  ")
        with pytest.raises(InvalidInput):
            access.issue_token(work, actor, user.id, "late", expires_at=work.now)
        assert [token.name for token in queries.list_tokens(work, SYSTEM, other.id)] == ["theirs"]
        assert queries.list_tokens(work, actor, user.id) == ()
