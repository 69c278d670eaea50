"""Encodings of tables that do not name them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.dbftext import check_encoding, detect_dbf_encoding


def table(path: Path, *values: bytes, width: int = 12, field: bytes = b"NAME") -> Path:
    """Write a .dbf with one text field, byte by byte."""
    field_row = field.ljust(11, b"\0") + b"C" + b"\0" * 4 + bytes([width, 0]) + b"\0" * 14
    head = struct.pack("<BBBBIHH20x", 3, 126, 1, 1, len(values), 32 + 32 + 1, 1 + width)
    records = b"".join(b" " + value.ljust(width)[:width] for value in values)
    path.write_bytes(head + field_row + b"\r" + records + b"\x1a")
    return path


@pytest.mark.parametrize(("encoding", "found", "shown"), [("gbk", "gb18030", "GBK"), ("utf-8", "utf-8", "UTF-8")])
def test_what_its_texts_are(tmp_path: Path, encoding: str, found: str, shown: str) -> None:
    texts = ["东风街道", "幸福里", "abc"]
    got = detect_dbf_encoding(table(tmp_path / "a.dbf", *(text.encode(encoding) for text in texts)))
    assert got.name == found
    assert shown in got.note


def test_plain_ascii_needs_no_word(tmp_path: Path) -> None:
    got = detect_dbf_encoding(table(tmp_path / "a.dbf", b"abc", b""))
    assert (got.name, got.note) == ("utf-8", "")


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_a_field_that_cuts_its_last_character(tmp_path: Path, encoding: str) -> None:
    text = "和平里北街社区居民委员会".encode(encoding)
    got = detect_dbf_encoding(table(tmp_path / "a.dbf", text, width=11))
    assert got.name == ("gb18030" if encoding == "gbk" else "utf-8")


def test_single_characters_of_gbk_are_no_cut_utf8(tmp_path: Path) -> None:
    got = detect_dbf_encoding(table(tmp_path / "a.dbf", "里".encode("gbk"), "东".encode("gbk")))
    assert got.name == "gb18030"


def test_names_of_fields_count_too(tmp_path: Path) -> None:
    got = detect_dbf_encoding(table(tmp_path / "a.dbf", b"abc", field="名称".encode("gbk")))
    assert got.name == "gb18030"


@pytest.mark.parametrize(
    ("label", "name"),
    [("UTF-8", "utf-8"), ("GBK", "gb18030"), ("936", "gb18030"), ("65001", "utf-8"), ("CP936", "gb18030")],
)
def test_a_cpg_is_believed(tmp_path: Path, label: str, name: str) -> None:
    path = table(tmp_path / "a.dbf", "东风".encode("gbk"))
    path.with_suffix(".cpg").write_text(label, encoding="ascii")
    assert (detect_dbf_encoding(path).name, detect_dbf_encoding(path).note) == (name, "")


def test_a_cpg_of_nonsense_is_not(tmp_path: Path) -> None:
    path = table(tmp_path / "a.dbf", "东风".encode("gbk"))
    path.with_suffix(".cpg").write_text("whatever", encoding="ascii")
    assert detect_dbf_encoding(path).name == "gb18030"


def test_a_table_cut_short_does_not_matter_here(tmp_path: Path) -> None:
    path = table(tmp_path / "a.dbf", *["东风".encode("gbk")] * 50)
    path.write_bytes(path.read_bytes()[:200])
    assert detect_dbf_encoding(path).name == "gb18030"
    path.write_bytes(b"abc")
    assert detect_dbf_encoding(path).name == "utf-8"


def test_encodings_by_the_names_people_use() -> None:
    assert check_encoding("GB2312") == check_encoding("gbk") == "gb18030"
    assert check_encoding("UTF8") == "utf-8"
    with pytest.raises(InvalidInput) as caught:
        check_encoding("klingon")
    assert caught.value.code == "unknown_encoding"
