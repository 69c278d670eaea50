"""The guide, rendered from the Markdown files that travel with the program; and the self-check of a device."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flask import render_template, url_for
from markdown_it import MarkdownIt

from mapsvc.base.errors import NotFound
from mapsvc.base.paths import guide_dir
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import speech

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.zh)?")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FIRST = "index"


@dataclass(frozen=True)
class GuideLink:
    """One page of the contents."""

    title: str
    url: str
    here: bool


@pages.get("/guide")
@permission("public")
def guide() -> str:
    return _show(FIRST)


@pages.get("/guide/<name>")
@permission("public")
def guide_page(name: str) -> str:
    return _show(name.removesuffix(".md"))


def _show(name: str) -> str:
    path, tongue = _find(name)
    text = path.read_text(encoding="utf-8")
    return render_template(
        "guide.html",
        title=_title(text, name),
        text=render_markdown(text),
        page_language="zh-CN" if tongue == "zh" else "en",
        english_only=tongue != speech().language,
        contents=tuple(
            GuideLink(_title(found.read_text(encoding="utf-8"), found.stem), _url(found.stem), found.stem == name)
            for found in list_pages()
        ),
    )


def _find(name: str) -> tuple[Path, str]:
    """Return the file of a page in the reader's tongue, else in English."""
    if not NAME.fullmatch(name):
        raise NotFound("no_such_page", "The guide has no such page.", hint="See its contents.")
    base = name.removesuffix(".zh")
    for tongue, path in (("zh", guide_dir() / f"{base}.zh.md"), ("en", guide_dir() / f"{base}.md")):
        if path.is_file() and (tongue == "en" or speech().language == "zh"):
            return path, tongue
    raise NotFound("no_such_page", "The guide has no such page.", hint="See its contents.")


def list_pages() -> tuple[Path, ...]:
    """Return the pages of the guide, its front first, then by name; twins in Chinese are found by their page."""
    found = [path for path in guide_dir().glob("*.md") if not path.stem.endswith(".zh")]
    return tuple(sorted(found, key=lambda path: (path.stem != FIRST, path.stem)))


def _title(text: str, fallback: str) -> str:
    found = TITLE.search(text)
    return found[1].replace("`", "") if found else fallback


def _url(name: str) -> str:
    return url_for("pages.guide") if name == FIRST else url_for("pages.guide_page", name=name)


def render_markdown(text: str) -> str:
    """Return HTML; raw HTML in the text is shown, not run. Links between files lead to their pages."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return re.sub(r'href="([a-z0-9_-]+)\.md(#[^"]*)?"', r'href="/guide/\1\2"', markdown.render(text))


@pages.get("/device")
@permission("public")
def device() -> str:
    return render_template("device.html")


@pages.get("/device/browser")
@permission("public")
def old_browser() -> str:
    """Say kindly what a browser below the floor can do here; needs no script."""
    return render_template("old_browser.html")
