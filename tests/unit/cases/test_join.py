"""我也遇到: what is open close by, joining it, and what the follower's own code opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mapsvc.base.errors import Conflict, NotFound
from mapsvc.cases.models import Case, CaseEvent, Follower, Reporter
from mapsvc.cases.queries.nearby import MOST_NEARBY, NEARBY_FOR, list_nearby
from mapsvc.cases.queries.tracking import find_after_photo, track_case
from mapsvc.cases.queries.views import NearbyCase
from mapsvc.cases.rules.values import Contact, Intake
from mapsvc.cases.service.join import Joined, join_case
from mapsvc.geo.measure import distance_m
from mapsvc.people.rules.actor import PUBLIC
from mapsvc.storage.outbox import OutboxRow

from .conftest import CENTRES, RUBBISH, District

LON, LAT = CENTRES["G1"]
METRE = 1 / 111_000


def nearby(district: District, lon: float = LON, lat: float = LAT, *codes: str) -> tuple[NearbyCase, ...]:
    with district.store.read() as work:
        return list_nearby(work, lon, lat, codes or (RUBBISH,))


def join(district: District, case_id: int, intake: Intake | None = None) -> Joined:
    with district.store.write() as work:
        return join_case(work, PUBLIC, case_id, intake or district.intake())


def test_open_cases_of_the_kind_are_found_by_distance(district: District) -> None:
    far = district.open(at=(LON, LAT + 40 * METRE))
    near = district.open(at=(LON, LAT - 10 * METRE))
    district.open(at=(LON, LAT + 90 * METRE))
    district.open(at=(LON, LAT), category="E0113")
    found = nearby(district)
    assert [one.case_id for one in found] == [near.case_id, far.case_id]
    assert found[1].distance_m == pytest.approx(float(distance_m(LON, LAT, LON, round(LAT + 40 * METRE, 4))), abs=1e-6)
    assert nearby(district, LON, LAT, "E0113")[0].category == "E0113"
    assert nearby(district, LON, 89.5) == ()


def test_no_number_of_probes_finds_more_than_the_rounded_place(district: District) -> None:
    lon, lat = LON + 4e-5, LAT - 3e-5
    district.open(at=(lon, lat))
    lon, lat = round(lon, 4), round(lat, 4)
    probes = [(LON + east * METRE, LAT + north * METRE) for east in range(-30, 31, 15) for north in range(-30, 31, 15)]
    for at in probes:
        (told,) = nearby(district, *at)
        assert told.distance_m == pytest.approx(float(distance_m(*at, lon, lat)), abs=1e-6)


def test_what_is_closed_old_or_nowhere_is_not_offered(district: District) -> None:
    closed = district.open()
    district.step(district.desk("duty_officer"), closed.uuid, "refuse", reason="不属实")
    district.open(at=None)
    assert nearby(district) == ()
    district.open()
    assert len(nearby(district)) == 1
    district.clock.move_to(district.clock.now() + NEARBY_FOR + timedelta(minutes=1))
    assert nearby(district) == ()


def test_at_most_a_few_are_offered_by_one_query(district: District, count_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(MOST_NEARBY + 2):
        district.open()
    count_queries()
    assert len(nearby(district)) == MOST_NEARBY
    assert len(count_queries()) == 1


def test_one_who_joins_has_a_code_of_their_own_and_the_chief_hears_of_it(district: District) -> None:
    case = district.open()
    before = district.row(case.uuid)
    joined = join(
        district, case.case_id, district.intake(description="又多了一袋", contact=Contact("李二", "13911112222"))
    )
    assert joined.status == "created"
    assert joined.track_code != case.track_code
    row = district.row(case.uuid)
    assert (row.state, row.due_at, row.version) == (before.state, before.due_at, before.version)
    with district.store.read() as work:
        view = track_case(work, joined.track_code)
        assert (view.uuid, view.joined) == (case.uuid, True)
        assert not track_case(work, case.track_code).joined
        assert "又多了一袋" not in repr(track_case(work, case.track_code))
        event = work.session.scalars(select(CaseEvent).where(CaseEvent.step == "joined")).one()
        assert (event.case_id, event.reason) == (case.case_id, "又多了一袋")
        told = [row.payload for row in work.session.scalars(select(OutboxRow))]
        assert any(one.get("step") == "joined" and one["case_id"] == case.case_id for one in told)
        assert work.session.scalar(select(func.count()).select_from(Reporter)) == 2


def test_the_same_form_joins_once(district: District) -> None:
    case = district.open()
    form = district.intake()
    first = join(district, case.case_id, form)
    again = join(district, case.case_id, form)
    assert (again.status, again.track_code) == ("same", first.track_code)
    other = join(district, case.case_id, replace(form, content_sha256="f" * 64))
    assert other == Joined("conflict")
    with district.store.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Follower)) == 1


def test_a_form_that_became_a_report_does_not_join(district: District) -> None:
    case = district.open()
    form = district.intake()
    district.open(intake=form)
    assert join(district, case.case_id, form) == Joined("conflict")


def test_what_was_closed_meanwhile_cannot_be_joined(district: District) -> None:
    case = district.opened("closed")
    with pytest.raises(Conflict) as caught:
        join(district, case.case_id)
    assert caught.value.code == "join_closed"
    with pytest.raises(Conflict):
        join(district, case.case_id + 1000)


def test_a_follower_answers_like_the_reporter(district: District) -> None:
    case = district.opened("in_progress")
    code = join(district, case.case_id).track_code
    district.clock.move_to(district.clock.now() + timedelta(minutes=30))
    photo = district.photo(case.uuid)
    district.step(district.chief("P1"), case.uuid, "fix", photos=(photo,))
    district.step(district.patrol("P1"), case.uuid, "check_pass")
    with district.store.read() as work:
        assert find_after_photo(work, code, photo) is None, "not before it is closed"
    district.step(district.desk("duty_officer"), case.uuid, "close")
    with district.store.read() as work:
        view = track_case(work, code)
        assert (view.may_reopen, view.may_confirm) == (True, True)
        assert find_after_photo(work, code, photo) == "0" * 64
    told = district.step(PUBLIC, case.uuid, "reopen", reason="又有了", track_code=code)
    assert told.state == "assigned"
    assert district.row(case.uuid).reworks == 1


def test_a_follow_code_opens_its_own_case_only(district: District) -> None:
    mine, other = district.opened("closed"), district.opened("closed")
    code = district.open().track_code
    with pytest.raises(NotFound):
        district.step(PUBLIC, other.uuid, "reopen", reason="x", track_code=mine.track_code)
    with pytest.raises(NotFound):
        district.step(PUBLIC, mine.uuid, "reopen", reason="x", track_code=code)


def test_a_reopened_case_tells_its_chief_although_it_stays_with_them(district: District) -> None:
    case = district.opened("closed")

    def assigned() -> int:
        with district.store.read() as work:
            rows = work.session.scalars(select(OutboxRow).where(OutboxRow.kind == "case_assigned"))
            return sum(row.payload["case_id"] == case.case_id for row in rows)

    before = assigned()
    district.step(PUBLIC, case.uuid, "reopen", reason="今天又堆满了", track_code=case.track_code)
    assert assigned() == before + 1


def test_what_is_said_of_a_closed_case_closes_it_no_second_time(district: District) -> None:
    case = district.opened("closed")
    closed_at = district.row(case.uuid).closed_at
    district.clock.move_to(district.clock.now() + timedelta(hours=5))
    district.step(PUBLIC, case.uuid, "confirm", track_code=case.track_code)
    district.step(district.desk("duty_officer"), case.uuid, "comment", reason="已回访")
    row: Case = district.row(case.uuid)
    assert (row.state, row.outcome, row.closed_at) == ("closed", "solved", closed_at)
    with district.store.read() as work:
        assert not track_case(work, case.track_code).may_confirm
    with pytest.raises(Conflict) as caught:
        district.step(PUBLIC, case.uuid, "confirm", track_code=case.track_code)
    assert caught.value.code == "confirmed_already"
    district.step(PUBLIC, case.uuid, "reopen", reason="又有了", track_code=case.track_code)
    assert district.row(case.uuid).state == "assigned"
