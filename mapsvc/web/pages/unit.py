"""A handling unit on a phone: sign, mend with photos, return with a reason, ask for time; what was done this week."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from flask import render_template, request, url_for

from mapsvc.areas.queries.posts import list_phones
from mapsvc.cases.queries.cards import list_own_steps, list_signed_at
from mapsvc.cases.queries.counters import bounds_of, count_lists
from mapsvc.cases.queries.views import CaseRow
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.people.queries import units_by_id
from mapsvc.storage.work import Work
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import speech
from mapsvc.web.parts import actor, now, parts, snapshot, today
from mapsvc.web.present.caseview import step_title
from mapsvc.web.present.patchview import PatchCard, PatchCount, kind_of
from mapsvc.web.present.unitview import MORE, TILES, Chief, lists_of, unit_card

CARDS = 50
WEEK = timedelta(days=7)
HISTORY = 30


@dataclass(frozen=True)
class UnitPart:
    """One unit of the page: most accounts have one."""

    name: str
    cards: tuple[PatchCard, ...]


@pages.get("/unit")
@permission("unit.work")
def unit() -> str:
    asked = request.args.get("show", "")
    show = asked if asked in {*TILES, *MORE} else ""
    bounds = bounds_of(parts().rulebook, now())
    numbers: Counter[str] = Counter()
    found: list[UnitPart] = []
    with parts().store.read() as work:
        units = units_by_id(work, actor().unit_ids)
        for unit_id in sorted(units):
            lists = lists_of(unit_id, bounds)
            numbers.update(count_lists(work, actor(), lists))
            rows = list_cases(work, actor(), lists[show or "open"], limit=CARDS, counted=False).rows
            found.append(UnitPart(units[unit_id].name, _cards(work, rows)))
        done = list_own_steps(work, actor(), now() - WEEK, HISTORY)
    return render_template(
        "unit.html",
        unit_names="、".join(part.name for part in found),
        found=found,
        counts=_counts(numbers, TILES, show),
        more=_counts(numbers, MORE, show),
        show=show,
        done=tuple((step, step_title(speech(), step.step)) for step in done),
        is_empty=not numbers["open"],
    )


def _cards(work: Work, rows: tuple[CaseRow, ...]) -> tuple[PatchCard, ...]:
    signed = list_signed_at(work, [row.id for row in rows if row.state == "in_progress"])
    responsible = {
        area_id: who
        for area_id in {row.area_id for row in rows if row.area_id is not None}
        if (who := snapshot().responsible(area_id, today())) is not None
    }
    phones = list_phones(work, [who.person_id for who in responsible.values()])
    chiefs = {area_id: Chief(who.name, phones.get(who.person_id, "")) for area_id, who in responsible.items()}
    return tuple(unit_card(speech(), row, chiefs, signed, uuid4()) for row in rows)


def _counts(numbers: Counter[str], names: tuple[str, ...], show: str) -> tuple[PatchCount, ...]:
    return tuple(
        PatchCount(
            name=name,
            text=speech().t(f"count.{name}"),
            number=numbers[name],
            url=url_for("pages.unit", show=None if show == name else name),
            kind=kind_of(name, numbers[name]),
            here=show == name,
        )
        for name in names
        if name in TILES or numbers[name] or show == name
    )
