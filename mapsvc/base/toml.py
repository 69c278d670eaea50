"""TOML files read strictly: every wrong value is told with its file and line, every unknown key is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from mapsvc.base.errors import Misconfigured

Where = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_ARRAY_HEADER = re.compile(r"^\s*\[\[\s*([^\[\]]+?)\s*\]\]\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]+"|'[^']+'|[A-Za-z0-9_.-]+)\s*=""")
_TEXTS = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
_PARSER_LINE = re.compile(r"\(at line (\d+),")


@dataclass(frozen=True)
class TomlFile:
    """A parsed file and the line on which each key stands."""

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[Where, int]

    def line_of(self, where: Where) -> int:
        """Return the line of a key, or of the nearest thing around it (1 for the file itself)."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def fail(self, where: Where, message: str, *, hint: str = "") -> NoReturn:
        """Raise `Misconfigured` that names file and line."""
        line = self.line_of(where)
        raise Misconfigured(
            "bad_configuration_file",
            f"{self.path}, line {line}: {message}",
            hint=hint,
            detail={"file": str(self.path), "line": line},
        )

    def root(self) -> TomlTable:
        """Return the table that is the whole file."""
        return TomlTable(self, (), self.values)


def read_toml(path: Path) -> TomlFile:
    """Read a file; one that is absent, no UTF-8 or no TOML raises `Misconfigured` with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Misconfigured(
            "configuration_file_missing",
            f"{path} cannot be read: {error.strerror}.",
            hint="Check the setting that names it.",
            detail={"file": str(path)},
        ) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _broken(path, line, "is not UTF-8; save it as UTF-8") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PARSER_LINE.search(str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise _broken(path, line, f"is not TOML: {error}") from error
    return TomlFile(path, values, _find_lines(text))


def _broken(path: Path, line: int, what: str) -> Misconfigured:
    return Misconfigured(
        "bad_configuration_file",
        f"{path}, line {line}: {what}.",
        detail={"file": str(path), "line": line},
    )


def _find_lines(text: str) -> dict[Where, int]:
    """Find the line of every header, key and array element that begins a line.

    tomllib tells no positions. This reads the shapes that configuration files have; a key that it
    overlooks is reported with the line of the table around it.
    """
    lines: dict[Where, int] = {}
    counts: dict[Where, int] = {}
    table: Where = ()
    open_key: Where = ()
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        bare = _TEXTS.sub("''", line).split("#", 1)[0]
        if depth:
            if depth == 1 and bare.strip() and not bare.strip().startswith("]"):
                lines[(*open_key, counts.get(open_key, 0))] = number
                counts[open_key] = counts.get(open_key, 0) + 1
        elif found := _ARRAY_HEADER.match(line):
            name = _keys(found.group(1))
            table = (*name, counts.get(name, 0))
            counts[name] = counts.get(name, 0) + 1
            lines[table] = number
            lines.setdefault(name, number)
            continue
        elif found := _HEADER.match(line):
            table = _keys(found.group(1))
            lines[table] = number
            continue
        elif found := _KEY.match(line):
            open_key = (*table, *_keys(found.group(1)))
            lines[open_key] = number
        depth = max(0, depth + bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}"))
    return lines


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


@dataclass
class TomlTable:
    """One table whose keys are taken one by one; `finish` refuses those that nobody took."""

    file: TomlFile
    where: Where
    values: Mapping[str, Any]
    _taken: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.path.stem

    def fail(self, key: str, message: str, *, hint: str = "") -> NoReturn:
        """Raise `Misconfigured` at the line of a key."""
        self.file.fail((*self.where, key) if key else self.where, message, hint=hint)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.values

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text; without a default it must be there and must not be empty."""
        value = self._take(key, default)
        if not isinstance(value, str):
            self.fail(key, f"{key} must be a text.")
        if default is None and not value.strip():
            self.fail(key, f"{key} must not be empty.")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Take one of the allowed texts."""
        value = self.text(key, default)
        if value not in allowed:
            self.fail(key, f"{key} = {value!r} is not one of {', '.join(allowed)}.")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Take true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.fail(key, f"{key} must be true or false.")
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """Take a whole number."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(key, f"{key} must be a whole number.")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Take a number."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(key, f"{key} must be a number.")
        return float(value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Take a list of texts without repetition."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            self.fail(key, f"{key} must be a list of texts.")
        if len(set(value)) != len(value):
            self.fail(key, f"{key} names something twice.")
        return tuple(value)

    def take(self, key: str, default: object = None) -> object:
        """Take a value of any type; the caller checks it."""
        return self._take(key, default)

    def table(self, key: str, *, required: bool = True) -> TomlTable:
        """Take a table; one that is absent and not required is empty."""
        value = self._take(key, None if required else {})
        if not isinstance(value, dict):
            self.fail(key, f"{key} must be a table.")
        return TomlTable(self.file, (*self.where, key), value)

    def tables(self, key: str, *, required: bool = True) -> tuple[TomlTable, ...]:
        """Take a list of tables."""
        value = self._take(key, None if required else [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(key, f"{key} must be a list of tables.")
        return tuple(TomlTable(self.file, (*self.where, key, number), item) for number, item in enumerate(value))

    def keys(self) -> tuple[str, ...]:
        """List the keys in the order of the file."""
        return tuple(self.values)

    def finish(self) -> None:
        """Refuse any key that was not taken."""
        unknown = [key for key in self.values if key not in self._taken]
        if unknown:
            known = ", ".join(sorted(self._taken)) or "none"
            self.fail(unknown[0], f"there is no key {unknown[0]!r} here.", hint=f"The keys are: {known}.")

    def _take(self, key: str, default: object) -> Any:
        self._taken.add(key)
        if key in self.values:
            return self.values[key]
        if default is None:
            self.fail("", f"{key} is missing.")
        return default
