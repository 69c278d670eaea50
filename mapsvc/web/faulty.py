"""What a phone sent and could not be read is kept before it is refused: its work must not vanish with the answer.

Only for people with an account (a stranger could fill the disk), as files that the operator can read,
named by day and by the number that the answer bears. The oldest go when there are too many.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path

import orjson

log = logging.getLogger("mapsvc.web")

MOST_FILES = 1000
MOST_BYTES = 1024 * 1024


def keep_refused(folder: Path, raw: bytes, *, instance: str, path: str, user_id: int, code: str, now: datetime) -> None:
    """Write the bytes and, beside them, what they were meant for; never fails the answer for want of room."""
    name = f"{now:%Y%m%dT%H%M%S}-{instance.removeprefix('urn:uuid:')}"
    about = {"instance": instance, "path": path, "user_id": user_id, "code": code, "at": now, "bytes": len(raw)}
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / f"{name}.body", raw[:MOST_BYTES])
        _write(folder / f"{name}.json", orjson.dumps(about))
        for old in sorted(folder.iterdir())[: -2 * MOST_FILES]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s: what was refused could not be kept: %s", instance, error)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
