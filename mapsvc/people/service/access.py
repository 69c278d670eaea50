"""Log-in by password and tokens for programs.

The slow hash is computed between two short transactions, so that no writer waits for it; failures are
counted in the second one, which commits before the refusal is raised. An unknown name, a wrong
password, a closed account and one that waits all answer alike, and not before `REFUSED_AFTER_S`, so
that the time taken tells nothing either (a failure that is counted costs a write, the others none).
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime

from mapsvc.base.errors import InvalidInput, NotAuthenticated, NotFound
from mapsvc.people.models import ApiToken, User
from mapsvc.people.queries import UserRecord, find_log_in, get_user, token_sha256, user_record
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.passwords import PasswordHash, hash_password, renew_hash, verify_password, wait_after
from mapsvc.people.rules.permissions import require
from mapsvc.people.service.users import note_account_event, set_password
from mapsvc.storage.work import Store, Work

TOKEN_PREFIX = "mapsvc_"  # noqa: S105  # so that scanners recognise a token that leaked

REFUSED_AFTER_S = 0.12
"""Longer than hashing and writing take together on the machines that this is made for."""


@dataclass(frozen=True)
class IssuedToken:
    """A new token. `secret` is shown this once; only its SHA-256 is kept."""

    id: int
    name: str
    secret: str
    expires_at: datetime | None


def log_in(store: Store, name: str, password: str) -> UserRecord:
    """Return the account of a name and password; anything else raises `NotAuthenticated`.

    Takes a store, not a work: see the head of the module.
    """
    started = time.monotonic()
    user = _log_in(store, name, password)
    if user is None:
        time.sleep(max(0.0, REFUSED_AFTER_S - (time.monotonic() - started)))
        raise NotAuthenticated(
            "log_in_failed",
            "Name or password is wrong, or the account is closed for the moment.",
            hint="After several failures an account waits up to 15 minutes; then try again.",
        )
    return user


def _log_in(store: Store, name: str, password: str) -> UserRecord | None:
    with store.read() as work:
        found = find_log_in(work, name)
        waits = found is not None and found.locked_until is not None and found.locked_until > work.now
    fits = verify_password(found.password_hash if found and found.active else None, password)
    if found is None or waits or not found.active or found.password_hash is None:
        return None
    renewed = renew_hash(found.password_hash, password) if fits else None
    with store.write() as work:
        return _settle(work, found.user_id, found.password_hash, fits, renewed)


def _settle(
    work: Work, user_id: int, verified_hash: str, fits: bool, renewed: PasswordHash | None
) -> UserRecord | None:
    """Count a failure or forget them; None where the account closed, waits or changed in the meantime."""
    user = work.session.get(User, user_id, with_for_update=True)
    if user is None or not user.active or (user.locked_until is not None and user.locked_until > work.now):
        return None
    if not fits:
        user.failed_logins += 1
        wait = wait_after(user.failed_logins)
        user.locked_until = work.now + wait if wait else None
        return None
    if user.password_hash != verified_hash:
        return None
    user.failed_logins = 0
    user.locked_until = None
    if renewed is not None:
        user.password_hash = renewed
    return user_record(user)


def change_own_password(store: Store, actor: Actor, old: str, new: str) -> UserRecord:
    """Change one's own password, knowing the old one; every session ends, the caller opens a new one."""
    require(actor, "account.own")
    if actor.user_id is None:
        raise NotAuthenticated("login_required", "This needs a log-in.")
    with store.read() as work:
        name = get_user(work, actor.user_id).name
    log_in(store, name, old)
    fresh = hash_password(name, new)
    with store.write() as work:
        set_password(work, actor, actor.user_id, fresh)
        return get_user(work, actor.user_id)


def issue_token(
    work: Work, actor: Actor, user_id: int, name: str, *, expires_at: datetime | None = None
) -> IssuedToken:
    """Make a bearer token for an account; its secret is returned once and never again."""
    require(actor, "account.own_tokens" if actor.user_id == user_id else "user.change")
    get_user(work, user_id)
    if not name.strip():
        raise InvalidInput("token_needs_name", "A token has a name.", hint="Name what will use it.")
    if expires_at is not None and expires_at <= work.now:
        raise InvalidInput("token_expired", "This token would have expired already.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user_id,
        name=name.strip(),
        token_sha256=token_sha256(secret),
        created_at=work.now,
        expires_at=expires_at,
    )
    work.session.add(token)
    work.session.flush()  # its number goes into the answer
    note_account_event(work, actor, user_id, "token_issued", token_id=token.id, name=token.name)
    return IssuedToken(token.id, token.name, secret, expires_at)


def revoke_token(work: Work, actor: Actor, token_id: int) -> None:
    """End a token at once; one that ended before stays as it was."""
    token = work.session.get(ApiToken, token_id)
    own = token is not None and actor.user_id == token.user_id
    require(actor, "account.own_tokens" if own else "user.change")
    if token is None:
        raise NotFound("token_not_found", f"There is no token {token_id}.")
    if token.revoked_at is None:
        token.revoked_at = work.now
        note_account_event(work, actor, token.user_id, "token_revoked", token_id=token.id, name=token.name)
