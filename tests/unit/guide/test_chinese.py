"""The guide in Chinese says what the English says: the same headings, tables, lists, commands, names and links.

Both are written by hand, so what can fall behind is compared here piece by piece. A word between backticks is a name of
the program (a setting, a command, an event, an address): each stands in both tongues.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from mapsvc.app import create_app
from mapsvc.base import paths
from mapsvc.base.settings import Settings
from mapsvc.storage.work import Store
from mapsvc.web.pages import handbook

from .commandlines import FENCE, Fence, read_fences, without_comments

GUIDE = paths.guide_dir()
PAGES = sorted(path.name for path in GUIDE.glob("*.md"))
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HAN = re.compile(r"[一-鿿]")

by_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture
def app(sqlite_store: Store, settings: Settings) -> Flask:
    return create_app(settings)


def _both(name: str) -> tuple[Path, Path]:
    return GUIDE / name, GUIDE / "zh" / name


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _headings(page: Path) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", _prose(page), re.MULTILINE)]


def _spans(page: Path) -> set[str]:
    return {" ".join(span.split()) for span in SPAN.findall(_prose(page))}


def _tables(page: Path) -> list[tuple[int, int]]:
    """Return rows and columns of each table."""
    found = re.findall(r"(?:^\|.*\|$\n?)+", _prose(page), re.MULTILINE)
    return [(len(table.strip().splitlines()), table.splitlines()[1].count("|") - 1) for table in found]


def _lists(page: Path) -> list[str]:
    """Return the mark of every item: `-` or its number, with how far it stands in."""
    return re.findall(r"^( *(?:-|\d+\.)) ", _prose(page), re.MULTILINE)


def _comparable(fence: Fence) -> tuple[str, object]:
    """Return what both tongues have in common: of a drawing the names in it, of anything else all but remarks."""
    if fence.language == "text":
        return fence.language, set(re.findall(r"[a-z]+_[a-z]+|[a-z]+(?= [一-鿿])|-> \w+", fence.text))
    return fence.language, without_comments(fence.text)


def test_every_page_has_its_counterpart() -> None:
    assert sorted(path.name for path in (GUIDE / "zh").iterdir()) == PAGES


@by_page
def test_the_headings_are_of_the_same_order(name: str) -> None:
    english, chinese = _both(name)
    assert _headings(chinese) == _headings(english)


@by_page
def test_the_code_blocks_are_the_same_but_for_remarks(name: str) -> None:
    english, chinese = _both(name)
    assert [_comparable(fence) for fence in read_fences(chinese)] == [
        _comparable(fence) for fence in read_fences(english)
    ]


@by_page
def test_the_same_names_of_the_program_stand_in_both(name: str) -> None:
    english, chinese = _both(name)
    assert _spans(chinese) == _spans(english)


@by_page
def test_tables_and_lists_have_the_same_shape(name: str) -> None:
    english, chinese = _both(name)
    assert _tables(chinese) == _tables(english)
    assert _lists(chinese) == _lists(english)


@by_page
def test_links_lead_to_the_same_pages(name: str) -> None:
    english, chinese = _both(name)
    assert sorted(LINK.findall(_prose(chinese))) == sorted(LINK.findall(_prose(english)))


@by_page
def test_what_is_called_chinese_is_chinese(name: str) -> None:
    """No paragraph was left in English, and no full sentence ends with a full stop of the other tongue."""
    if name == "reference.md":
        return
    for part in re.split(r"\n\s*\n", _prose(_both(name)[1])):
        words = LINK.sub("", SPAN.sub("", part))
        assert HAN.search(part), part
        assert not re.search(r"[一-鿿][,.;:?!](?=\s|$|[一-鿿])", words), part


@by_page
def test_emphasis_is_closed_and_lines_join_without_a_space(name: str) -> None:
    """Beside Chinese characters `**` closes by other rules: what does not would show as asterisks."""
    html = handbook.render_chapter(handbook.find_chapter(name.removesuffix(".md"), "zh"))
    text = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", html, flags=re.DOTALL)
    assert "*" not in text
    assert not re.search(r"[，。；：、]\n[一-鿿]", text)
