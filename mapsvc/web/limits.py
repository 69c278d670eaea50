"""How much one address may ask or send without an account, and how often it may fail to log in.

Counts are kept in the memory of each process, never in the store: no SQL on the way, nothing to
delete later, and an address is kept as a keyed hash for an hour at most. With N workers each takes
its share, limit / N rounded up, so that all together stay near the limit however the kernel deals.
An IPv6 address counts with its neighbours of the same /64, which is what one household is given.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mapsvc.base.errors import TooManyRequests

WINDOW = timedelta(hours=1)
MOST_ADDRESSES = 100_000
IPV6_BITS = 64


@dataclass(frozen=True)
class Refusal:
    """What is said when an address had its share."""

    code: str
    message: str
    hint: str


REPORTS = Refusal(
    "too_many_reports",
    "Too many reports came from this address within an hour; this one was not taken.",
    "Wait a little; in an emergency call 110, 119 or 120.",
)
UPLOADS = Refusal(
    "too_many_bytes",
    "Too much was sent from this address within an hour; this photo was not taken.",
    "Wait a little, or send the report without photos; in an emergency call 110, 119 or 120.",
)
LOOKUPS = Refusal(
    "too_many_lookups",
    "Too many places were asked for from this address within an hour.",
    "Wait a little. Reports are still taken; programs ask with a token.",
)
LOOKS = Refusal("too_many_looks", "Too many questions came from this address within an hour.", "Wait a little.")
CODES = Refusal(
    "too_many_codes",
    "Too many codes that do not exist were tried from this address within an hour.",
    "Wait a little, then check each letter.",
)
LOG_INS = Refusal(
    "too_many_log_ins",
    "Too many log-ins failed at this address within the last minutes.",
    "Wait a few minutes, then try again; who forgot a password asks the administrator.",
)


@dataclass
class _Seen:
    """What one address did within the window: when and how much, and the sum of it."""

    events: deque[tuple[datetime, int]] = field(default_factory=deque)
    sum: int = 0

    def forget_before(self, moment: datetime) -> None:
        while self.events and self.events[0][0] <= moment:
            self.sum -= self.events.popleft()[1]


class AddressLimit:
    """At most `limit` of something (requests, bytes, failures) from one address within a window."""

    def __init__(self, limit: int, *, workers: int = 1, refusal: Refusal = REPORTS, window: timedelta = WINDOW) -> None:
        self.limit = math.ceil(limit / max(workers, 1))
        self.refusal = refusal
        self.window = window
        self._key = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._seen: dict[bytes, _Seen] = {}

    def take(self, address: str, now: datetime, amount: int = 1) -> None:
        """Count something; raise `TooManyRequests`, and count nothing, when it goes beyond the share of the address."""
        name = self._name(address)
        with self._lock:
            seen = self._seen.get(name)
            if seen is None:
                self._make_room(now)
                seen = self._seen[name] = _Seen()
            self._refuse_beyond(seen, now, amount)
            seen.events.append((now, amount))
            seen.sum += amount

    def check(self, address: str, now: datetime) -> None:
        """Raise `TooManyRequests` when the address had its share; count nothing."""
        with self._lock:
            self._refuse_beyond(self._seen.get(self._name(address)) or _Seen(), now, 1)

    def note(self, address: str, now: datetime) -> None:
        """Count one event that happened, also beyond the share."""
        name = self._name(address)
        with self._lock:
            self._make_room(now)
            seen = self._seen.setdefault(name, _Seen())
            seen.forget_before(now - self.window)
            if len(seen.events) <= self.limit:  # more would only take memory
                seen.events.append((now, 1))
                seen.sum += 1

    def give_back(self, address: str) -> None:
        """Uncount the last event: it was only sent again."""
        with self._lock:
            seen = self._seen.get(self._name(address))
            if seen and seen.events:
                seen.sum -= seen.events.pop()[1]

    def _refuse_beyond(self, seen: _Seen, now: datetime, amount: int) -> None:
        seen.forget_before(now - self.window)
        if seen.sum + amount <= self.limit:
            return
        wait = seen.events[0][0] + self.window - now if seen.events else self.window
        raise TooManyRequests(
            self.refusal.code,
            self.refusal.message,
            hint=self.refusal.hint,
            detail={"retry_after_s": math.ceil(wait.total_seconds())},
        )

    def _name(self, address: str) -> bytes:
        return hashlib.blake2b(_network(address).encode(), key=self._key, digest_size=16).digest()

    def _make_room(self, now: datetime) -> None:
        """Drop addresses that were silent for a window; should all be busy, the oldest entry goes."""
        if len(self._seen) < MOST_ADDRESSES:
            return
        begin = now - self.window
        silent = [name for name, seen in self._seen.items() if not seen.events or seen.events[-1][0] <= begin]
        for name in silent:
            del self._seen[name]
        while len(self._seen) >= MOST_ADDRESSES:
            del self._seen[next(iter(self._seen))]


def _network(address: str) -> str:
    """Return what is counted together: an IPv4 address by itself, an IPv6 address with its /64."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> (128 - IPV6_BITS) << (128 - IPV6_BITS), IPV6_BITS)))
