"""Reading what forms and addresses of pages send: texts bounded, numbers checked, the hash of what was meant."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from flask import request

from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.web.pages.blueprint import pages

LARGEST_ID = 2**31 - 1
"""Rows are numbered by four bytes on PostgreSQL, which refuses to compare them with more."""


def read_id(text: str) -> int | None:
    """Return a whole number of a row, None for nothing; anything else raises `InvalidInput`."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID):
        raise InvalidInput("bad_number", "This is no whole number.", hint="Use the links of the page.")
    return int(text)


def read_ids(text: str, most: int) -> tuple[int, ...]:
    """Return numbers separated by commas, at most `most`."""
    found = tuple(number for part in text.split(",") if (number := read_id(part)) is not None)
    if len(found) > most:
        raise InvalidInput("too_many", f"At most {most} at once.", hint="Zoom in.")
    return found


def read_uuid(text: str) -> UUID:
    """Return a UUID as the form made it."""
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput("bad_uuid", "The form is not whole.", hint="Reload the page.") from error


def read_degrees(text: str) -> float | None:
    """Return a coordinate in degrees, None for nothing."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidInput("bad_position", "The coordinates are not valid numbers.") from error
    if not math.isfinite(value):
        raise InvalidInput("bad_position", "The coordinates are not valid numbers.")
    return value


def read_day(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the beginning of a local day as a moment, None for nothing."""
    if not text:
        return None
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(8), zone).astimezone(UTC)  # noqa: DTZ007
    except ValueError as error:
        raise InvalidInput("bad_day", "This is no day.", hint="Write it as 2026-11-22.") from error


@pages.before_request
def refuse_nul() -> None:
    """Refuse a NUL in the address or form of a page: no text of ours holds one, and PostgreSQL takes none."""
    if "\x00" in request.path:
        raise NotFound("not_found", "There is nothing at this address.", hint="Check the address.")
    sent = [*request.args.values(), *(request.form.values() if request.method == "POST" else ())]
    if any("\x00" in value for value in sent):
        raise InvalidInput("bad_text", "A text holds a character that cannot be stored.", hint="Write it anew.")


def form_text(name: str) -> str:
    """Return a text of the form without spaces around it, with one kind of line end."""
    return request.form.get(name, "").strip().replace("\r\n", "\n")


def form_hash(leave_out: Iterable[str] = ("csrf_token",), *more: str) -> str:
    """Return the hash of what a form says, whatever the order of its fields: the same form sent twice is the same.

    `more` are the hashes of its files, in their order.
    """
    skipped = frozenset(leave_out)
    fields = sorted((name, value) for name, value in request.form.items(multi=True) if name not in skipped)
    return hashlib.sha256(orjson.dumps([fields, more])).hexdigest()
