"""Every number leads to exactly what it counts: each counter against the list that its link opens, on both stores."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

from sqlalchemy import update

from mapsvc.cases.models import Case
from mapsvc.cases.queries.counters import bounds_of, counters
from mapsvc.cases.queries.worklist import list_cases, list_unplaced
from mapsvc.cases.rules.values import STATES, Position
from mapsvc.people.rules.actor import Actor
from mapsvc.web.present.counts import LISTS
from mapsvc.web.present.worklist import Asked

from .conftest import CENTRES, ON_THE_EDGE, District


def fill(district: District) -> None:
    """Cases of yesterday and of today in every state, and for each flag some that bear it and some that do not."""
    for state in STATES:
        district.opened(state)
    hide(district, district.opened("in_progress").uuid, district.opened("closed").uuid)
    district.clock.move_to(district.clock.now() + timedelta(days=1))
    for state in STATES:
        district.opened(state)
    district.opened("assigned", at=CENTRES["G2"])
    to_close = district.opened("fixed")
    district.step(district.patrol("P1"), to_close.uuid, "check_pass", reason="seen")
    district.open(at=CENTRES["G7"])
    district.open(at=(118.3, 30.2))
    hide(district, district.open(at=(118.3, 30.2)).uuid, district.opened("suspended").uuid)
    edges = [
        district.open(
            district.patrol("P1"), channel="patrol", workflow="quick",
            position=Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps"),
        )
        for _ in range(3)
    ]  # fmt: skip
    district.step(district.chief("P1"), edges[0].uuid, "hand_over", area_id=district.areas["P2"])
    district.step(district.chief("P1"), edges[1].uuid, "ask_whistle", reason="x")
    district.clock.move_to(district.clock.now() + timedelta(hours=1))
    district.opened("in_progress")
    district.clock.move_to(district.clock.now() + timedelta(hours=1, minutes=30))


def hide(district: District, *cases: object) -> None:
    """Turn cases into imported history, which no counter counts."""
    with district.store.write() as work:
        work.session.execute(update(Case).where(Case.uuid.in_(cases)).values(historic=True))


def views(district: District) -> dict[str, tuple[Actor, str]]:
    return {
        "the whole district": (district.desk("duty_officer"), ""),
        "a patch, seen from the desk": (district.desk("dispatcher"), "P1"),
        "an area above": (district.desk("leader"), "S1"),
        "a chief's own patch": (district.chief("P1"), "P1"),
        "a chief who is offered a case": (district.chief("P2"), "P2"),
        "a unit": (district.staff("U1"), ""),
    }


def test_every_counter_counts_its_list(district: District) -> None:
    fill(district)
    counted: set[str] = set()
    for view, (actor, code) in views(district).items():
        area_id = district.areas[code] if code else None
        with district.store.read() as work:
            found = counters(work, actor, district.book, area_id)
            bounds = bounds_of(district.book, work.now)
            for name, query in LISTS.items():
                field = "handed_to_me" if name == "handed" else name
                asked = Asked.read(dict(parse_qsl(query)), area_id)
                page = list_cases(work, actor, asked.filters(bounds), limit=200)
                assert getattr(found, field) == len(page.rows) == page.count, (view, name)
                counted |= {name} if page.count else set()
            if area_id is None:
                assert found.unplaced == list_unplaced(work, actor).count
    assert counted == set(LISTS), "each was put to the test with something to count"


def test_counters_that_share_a_state_count_different_cases(district: District) -> None:
    fill(district)
    desk = district.desk("duty_officer")
    with district.store.read() as work:
        found = counters(work, desk, district.book)
        offered = counters(work, district.chief("P2"), district.book, district.areas["P2"])
    assert (found.to_check, found.to_close) == (2, 1)
    assert found.near_due < found.due_today, "what falls due later today is not near"
    assert found.overdue >= 5
    assert 0 < found.closed_today < found.new_today < found.open + found.closed_today
    assert (offered.handed_to_me, offered.open) == (1, 0), "it lies with the other until it is accepted"
