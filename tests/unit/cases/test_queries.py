"""Lists, details, tracking and counters: scope, order, paging, numbers of queries."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.cases.queries.counters import count_open_by_area, counters, list_points
from mapsvc.cases.queries.cursors import Cursor, read_cursor, write_cursor
from mapsvc.cases.queries.details import get_case
from mapsvc.cases.queries.photos import find_photo, wanted_files
from mapsvc.cases.queries.tracking import find_after_photo, track_case
from mapsvc.cases.queries.views import CaseFilters, Page
from mapsvc.cases.queries.worklist import list_cases, list_unplaced
from mapsvc.cases.rules.codes import show_track_code
from mapsvc.cases.rules.values import Position
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor

from .conftest import CENTRES, ON_THE_EDGE, District


def listed(
    district: District, actor: Actor, filters: CaseFilters | None = None, cursor: str | None = None, limit: int = 50
) -> Page:
    with district.store.read() as work:
        return list_cases(work, actor, filters or CaseFilters(), cursor, limit)


def numbers(page: Page) -> set[str]:
    return {row.number for row in page.rows}


@pytest.fixture
def cases(district: District) -> dict[str, str]:
    """One case in each grid, opened by the public, and one that lies nowhere."""
    found = {grid: district.open(at=CENTRES[grid]).number for grid in CENTRES}
    return found | {"nowhere": district.open(at=(118.3, 30.2)).number}


def test_everyone_sees_only_what_is_theirs(district: District, cases: dict[str, str]) -> None:
    grids = set(cases) - {"nowhere"}
    expected = {
        district.chief("P1"): {"G1", "G2"},
        district.chief("P2"): {"G3", "G4"},
        district.liaison("P1"): {"G1", "G2"},
        district.chief("C2"): {"G5", "G6"},
        district.chief("G3"): {"G3"},
        district.chief("S2"): {"G5", "G6", "G7", "G8"},
        district.chief("D1"): grids,
        district.patrol("P3"): {"G5", "G6"},
        district.desk("intake"): {*grids, "nowhere"},
        district.desk("dispatcher"): {*grids, "nowhere"},
        district.desk("duty_officer"): {*grids, "nowhere"},
        district.desk("leader"): {*grids, "nowhere"},
        district.desk("planner"): set(),
        district.desk("admin"): set(),
        district.staff("U1"): set(),
        PUBLIC: set(),
        SYSTEM: {*grids, "nowhere"},
    }
    for actor, seen in expected.items():
        assert numbers(listed(district, actor)) == {cases[name] for name in seen}, (actor.name, actor.roles)


def test_a_desk_of_one_street_sees_its_street_and_the_tray(district: District, cases: dict[str, str]) -> None:
    from mapsvc.people.rules.actor import RoleHeld

    desk = district.actor("other", RoleHeld("dispatcher", area_id=district.areas["S1"]))
    assert numbers(listed(district, desk)) == {cases[name] for name in ("G1", "G2", "G3", "G4", "nowhere")}


def test_a_unit_sees_what_is_dispatched_to_it(district: District) -> None:
    case = district.opened("assigned")
    assert listed(district, district.staff("U1")).rows == ()
    district.step(district.chief("P1"), case.uuid, "dispatch", unit_id=district.units["U1"])
    row = listed(district, district.staff("U1")).rows[0]
    assert (row.number, row.unit_name) == (case.number, "单位U1")
    assert listed(district, district.staff("U2")).rows == ()


def test_what_is_offered_to_a_chief_is_seen_before_it_is_accepted(district: District) -> None:
    case = district.open(
        district.patrol("P1"), channel="patrol", workflow="quick",
        position=Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps"),
    )  # fmt: skip
    assert listed(district, district.chief("P2")).rows == ()
    district.step(district.chief("P1"), case.uuid, "hand_over", area_id=district.areas["P2"])
    assert numbers(listed(district, district.chief("P2"))) == {case.number}
    with district.store.read() as work:
        assert counters(work, district.chief("P2"), district.book).handed_to_me == 1


def test_every_query_about_somebody_elses_case_finds_nothing(district: District) -> None:
    """Role by object: another area, another unit, nobody; for every read."""
    case = district.opened("in_progress")
    photo = district.photo(case.uuid)
    strangers = [district.chief("P2"), district.staff("U2"), district.patrol("P4"), district.desk("admin"), PUBLIC]
    for stranger in strangers:
        with district.store.read() as work:
            for name in (case.uuid, case.case_id, case.number, str(case.uuid)):
                with pytest.raises(NotFound):
                    get_case(work, stranger, district.book, name)
            assert list_cases(work, stranger, CaseFilters()).rows == ()
            assert list_points(work, stranger, CaseFilters()) == ()
            assert list_unplaced(work, stranger).rows == ()
            assert counters(work, stranger, district.book).open == 0
            assert count_open_by_area(work, stranger, "patch") == {}
            assert find_photo(work, stranger, photo) is None
    with district.store.read() as work:
        assert find_photo(work, district.chief("P1"), photo) == "0" * 64
        assert find_photo(work, district.chief("P1"), uuid4()) is None
        assert wanted_files(work, frozenset({"0" * 64, "1" * 64})) == {"0" * 64}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (CaseFilters(), {"received", "in_progress", "closed", "nowhere"}),
        (CaseFilters(open_only=True), {"received", "in_progress", "nowhere"}),
        (CaseFilters(states=("closed", "in_progress")), {"closed", "in_progress"}),
        (CaseFilters(outcome="solved"), {"closed"}),
        (CaseFilters(category="E01"), {"received", "in_progress", "closed", "nowhere"}),
        (CaseFilters(category="E011%"), set()),
        (CaseFilters(category="C01"), set()),
        (CaseFilters(unplaced=True), {"nowhere"}),
        (CaseFilters(edge=True), set()),
        (CaseFilters(channel="public"), {"received", "nowhere"}),
        (CaseFilters(bbox=(118.0, 30.0, 118.08, 30.02)), {"in_progress", "closed"}),
        (CaseFilters(bbox=(118.2, 30.0, 118.005, 30.3)), {"nowhere"}),
        (CaseFilters(text="report 1"), {"received"}),
        (CaseFilters(text="100%"), set()),
    ],
)
def test_filters(district: District, filters: CaseFilters, expected: set[str]) -> None:
    made = {
        "received": district.open(at=CENTRES["G5"]).number,
        "in_progress": district.opened("in_progress").number,
        "closed": district.opened("closed").number,
        "nowhere": district.open(at=(118.3, 30.2)).number,
    }
    found = listed(district, district.desk("intake"), filters)
    assert numbers(found) == {made[name] for name in expected}
    assert found.count == len(expected)


def test_filters_by_area_person_unit_and_time(district: District) -> None:
    one = district.opened("assigned")
    two = district.open(at=CENTRES["G7"])
    desk = district.desk("intake")
    assert numbers(listed(district, desk, CaseFilters(area_id=district.areas["S1"]))) == {one.number}
    assert numbers(listed(district, desk, CaseFilters(area_id=district.areas["G7"]))) == {two.number}
    assert numbers(listed(district, desk, CaseFilters(person_id=district.people["C3"]))) == {two.number}
    district.step(district.chief("P1"), one.uuid, "dispatch", unit_id=district.units["U2"])
    assert numbers(listed(district, desk, CaseFilters(unit_id=district.units["U2"]))) == {one.number}
    then = district.clock.now() + timedelta(hours=1)
    district.clock.move_to(then)
    district.step(district.chief("P1"), one.uuid, "comment", reason="x")
    assert numbers(listed(district, desk, CaseFilters(since=then))) == {one.number}
    assert numbers(listed(district, desk, CaseFilters(due_before=then + timedelta(days=1)))) == {one.number, two.number}
    assert numbers(listed(district, desk, CaseFilters(text=one.number))) == {one.number}
    district.clock.move_to(then + timedelta(days=2))
    assert numbers(listed(district, desk, CaseFilters(overdue=True))) == {one.number, two.number}
    assert numbers(listed(district, desk, CaseFilters(sign_due=True))) == {one.number}
    assert listed(district, desk, CaseFilters(due_before=then + timedelta(days=1))).rows == ()


def test_mine_is_what_waits_for_me(district: District) -> None:
    owned = district.opened("assigned")
    district.open(at=CENTRES["G3"])
    below = district.open(at=CENTRES["G2"])
    assert numbers(listed(district, district.chief("P1"), CaseFilters(mine=True))) == {owned.number, below.number}
    assert numbers(listed(district, district.liaison("P1"), CaseFilters(mine=True))) == {owned.number, below.number}
    assert listed(district, district.chief("C1"), CaseFilters(mine=True)).rows == (), "seen, and not mine to do"
    assert listed(district, district.desk("leader"), CaseFilters(mine=True)).rows == ()


def test_overdue_first_then_by_due_time_closed_last(district: District) -> None:
    closed = district.opened("closed")
    early = district.open(at=CENTRES["G3"])
    suspended = district.opened("suspended")
    district.clock.move_to(district.clock.now() + timedelta(days=1))
    late = district.open(at=CENTRES["G5"])
    rows = listed(district, district.desk("intake")).rows
    assert [row.number for row in rows] == [early.number, suspended.number, late.number, closed.number]
    assert [row.overdue for row in rows] == [True, False, False, False]


@pytest.mark.parametrize("sort", ["urgency", "newest"])
def test_paging_repeats_nothing_and_skips_nothing_although_time_passes(district: District, sort: str) -> None:
    made = []
    for number in range(13):
        made.append(district.open(at=list(CENTRES.values())[number % 8]).number)
        if number % 3 == 0:
            district.clock.move_to(district.clock.now() + timedelta(minutes=30))
    desk, seen, cursor = district.desk("intake"), [], None
    while True:
        page = listed(district, desk, CaseFilters(sort=sort), cursor, 4)
        seen += [row.number for row in page.rows]
        assert page.count == 13
        cursor = page.cursor
        district.clock.move_to(district.clock.now() + timedelta(hours=2))  # more fall due between the pages
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    if sort == "newest":
        assert seen == made[::-1]


def test_the_count_is_capped_and_says_so(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsvc.cases.queries.worklist.COUNT_CAP", 2)
    for _ in range(3):
        district.open()
    page = listed(district, district.desk("intake"))
    assert (page.count, page.count_capped, len(page.rows)) == (2, True, 3)


TOO_LARGE = ((10**30, 0, 1, 1), (1, 10**30, 1, 1), (1, 0, 10**30, 1), (1, 0, 1, 10**30), (1, 0, 1, -(10**30)))


def _cursor(*numbers: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(["urgency", *numbers]).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text", ["", "x", "!!!", "bnVsbA", "WzEsMl0", "A" * 500, *(_cursor(*numbers) for numbers in TOO_LARGE)]
)
def test_a_wrong_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_cursor(text, "urgency")
    assert caught.value.code == "bad_cursor"


def test_a_cursor_is_of_its_order_and_comes_back_exactly(district: District) -> None:
    cursor = Cursor("urgency", district.clock.now(), 1, district.clock.now() + timedelta(microseconds=7), 12)
    text = write_cursor(cursor)
    assert read_cursor(text, "urgency") == cursor
    assert read_cursor(write_cursor(replace(cursor, at=None)), "urgency").at is None
    with pytest.raises(InvalidInput):
        read_cursor(text, "newest")


def test_an_unknown_order_and_a_wrong_box_are_refused(district: District) -> None:
    with pytest.raises(InvalidInput):
        listed(district, SYSTEM, CaseFilters(sort="colour"))
    with pytest.raises(InvalidInput):
        listed(district, SYSTEM, CaseFilters(bbox=(118.0, 30.1, 118.1, 30.0)))


def test_the_page_of_a_case_has_everything(district: District) -> None:
    case = district.opened("in_progress")
    district.photo(case.uuid, kind="far")
    with district.store.read() as work:
        view = get_case(work, district.chief("P1"), district.book, case.number)
    assert [area.code for area in view.path] == ["D1", "S1", "C1", "P1", "G1"]
    assert [event.step for event in view.events] == ["open", "accept", "sign"]
    assert view.events[1].by == "用户 intake"
    assert view.events[1].role == "intake"
    assert view.assignments[0].reason_zh.startswith("D1名 › S1名 › C1名 › P1名 › G1网格(界线第1版次), 点位在界内")
    assert "the patch P1名 answers: 负责人P1" in view.assignments[0].reason_en
    assert [clock.clock for clock in view.deadlines] == ["total", "sign"]
    assert view.deadlines[1].met_at is not None
    assert [photo.kind for photo in view.photos] == ["far"]
    assert view.contact_available
    assert (view.row.area_name, view.row.person_name) == ("P1名", "负责人P1")


def test_the_contact_is_nowhere_in_the_view(district: District) -> None:
    case = district.open()
    with district.store.read() as work:
        view = get_case(work, district.desk("intake"), district.book, case.uuid)
        page = list_cases(work, district.desk("intake"), CaseFilters())
        tracked = track_case(work, case.track_code)
    for told in (view, page, tracked):
        assert "13800000000" not in repr(told)
        assert "王一" not in repr(told)


def test_only_steps_that_would_be_taken_are_offered(district: District) -> None:
    case = district.opened("fixed")
    district.clock.move_to(district.clock.now() + timedelta(minutes=3))

    def offered(actor: Actor) -> set[str]:
        with district.store.read() as work:
            return {step.name for step in get_case(work, actor, district.book, case.uuid).steps}

    own = {"comment", "reveal_contact", "correct_owner"}
    assert offered(district.chief("P1")) == own, "who handled it does not check it"
    assert offered(district.patrol("P1")) == {"check_pass", "check_fail", "comment", "reveal_contact"}
    assert offered(district.desk("duty_officer")) == own, "nobody checked it yet"
    assert offered(district.desk("leader")) == set()
    district.step(district.patrol("P1"), case.uuid, "check_pass")
    assert "close" in offered(district.desk("duty_officer"))
    assert "close" not in offered(district.desk("dispatcher"))


def test_merged_cases_name_one_another(district: District) -> None:
    first, second = district.open(), district.open()
    district.step(district.desk("intake"), second.uuid, "mark_duplicate", duplicate_of=first.number)
    with district.store.read() as work:
        kept = get_case(work, district.desk("intake"), district.book, first.uuid)
        merged = get_case(work, district.desk("intake"), district.book, second.uuid)
    assert (kept.duplicates, merged.duplicate_of_number) == ((second.number,), first.number)


def test_following_a_report_by_its_code(district: District) -> None:
    case = district.opened("in_progress")
    district.step(district.chief("P1"), case.uuid, "return", reason="内部原因")
    with district.store.read() as work:
        view = track_case(work, show_track_code(case.track_code).lower())
    assert (view.number, view.state, view.area_name) == (case.number, "returned", "P1名")
    assert [step for _, step in view.steps] == ["open", "accept", "sign"], "what happens inside is not shown"
    assert "内部原因" not in repr(view)
    assert "负责人" not in repr(view)
    assert not view.may_reopen


def test_a_closed_report_shows_its_after_photos_and_may_be_opened_again(district: District) -> None:
    case = district.opened("closed")
    with district.store.read() as work:
        view = track_case(work, case.track_code)
        assert view.may_reopen
        assert len(view.after_photos) == 1
        assert find_after_photo(work, case.track_code, view.after_photos[0]) == "0" * 64
        assert find_after_photo(work, "0" * 12, view.after_photos[0]) is None
        assert find_after_photo(work, case.track_code, uuid4()) is None
    before = district.photo(case.uuid, kind="far")
    with district.store.read() as work:
        assert find_after_photo(work, case.track_code, before) is None, "the reporter's own photo may show people"


@pytest.mark.parametrize("code", ["", "0", "000000000000", "ABCDEFGHJKMN", "' or 1=1 --", "Ü" * 12])
def test_a_code_that_is_none_is_not_found(district: District, code: str) -> None:
    with district.store.read() as work, pytest.raises(NotFound):
        track_case(work, code)


def test_counters(district: District) -> None:
    for state in ("received", "assigned", "in_progress", "fixed", "returned", "suspended", "closed"):
        district.opened(state)
    district.open(at=(118.3, 30.2))
    edge = district.open(position=Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps"))
    assert edge.edge
    with district.store.read() as work:
        found = counters(work, district.desk("leader"), district.book)
        assert (found.open, found.received, found.to_sign, found.in_progress) == (8, 3, 1, 1)
        assert (found.to_check, found.to_close, found.returned, found.suspended) == (1, 0, 1, 1)
        assert (found.unplaced, found.edge, found.edge_share) == (1, 1, 1 / 8)
        assert (found.overdue, found.new_today, found.closed_today) == (0, 9, 1)
        assert found.due_today == 7, "four working hours from nine end at three; the suspended one stands still"
        assert found.near_due == 0
        of_area = counters(work, district.desk("leader"), district.book, area_id=district.areas["S1"])
        assert (of_area.open, of_area.unplaced) == (7, 0)
        mine = counters(work, district.chief("P1"), district.book)
        assert mine.open == 7
    district.clock.move_to(district.clock.now() + timedelta(hours=5))
    with district.store.read() as work:
        assert counters(work, district.desk("leader"), district.book).near_due == 7
    district.clock.move_to(district.clock.now() + timedelta(days=3))
    with district.store.read() as work:
        found = counters(work, district.desk("leader"), district.book)
        assert (found.overdue, found.new_today, found.closed_today, found.sign_overdue) == (7, 0, 0, 1)
        by_area = count_open_by_area(work, district.desk("leader"), "patch")
        assert by_area == {district.areas["P1"]: (7, 6)}


def test_counters_of_nothing(district: District) -> None:
    with district.store.read() as work:
        found = counters(work, district.desk("leader"), district.book)
    assert (found.open, found.edge_share) == (0, None)


def test_points_for_maps(district: District) -> None:
    case = district.open(at=CENTRES["G4"])
    district.open(at=(118.3, 30.2))
    district.open(at=None)
    with district.store.read() as work:
        points = list_points(work, district.chief("P2"), CaseFilters(open_only=True))
        assert [(point.uuid, point.lon, point.lat, point.overdue) for point in points] == [
            (case.uuid, *CENTRES["G4"], False)
        ]
        assert len(list_points(work, district.desk("intake"), CaseFilters())) == 2
        assert len(list_points(work, district.desk("intake"), CaseFilters(), limit=1)) == 1


def test_the_number_of_queries_does_not_grow(district: District, count_queries: Callable[[], list[str]]) -> None:
    case = district.opened("in_progress")
    for _ in range(3):
        district.open()
        district.step(district.chief("P1"), case.uuid, "comment", reason="x")
    desk = district.desk("intake")
    with district.store.read() as work:
        count_queries()
        assert len(list_cases(work, desk, CaseFilters()).rows) == 4
        assert len(count_queries()) == 7, "five stretches of the order, the count, the rows"
        assert len(list_cases(work, desk, CaseFilters(open_only=True)).rows) == 4
        assert len(count_queries()) == 3, "the ways, the page with its count, the rows"
        get_case(work, desk, district.book, case.uuid)
        assert len(count_queries()) == 8
        track_case(work, case.track_code)
        assert len(count_queries()) == 3
        counters(work, desk, district.book)
        list_points(work, desk, CaseFilters())
        count_open_by_area(work, desk, "patch")
        assert len(count_queries()) == 3
