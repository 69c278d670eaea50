"""Pictures of a briefing: the map of its areas, and a page for a chat group. No person is on them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.measure import frame_of
from mapsvc.insight.service.briefing.content import (
    MAIN,
    NOTES,
    Briefing,
    MapArea,
    interval_text,
    per_cent,
    short_formula,
)
from mapsvc.insight.service.briefing.fonts import open_font

INK, SOFT, LINE, PAPER, ACCENT, DANGER = "#1b222c", "#4d5766", "#8b94a1", "#ffffff", "#1c5a9e", "#b0241b"
NONE, COLOURS = "#e3e6ea", ("#fee838", "#bcaf6f", "#7d7c78", "#434e6c", "#00224e")
"""Cividis, the more the darker, as on the city map; an area without any case is grey."""

DARK = frozenset(COLOURS[2:])

Classes = tuple[tuple[int | None, str, str], ...]
SHARP = 2
"""Drawn so many times larger and scaled down: Pillow draws polygons without smoothing."""


def classes_of(areas: Sequence[MapArea]) -> tuple[tuple[int | None, str, str], ...]:
    """Return the classes of a map: up to which count (None: no end), the colour, the words; none at all is grey.

    Five steps of one round width, so that the legend can be read, the largest count within the last ones.
    """
    most = max((area.count for area in areas), default=0)
    width = next(step for step in _round_steps() if step * len(COLOURS) >= most)
    found: list[tuple[int | None, str, str]] = [(0, NONE, "0")]
    for number, colour in enumerate(COLOURS):
        low, high = number * width + 1, (number + 1) * width
        found.append((high, colour, str(low) if low == high else f"{low}–{high}"))
    found[-1] = (None, *found[-1][1:])
    return tuple(found)


def _round_steps() -> Iterator[int]:
    power = 1
    while True:
        for digit in (1, 2, 3, 4, 5, 8):
            yield digit * power
        power *= 10


def draw_map(areas: Sequence[MapArea], width: int, height: int, font: Path, text_px: int) -> Image.Image:
    """Return the map of areas on a canvas of `width` x `height` pixels, north up, without any person."""
    image = Image.new("RGB", (width * SHARP, height * SHARP), "#f7f8fa")
    if areas:
        pen = ImageDraw.Draw(image)
        place = _Placing(areas, width * SHARP, height * SHARP)
        classes = classes_of(areas)
        for area in areas:
            for ring, hole in _rings(area.border):
                points = [tuple(point) for point in place(ring)]
                pen.polygon(points, fill="#f7f8fa" if hole else _shade(classes, area.count))
        for area in areas:
            for ring, _ in _rings(area.border):
                pen.line([tuple(point) for point in place(ring)], fill=PAPER, width=2 * SHARP, joint="curve")
        _write_names(pen, areas, place, classes, open_font(font, text_px * SHARP))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _rings(border: BaseGeometry) -> list[tuple[NDArray[np.float64], bool]]:
    found = []
    for part in shapely.get_parts(border):
        found.append((shapely.get_coordinates(part.exterior), False))
        found += [(shapely.get_coordinates(ring), True) for ring in part.interiors]
    return found


class _Placing:
    """From degrees to pixels, in metres of the ground: shapes keep their proportions."""

    def __init__(self, areas: Sequence[MapArea], width: int, height: int) -> None:
        borders = [area.border for area in areas]
        self.frame = frame_of(borders)
        west, south, east, north = shapely.total_bounds(self.frame.geometries_to_metres(borders))
        margin = 0.03 * min(width, height)
        self.scale = min((width - 2 * margin) / max(east - west, 1.0), (height - 2 * margin) / max(north - south, 1.0))
        self.left = (width - (east - west) * self.scale) / 2 - west * self.scale
        self.top = (height - (north - south) * self.scale) / 2 + north * self.scale

    def __call__(self, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        x_m, y_m = self.frame.to_metres(degrees[:, 0], degrees[:, 1])
        placed: NDArray[np.float64] = np.c_[self.left + x_m * self.scale, self.top - y_m * self.scale]
        return placed


def _shade(classes: Classes, count: int) -> str:
    return next(colour for upto, colour, _ in classes if upto is None or count <= upto)


def _write_names(
    pen: ImageDraw.ImageDraw,
    areas: Sequence[MapArea],
    place: _Placing,
    classes: Classes,
    letters: ImageFont.FreeTypeFont,
) -> None:
    """Write names and counts where they fit into their areas and over no other."""
    taken: list[tuple[float, float, float, float]] = []
    for area in sorted(areas, key=lambda one: -one.border.area):
        centre = shapely.get_coordinates(shapely.point_on_surface(area.border))
        x, y = place(centre)[0]
        text = f"{area.name}\n{area.count}"
        box = pen.multiline_textbbox((x, y), text, font=letters, anchor="mm", align="center", spacing=2)
        if any(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in taken):
            continue
        taken.append(box)
        dark = _shade(classes, area.count) in DARK
        pen.multiline_text(
            (x, y), text, font=letters, anchor="mm", align="center", spacing=2, fill=PAPER if dark else INK,
            stroke_width=SHARP, stroke_fill="#2a3340" if dark else PAPER,
        )  # fmt: skip


def png_of(image: Image.Image) -> bytes:
    """Return the bytes of a picture, without any note on where it was made."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


WIDTH, HEIGHT, MARGIN = 1080, 1560, 56


def draw_page(briefing: Briefing, font: Path) -> bytes:
    """Return the picture for a chat group: the sum, the rates with n and interval, the map; upright, for phones."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(image)
    y = _head(pen, briefing, font)
    y = _tally(pen, briefing, font, y + 28)
    y = _rates(pen, briefing, font, y + 30)
    foot = 148
    room = HEIGHT - y - foot - 52
    shown = draw_map(briefing.on_map, WIDTH - 2 * MARGIN, max(room, 120), font, 19)
    image.paste(shown, (MARGIN, y + 16))
    _legend(pen, briefing.on_map, font, y + 24 + max(room, 120))
    _foot(pen, briefing, font, HEIGHT - foot + 28)
    return png_of(image)


def _text(pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, font: Path, size: int, **how: object) -> None:
    bold = bool(how.pop("bold", False))
    pen.text(at, text, font=open_font(font, size, bold=bold), **how)  # type: ignore[arg-type]


def _head(pen: ImageDraw.ImageDraw, briefing: Briefing, font: Path) -> int:
    pen.rectangle((0, 0, WIDTH, 16), fill=ACCENT)
    _text(pen, (MARGIN, 48), briefing.area_name, font, 52, bold=True, fill=INK)
    _text(pen, (MARGIN, 120), f"{briefing.window_text} 网格化服务管理情况", font, 32, fill=SOFT)
    _text(pen, (WIDTH - MARGIN, 60), briefing.marking, font, 28, bold=True, fill=DANGER, anchor="ra")
    return 170


def _tally(pen: ImageDraw.ImageDraw, briefing: Briefing, font: Path, y: int) -> int:
    tally = briefing.tally
    cells = (
        ("受理", tally.received),
        ("办结", tally.closed),
        ("未到期在办", tally.in_time),
        ("超期在办", tally.overdue),
    )
    step = (WIDTH - 2 * MARGIN) / 4
    for number, (name, count) in enumerate(cells):
        x = MARGIN + number * step
        colour = DANGER if name == "超期在办" and count else INK
        _text(pen, (x, y), f"{count:,}", font, 52, bold=True, fill=colour)
        _text(pen, (x, y + 66), name, font, 26, fill=SOFT)
        if number:
            _text(pen, (x - 34, y + 12), "=" if number == 1 else "+", font, 36, fill=LINE, anchor="ma")
    return y + 104


def _rates(pen: ImageDraw.ImageDraw, briefing: Briefing, font: Path, y: int) -> int:
    for name in MAIN[:4]:
        rate = briefing.rates[name]
        pen.line((MARGIN, y, WIDTH - MARGIN, y), fill="#d7dce3", width=2)
        _text(pen, (MARGIN, y + 18), rate.formula.zh, font, 30, bold=True, fill=INK)
        _text(pen, (MARGIN + 330, y + 10), per_cent(rate.share), font, 40, bold=True, fill=ACCENT)
        told = f"{rate.numerator}/{rate.n}　区间 {interval_text(rate)}" if rate.n else NOTES[rate.standing]
        _text(pen, (WIDTH - MARGIN, y + 12), told, font, 25, fill=INK, anchor="ra")
        note = NOTES[rate.standing] if rate.n else ""
        _text(pen, (WIDTH - MARGIN, y + 46), note, font, 21, fill=SOFT, anchor="ra")
        _text(pen, (MARGIN, y + 66), short_formula(name), font, 19, fill=SOFT)
        y += 100
    return y


def _legend(pen: ImageDraw.ImageDraw, areas: Sequence[MapArea], font: Path, y: int) -> None:
    _text(pen, (MARGIN, y), "受理件数", font, 22, fill=SOFT)
    x = MARGIN + 120
    for _, colour, words in classes_of(areas):
        pen.rectangle((x, y + 4, x + 34, y + 26), fill=colour, outline=LINE)
        _text(pen, (x + 42, y), words, font, 22, fill=SOFT)
        x += 138


def _foot(pen: ImageDraw.ImageDraw, briefing: Briefing, font: Path, y: int) -> None:
    pen.line((MARGIN, y - 14, WIDTH - MARGIN, y - 14), fill="#d7dce3", width=2)
    lines = (
        f"统计期{briefing.window.first}至{briefing.window.last}，数据截至{briefing.as_of_text}；区间为95%置信区间。",
        "办结占受理不是整改率；未到期案件不计入按期结案率。本图不含个人信息。",
        briefing.caption,
    )
    for number, line in enumerate(lines):
        _text(pen, (MARGIN, y + number * 32), line, font, 21, fill=SOFT)
