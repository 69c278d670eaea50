"""Strict TOML: lines of keys in every shape that a configuration has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import Misconfigured
from mapsvc.base.toml import TomlFile, read_toml

TEXT = """\
# a remark with [brackets] and = signs
title = "a # and a [bracket]"  # [x]
numbers = [
    1,
    2,
]
[plain]
"quoted key" = 1
dotted.name = 2
[[many]]
a = 1
list = [
    { b = "]" },

    # a remark between
    { b = 2, c = [
        3,
    ] },
    { b = 4 },
]
[[many]]
a = 2
[many.sub]
d = 5
[after]
e = '''
f = 6
'''
"""


def write(path: Path, text: str) -> TomlFile:
    path.write_text(text, encoding="utf-8")
    return read_toml(path)


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 1),
        (("title",), 2),
        (("numbers",), 3),
        (("numbers", 1), 5),
        (("plain",), 7),
        (("plain", "quoted key"), 8),
        (("plain", "dotted", "name"), 9),
        (("many",), 10),
        (("many", 0), 10),
        (("many", 0, "a"), 11),
        (("many", 0, "list", 0), 13),
        (("many", 0, "list", 0, "b"), 13),
        (("many", 0, "list", 1), 16),
        (("many", 0, "list", 2), 19),
        (("many", 1), 21),
        (("many", 1, "a"), 22),
        (("after", "e"), 26),
        (("nowhere", "at", "all"), 1),
    ],
)
def test_lines(tmp_path: Path, where: tuple[str | int, ...], line: int) -> None:
    assert write(tmp_path / "x.toml", TEXT).line_of(where) == line


def test_every_key_must_be_taken(tmp_path: Path) -> None:
    root = write(tmp_path / "x.toml", 'a = 1\nb = "x"\nc = 2\n').root()
    assert root.whole("a") == 1
    assert root.text("b") == "x"
    with pytest.raises(Misconfigured) as caught:
        root.finish()
    assert caught.value.detail["line"] == 3
    assert caught.value.hint == "The keys are: a, b."
    assert root.number("c") == 2.0
    root.finish()
    assert (root.name, root.keys(), root.has("a"), root.has("z")) == ("x", ("a", "b", "c"), True, False)


@pytest.mark.parametrize("value", ["true", '"1"', "[1]", "1979-05-27"])
def test_what_is_no_number(tmp_path: Path, value: str) -> None:
    root = write(tmp_path / "x.toml", f"a = {value}\n").root()
    for ask in (root.whole, root.number):
        with pytest.raises(Misconfigured):
            ask("a")


def test_defaults_stand_in_for_what_is_absent(tmp_path: Path) -> None:
    root = write(tmp_path / "x.toml", "").root()
    assert root.text("a", "") == ""
    assert root.flag("a") is False
    assert root.whole("a", 0) == 0
    assert root.texts("a", ()) == ()
    assert root.table("a", required=False).keys() == ()
    assert root.tables("a", required=False) == ()
    for ask in (root.text, root.whole, root.texts, root.table, root.tables):
        with pytest.raises(Misconfigured, match="a is missing"):
            ask("a")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = read_toml(path)
    except Misconfigured as error:
        lines = text.count("\n") + text.count("\r") + 1
        assert 1 <= error.detail["line"] <= lines + 1, error.message  # noqa: PT017  # both ways out are looked at
    else:
        assert found.line_of(("x",)) >= 1
