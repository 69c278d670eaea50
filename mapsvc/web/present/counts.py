"""Counters as they stand on pages: a number, what it counts, how it looks, and the list that it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from mapsvc.cases.queries.views import Counters
from mapsvc.web.present.speech import Speech


@dataclass(frozen=True)
class Count:
    """One number with the address of its list."""

    text: str
    number: str
    url: str
    kind: str = ""
    here: bool = False


LISTS: dict[str, str] = {
    "open": "",
    "received": "state=received",
    "to_sign": "state=assigned",
    "sign_overdue": "sign_due=1",
    "in_progress": "state=in_progress",
    "to_check": "state=fixed&checked=0",
    "to_close": "state=fixed&checked=1",
    "returned": "state=returned",
    "suspended": "state=suspended",
    "overdue": "overdue=1",
    "near_due": "due_soon=1",
    "due_today": "due_today=1",
    "unplaced": "unplaced=1",
    "edge": "edge=1",
    "handed": "handed=1",
    "whistle": "whistle=1",
    "new_today": "new_today=1&sort=newest",
    "closed_today": "closed_today=1&sort=newest",
}
"""Which list a number is made of, as the query of `/cases`: `counted_lists` as an address."""

_LATE = frozenset({"overdue", "sign_overdue"})
_NEAR = frozenset({"near_due", "due_today", "unplaced"})


def count_of(words: Speech, counters: Counters, name: str, list_url: str, extra: str = "") -> Count:
    """Return one counter; `list_url` is `/cases`, `extra` narrows its list to an area."""
    field = "handed_to_me" if name == "handed" else name
    number = getattr(counters, field)
    query = "&".join(part for part in (LISTS[name], extra) if part)
    kind = "zero" if not number else "late" if name in _LATE else "near" if name in _NEAR else ""
    joint = "&" if "?" in list_url else "?"
    return Count(words.t(f"count.{name}"), str(number), f"{list_url}{joint}{query}" if query else list_url, kind)


def edge_share_of(words: Speech, counters: Counters, list_url: str) -> Count:
    """Return the share of edge cases among the open ones; a dash while nothing is open."""
    share = counters.edge_share
    number = "–" if share is None else words.share(share) if share else "0 %"
    return Count(words.t("count.edge_share"), number, f"{list_url}?edge=1", "zero" if not share else "")
