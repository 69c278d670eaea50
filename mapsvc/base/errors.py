"""The one family of errors: each has a stable code, a sentence for people, and what to do.

The web's table turns the classes into HTTP status codes, the command line into exit status 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MapsvcError(Exception):
    """An error that its reader can act on.

    `code` is stable and lower-case with underscores (translations hang on it); `message` says what
    happened, `hint` what to do; `detail` holds values for machines and for translated texts.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail: dict[str, Any] = dict(detail or {})

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(MapsvcError):
    """What was sent cannot be understood or is not allowed as a value."""


class NotFound(MapsvcError):
    """The thing named does not exist, or must not be known to exist by the one who asks."""


class NotAuthenticated(MapsvcError):
    """Nobody is logged in, or the token is not valid."""


class Forbidden(MapsvcError):
    """The one who asks is known and may not do this."""


class Conflict(MapsvcError):
    """The state of the thing does not allow this, or somebody else was first."""


class TooLarge(MapsvcError):
    """A body, file or number of items exceeds its limit; `detail["limit"]` names it."""


class UnsupportedType(MapsvcError):
    """The content type or file format is not one that is read here."""


class TooManyRequests(MapsvcError):
    """Slow down; `detail["retry_after_s"]` says for how long."""


class Unavailable(MapsvcError):
    """The store is locked, gone or full: nothing was acknowledged; try again later."""


class Misconfigured(MapsvcError):
    """A setting or a configuration file is wrong; `detail` holds `file` and `line` where known."""
