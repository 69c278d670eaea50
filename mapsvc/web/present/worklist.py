"""The work list: its filters read from the address and written back into links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.counters import Bounds
from mapsvc.cases.queries.views import CaseFilters, Page
from mapsvc.cases.rules.cuts import Cut
from mapsvc.cases.rules.values import CHANNEL_GROUPS, STATES
from mapsvc.web.present.counts import LISTS
from mapsvc.web.present.speech import Speech
from mapsvc.web.values import box_of

FLAGS = (
    "mine", "sign_due", "due_today", "due_soon", "overdue", "unplaced", "edge", "handed", "whistle", "new_today",
    "closed_today",
)  # fmt: skip
FIGURE = ("figure", "part", "window", "at", "channel", "history")
"""What names the figure whose cases are listed, see `present.insight.list_url`."""

KEPT = ("text", "state", "checked", "category", "area", "box", "unit", "sort", *FLAGS, *FIGURE)
WHERE = frozenset({"area", "box", "unit"})
"""What says of where the cases are: a ready-made view keeps it."""

LONGEST = 100
_CHECKED = {"0": False, "1": True}


def read_box(text: str) -> tuple[float, float, float, float] | None:
    """Return a box of the map (west, south, east, north in degrees, WGS 84); None for what is none."""
    try:
        return box_of(text)
    except (ValueError, InvalidInput):
        return None


@dataclass(frozen=True)
class Option:
    """One entry of a select."""

    value: str
    text: str
    here: bool = False


@dataclass(frozen=True)
class Chip:
    """One ready-made view of the list."""

    text: str
    url: str
    here: bool


@dataclass(frozen=True)
class FigureList:
    """The figure whose cases are listed: its title, what it says of them, its formula, the way back to it."""

    title: str
    told: str
    formula: str
    back_url: str


@dataclass(frozen=True)
class WorkList:
    """What the page of the work list reads."""

    title: str
    count: str
    chips: tuple[Chip, ...]
    kept: tuple[tuple[str, str], ...]
    text: str
    states: tuple[Option, ...]
    categories: tuple[Option, ...]
    areas: tuple[Option, ...]
    first_url: str
    next_url: str
    filtered: bool
    may_open: bool
    figure: FigureList | None = None


@dataclass(frozen=True)
class Asked:
    """The state of the list as the address has it; unknown values are dropped, so that old links still open."""

    values: Mapping[str, str]
    area_id: int | None = None
    unit_id: int | None = None
    cut: Cut | None = None

    @classmethod
    def read(cls, args: Mapping[str, str], area_id: int | None = None, unit_id: int | None = None) -> Asked:
        """Read what is known of an address."""
        kept = {name: args[name][:LONGEST] for name in KEPT if args.get(name)}
        if kept.get("state") not in STATES:
            kept.pop("state", None)
        if kept.get("sort") not in {"urgency", "newest"}:
            kept.pop("sort", None)
        if "box" in kept and read_box(kept["box"]) is None:
            kept.pop("box")
        return cls(kept, area_id, unit_id)

    def has(self, name: str) -> bool:
        """Whether a flag is set."""
        return self.values.get(name) == "1"

    def filters(self, bounds: Bounds) -> CaseFilters:
        """Return the filters; without a state the list holds open cases only, a search or a day's list all of them."""
        state, text = self.values.get("state", ""), self.values.get("text", "")
        if self.cut is not None:
            return self._of_figure(self.cut)
        due_before = bounds.near if self.has("due_soon") else bounds.day_ends if self.has("due_today") else None
        of_today = self.has("new_today") or self.has("closed_today")
        return CaseFilters(
            area_id=self.area_id,
            states=(state,) if state else (),
            category=self.values.get("category", ""),
            unit_id=self.unit_id,
            open_only=not state and not text and not of_today,
            overdue=self.has("overdue"),
            due_before=due_before,
            sign_due=self.has("sign_due"),
            unplaced=self.has("unplaced"),
            edge=self.has("edge"),
            mine=self.has("mine"),
            checked=_CHECKED.get(self.values.get("checked", "")),
            handed=self.has("handed"),
            whistle="asked" if self.has("whistle") else "",
            received_since=bounds.day_begins if self.has("new_today") else None,
            closed_since=bounds.day_begins if self.has("closed_today") else None,
            include_historic=bool(state == "closed" or text) and not of_today,
            text=text,
            bbox=read_box(self.values.get("box", "")),
            sort=self.values.get("sort", "urgency"),
        )

    def _of_figure(self, cut: Cut) -> CaseFilters:
        """Return the cases of a figure, by the very conditions by which it was counted; a search narrows them."""
        return CaseFilters(
            area_id=self.area_id,
            states=(self.values["state"],) if "state" in self.values else (),
            category=self.values.get("category", ""),
            channels=CHANNEL_GROUPS.get(self.values.get("channel", ""), ()),
            cut=cut,
            include_historic=self.values.get("history") != "0",
            text=self.values.get("text", ""),
            sort=self.values.get("sort", "urgency"),
        )

    def url(self, base: str, **changes: str) -> str:
        """Return the address of this list with some values changed; an empty one takes it away."""
        values = {name: value for name, value in {**self.values, **changes}.items() if value}
        return f"{base}?{urlencode(values, safe=':')}" if values else base


_CHIPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("cases.all", {}),
    ("cases.mine", {"mine": "1"}),
    ("state.assigned", {"state": "assigned"}),
    ("count.due_today", {"due_today": "1"}),
    ("flag.overdue", {"overdue": "1"}),
    ("flag.unplaced", {"unplaced": "1"}),
    ("flag.edge", {"edge": "1"}),
    ("cases.closed", {"state": "closed", "sort": "newest"}),
)


def chips_of(words: Speech, asked: Asked, base: str) -> tuple[Chip, ...]:
    """Return the ready-made views; the area or the part of the map that is chosen stays chosen."""
    kept = {name: value for name, value in asked.values.items() if name in WHERE}
    present = {name: value for name, value in asked.values.items() if name not in WHERE}
    return tuple(Chip(words.t(key), Asked({**kept, **values}).url(base), present == values) for key, values in _CHIPS)


def _counted(words: Speech, asked: Asked) -> str:
    """Return the words of the counter whose list this is; empty for another list."""
    present = {name: value for name, value in asked.values.items() if name not in WHERE}
    name = next((name for name, query in LISTS.items() if dict(parse_qsl(query)) == present), "")
    return words.t(f"count.{name}") if name else ""


def counted(words: Speech, page: Page) -> str:
    """Return how many cases a list has, in words where it was not counted to the end."""
    return words.t("cases.at_least", count=f"{page.count:,}") if page.count_capped else f"{page.count:,}"


def work_list(
    words: Speech, asked: Asked, page: Page, base: str, areas: Sequence[Option], *, paged: bool, may_open: bool
) -> WorkList:
    """Return the page of the list."""
    chips = chips_of(words, asked, base)
    title = next((chip.text for chip in chips if chip.here), "") or _counted(words, asked) or words.t("nav.cases")
    shown = {"text", "state", "category", "area"}
    return WorkList(
        title=title,
        count=counted(words, page),
        chips=chips,
        kept=tuple((name, value) for name, value in asked.values.items() if name not in shown),
        text=asked.values.get("text", ""),
        states=tuple(Option(s, words.state_name(s), asked.values.get("state") == s) for s in STATES),
        categories=_majors(words, asked.values.get("category", "")),
        areas=tuple(areas),
        first_url=asked.url(base) if paged else "",
        next_url=asked.url(base, cursor=page.cursor) if page.cursor else "",
        filtered=bool(asked.values),
        may_open=may_open,
    )


def _majors(words: Speech, chosen: str) -> tuple[Option, ...]:
    options = [
        Option(major.code, f"{major.code} {major.title(words.language)}", chosen == major.code)
        for major in words.categories.majors
    ]
    if chosen and not any(option.here for option in options):
        options.append(Option(chosen, words.category_name(chosen), here=True))
    return tuple(options)
