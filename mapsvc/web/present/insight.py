"""Figures as the page of figures says them: rates with interval and count, each number with its list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from mapsvc.insight.queries.months import Difference, FrozenMonth
from mapsvc.insight.queries.tables import AreaFigures, CodeLine, MonthLine
from mapsvc.insight.queries.walked import LEAST_KM, WalkedLine
from mapsvc.insight.rules.intervals import ABOVE, BELOW
from mapsvc.insight.rules.rates import ENOUGH, FEW_CASES, FORMULAS, NOT_APPLICABLE, Rate, Tally
from mapsvc.insight.rules.windows import Window
from mapsvc.web.present.speech import Speech

SHARE_CLASSES = (
    (0.5, "#00224e"), (0.6, "#35456c"), (0.7, "#666970"), (0.8, "#948e77"), (0.9, "#c8b866"), (1.0, "#fee838"),
)  # fmt: skip
"""Upper ends of the classes of a rate and their colours: cividis, dark is low; fixed, so that months compare."""

LOSS_CLASSES = (
    (0.01, "#fee838"), (0.02, "#c8b866"), (0.05, "#948e77"), (0.1, "#666970"), (0.2, "#35456c"), (1.0, "#00224e"),
)  # fmt: skip
"""The same for rates of which less is better: dark is the worrying end on every map."""

STANDING_COLOURS = {"below": "#542788", "within": "#d8daeb", "above": "#e08214"}
"""Purple, grey, orange: told apart by those who see no red or green, and in grey."""


@dataclass(frozen=True)
class Number:
    """A number and the list that it is made of; no address where nobody may open it."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class RateText:
    """One rate in words."""

    name: str
    title: str
    formula: str
    share: str
    interval: str
    numerator: Number
    n: Number
    note: str
    standing: str
    beside: bool = False


@dataclass(frozen=True)
class AreaText:
    """One line of the table by area."""

    name: str
    url: str
    received: Number
    rate: RateText
    standing: str
    standing_text: str


@dataclass(frozen=True)
class LineText:
    """One line of the table by month, category or channel."""

    name: str
    url: str
    received: Number | None
    rate: RateText
    limits: str = ""
    standing_text: str = ""


@dataclass(frozen=True)
class TallyText:
    """受理 = 办结 + 未到期在办 + 超期, each a link, and the share that is no fix rate."""

    received: Number
    closed: Number
    in_time: Number
    overdue: Number
    closed_of_received: str


@dataclass(frozen=True)
class Shade:
    """One class of the map: up to which rate, its colour, its words."""

    upto: float
    colour: str
    text: str


@dataclass(frozen=True)
class Links:
    """Makes the addresses of lists: `/cases` with the figure and whatever narrows it."""

    base: str
    kept: Mapping[str, str]
    at: int

    def of(self, figure: str, part: str = "", **narrowed: str) -> str:
        """Return the list of a figure: all that it was counted from, or a part (`yes`, `no`, a part of the tally)."""
        values = {**self.kept, **narrowed, "figure": figure, "part": part, "at": str(self.at)}
        return f"{self.base}?{urlencode({name: value for name, value in values.items() if value}, safe=':.')}"


def per_cent(share: float, digits: int = 1) -> str:
    """Return a share in per cent; never 0 or 100 unless it is exactly that."""
    least = 10**-digits
    value = share * 100
    if 0 < share < 1:
        value = min(max(value, least), 100 - least)
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if share in (0.0, 1.0) else text} %"


def rate_text(say: Speech, rate: Rate, links: Links, **narrowed: str) -> RateText:
    """Return a rate in words."""
    formula = FORMULAS[rate.name]
    none = rate.share is None
    interval = "–"
    if rate.low is not None and rate.high is not None:
        interval = f"{per_cent(rate.low)} – {per_cent(rate.high)}"
    notes = {
        FEW_CASES: say.t("insight.few"),
        NOT_APPLICABLE: say.t("insight.not_applicable"),
        ENOUGH: "",
    }
    return RateText(
        name=rate.name,
        title=formula.title(say.language),
        formula=formula.formula(say.language),
        share="–" if rate.share is None else per_cent(rate.share),
        interval=interval,
        numerator=Number(str(rate.numerator), "" if none else links.of(rate.name, "yes", **narrowed)),
        n=Number(str(rate.n), "" if none else links.of(rate.name, **narrowed)),
        note=notes.get(rate.standing, say.t("insight.nothing")),
        standing=rate.standing,
    )


def tally_text(tally: Tally, links: Links) -> TallyText:
    """Return the tally with its links."""
    share = tally.closed_of_received
    return TallyText(
        received=Number(f"{tally.received:,}", links.of("received")),
        closed=Number(f"{tally.closed:,}", links.of("received", "closed")),
        in_time=Number(f"{tally.in_time:,}", links.of("received", "in_time")),
        overdue=Number(f"{tally.overdue:,}", links.of("received", "overdue")),
        closed_of_received="–" if share is None else per_cent(share, 2),
    )


def standing_name(standing: int) -> str:
    """Return where an area stands against its limits, as a word of the code."""
    return {BELOW: "below", ABOVE: "above", 0: "within"}.get(standing, "none")


def area_texts(say: Speech, figures: AreaFigures, links: Links, area_url: Mapping[str, str]) -> tuple[AreaText, ...]:
    """Return the table by area, in the order of the codes: no league table."""
    found = []
    for line in figures.lines:
        area = f"{figures.level}:{line.code}"
        standing = standing_name(line.standing)
        found.append(
            AreaText(
                name=line.name,
                url=area_url.get(line.code, ""),
                received=Number(str(line.received), links.of("received", area=area) if line.received else ""),
                rate=rate_text(say, line.rate, links, area=area),
                standing=standing,
                standing_text=say.t(f"insight.standing_{standing}"),
            )
        )
    return tuple(found)


def month_texts(
    say: Speech, lines: tuple[MonthLine, ...], links: Links, here: Mapping[str, str]
) -> tuple[LineText, ...]:
    """Return the table of a trend."""
    found = []
    for line in lines:
        limits = "–" if line.low is None or line.high is None else f"{per_cent(line.low)} – {per_cent(line.high)}"
        found.append(
            LineText(
                name=window_name(say, line.window),
                url=here.get(line.window.name, ""),
                received=None,
                rate=rate_text(say, line.rate, links, window=line.window.name),
                limits=limits,
                standing_text=say.t(f"insight.standing_{standing_name(line.standing)}"),
            )
        )
    return tuple(found)


def code_texts(say: Speech, lines: tuple[CodeLine, ...], links: Links, column: str) -> tuple[LineText, ...]:
    """Return the table by category; channels are told by their names and have no list of their own."""
    found = []
    for line in lines:
        name = say.category_name(line.code) if column == "category" else say.t(f"channel.{line.code}")
        narrowed = {"category": line.code} if column == "category" else {}
        if column == "category":
            received = Number(str(line.received), links.of("received", **narrowed))
            rate = rate_text(say, line.rate, links, **narrowed)
        else:
            received, rate = Number(str(line.received)), _without_links(rate_text(say, line.rate, links))
        found.append(LineText(name, "", received, rate))
    return tuple(found)


def _without_links(rate: RateText) -> RateText:
    return RateText(
        rate.name, rate.title, rate.formula, rate.share, rate.interval,
        Number(rate.numerator.text), Number(rate.n.text), rate.note, rate.standing,
    )  # fmt: skip


def window_name(say: Speech, window: Window) -> str:
    """Return a window in words: 2026年11月, or its two days."""
    if window.month:
        month_name = say.t(f"date.month_{window.first.month}")
        return say.t("insight.month", year=window.first.year, month_name=month_name)
    return f"{window.first.isoformat()} – {window.last.isoformat()}"


def shades_of(say: Speech, rate: str) -> tuple[Shade, ...]:
    """Return the classes of a rate's map."""
    classes = SHARE_CLASSES if FORMULAS[rate].higher_is_better else LOSS_CLASSES
    found, low = [], 0.0
    for upto, colour in classes:
        found.append(Shade(upto, colour, f"{low * 100:.0f}–{upto * 100:.0f} %"))
        low = upto
    return tuple(found)


def standing_shades(say: Speech) -> tuple[Shade, ...]:
    """Return the three colours of the control limits."""
    return tuple(Shade(0, colour, say.t(f"insight.standing_{name}")) for name, colour in STANDING_COLOURS.items())


PER_KM_CLASSES = (0.5, 1.0, 2.0, 4.0, 8.0, None)
"""Upper ends of the classes of findings per kilometre: fixed, so that months and towns compare."""

PER_KM_COLOURS = ("#fee838", "#c8b866", "#948e77", "#666970", "#35456c", "#00224e")
NO_END = 1e9


@dataclass(frozen=True)
class WalkedRow:
    """Findings per kilometre of one area in words."""

    name: str
    findings: str
    km: str
    per_km: str
    interval: str


@dataclass(frozen=True)
class WalkedText:
    """Findings per kilometre walked: table, classes, and for the map findings and kilometres by code (0: too few)."""

    rows: tuple[WalkedRow, ...]
    shades: tuple[Shade, ...]
    frame: dict[str, list[float]]
    told: str
    least: str


def walked_text(say: Speech, lines: Iterable[WalkedLine]) -> WalkedText:
    """Return lines of areas in words, in the order of their codes: no league table."""
    found, frame, findings, km = [], {}, 0, 0.0
    for line in lines:
        told = line.per_km is not None and line.low is not None and line.high is not None
        found.append(
            WalkedRow(
                name=line.name,
                findings=str(line.findings),
                km=f"{line.km:.1f}",
                per_km=f"{line.per_km:.2f}" if told else "–",
                interval=f"{line.low:.2f} – {line.high:.2f}" if told else say.t("insight.walked_too_little"),
            )
        )
        frame[line.code] = [line.findings, round(line.km, 3) if told else 0, 2]
        findings, km = findings + line.findings, km + line.km
    shades, low = [], 0.0
    for upto, colour in zip(PER_KM_CLASSES, PER_KM_COLOURS, strict=True):
        shades.append(Shade(upto or NO_END, colour, f"{low:g}–{upto:g}" if upto else f"> {low:g}"))
        low = upto or low
    told_text = say.t("insight.per_km_told", findings=f"{findings:,}", km=f"{km:,.1f}")
    return WalkedText(tuple(found), tuple(shades), frame, told_text, f"{LEAST_KM:g}")


def difference_texts(say: Speech, found: tuple[Difference, ...]) -> tuple[str, ...]:
    """Return how figures differ, one line each."""
    lines = []
    for one in found:
        formula = FORMULAS.get(one.name)
        name = formula.title(say.language) if formula else say.t(f"insight.tally_{one.name}")
        then, now = ((f"{k}/{n}" if formula else str(k)) for k, n in (one.then, one.now))
        lines.append(say.t("insight.difference", name=name, then=then, now=now))
    return tuple(lines)


@dataclass(frozen=True)
class FrozenText:
    """What a page says of a month that was printed."""

    told: str
    differences: tuple[str, ...]


def frozen_text(say: Speech, frozen: FrozenMonth, found: tuple[Difference, ...]) -> FrozenText:
    """Return when a month was printed, and how it has changed since."""
    told = say.t("insight.frozen", at=say.when(frozen.made_at), by=frozen.made_by or "mapsvc")
    return FrozenText(told, difference_texts(say, found))
