"""The guide, rendered from the Markdown files that travel with the program; and the self-check of a device."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import HTML_LANGUAGES, speech
from mapsvc.web.pages.handbook import CHINESE, ENGLISH, FIRST, find_chapter, list_names, render_chapter


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
def guide_page(name: str) -> str | Response:
    if name in (FIRST, f"{FIRST}.md"):
        return redirect(_url(FIRST, _query()))
    return _show(name.removesuffix(".md"))


def _show(name: str) -> str:
    """Show a page in the tongue chosen, else in English and say so; with a link to it in the other tongue."""
    wanted = speech().language
    chapter, query = find_chapter(name, wanted), _query()
    other = ENGLISH if wanted == CHINESE else CHINESE
    return render_template(
        "guide.html",
        title=chapter.title,
        text=render_chapter(chapter, query),
        page_language=HTML_LANGUAGES[chapter.tongue],
        fallen_back=chapter.tongue != wanted,
        other_language=HTML_LANGUAGES[other],
        other_url=_url(name, f"?lang={other}"),
        contents=tuple(
            GuideLink(find_chapter(each, wanted).title, _url(each, _query()), each == name) for each in list_names()
        ),
    )


def _query() -> str:
    """Return what keeps the tongue in a link where it was asked for by the address: also without cookies."""
    return f"?lang={speech().language}" if "lang" in request.args else ""


def _url(name: str, query: str) -> str:
    return (url_for("pages.guide") if name == FIRST else url_for("pages.guide_page", name=name)) + query


@pages.get("/device")
@permission("public")
def device() -> str:
    return render_template("device.html")


@pages.get("/device/browser")
@permission("public")
def old_browser() -> str:
    """Say kindly what a browser below the floor can do here; needs no script."""
    return render_template("old_browser.html")
