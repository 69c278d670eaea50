"""Files of bytes (photos) behind one interface, named by the SHA-256 of what is stored.

What `put` acknowledged is on disk: the bytes are written aside and synced, renamed into place, and
the folder is synced. The row that refers to a file is written after the file, so that a crash leaves
a file without a row, never a row without a file; `sweep` removes such orphans once they are old.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from mapsvc.base.errors import NotFound, Unavailable

GRACE = timedelta(days=1)
"""An orphan younger than this may belong to a transaction under way."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class StoredFile:
    """What was stored: its name and its size in bytes."""

    sha256: str
    size: int


class FileStore(Protocol):
    """A place for bytes that are named by their own hash and never changed."""

    def put(self, content: bytes) -> StoredFile:
        """Store the bytes; when this returns they survive a crash. The same bytes again are stored once."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Open for reading in pieces; `NotFound` when there is no such file."""
        ...

    def read(self, sha256: str) -> bytes:
        """Return the bytes, checked against their name."""
        ...

    def delete(self, sha256: str) -> bool:
        """Remove the file; return whether it was there."""
        ...

    def sweep(self, wanted: Callable[[frozenset[str]], frozenset[str]], *, now: datetime) -> int:
        """Remove files that nobody wants and that are older than the grace; return how many.

        `wanted` is asked for some hundred names at a time and returns those that rows refer to.
        """
        ...


class LocalFiles:
    """Files in a folder: `ab/abcdef...`, with `.aside/` for what is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, content: bytes) -> StoredFile:
        sha256 = hashlib.sha256(content).hexdigest()
        target = self._path(sha256)
        with _os_errors(self.root), self._lock(fcntl.LOCK_SH):
            if target.exists() and target.stat().st_size == len(content):
                os.utime(target)  # young again, so that no sweep takes it from the row that follows
            else:
                self._write(target, content)
            _sync_folder(target.parent)
        return StoredFile(sha256, len(content))

    def open(self, sha256: str) -> BinaryIO:
        try:
            with _os_errors(self.root):
                return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise NotFound("no_such_file", f"There is no stored file {sha256}.") from None

    def read(self, sha256: str) -> bytes:
        with self.open(sha256) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Unavailable(
                "file_damaged",
                f"The stored file {sha256} was changed on disk.",
                hint="Restore it from the last backup.",
            )
        return content

    def delete(self, sha256: str) -> bool:
        try:
            with _os_errors(self.root):
                self._path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def sweep(self, wanted: Callable[[frozenset[str]], frozenset[str]], *, now: datetime) -> int:
        removed = 0
        names = self._names()
        while some := frozenset(islice(names, 500)):
            with _os_errors(self.root), self._lock(fcntl.LOCK_EX):
                old = frozenset(name for name in some if self._older(self._path(name), now))
                orphans = old - wanted(old) if old else old
                removed += sum(self.delete(name) for name in orphans)
        for path in list((self.root / ".aside").glob("*")):
            if self._older(path, now):
                path.unlink(missing_ok=True)
        return removed

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFound("no_such_file", "A stored file is named by 64 hexadecimal digits.")
        return self.root / sha256[:2] / sha256

    def _write(self, target: Path, content: bytes) -> None:
        aside = self.root / ".aside"
        aside.mkdir(parents=True, exist_ok=True)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            _sync_folder(self.root)
        handle, name = tempfile.mkstemp(dir=aside)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).rename(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _names(self) -> Iterator[str]:
        return (path.name for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")))

    def _older(self, path: Path, now: datetime) -> bool:
        try:
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return False
        return now - changed > GRACE

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        """Keep a sweep (exclusive) apart from puts (shared), across processes; a killed one lets go."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("ab") as file:
            fcntl.flock(file, kind)
            yield


@contextmanager
def _os_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(
                "disk_full",
                "The disk of the stored files is full.",
                hint="Nothing was acknowledged. Make room, then try again.",
            ) from error
        raise Unavailable(
            "files_gone",
            f"The folder of stored files {root} cannot be used: {error.strerror}.",
            hint="Check that MAPSVC_DATA_DIR is there and may be written.",
        ) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
