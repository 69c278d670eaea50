"""The command lines that stand in Markdown, and whether the real commands understand them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from mapsvc.cli.main import cli

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(mapsvc [^`]+)`")
_BETWEEN = set("();<>|&")
_FILE = re.compile(r"[\w.-]+\.[a-z]{2,8}")


@dataclass(frozen=True)
class Fence:
    """One code block: its language tag (empty for a shell) and its text."""

    language: str
    text: str


def read_fences(path: Path) -> list[Fence]:
    """Return the code blocks of a file in their order."""
    return [Fence(*found.groups()) for found in FENCE.finditer(path.read_text(encoding="utf-8"))]


def without_comments(text: str) -> str:
    """Return shell lines without remarks and without the spaces before them."""
    return "\n".join(re.sub(r"(^|\s+)#.*$", "", line) for line in text.splitlines())


def iter_mapsvc_lines(text: str) -> Iterator[list[str]]:
    """Yield the words after `mapsvc` of each call in shell text, also behind `&&`, in `$(...)`, after `NAME=value`."""
    for line in without_comments(text).replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= _BETWEEN:
                yield from _call(words)
                words = []
            else:
                words.append(word)


def _call(words: list[str]) -> Iterator[list[str]]:
    rest = [word for n, word in enumerate(words) if "=" not in word or any("=" not in w for w in words[:n])]
    if rest and rest[0] == "mapsvc":
        yield rest[1:]


def read_spans(path: Path) -> list[list[str]]:
    """Return the words after `mapsvc` of every command that is named inside a sentence."""
    return [shlex.split(text)[1:] for text in SPAN.findall(FENCE.sub("", path.read_text(encoding="utf-8")))]


def touch_files(words: list[str]) -> None:
    """Make the files that a command line names, in the folder at hand, so that only their reading is missing."""
    for word in words:
        if _FILE.fullmatch(word):
            Path(word).touch()


def parse(words: list[str], *, whole: bool) -> None:
    """Parse a command line as click does and do nothing; raises `click.UsageError` for what it does not understand.

    Not `whole`: a sentence may name a command without its arguments.
    """
    command: click.Command = cli
    name, rest = "mapsvc", words
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            raise click.UsageError(f"There is no command {name} {rest[0]}.")
        command, name, rest = found, f"{name} {rest[0]}", rest[1:]
    try:
        command.make_context(name, list(rest))
    except click.exceptions.Exit:
        return  # --help and --version end there
    except click.exceptions.NoArgsIsHelpError:
        if whole:
            raise
    except click.MissingParameter:
        if whole:
            raise
