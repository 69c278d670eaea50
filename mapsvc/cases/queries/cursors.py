"""Cursors of keyset paging: opaque to others, and bound to the moment at which the first page was asked for."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mapsvc.base.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**53
"""More than any of the numbers of a cursor, and less than what a store cannot compare with."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: rank and due time (or time of change) and id, as of `asked_at`."""

    sort: str
    asked_at: datetime
    rank: int
    at: datetime | None
    id: int


def write_cursor(cursor: Cursor) -> str:
    """Return the cursor as text that stands in an address."""
    values = [cursor.sort, _steps(cursor.asked_at), cursor.rank, _steps(cursor.at), cursor.id]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, sort: str) -> Cursor:
    """Return the cursor of a text; a wrong one, or one of another order, raises `InvalidInput`."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        name, asked, rank, at, row = values
        if name != sort or not all(type(value) is int and abs(value) <= _LARGEST for value in (asked, rank, row)):
            raise ValueError("is of another order")
        return Cursor(sort, _moment(asked), rank, None if at is None else _moment(int(at)), row)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise InvalidInput("bad_cursor", "The cursor is not one of ours.", hint="Begin at the first page.") from error


def _steps(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def _moment(steps: int) -> datetime:
    return _EPOCH + steps * _MICROSECOND
