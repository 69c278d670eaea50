"""What the signs, lines and circles of a map mean: only what this very map draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mapsvc.catalog import Layer, Style
from mapsvc.web.present.ground import Drawn
from mapsvc.web.present.speech import Speech

OPEN_STATES = ("received", "assigned", "in_progress", "fixed", "returned", "suspended")


@dataclass(frozen=True)
class LegendSign:
    """One sign of a case."""

    state: str
    text: str
    overdue: bool = False
    unplaced: bool = False
    edge: bool = False


@dataclass(frozen=True)
class LegendLine:
    """One kind of border, as its layer draws it: a CSS colour, a width in pixels."""

    colour: str
    weight: float
    text: str


@dataclass(frozen=True)
class LegendGround:
    """One kind of things on the ground as its layer draws it; CSS colours, empty for none. `shape`: line or fill."""

    layer: str
    shape: str
    colour: str
    edge: str
    dash: str
    text: str


@dataclass(frozen=True)
class Legend:
    """The legend of one map; `shape` entries are drawn by the page under their names."""

    signs: tuple[LegendSign, ...] = ()
    lines: tuple[LegendLine, ...] = ()
    shapes: tuple[tuple[str, str], ...] = ()
    ground: tuple[LegendGround, ...] = ()


def sign_legend(words: Speech) -> tuple[LegendSign, ...]:
    """Return the signs of open cases, and the rings of their flags."""
    states = [LegendSign(state, words.state_name(state)) for state in OPEN_STATES]
    flags = [
        LegendSign("assigned", words.t("flag.overdue"), overdue=True),
        LegendSign("assigned", words.t("flag.edge"), edge=True),
    ]
    return (*states, *flags)


def line_legend(words: Speech, layers: Iterable[Layer], levels: Iterable[str]) -> tuple[LegendLine, ...]:
    """Return the borders of the levels that a map draws, the strongest first."""
    drawn = set(levels)
    return tuple(
        LegendLine(_css(layer.style.color), layer.style.weight, layer.legend(words.language))
        for layer in layers
        if layer.source == "areas" and layer.level in drawn
    )


def ground_legend(words: Speech, drawn: Iterable[Drawn]) -> tuple[LegendGround, ...]:
    """Return what the ground layers really hold, the uppermost first: a kind that is nowhere has no line here."""
    found = []
    for one in drawn:
        there = one.kinds
        styled = {value for kind in one.layer.kinds for value in kind.values}
        if there - styled:
            found.append(_ground(one, one.layer.style, one.layer.legend(words.language)))
        own = [kind for kind in one.layer.kinds if there & set(kind.values)]
        found += [_ground(one, kind.style, kind.legend(words.language)) for kind in own]
    return tuple(reversed(found))


def _ground(one: Drawn, style: Style, text: str) -> LegendGround:
    if one.has_polygons:
        return LegendGround(one.layer.code, "fill", _css(style.fill), _css(style.color), "", text)
    return LegendGround(one.layer.code, "line", _css(style.color), _css(style.casing), style.dash, text)


def _css(colour: str) -> str:
    return f"var({colour})" if colour.startswith("--") else colour


def shapes_of(words: Speech, *names: str) -> tuple[tuple[str, str], ...]:
    """Return the words of shapes: `group` (several cases), `chosen` (the outlined area), `accuracy`, `pin`."""
    return tuple((name, words.t(f"legend.{name}")) for name in names)
