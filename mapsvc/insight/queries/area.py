"""The rates of one area, for whoever sees the whole of it."""

from __future__ import annotations

from mapsvc.areas.index import Snapshot
from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.insight.queries.figures import Figures, Question
from mapsvc.insight.rules.rates import Rate
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import scope

AREA_RATES = ("on_time", "mended", "instant", "solved")
"""按期结案率, 整改率, 即查即改率, 解决率: what an area is asked for, each by its own name."""


def sees_whole(actor: Actor, snapshot: Snapshot, area_id: int, permission: str) -> bool:
    """Whether a permission holds in an area with all below it: everywhere, there, or in an area that holds it.

    Whoever sees only some of its cases does not: figures of those would bear the area's name and be others.
    """
    where = scope(actor, permission)
    return where.everywhere or not where.area_ids.isdisjoint({area_id, *areas_above(snapshot, area_id)})


def areas_above(snapshot: Snapshot, area_id: int) -> set[int]:
    """Return the areas that hold the point at which an area's name stands."""
    at = snapshot.borders.find_row(area_id)
    if at is None:
        return set()
    level, row = at
    order = snapshot.levels.codes
    lon, lat = snapshot.tables[level].label_lonlat[row]
    held = snapshot.locate_rows([lon], [lat])
    coarser = [each for each in order[: order.index(level)] if each in held] if level in order else []
    return {int(snapshot.tables[each].area_ids[held[each][0]]) for each in coarser if held[each][0] >= 0}


def area_figures(columns: CaseColumns, actor: Actor, snapshot: Snapshot, asked: Question) -> tuple[Rate, ...]:
    """Return `AREA_RATES` of the area that a question names; empty for who does not see the whole of it.

    Counted from the cases in memory, without a query: a card may ask it with every click.
    """
    if asked.area_id is None or not sees_whole(actor, snapshot, asked.area_id, "insight.view"):
        return ()
    figures = Figures(columns, actor, asked)
    return tuple(figures.rate(name) for name in AREA_RATES)
