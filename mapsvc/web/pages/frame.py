"""What every page has round it: language, title, navigation by permission, caption, words for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import orjson
from flask import Flask, Response, flash, g, get_flashed_messages, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from mapsvc.base.errors import MapsvcError
from mapsvc.cases.rules.workflow import UNDO_WINDOW
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows
from mapsvc.web.pages.handbook import CHAPTERS
from mapsvc.web.pages.kept import kept_form
from mapsvc.web.pages.problems import problem_words
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present.speech import Speech
from mapsvc.web.present.steps import quick_step
from mapsvc.web.present.times import Times
from mapsvc.web.words.book import LANGUAGES, load_book

ONE_YEAR_S = 31_536_000
HTML_LANGUAGES = {"zh": "zh-CN", "en": "en"}
SWITCHES = ("lang", "size", "contrast")
CHOICES = {"lang": LANGUAGES, "size": ("normal", "large"), "contrast": ("normal", "high")}


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation."""

    url: str
    text: str
    icon: str
    here: bool


@dataclass(frozen=True)
class Undo:
    """The offer to take back the step that was just taken, for so many seconds yet."""

    text: str
    url: str
    uuid: UUID
    version: int
    back: str
    seconds: int


@dataclass(frozen=True)
class Frame:
    """What `base.html` reads."""

    site: str
    html_language: str
    other_language: str
    other_language_url: str
    large: bool
    large_url: str
    contrast: bool
    contrast_url: str
    nav: tuple[NavItem, ...]
    user_id: int | None
    person: str
    roles: str
    messages: tuple[str, ...]
    undo: Undo | None
    caption: str
    foot: str
    here: str
    guide_url: str
    script_words: Mapping[str, str]


def language() -> str:
    """Return the tongue of this answer: asked for, chosen before, of the account, of the browser, else Chinese."""
    if "language" not in g:
        chosen = _switch("lang")
        if chosen not in LANGUAGES and actor().user_id is not None:
            chosen = actor().language
        g.language = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, default="zh")
    return str(g.language)


def _switch(name: str) -> str:
    """Return a switch of the frame: from the address (then kept in a cookie), else from the cookie."""
    asked = request.args.get(name, "")
    if asked in CHOICES[name]:
        g.setdefault("switches", {})[name] = asked
        return asked
    kept = request.cookies.get(name, "")
    return kept if kept in CHOICES[name] else ""


def speech() -> Speech:
    """Return the words of this answer."""
    if "speech" not in g:
        found, tongue = parts(), language()
        book = load_book()
        times = Times(book, tongue, found.settings.timezone, now())
        g.speech = Speech(book, tongue, times, found.levels, found.categories)
    return g.speech  # type: ignore[no-any-return]  # `g` holds anything


def is_staff() -> bool:
    """Whether somebody with an account looks."""
    return actor().user_id is not None


def caption() -> str:
    """Return the line under every map: the review number, else the caption of the settings, else 内部使用 for staff."""
    settings = parts().settings
    lines = [settings.caption, settings.base_map_attribution if settings.base_map_url else ""]
    if settings.map_review_number:
        lines.append(speech().t("frame.review", number=settings.map_review_number))
    elif is_staff() and not settings.caption:
        lines.append(speech().t("frame.internal"))
    return " · ".join(line for line in lines if line)


def own_area_url(who: Actor) -> tuple[str, str] | None:
    """Return the address of the first area that somebody answers for, and its level; None without one."""
    for held in who.roles:
        if held.area_id is not None and held.role in {"area_chief", "grid_chief", "liaison", "street"}:
            area = snapshot().find_area_by_id(held.area_id)
            if area is not None:
                return area_url(area.level, area.code), area.level
    return None


def area_url(level: str, code: str) -> str:
    """Return the address of an area's page; a patch has a short one."""
    if level == "patch":
        return url_for("pages.patch_page", code=code)
    return url_for("pages.area_page", level=level, code=code)


_NAV = (
    ("city_map", "nav.map", "map-2", "public"),
    ("", "", "", ""),  # one's own area stands here
    ("case_list", "nav.cases", "list-details", "case.view"),
    ("insight", "nav.insight", "chart-histogram", "insight.view"),
    ("office", "nav.office", "layout-dashboard", "office.view"),
    ("unit", "nav.unit", "tools", "unit.work"),
    ("report", "nav.report", "message-report", "public.report"),
)


def _nav(who: Actor) -> tuple[NavItem, ...]:
    say, found = speech().t, []
    for endpoint, key, icon, permission in _NAV:
        if not endpoint:
            own = _find_own_area(who)
            if own:
                word = "nav.patch" if own[1] == "patch" else "nav.area"
                found.append(NavItem(own[0], say(word), "map-pin-check", request.path == own[0]))
        elif allows(who, permission):
            url = url_for(f"pages.{endpoint}")
            found.append(NavItem(url, say(key), icon, request.path == url))
    return tuple(found)


def _find_own_area(who: Actor) -> tuple[str, str] | None:
    """Return one's own area; none where the store is gone, since the page that says so has a frame as well."""
    if not allows(who, "patch.view"):
        return None
    try:
        return own_area_url(who)
    except (MapsvcError, SQLAlchemyError):
        return None


def offer_undo(text: str, number: str, version: int) -> None:
    """Let the next page offer to take a step back."""
    until = now() + UNDO_WINDOW
    flash({"text": text, "number": number, "version": version, "until": until.isoformat()}, "undo")  # type: ignore[arg-type]  # JSON, like every session


def _undo() -> Undo | None:
    offers = get_flashed_messages(category_filter=["undo"])
    if not offers:
        return None
    offer: Any = offers[-1]
    left = datetime.fromisoformat(offer["until"]) - now()
    if left <= timedelta(0) or not is_staff():
        return None
    return Undo(
        text=offer["text"],
        url=url_for("pages.case_step", number=offer["number"], step="undo"),
        uuid=uuid4(),
        version=offer["version"],
        back=_path_here(),
        seconds=int(left.total_seconds()),
    )


def _path_here() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def _here(**changes: str) -> str:
    """Return this address with a switch changed."""
    values = request.args.to_dict() | changes
    return f"{request.path}?{urlencode(values)}"


def _guide_url() -> str:
    """Return the address of the chapter that tells of this page, else of the front of the guide."""
    name, _, anchor = CHAPTERS.get((request.endpoint or "").removeprefix("pages."), "").partition("#")
    if not name:
        return url_for("pages.guide")
    return url_for("pages.guide_page", name=name, _anchor=anchor or None)


def make_frame() -> Frame:
    """Return the frame of this answer."""
    words, who = speech(), actor()
    other = "en" if words.language == "zh" else "zh"
    large, contrast = _switch("size") == "large", _switch("contrast") == "high"
    names = dict.fromkeys(held.role for held in who.roles)
    return Frame(
        site=parts().settings.display_name or words.t("frame.site"),
        html_language=HTML_LANGUAGES[words.language],
        other_language=HTML_LANGUAGES[other],
        other_language_url=_here(lang=other),
        large=large,
        large_url=_here(size="normal" if large else "large"),
        contrast=contrast,
        contrast_url=_here(contrast="normal" if contrast else "high"),
        nav=_nav(who),
        user_id=who.user_id,
        person=who.name if is_staff() else "",
        roles=" · ".join(words.find(f"role.{name}") or name for name in names),
        messages=tuple(str(message) for message in get_flashed_messages(category_filter=["message"])),
        undo=_undo(),
        caption=caption(),
        foot=" · ".join(line for line in (parts().settings.caption, words.t("frame.foot")) if line),
        here=_path_here(),
        guide_url=_guide_url(),
        script_words=words.book.under(words.language, "script"),
    )


def _context() -> dict[str, Any]:
    words = speech()
    return {
        "frame": make_frame(),
        "t": words.t,
        "when": words.when,
        "day": words.times.day,
        "due_text": words.due_text,
        "clock": words.clock,
        "state_name": words.state_name,
        "state_words": words.state_words,
        "category_name": words.category_name,
        "level_name": words.level_name,
        "share": words.share,
        "quick_step": lambda row: quick_step(words, actor(), row, uuid4()),
        "kept": kept_form,
        "problem_words": lambda problem: problem_words(words, problem.status, problem.code),
    }


def _keep_switches(response: Response) -> Response:
    for name, value in g.get("switches", {}).items():
        response.set_cookie(
            name, value, max_age=ONE_YEAR_S, samesite="Lax", httponly=True, secure=parts().settings.secure_cookies
        )
    return response


def _answer_scripts(response: Response) -> Response:
    """Tell a form that was sent by script where to go, instead of sending it there: it has a draft to forget first."""
    if request.headers.get("X-Mapsvc-Form") == "1" and response.status_code == 303:
        response.set_data(orjson.dumps({"to": response.location}))
        response.status_code, response.content_type = 200, "application/json"
        del response.headers["Location"]
    return response


def install(app: Flask) -> None:
    """Give every template of the app its frame and its words."""
    app.context_processor(_context)
    app.after_request(_answer_scripts)
    app.after_request(_keep_switches)
