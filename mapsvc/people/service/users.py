"""Accounts and their roles: added, changed, closed; every change leaves a line in the account's history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, NotFound
from mapsvc.people.models import AccountEvent, ApiToken, Grant, Person, Unit, User
from mapsvc.people.queries import GrantRecord, UserRecord, account_name, grant_record, user_record
from mapsvc.people.rules.actor import PLACE_BOUND, ROLES, UNIT_BOUND, Actor
from mapsvc.people.rules.passwords import PasswordHash
from mapsvc.people.rules.permissions import conflicting_roles, require
from mapsvc.storage.work import Work

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class NewGrant:
    """A role to give: for one area (with all below it), for one unit, or everywhere; days are local."""

    role: str
    area_id: int | None = None
    unit_id: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class NewUser:
    """An account to add. Without a hash nobody can log in with a password; tokens still work.

    `person_id` binds it to somebody who holds posts: their roles follow from these posts.
    """

    name: str
    display_name: str = ""
    password_hash: PasswordHash | None = None
    person_id: int | None = None
    language: str = "zh"
    grants: Sequence[NewGrant] = field(default=())


def add_user(work: Work, actor: Actor, new: NewUser) -> UserRecord:
    """Add an account with its roles; a name that is taken raises `Conflict`."""
    require(actor, "user.add")
    name = account_name(new.name)
    if not name or len(name) > 64 or any(character.isspace() or not character.isprintable() for character in name):
        raise InvalidInput(
            "bad_user_name", f"{new.name!r} cannot be the name of an account.", hint="Up to 64 characters, no spaces."
        )
    _check_language(new.language)
    if work.session.scalars(select(User.id).where(User.name == name)).first() is not None:
        raise Conflict("user_exists", f"There is an account {name} already.", hint="Choose another name.")
    if new.person_id is not None and work.session.get(Person, new.person_id) is None:
        raise NotFound("person_not_found", f"There is no person {new.person_id}.")
    user = User(
        name=name,
        display_name=new.display_name.strip() or new.name.strip(),
        password_hash=new.password_hash,
        person_id=new.person_id,
        language=new.language,
        created_at=work.now,
    )
    work.session.add(user)
    work.session.flush()  # the grants need its number
    _note(work, actor, user, "added", name=name)
    for grant in new.grants:
        grant_role(work, actor, user.id, grant)
    return user_record(user)


def grant_role(work: Work, actor: Actor, user_id: int, new: NewGrant) -> GrantRecord:
    """Give a role to an account, unless it must be kept apart from one that the account holds."""
    require(actor, "user.add")
    user = _get(work, user_id)
    _check_grant(work, user, new)
    grant = Grant(
        user_id=user_id,
        role=new.role,
        area_id=new.area_id,
        unit_id=new.unit_id,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
    )
    work.session.add(grant)
    work.session.flush()  # its number goes into the record
    _note(work, actor, user, "role_granted", role=new.role, area_id=new.area_id, unit_id=new.unit_id)
    return grant_record(grant)


def end_grant(work: Work, actor: Actor, grant_id: int, last_day: date) -> None:
    """End a role after a local day; sessions go on, their next request sees it."""
    require(actor, "user.add")
    grant = work.session.get(Grant, grant_id)
    if grant is None:
        raise NotFound("grant_not_found", f"There is no role with the number {grant_id}.")
    if grant.valid_from is not None and last_day < grant.valid_from:
        raise InvalidInput("bad_dates", f"The role began on {grant.valid_from}; it cannot end before.")
    grant.valid_to = last_day
    _note(work, actor, _get(work, grant.user_id), "role_ended", role=grant.role, last_day=last_day.isoformat())


def set_password(work: Work, actor: Actor, user_id: int, password_hash: PasswordHash) -> None:
    """Set a password and end every session of the account; one's own is set by whoever verified the old one."""
    require(actor, "account.own" if actor.user_id == user_id else "user.change")
    user = _get(work, user_id)
    user.password_hash = password_hash
    user.failed_logins = 0
    user.locked_until = None
    user.revision += 1
    _note(work, actor, user, "password_set")


def set_language(work: Work, actor: Actor, language: str) -> None:
    """Keep the language in which one reads the pages."""
    require(actor, "account.own")
    if actor.user_id is None:
        raise Forbidden("no_account", "Only an account keeps a language.")
    _check_language(language)
    _get(work, actor.user_id).language = language


def lock_user(work: Work, actor: Actor, user_id: int) -> None:
    """Close an account: no log-in, sessions end, tokens are revoked. Nothing of its history goes."""
    require(actor, "user.change")
    if actor.user_id == user_id:
        raise Forbidden("own_account", "Nobody closes their own account.", hint="Ask another administrator.")
    user = _get(work, user_id)
    user.active = False
    user.revision += 1
    for token in work.session.scalars(
        select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    ):
        token.revoked_at = work.now
    _note(work, actor, user, "locked")


def unlock_user(work: Work, actor: Actor, user_id: int) -> None:
    """Open an account again, and forget failed log-ins; revoked tokens stay revoked."""
    require(actor, "user.change")
    user = _get(work, user_id)
    user.active = True
    user.failed_logins = 0
    user.locked_until = None
    _note(work, actor, user, "unlocked")


def log_out_everywhere(work: Work, actor: Actor, user_id: int) -> None:
    """End every session of an account; its password and tokens stay."""
    require(actor, "account.own" if actor.user_id == user_id else "user.change")
    user = _get(work, user_id)
    user.revision += 1
    _note(work, actor, user, "sessions_ended")


def note_account_event(work: Work, actor: Actor, user_id: int, action: str, **data: Any) -> None:
    """Append a line to an account's history."""
    work.session.add(AccountEvent(user_id=user_id, at=work.now, by_user_id=actor.user_id, action=action, data=data))


def _note(work: Work, actor: Actor, user: User, action: str, **data: Any) -> None:
    note_account_event(work, actor, user.id, action, **data)


def _get(work: Work, user_id: int) -> User:
    user = work.session.get(User, user_id)
    if user is None:
        raise NotFound("user_not_found", f"There is no account {user_id}.")
    return user


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise InvalidInput("bad_language", f"{language!r} is no language of the pages.", hint="zh or en.")


def _check_grant(work: Work, user: User, new: NewGrant) -> None:
    if new.role not in ROLES:
        raise InvalidInput("unknown_role", f"There is no role {new.role!r}.", hint=f"Roles: {', '.join(ROLES)}.")
    if new.area_id is not None and new.unit_id is not None:
        raise InvalidInput("grant_area_and_unit", "A role holds for an area or for a unit, not for both.")
    if (new.role in UNIT_BOUND) != (new.unit_id is not None):
        raise InvalidInput("grant_unit", f"The role {new.role} and a unit do not fit.", hint="unit_staff has a unit.")
    if new.role in PLACE_BOUND and new.area_id is None and user.person_id is None:
        raise InvalidInput(
            "grant_needs_area",
            f"The role {new.role} holds in an area.",
            hint="Name the area, or the person whose posts say where.",
        )
    if new.valid_from is not None and new.valid_to is not None and new.valid_to < new.valid_from:
        raise InvalidInput("bad_dates", "A role cannot end before it begins.")
    if new.unit_id is not None and work.session.get(Unit, new.unit_id) is None:
        raise NotFound("unit_not_found", f"There is no unit {new.unit_id}.")
    held = [
        grant.role
        for grant in work.session.scalars(select(Grant).where(Grant.user_id == user.id))
        if _overlap(grant, new)
    ]
    why = conflicting_roles([*held, new.role])
    if why:
        raise Conflict(
            "roles_apart",
            f"{user.name} cannot also be {new.role}: {why}.",
            hint="Give the role to somebody else, or end the other one first.",
        )


def _overlap(grant: Grant, new: NewGrant) -> bool:
    begins_after = grant.valid_from and new.valid_to and grant.valid_from > new.valid_to
    ends_before = grant.valid_to and new.valid_from and grant.valid_to < new.valid_from
    return not (begins_after or ends_before)
