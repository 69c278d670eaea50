"""What an address says about figures: the question, and the cut of the list behind one number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from flask import url_for

from mapsvc.areas.rules.located import AreaAt
from mapsvc.base.errors import InvalidInput
from mapsvc.cases.rules.cuts import Cut, light_of
from mapsvc.cases.rules.values import CHANNEL_GROUPS
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.rules.rates import FORMULAS, MAPPED, TALLY_PARTS, get_formula
from mapsvc.insight.rules.windows import Window, read_window
from mapsvc.web.pages.frame import speech
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present.insight import window_name
from mapsvc.web.present.worklist import FigureList

SHOWS = ("value", "limits", "heat", "per_km", "heat_km")
HEATS = ("heat", "heat_km")
"""What is drawn as heat and not by area."""
RECEIVED = "received"
"""The figure that is the tally: what came in, and what became of it."""


@dataclass(frozen=True)
class Asked:
    """The state of the page of figures as its address has it; unknown values fall back to what is usual."""

    window: Window
    level: str
    show: str
    rate: str
    area: AreaAt | None
    category: str
    channel: str
    history: bool

    @property
    def kept(self) -> dict[str, str]:
        """The values that a list behind a number keeps."""
        found = {
            "window": self.window.name,
            "area": f"{self.area.level}:{self.area.code}" if self.area else "",
            "category": self.category,
            "channel": self.channel,
            "history": "" if self.history else "0",
        }
        return {name: value for name, value in found.items() if value}

    @property
    def values(self) -> dict[str, str]:
        """All values, as they stand in the address."""
        return {**self.kept, "level": self.level, "show": self.show, "rate": self.rate}

    def question(self) -> Question:
        """Return the question that figures answer."""
        return Question(
            since=self.window.since,
            until=self.window.until,
            as_of=this_second(),
            light=light_of(parts().rulebook.categories),
            area_id=self.area.area_id if self.area else None,
            category=self.category,
            channels=CHANNEL_GROUPS.get(self.channel, ()),
            include_historic=self.history,
        )


def read_asked(args: Mapping[str, str]) -> Asked:
    """Read the state of the page; a window that is none is an error, since it would be another one's figures."""
    show, rate, channel = args.get("show", ""), args.get("rate", ""), args.get("channel", "")
    category = args.get("category", "")
    return Asked(
        window=read_window(args.get("window", ""), now(), parts().settings.timezone),
        level=_level(args.get("level", "")),
        show=show if show in SHOWS else SHOWS[0],
        rate=rate if rate in MAPPED else MAPPED[0],
        area=find_area(args.get("area", "")),
        category=category if category.isascii() and category.isalnum() and len(category) < 20 else "",
        channel=channel if channel in CHANNEL_GROUPS else "",
        history=args.get("history") != "0",
    )


def find_area(text: str) -> AreaAt | None:
    """Return the area that `patch:P07` names; None for none, and for one that is not in force."""
    level, _, code = text.partition(":")
    return snapshot().find_area(level, code) if code else None


def _level(text: str) -> str:
    tables = snapshot().tables
    if text in tables:
        return text
    chain = [level for level in parts().levels.chain("default") if level in tables]
    return (chain or list(tables) or [""])[0]


def figures_of(question: Question) -> Figures:
    """Return what counts a question, over what the asker may see."""
    return Figures(parts().columns.current(), actor(), question)


def this_second() -> datetime:
    """Return the end of the present second: figures are made of whole ones, and this one's cases are among them."""
    return now().replace(microsecond=0) + timedelta(seconds=1)


# -- the list behind one number


def find_cut(args: Mapping[str, str]) -> tuple[Cut, FigureList] | None:
    """Return the cut that the address of a list names, and what is said above the list; None for a plain list.

    `at` is the moment at which the number was made, so that the list holds its cases and not those of a minute later.
    """
    name = args.get("figure", "")
    if not name:
        return None
    asked = read_asked(args)
    question = replace(asked.question(), as_of=_moment(args.get("at", "")))
    part = args.get("part", "")
    if name == RECEIVED:
        cut = question.cut(RECEIVED, part if part in TALLY_PARTS else "")
        cut = replace(cut, only=True if cut.part else None)
    else:
        formula = get_formula(name)
        cut = question.cut(formula.population, formula.part)
        cut = replace(cut, only={"yes": True, "no": False}.get(part))
        if formula.part == "recurred":
            counting = Figures(parts().columns.current(fresh=True), actor(), question).cases_of(name)[1]
            cut = replace(cut, recurred=tuple(counting.tolist()))
    return cut, _told(asked, name, cut)


def _moment(text: str) -> datetime:
    if not text:
        return this_second()
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise InvalidInput("bad_moment", f"{text[:40]!r} is no moment.", hint="It is seconds since 1970.")
    return min(datetime.fromtimestamp(int(text), UTC), this_second())


def _told(asked: Asked, name: str, cut: Cut) -> FigureList:
    say, formula = speech(), FORMULAS.get(name)
    title = formula.title(say.language) if formula else say.t("insight.tally_received")
    if formula is None and cut.part:
        title = f"{title} · {say.t(f'insight.tally_{cut.part}')}"
    key = "received" if formula is None else {True: "yes", False: "no", None: "all"}[cut.only]
    title = f"{title} · {window_name(say, asked.window)}"
    return FigureList(title, f"insight.list_{key}", formula.formula(say.language) if formula else "", back_url(asked))


def said_of(figure: FigureList, count: int, marked: int) -> FigureList:
    """Return what is said above a list, with how many cases it holds and how many of them count."""
    return replace(figure, told=speech().t(figure.told, count=count, marked=marked))


def back_url(asked: Asked) -> str:
    """Return the address of the page of figures in this state."""

    return f"{url_for('pages.insight')}?{urlencode(asked.values, safe=':.')}"
