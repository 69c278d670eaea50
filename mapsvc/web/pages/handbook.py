"""The files of the guide: which page in which tongue, its title, and its HTML, with anchors that hold in both."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mapsvc.base.errors import NotFound
from mapsvc.base.paths import guide_dir

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FIRST = "index"
ENGLISH, CHINESE = "en", "zh"

CHAPTERS = {
    "city_map": "maps#the-city-map",
    "map_export": "maps#one-file-for-a-briefing",
    "area_list": "people#areas-without-a-chief",
    "area_page": "workday",
    "own_patch": "workday#a-chiefs-morning",
    "patch_page": "workday#a-chiefs-morning",
    "office": "workday",
    "unit": "workday#a-units-day",
    "case_list": "cases",
    "case_page": "cases#workflows",
    "case_step": "cases#workflows",
    "case_contact": "people#a-reporters-contact",
    "case_change": "cases#who-gets-it",
    "case_new": "cases#intake",
    "open_by_staff": "cases#intake",
    "insight": "figures",
    "insight_formulas": "figures#rates",
    "report": "residents#reporting",
    "send_report": "residents#reporting",
    "track_form": "residents#following",
    "track": "residents#following",
    "device": "residents#browsers",
    "old_browser": "residents#browsers",
    "login": "people#log-in",
    "log_in": "people#log-in",
}
"""Which chapter tells of a page, by the name of its view; any other page leads to the front of the guide."""


@dataclass(frozen=True)
class Chapter:
    """One page of the guide as it was found: `tongue` is that of the text, English where the Chinese is missing."""

    name: str
    tongue: str
    text: str

    @property
    def title(self) -> str:
        """The heading of the first order, as plain text."""
        found = TITLE.search(self.text)
        return found[1].replace("`", "") if found else self.name


def find_chapter(name: str, tongue: str) -> Chapter:
    """Return a page in a tongue, else in English; raises `NotFound` for a name that is no page."""
    if NAME.fullmatch(name):
        for found, path in ((CHINESE, guide_dir() / "zh" / f"{name}.md"), (ENGLISH, guide_dir() / f"{name}.md")):
            if found in (tongue, ENGLISH) and path.is_file():
                return Chapter(name, found, path.read_text(encoding="utf-8"))
    raise NotFound("no_such_page", "The guide has no such page.", hint="See its contents.")


def list_names() -> tuple[str, ...]:
    """Return the names of all pages in the order in which the front page tells of them, itself first.

    English is the source: what has no English page is no page.
    """
    names = {path.stem for path in guide_dir().glob("*.md")}
    front = (guide_dir() / f"{FIRST}.md").read_text(encoding="utf-8")
    told = [name for name in re.findall(r"\(([a-z0-9_-]+)\.md\)", front) if name in names]
    return tuple(dict.fromkeys([FIRST, *told, *sorted(names)]))


def render_chapter(chapter: Chapter, query: str = "") -> str:
    """Return the HTML of a page. Its headings bear the anchors of the English page, so that a link holds in both."""
    anchors: tuple[str, ...] = ()
    if chapter.tongue != ENGLISH:
        anchors = list_anchors(find_chapter(chapter.name, ENGLISH).text)
    return render_markdown(chapter.text, anchors, query)


@lru_cache(maxsize=64)
def render_markdown(text: str, anchors: tuple[str, ...] = (), query: str = "") -> str:
    """Return HTML; raw HTML in the text is shown, not run.

    Links between files lead to their pages, with `query` (such as `?lang=zh`) behind their address. `anchors` are
    taken for the headings one after the other where there are as many; else headings get their own. What may be wider
    than a phone, tables and code, takes the focus, so that it can be scrolled by keys.
    """
    markdown = _parser()
    tokens = markdown.parse(text)
    own = _anchors(tokens)
    names = iter(anchors if len(anchors) == len(own) else own)
    for token in tokens:
        if token.type == "heading_open":
            token.attrSet("id", next(names))
        if token.type == "table_open":
            token.attrSet("tabindex", "0")
        _join_lines(token.children or [])
    html = str(markdown.renderer.render(tokens, markdown.options, {})).replace("<pre>", '<pre tabindex="0">')
    return re.sub(
        r'href="([a-z0-9_-]+)\.md(#[^"]*)?"', lambda found: f'href="/guide/{found[1]}{query}{found[2] or ""}"', html
    )


@lru_cache(maxsize=64)
def list_anchors(text: str) -> tuple[str, ...]:
    """Return the anchors of the headings in their order: `Bring borders in` is `bring-borders-in`, as on GitHub."""
    return _anchors(_parser().parse(text))


def _join_lines(inline: list[Token]) -> None:
    """Take line breaks between Chinese characters away: browsers would show a space there."""
    for place, token in enumerate(inline):
        if token.type == "softbreak":
            before = next((each.content for each in reversed(inline[:place]) if each.content), "")
            after = next((each.content for each in inline[place + 1 :] if each.content), "")
            if _is_wide(before[-1:]) and _is_wide(after[:1]):
                token.type = "text"


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WFA"


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _anchors(tokens: Sequence[Token]) -> tuple[str, ...]:
    found: list[str] = []
    for heading, words in pairwise(tokens):
        if heading.type == "heading_open":
            base = re.sub(r"[^\w -]", "", words.content.lower()).strip().replace(" ", "-") or "part"
            number = sum(1 for name in found if name == base or re.fullmatch(rf"{re.escape(base)}-\d+", name))
            found.append(f"{base}-{number}" if number else base)
    return tuple(found)
