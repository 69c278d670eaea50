"""Passwords: which are good enough, how they are hashed, and how long an account waits after failures.

Argon2id with the parameters that OWASP names as the least (19 MiB, two passes, one lane), so that a
burst of log-ins does not exhaust a small server; a hash made with others is renewed at the next log-in.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from functools import cache
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mapsvc.base.errors import InvalidInput

PasswordHash = NewType("PasswordHash", str)

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 200
FREE_FAILURES = 5
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

_STEMS = (
    "password",
    "passw0rd",
    "qwertyuiop",
    "1qaz2wsx",
    "woaini",
    "admin",
    "letmein",
    "welcome",
    "iloveyou",
    "mapsvc",
)
_RUNS = ("01234567890123456789", "09876543210987654321", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def check_password(name: str, password: str) -> None:
    """Raise `InvalidInput` for a password that is too short, too long or among the first that are guessed."""
    text = _normal(password)
    if len(text) < LEAST_CHARACTERS:
        raise InvalidInput(
            "password_too_short",
            f"A password has at least {LEAST_CHARACTERS} characters.",
            hint="Several words in a row are easy to remember.",
        )
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput("password_too_long", f"A password has at most {MOST_CHARACTERS} characters.")
    plain = text.casefold()
    rest = plain
    for stem in (*_STEMS, *([name.casefold()] if name else [])):
        rest = rest.replace(stem, "")
    bare = rest.strip("0123456789!@#$%^&*._- ")
    if len(set(plain)) < 4 or any(plain in run for run in _RUNS) or (rest != plain and len(bare) < 3):
        raise InvalidInput(
            "password_common",
            "This password is among the first that are guessed.",
            hint="Avoid the account's name, rows of the keyboard and words such as password.",
        )


def hash_password(name: str, password: str) -> PasswordHash:
    """Check a new password and hash it. Takes some 20 ms: call it before a transaction is opened."""
    check_password(name, password)
    return PasswordHash(_HASHER.hash(_normal(password)))


def verify_password(kept: str | None, password: str) -> bool:
    """Return whether a password fits a hash; with None, take the time that a real one takes and say no."""
    if len(password) > MOST_CHARACTERS:
        password = ""  # never right, and costs no more than any other
    try:
        fits = _HASHER.verify(kept or _nobody(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return fits and bool(kept)


def renew_hash(kept: str, password: str) -> PasswordHash | None:
    """Return a new hash of a password just verified where the kept one was made with weaker parameters."""
    return PasswordHash(_HASHER.hash(_normal(password))) if _HASHER.check_needs_rehash(kept) else None


def wait_after(failures: int) -> timedelta:
    """Return how long an account stays closed after so many failures in a row: nothing, then doubling."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings: int = 2 ** min(failures - FREE_FAILURES, 16)
    return min(LONGEST_WAIT, FIRST_WAIT * doublings)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
