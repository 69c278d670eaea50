"""Reads of people: accounts with their roles, persons, units."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import and_, or_, select

from mapsvc.base.errors import NotFound
from mapsvc.people.models import AccountEvent, ApiToken, Grant, Person, Unit, User
from mapsvc.people.rules.actor import Actor, RoleHeld
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Work

T = TypeVar("T")

CHUNK = 500
"""Values in one IN list: below the limit of every SQLite that is met in the field."""


@dataclass(frozen=True)
class UserRecord:
    """An account as others see it: no hash in it."""

    id: int
    name: str
    display_name: str
    person_id: int | None
    active: bool
    language: str
    revision: int
    created_at: datetime
    locked_until: datetime | None


@dataclass(frozen=True)
class GrantRecord:
    """One role of an account, for an area, a unit or everywhere; days are local, the last one is held."""

    id: int
    user_id: int
    role: str
    area_id: int | None
    unit_id: int | None
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class TokenRecord:
    """An API token without its secret."""

    id: int
    user_id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class AccountChange:
    """One line of an account's history."""

    at: datetime
    by_user_id: int | None
    action: str
    data: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PersonRecord:
    """Somebody who may hold posts. The name goes to the public only where `public` is set (公示)."""

    id: int
    code: str
    name: str
    phone: str
    public: bool


@dataclass(frozen=True)
class UnitRecord:
    """A handling unit (处置单位)."""

    id: int
    code: str
    name: str
    phone: str
    kind: str
    ended_on: date | None


@dataclass(frozen=True)
class LogIn:
    """What a log-in is decided by; it never leaves the package of people."""

    user_id: int
    password_hash: str | None
    active: bool
    locked_until: datetime | None


def load_actor(work: Work, user_id: int, on: date, *, revision: int | None = None) -> Actor | None:
    """Return the account as an actor with the roles granted to it on a local day.

    None for an account that is not there or closed, or whose `revision` is another one by now (its
    sessions ended). Roles that follow from posts are not in it; `areas.queries.actor_posts` has them.
    """
    user = work.session.execute(select(User).where(User.id == user_id, User.active)).scalar_one_or_none()
    if user is None or (revision is not None and user.revision != revision):
        return None
    return _actor(work, user, on)


def load_actor_by_token(work: Work, secret: str, on: date) -> Actor | None:
    """Return who a bearer token stands for; None for one unknown, revoked, expired, or of a closed account."""
    user = work.session.execute(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(
            ApiToken.token_sha256 == token_sha256(secret),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > work.now),
            User.active,
        )
    ).scalar_one_or_none()
    return None if user is None else _actor(work, user, on, via_token=True)


def token_sha256(secret: str) -> str:
    """Return what is stored of a token. Its 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _actor(work: Work, user: User, on: date, *, via_token: bool = False) -> Actor:
    grants = work.session.scalars(
        select(Grant)
        .where(
            Grant.user_id == user.id,
            or_(Grant.valid_from.is_(None), Grant.valid_from <= on),
            or_(Grant.valid_to.is_(None), Grant.valid_to >= on),
        )
        .order_by(Grant.id)
    )
    return Actor(
        user_id=user.id,
        name=user.display_name,
        roles=tuple(RoleHeld(grant.role, grant.area_id, grant.unit_id) for grant in grants),
        person_id=user.person_id,
        language=user.language,
        via_token=via_token,
    )


def find_log_in(work: Work, name: str) -> LogIn | None:
    """Return what a log-in under this name is decided by."""
    row = work.session.execute(
        select(User.id, User.password_hash, User.active, User.locked_until).where(User.name == account_name(name))
    ).one_or_none()
    return None if row is None else LogIn(row.id, row.password_hash, row.active, row.locked_until)


def account_name(name: str) -> str:
    """Return an account's name as it is stored and sought: without spaces around it, in small letters."""
    return name.strip().casefold()


def find_user(work: Work, name: str) -> UserRecord | None:
    """Return the account of this name."""
    user = work.session.scalars(select(User).where(User.name == account_name(name))).one_or_none()
    return None if user is None else user_record(user)


def get_user(work: Work, user_id: int) -> UserRecord:
    """Return an account by its number."""
    user = work.session.get(User, user_id)
    if user is None:
        raise NotFound("user_not_found", f"There is no account {user_id}.")
    return user_record(user)


def user_names(work: Work, user_ids: Iterable[int]) -> dict[int, str]:
    """Return the names that accounts show, by number; unknown numbers are left out."""
    found: dict[int, str] = {}
    for chunk in _chunks(sorted(set(user_ids))):
        for user_id, name in work.session.execute(select(User.id, User.display_name).where(User.id.in_(chunk))):
            found[user_id] = name
    return found


def list_users(work: Work, actor: Actor, *, after: str = "", limit: int = 100) -> tuple[UserRecord, ...]:
    """List accounts by name, beginning behind the name `after`."""
    require(actor, "user.view")
    rows = work.session.scalars(select(User).where(User.name > after).order_by(User.name).limit(limit))
    return tuple(user_record(user) for user in rows)


def list_grants(work: Work, actor: Actor, user_ids: Sequence[int]) -> tuple[GrantRecord, ...]:
    """List the roles given to accounts, ended ones too, in the order in which they were given."""
    require(actor, "user.view")
    found: list[GrantRecord] = []
    for chunk in _chunks(user_ids):
        rows = work.session.scalars(select(Grant).where(Grant.user_id.in_(chunk)).order_by(Grant.id))
        found.extend(grant_record(grant) for grant in rows)
    return tuple(found)


def list_tokens(work: Work, actor: Actor, user_id: int) -> tuple[TokenRecord, ...]:
    """List an account's tokens, revoked ones too; one's own need no more than the account."""
    require(actor, "account.own_tokens" if actor.user_id == user_id else "user.view")
    rows = work.session.scalars(select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id))
    return tuple(
        TokenRecord(row.id, row.user_id, row.name, row.created_at, row.expires_at, row.revoked_at) for row in rows
    )


def list_account_changes(work: Work, actor: Actor, user_id: int) -> tuple[AccountChange, ...]:
    """List what was done to an account, the newest last."""
    require(actor, "user.view")
    rows = work.session.scalars(select(AccountEvent).where(AccountEvent.user_id == user_id).order_by(AccountEvent.id))
    return tuple(
        AccountChange(row.at, row.by_user_id, row.action, tuple((key, str(value)) for key, value in row.data.items()))
        for row in rows
    )


def find_person(work: Work, code: str) -> PersonRecord | None:
    """Return a person by code."""
    person = work.session.scalars(select(Person).where(Person.code == code)).one_or_none()
    return None if person is None else _person(person)


def list_persons_by_code(work: Work, codes: Iterable[str], *, lock: bool = False) -> dict[str, int]:
    """Return the numbers of persons by code; unknown codes are left out. `lock`: nobody else locks them meanwhile."""
    found: dict[str, int] = {}
    for chunk in _chunks(sorted(set(codes))):
        query = select(Person.code, Person.id).where(Person.code.in_(chunk)).order_by(Person.id)
        found.update(dict(work.session.execute(query.with_for_update() if lock else query).all()))
    return found


def persons_by_id(work: Work, person_ids: Iterable[int]) -> dict[int, PersonRecord]:
    """Return persons by number; unknown numbers are left out."""
    found: dict[int, PersonRecord] = {}
    for chunk in _chunks(sorted(set(person_ids))):
        for person in work.session.scalars(select(Person).where(Person.id.in_(chunk))):
            found[person.id] = _person(person)
    return found


def persons_by_code(work: Work, codes: Iterable[str]) -> dict[str, PersonRecord]:
    """Return persons by code; unknown codes are left out."""
    found: dict[str, PersonRecord] = {}
    for chunk in _chunks(sorted(set(codes))):
        for person in work.session.scalars(select(Person).where(Person.code.in_(chunk))):
            found[person.code] = _person(person)
    return found


def find_unit(work: Work, code: str) -> UnitRecord | None:
    """Return a handling unit by code, ended or not."""
    unit = work.session.scalars(select(Unit).where(Unit.code == code)).one_or_none()
    return None if unit is None else _unit(unit)


def units_by_id(work: Work, unit_ids: Iterable[int]) -> dict[int, UnitRecord]:
    """Return units by number; unknown numbers are left out."""
    found: dict[int, UnitRecord] = {}
    for chunk in _chunks(sorted(set(unit_ids))):
        for unit in work.session.scalars(select(Unit).where(Unit.id.in_(chunk))):
            found[unit.id] = _unit(unit)
    return found


def units_by_code(work: Work, codes: Iterable[str]) -> dict[str, UnitRecord]:
    """Return units by code; unknown codes are left out."""
    found: dict[str, UnitRecord] = {}
    for chunk in _chunks(sorted(set(codes))):
        for unit in work.session.scalars(select(Unit).where(Unit.code.in_(chunk))):
            found[unit.code] = _unit(unit)
    return found


def unit_ids(work: Work) -> dict[str, int]:
    """Return the ids of all units by code and by whole name, as tables of other offices name them."""
    rows = work.session.execute(select(Unit.id, Unit.code, Unit.name).order_by(Unit.id)).all()
    return {name: unit_id for unit_id, _, name in rows} | {code: unit_id for unit_id, code, _ in rows}


def list_units(work: Work, actor: Actor, on: date, *, after: str = "", limit: int = 1000) -> tuple[UnitRecord, ...]:
    """List the units that work on a local day, by code, beginning behind the code `after`."""
    require(actor, "unit.view")
    query = (
        select(Unit)
        .where(and_(Unit.code > after, or_(Unit.ended_on.is_(None), Unit.ended_on >= on)))
        .order_by(Unit.code)
        .limit(limit)
    )
    return tuple(_unit(unit) for unit in work.session.scalars(query))


def user_record(user: User) -> UserRecord:
    """Return the record of a row."""
    return UserRecord(
        id=user.id,
        name=user.name,
        display_name=user.display_name,
        person_id=user.person_id,
        active=user.active,
        language=user.language,
        revision=user.revision,
        created_at=user.created_at,
        locked_until=user.locked_until,
    )


def grant_record(grant: Grant) -> GrantRecord:
    """Return the record of a row."""
    return GrantRecord(
        grant.id, grant.user_id, grant.role, grant.area_id, grant.unit_id, grant.valid_from, grant.valid_to
    )


def _person(row: Person) -> PersonRecord:
    return PersonRecord(row.id, row.code, row.name, row.phone, row.public)


def _unit(row: Unit) -> UnitRecord:
    return UnitRecord(row.id, row.code, row.name, row.phone, row.kind, row.ended_on)


def _chunks(values: Sequence[T]) -> Iterable[Sequence[T]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
