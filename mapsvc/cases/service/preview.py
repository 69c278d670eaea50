"""Who would get a report, by when, and which unit is due: shown before anything is written."""

from __future__ import annotations

from mapsvc.areas.index import Snapshot
from mapsvc.areas.queries.posts import find_due_unit
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.deadlines import due_at
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import Position, Preview
from mapsvc.cases.service.intake import decide_intake
from mapsvc.cases.service.positions import place
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.work import Work


def preview_assignment(
    work: Work,
    actor: Actor,
    snapshot: Snapshot,
    book: Rulebook,
    position: Position,
    category_code: str,
    *,
    condition_code: str = "",
    side_area_id: int | None = None,
    owner: str = "",
) -> Preview:
    """Say who would answer for a position and a category now, and when it would fall due.

    By the same rules as intake. Without an account a chief's name is told only where it is posted up
    (公示), and neither the sentence of reasons nor the unit. `owner` is whose the component is (权属单位).
    """
    category = book.categories.get_in_use(category_code)
    condition = category.get_condition(condition_code)
    placed = place(position, snapshot)
    decision = decide_intake(snapshot, book, category, placed, work, side_area_id)
    named = allows(actor, "locate.names")
    who, area = decision.responsible, decision.owner
    unit = None
    if named:
        located = snapshot.locate(placed.lon, placed.lat, placed.accuracy_m, answers=book.chain_of(category))
        on = book.local_day(work.now)
        unit = find_due_unit(work, category.code, located, on, lon=placed.lon, lat=placed.lat, owner=owner)
    return Preview(
        area_id=area.area_id if area else None,
        area_level=area.level if area else "",
        area_code=area.code if area else "",
        area_name=area.name if area else "",
        person_name=who.name if who and (named or who.public) else "",
        stand_in=who.stand_in if who else "",
        unplaced=decision.unplaced,
        edge=decision.edge,
        certainty=decision.certainty,
        sides=decision.sides if decision.edge else (),
        due_at=due_at(book.calendar, work.now, book.total_term(condition)),
        sign_due_at=due_at(book.calendar, work.now, book.sign_term(condition)),
        unit_id=unit.unit_id if unit else None,
        unit_name=unit.name if unit else "",
        reason_zh=reason.in_chinese(decision, book.level_names()) if named else "",
        reason_en=reason.in_english(decision, book.level_names()) if named else "",
        notices=(*decision.notices, *(("uncertain_datum",) if placed.belt else ())),
    )
