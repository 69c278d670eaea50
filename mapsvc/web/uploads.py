"""Photos that arrive in chunks: what was acknowledged of each is on disk, and the next chunk goes on from there.

One file for one photo and owner under `uploads/` of the data folder. Its length is the offset. Parts
that nobody continued for a week are removed when another upload begins.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from mapsvc.base.errors import Conflict, TooLarge, Unavailable

KEPT = timedelta(days=7)


class Uploads:
    """The parts under way. `owner` keeps people apart: nobody continues what somebody else began."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def find_offset(self, uuid: UUID, owner: int | None) -> int | None:
        """Return how many bytes are here; None when nothing was begun."""
        try:
            return self._path(uuid, owner).stat().st_size
        except FileNotFoundError:
            return None

    def append(self, uuid: UUID, owner: int | None, offset: int, chunk: bytes, now: datetime) -> int:
        """Add a chunk that begins at `offset` and return the new length; on disk when this returns.

        A chunk that overlaps what is here (its answer was lost) is taken from where it goes on; one that
        would leave a gap is refused with `detail["offset"]`.
        """
        if offset + len(chunk) > self.limit_bytes:
            raise TooLarge(
                "photo_too_large",
                f"The photo is over the limit of {self.limit_bytes} bytes.",
                hint="Send a smaller one.",
                detail={"limit": self.limit_bytes},
            )
        path = self._path(uuid, owner)
        if offset == 0:
            self._remove_old(now)
        elif not path.exists():
            raise _gap(offset, 0)
        with _full_disk(), self._locked(path) as handle:
            here = os.fstat(handle).st_size
            if offset > here:
                raise _gap(offset, here)
            rest = chunk[here - offset :]
            while rest:
                rest = rest[os.pwrite(handle, rest, os.fstat(handle).st_size) :]
            os.fsync(handle)
            return os.fstat(handle).st_size

    def read(self, uuid: UUID, owner: int | None) -> bytes:
        """Return all that is here of a photo; empty when nothing is."""
        try:
            return self._path(uuid, owner).read_bytes()
        except FileNotFoundError:
            return b""

    def discard(self, uuid: UUID, owner: int | None) -> None:
        """Forget what is here of a photo: it was stored whole, or was not what it said."""
        self._path(uuid, owner).unlink(missing_ok=True)

    def _path(self, uuid: UUID, owner: int | None) -> Path:
        return self.folder / f"{uuid}.{owner or 0}.part"

    def _remove_old(self, now: datetime) -> None:
        for path in self.folder.glob("*.part"):
            try:
                if now.timestamp() - path.stat().st_mtime > KEPT.total_seconds():
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was faster

    @contextmanager
    def _locked(self, path: Path) -> Iterator[int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)


def _gap(offset: int, here: int) -> Conflict:
    return Conflict(
        "wrong_offset",
        f"{here} bytes of this photo are here; the chunk begins at {offset}.",
        hint="Ask by HEAD where to go on.",
        detail={"offset": here},
    )


@contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise Unavailable(
                "disk_full", "The disk is full.", hint="The chunk was not taken; send it again."
            ) from error
        raise
