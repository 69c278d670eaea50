"""In which encoding a .dbf is written that does not say so: UTF-8 or GBK, or what its bytes look like."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import charset_normalizer

from mapsvc.base.errors import InvalidInput

ROWS_LOOKED_AT = 5_000


@dataclass(frozen=True)
class TextEncoding:
    """An encoding by Python's name, and the sentence that tells a person where it comes from ("" when it is stated)."""

    name: str
    note: str = ""


def check_encoding(name: str) -> str:
    """Return an encoding that the user names, GBK and GB2312 as GB18030, which holds both.

    Raises InvalidInput `unknown_encoding`.
    """
    try:
        known = codecs.lookup(name).name
    except LookupError as error:
        raise InvalidInput(
            "unknown_encoding", f"The encoding {name!r} is not known.", hint="Use UTF-8 or GBK."
        ) from error
    return "gb18030" if known in ("gbk", "gb2312", "cp936") else known


def detect_dbf_encoding(path: Path) -> TextEncoding:
    """Return the encoding of a .dbf: that of its .cpg file, else by trying."""
    for suffix in (".cpg", ".CPG"):
        label = path.with_suffix(suffix)
        if label.is_file():
            stated = label.read_text(encoding="ascii", errors="replace").strip()
            name = _stated(stated)
            if name:
                return TextEncoding(name)
    values = [(value, full) for value, full in _text_values(path) if not value.isascii()]
    if not values:
        return TextEncoding("utf-8")
    for name, shown in (("utf-8", "UTF-8"), ("gb18030", "GBK")):
        if all(_reads_as(value, name, full) for value, full in values):
            return TextEncoding(name, f"The file does not name its encoding (no .cpg); its texts were read as {shown}.")
    guess = charset_normalizer.from_bytes(b"\n".join(value for value, _ in values)).best()
    if guess is None:
        raise InvalidInput(
            "encoding_needed",
            f"The encoding of {path.name} cannot be told.",
            hint="Name it by --encoding, such as GBK.",
        )
    return TextEncoding(
        guess.encoding, f"The file does not name its encoding; its texts look like {guess.encoding}. Check some names."
    )


def _stated(label: str) -> str | None:
    """Return Python's name for what a .cpg says: a name, or the number of a code page."""
    plain = {"936": "gbk", "65001": "utf-8", "54936": "gb18030"}.get(label.upper().removeprefix("CP"), label)
    try:
        return check_encoding(plain)
    except InvalidInput:
        return None


def _reads_as(value: bytes, encoding: str, full: bool) -> bool:
    """Return whether the bytes decode; a field that is full may have cut its last character."""
    longest = 0 if not full else 3 if encoding == "utf-8" else 1
    for cut in range(longest + 1):
        try:
            value[: len(value) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _text_values(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield names of fields and character values of the first records, and whether each fills its field."""
    with path.open("rb") as stream:
        head = stream.read(32)
        if len(head) < 32:
            return
        count, head_size, size = struct.unpack("<IHH", head[4:12])
        fields = stream.read(max(head_size - 32, 0))
        columns, start = [], 1
        for k in range(0, len(fields) - 31, 32):
            if fields[k] == 0x0D:
                break
            width = fields[k + 16]
            name = fields[k : k + 11].split(b"\0")[0]
            yield name, len(name) >= 10
            if fields[k + 11 : k + 12] == b"C":
                columns.append((start, start + width))
            start += width
        for _ in range(min(count, ROWS_LOOKED_AT)):
            record = stream.read(size)
            if len(record) < size:
                return
            yield from ((record[a:b].rstrip(b" \0"), record[b - 1] not in b" \0") for a, b in columns if b > a)
