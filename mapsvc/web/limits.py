"""How often one address may report without an account.

Counts are kept in the memory of each process, never in the store: no SQL on the way, nothing to
delete later, and an address is kept as a keyed hash for an hour at most. With N workers each takes
its share, limit / N rounded up, so that all together stay near the limit however the kernel deals.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from mapsvc.base.errors import TooManyRequests

WINDOW = timedelta(hours=1)
MOST_ADDRESSES = 100_000


Refusal = Callable[[dict[str, Any]], TooManyRequests]


def too_many_reports(detail: dict[str, Any]) -> TooManyRequests:
    """Return the refusal of one more report."""
    return TooManyRequests(
        "too_many_reports",
        "Too many reports came from this address within an hour; this one was not taken.",
        hint="Wait a little; in an emergency call 110, 119 or 120.",
        detail=detail,
    )


def too_many_looks(detail: dict[str, Any]) -> TooManyRequests:
    """Return the refusal of one more look at what is open close by."""
    message = "Too many questions came from this address within an hour."
    return TooManyRequests("too_many_looks", message, hint="Wait a little.", detail=detail)


def too_many_codes(detail: dict[str, Any]) -> TooManyRequests:
    """Return the refusal of any code, right or wrong, after many that do not exist."""
    message = "Too many codes that do not exist were tried from this address within an hour."
    return TooManyRequests("too_many_codes", message, hint="Wait a little, then check each letter.", detail=detail)


class AddressLimit:
    """At most `limit` events from one address within the last hour."""

    def __init__(self, limit: int, *, workers: int = 1, refusal: Refusal = too_many_reports) -> None:
        self._refusal = refusal
        self.limit = math.ceil(limit / max(workers, 1))
        self._key = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._seen: dict[bytes, deque[datetime]] = {}

    def take(self, address: str, now: datetime) -> None:
        """Count one event; raise `TooManyRequests` when the address had its share."""
        name = self._name(address)
        with self._lock:
            seen = self._seen.get(name)
            if seen is None:
                self._make_room(now)
                seen = self._seen[name] = deque()
            while seen and now - seen[0] >= WINDOW:
                seen.popleft()
            if len(seen) >= self.limit:
                wait_s = math.ceil((seen[0] + WINDOW - now).total_seconds()) if seen else int(WINDOW.total_seconds())
                raise self._refusal({"retry_after_s": wait_s})
            seen.append(now)

    def check(self, address: str, now: datetime) -> None:
        """Raise `TooManyRequests` when the address had its share; count nothing."""
        self.take(address, now)
        self.give_back(address)

    def give_back(self, address: str) -> None:
        """Uncount the last event: it was only sent again."""
        with self._lock:
            seen = self._seen.get(self._name(address))
            if seen:
                seen.pop()

    def _name(self, address: str) -> bytes:
        return hashlib.blake2b(address.encode(), key=self._key, digest_size=16).digest()

    def _make_room(self, now: datetime) -> None:
        """Drop addresses that were silent for an hour; should all be busy, the oldest entry goes."""
        if len(self._seen) < MOST_ADDRESSES:
            return
        for name in [name for name, seen in self._seen.items() if not seen or now - seen[-1] >= WINDOW]:
            del self._seen[name]
        while len(self._seen) >= MOST_ADDRESSES:
            del self._seen[next(iter(self._seen))]
