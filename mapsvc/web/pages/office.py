"""The office: counters, the tray of what lies nowhere, areas without a chief."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import render_template, url_for

from mapsvc.areas.queries.posts import AreaWithoutChief, areas_without_chief
from mapsvc.cases.queries.counters import counters
from mapsvc.cases.queries.views import CaseFilters, Counters
from mapsvc.cases.queries.worklist import list_cases, list_unplaced
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.work import Work
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import area_url, speech
from mapsvc.web.parts import actor, now, parts, snapshot, today
from mapsvc.web.present.counts import LISTS, Count, count_of, edge_share_of

TRAY = 8
NAMED = 8


@dataclass(frozen=True)
class Link:
    """A name that leads somewhere."""

    name: str
    url: str


@dataclass(frozen=True)
class Warning:
    """A standing warning, with the areas that it is about."""

    icon: str
    text: str
    url: str = ""
    areas: tuple[Link, ...] = ()
    more: bool = False


@dataclass(frozen=True)
class CountGroup:
    """Counters under one heading."""

    title: str
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class Office:
    """What the office page reads."""

    now: datetime
    warnings: tuple[Warning, ...]
    groups: tuple[CountGroup, ...]


_GROUPS = (
    ("office.today", ("new_today", "closed_today")),
    ("office.now", ("open", "received", "to_sign", "in_progress", "to_check", "to_close", "returned", "suspended")),
    ("office.time", ("near_due", "due_today", "overdue", "sign_overdue")),
    ("office.places", ("unplaced", "edge", "whistle")),
)


@pages.get("/office")
@permission("office.view")
def office() -> str:
    with parts().store.read() as work:
        counted = counters(work, actor(), parts().rulebook)
        missing = _without_chief(work)
        unplaced = list_unplaced(work, actor(), limit=TRAY).rows if allows(actor(), "case.unplaced") else ()
        overdue = CaseFilters(overdue=True, include_historic=False)
        late = list_cases(work, actor(), overdue, limit=TRAY).rows if allows(actor(), "case.view") else ()
    made = Office(now(), _warnings(counted, missing), _groups(counted))
    return render_template("office.html", office=made, unplaced=unplaced, late=late)


def _without_chief(work: Work) -> tuple[AreaWithoutChief, ...]:
    """Return the areas that answer for cases and have nobody: grids tell, they do not answer."""
    levels = [level for level in parts().levels.chain("default") if level in snapshot().tables]
    return areas_without_chief(work, levels, today(), now())


def _warnings(counted: Counters, missing: tuple[AreaWithoutChief, ...]) -> tuple[Warning, ...]:
    say, found = speech(), []
    if not snapshot().tables:
        found.append(Warning("map-off", say.t("office.no_areas")))
    for level, group in groupby(missing, key=lambda area: area.level):
        areas = list(group)
        text = say.t("office.without_chief", level=say.level_name(level), count=len(areas))
        links = tuple(Link(area.name or area.code, area_url(level, area.code)) for area in areas[:NAMED])
        every = url_for("pages.area_list", level=level, without_chief=1)
        found.append(Warning("user-off", text, every, links, more=len(areas) > NAMED))
    if counted.sign_overdue:
        text = say.t("office.sign_overdue", count=counted.sign_overdue)
        found.append(Warning("alert-triangle", text, f"{url_for('pages.case_list')}?{LISTS['sign_overdue']}"))
    return tuple(found)


def _groups(counted: Counters) -> tuple[CountGroup, ...]:
    say, base, found = speech(), url_for("pages.case_list"), []
    for title, names in _GROUPS:
        counts = [count_of(say, counted, name, base) for name in names]
        if "edge" in names:
            counts.append(edge_share_of(say, counted, base))
        found.append(CountGroup(say.t(title), tuple(counts)))
    return tuple(found)
