"""Files named by their bytes: stored once, read back whole, orphans swept, failures told."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsvc.base.errors import NotFound, Unavailable
from mapsvc.storage.files import GRACE, FileStore, LocalFiles

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "photos")


def age(files: LocalFiles, sha256: str, by: timedelta) -> None:
    at = (NOW - by).timestamp()
    os.utime(files.root / sha256[:2] / sha256, (at, at))


def test_bytes_come_back(files: LocalFiles) -> None:
    store: FileStore = files
    stored = store.put(b"a photo")
    assert stored.sha256 == hashlib.sha256(b"a photo").hexdigest()
    assert stored.size == 7
    assert store.read(stored.sha256) == b"a photo"
    with store.open(stored.sha256) as file:
        assert file.read(2) == b"a "


@settings(max_examples=30, deadline=None)
@given(contents=st.lists(st.binary(max_size=200), max_size=6))
def test_any_bytes_are_kept_once(contents: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    files = LocalFiles(tmp_path_factory.mktemp("photos"))
    names = [files.put(content).sha256 for content in contents + contents]
    assert [files.read(name) for name in names] == contents + contents
    assert len(list(files.root.glob("??/*"))) == len(set(contents))


def test_nothing_is_left_aside(files: LocalFiles) -> None:
    files.put(b"a")
    assert list((files.root / ".aside").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "g" * 64, "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_leads_nowhere(files: LocalFiles, name: str) -> None:
    for ask in (files.read, files.delete, files.open):
        with pytest.raises(NotFound):
            ask(name)


def test_a_missing_file_is_told(files: LocalFiles) -> None:
    with pytest.raises(NotFound) as caught:
        files.read("0" * 64)
    assert caught.value.code == "no_such_file"


def test_a_file_changed_on_disk_is_told(files: LocalFiles) -> None:
    name = files.put(b"a photo").sha256
    (files.root / name[:2] / name).write_bytes(b"another")
    with pytest.raises(Unavailable) as caught:
        files.read(name)
    assert caught.value.code == "file_damaged"


def test_a_file_cut_short_is_written_again(files: LocalFiles) -> None:
    name = files.put(b"a photo").sha256
    (files.root / name[:2] / name).write_bytes(b"a ph")
    assert files.put(b"a photo").sha256 == name
    assert files.read(name) == b"a photo"


def test_deleting_says_whether_it_was_there(files: LocalFiles) -> None:
    name = files.put(b"a").sha256
    assert files.delete(name)
    assert not files.delete(name)


def test_a_sweep_takes_old_orphans_only(files: LocalFiles) -> None:
    wanted, orphan, young = (files.put(content).sha256 for content in (b"wanted", b"orphan", b"young"))
    for name in (wanted, orphan):
        age(files, name, GRACE * 2)
    age(files, young, GRACE / 2)
    asked: set[str] = set()

    def rows_know(names: frozenset[str]) -> frozenset[str]:
        asked.update(names)
        return names & {wanted}

    assert files.sweep(rows_know, now=NOW) == 1
    assert asked == {wanted, orphan}
    assert files.read(wanted)
    assert files.read(young)
    with pytest.raises(NotFound):
        files.read(orphan)


def test_an_orphan_that_is_sent_again_is_young_again(files: LocalFiles) -> None:
    name = files.put(b"orphan").sha256
    age(files, name, GRACE * 2)
    files.put(b"orphan")
    assert files.sweep(lambda names: frozenset(), now=datetime.now(UTC)) == 0
    assert files.read(name) == b"orphan"


def test_a_sweep_clears_what_a_crash_left_aside(files: LocalFiles) -> None:
    files.put(b"a")
    left = files.root / ".aside" / "half"
    left.write_bytes(b"ha")
    os.utime(left, ((NOW - GRACE * 2).timestamp(),) * 2)
    files.sweep(lambda names: names, now=NOW)
    assert not left.exists()


def test_sweeping_an_empty_folder_does_nothing(files: LocalFiles) -> None:
    assert files.sweep(lambda names: frozenset(), now=NOW) == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_and_leaves_nothing(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("mapsvc.storage.files.os.fsync", fail)
    with pytest.raises(Unavailable) as caught:
        files.put(b"a photo")
    assert caught.value.code == "disk_full"
    assert [path for path in files.root.rglob("*") if path.is_file() and path.name != ".lock"] == []


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        LocalFiles(tmp_path / "photos").put(b"a")
    assert caught.value.code == "files_gone"


def test_puts_at_once_do_not_disturb_one_another_or_a_sweep(files: LocalFiles) -> None:
    contents = [f"photo {number}".encode() for number in range(40)]
    failures: list[BaseException] = []

    def put_all() -> None:
        try:
            for content in contents:
                files.put(content)
        except BaseException as error:  # noqa: BLE001  # told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=put_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        files.sweep(lambda names: frozenset(), now=datetime.now(UTC))
    assert failures == []
    assert {files.read(hashlib.sha256(content).hexdigest()) for content in contents} == set(contents)
