"""Who asks: a signed cookie for people, a bearer token for programs and phones, nobody otherwise.

The cookie holds the user's number and revision only. It is signed anew with every page and ends
`MAPSVC_SESSION_HOURS` after the last one. A request that changes something always reads the account
from the store; one that only reads may act on what was read up to `REMEMBERED_S` seconds before, so
that a log-out everywhere, a lock or a new password takes at most that long to stop the last look.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer

from mapsvc.areas.queries.posts import actor_posts
from mapsvc.base.errors import NotAuthenticated
from mapsvc.people.queries import UserRecord, load_actor, load_actor_by_token, token_sha256
from mapsvc.people.rules.actor import PUBLIC, Actor
from mapsvc.people.service.access import log_in as check_log_in
from mapsvc.storage.work import Work
from mapsvc.web.csrf import SAFE_METHODS
from mapsvc.web.parts import now, parts, today

COOKIE = "mapsvc"
REMEMBERED_S = 5.0
_MOST_REMEMBERED = 10_000
_USER = "user"
_REVISION = "revision"


@dataclass(frozen=True)
class _Remembered:
    actor: Actor
    until: datetime


class ActorMemory:
    """Accounts read a moment ago, by log-in and day; one per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[object, ...], _Remembered] = {}

    def find(self, key: tuple[object, ...], moment: datetime) -> Actor | None:
        """Return what is remembered under `key` and not too old."""
        found = self._known.get(key)
        return found.actor if found is not None and moment < found.until else None

    def keep(self, key: tuple[object, ...], actor: Actor, moment: datetime) -> None:
        """Remember an actor for `REMEMBERED_S` seconds."""
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = _Remembered(actor, moment + timedelta(seconds=REMEMBERED_S))

    def forget(self) -> None:
        """Forget everybody; after any change of accounts in this process."""
        with self._lock:
            self._known.clear()


class SignedSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, signed anew only by answers that looked at it: a style sheet carries none."""

    digest_method = staticmethod(hashlib.sha256)

    def __init__(self) -> None:
        self._signers: dict[object, URLSafeTimedSerializer | None] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the signer, made once for each key: Flask would make one for each request."""
        if app.secret_key not in self._signers:
            self._signers[app.secret_key] = super().get_signing_serializer(app)
        return self._signers[app.secret_key]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if COOKIE not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        if session.modified or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
            return session.accessed and super().should_set_cookie(app, session)
        return False  # data for a page: answered late, its old cookie would bring back what the next page has told


def find_actor() -> Actor:
    """Return who sends this request.

    A bearer token that is not valid raises `NotAuthenticated`: who sends one wants to be somebody. A
    session that ended is emptied, and its owner is nobody until the next log-in.
    """
    header = request.headers.get("Authorization", "")
    if header:
        return _by_token(header)
    if COOKIE not in request.cookies:
        return PUBLIC
    return _by_session()


def _by_token(header: str) -> Actor:
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or not secret.isascii():
        raise NotAuthenticated(
            "bad_authorization", "This kind of authorization is not known.", hint="Send a bearer token."
        )
    key = ("token", token_sha256(secret), today())
    actor = _remembered(key)
    if actor is None:
        with parts().store.read() as work:
            found = load_actor_by_token(work, secret, today())
            actor = None if found is None else with_posts(work, found)
        if actor is None:
            raise NotAuthenticated("bad_token", "The token is not valid, or no longer.", hint="Ask for a new one.")
        parts().actors.keep(key, actor, now())
    return actor


def _by_session() -> Actor:
    user_id, revision = session.get(_USER), session.get(_REVISION)
    if not isinstance(user_id, int) or not isinstance(revision, int):
        return PUBLIC
    key = ("session", user_id, revision, today())
    actor = _remembered(key)
    if actor is None:
        with parts().store.read() as work:
            found = load_actor(work, user_id, today(), revision=revision)
            actor = None if found is None else with_posts(work, found)
        if actor is None:
            session.clear()
            return PUBLIC
        parts().actors.keep(key, actor, now())
    return actor


def _remembered(key: tuple[object, ...]) -> Actor | None:
    return parts().actors.find(key, now()) if request.method in SAFE_METHODS else None


def with_posts(work: Work, actor: Actor) -> Actor:
    """Return the actor with the roles that follow from posts held today."""
    if actor.person_id is None:
        return actor
    return replace(actor, roles=(*actor.roles, *actor_posts(work, actor.person_id, today())))


def log_in(name: str, password: str) -> UserRecord:
    """Check a name and password, and begin a session; anything wrong raises `NotAuthenticated`.

    The session is emptied first, so that no token or word of a stranger's session lives on in it.
    """
    user = check_log_in(parts().store, name, password)
    begin_session(user)
    return user


def begin_session(user: UserRecord) -> None:
    """Begin a session for an account whose password was just checked or changed."""
    session.clear()
    session.permanent = True
    session[_USER] = user.id
    session[_REVISION] = user.revision
    parts().actors.forget()


def log_out() -> None:
    """End this session. The cookie of a thief ends only when the account logs out everywhere."""
    session.clear()
    parts().actors.forget()
