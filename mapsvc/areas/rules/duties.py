"""Which unit is due (处置责任) for a category at a place, by a duty table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from mapsvc.areas.rules.located import Located


@dataclass(frozen=True, slots=True)
class DutyHeld:
    """One line of the duty table. Empty fields do not narrow.

    `category` is a code or the beginning of one: `E01` is due for all minor classes of that major one.
    """

    duty_id: int
    unit_id: int
    unit_code: str
    unit_name: str
    category: str
    level: str = ""
    area_id: int | None = None
    owner: str = ""
    in_polygon: bool = False
    valid_from: date | None = None
    valid_to: date | None = None

    def is_held(self, on: date) -> bool:
        """Whether the duty holds on a day; `valid_to` is the last one."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class UnitDue:
    """The unit that a duty table proposes, and by which kind of line: owner, polygon, area, level or anywhere."""

    unit_id: int
    code: str
    name: str
    duty_id: int
    by: str


_KINDS = ("owner", "polygon", "area", "level", "anywhere")


def find_unit_due(
    duties: Iterable[DutyHeld],
    category: str,
    located: Located | None,
    on: date,
    *,
    owner: str = "",
    polygons: frozenset[int] = frozenset(),
) -> UnitDue | None:
    """Choose the unit due for a category at a place on a day, or None when no line fits.

    The most particular line wins: owner of the component first (部件 go to their owner), then polygon,
    area (the finer one first), level, anywhere; then the longer category; then the older line. `polygons`
    are the ids of the duties whose polygon holds the point.
    """
    areas = located.areas if located else ()
    position = {area.area_id: n for n, area in enumerate(areas)}
    levels = {area.level for area in areas}
    best: tuple[tuple[int, int, int, int], DutyHeld, str] | None = None
    for duty in duties:
        if not category.startswith(duty.category) or not duty.is_held(on):
            continue
        if duty.owner and duty.owner != owner:
            continue
        if duty.in_polygon and duty.duty_id not in polygons:
            continue
        if duty.area_id is not None and duty.area_id not in position:
            continue
        if duty.area_id is None and duty.level and duty.level not in levels:
            continue
        kind = _kind(duty)
        fineness = position.get(duty.area_id, 0) if duty.area_id is not None else 0
        key = (_KINDS.index(kind), fineness, -len(duty.category), duty.duty_id)
        if best is None or key < best[0]:
            best = (key, duty, kind)
    if best is None:
        return None
    _, duty, kind = best
    return UnitDue(duty.unit_id, duty.unit_code, duty.unit_name, duty.duty_id, kind)


def _kind(duty: DutyHeld) -> str:
    if duty.owner:
        return "owner"
    if duty.in_polygon:
        return "polygon"
    if duty.area_id is not None:
        return "area"
    return "level" if duty.level else "anywhere"
