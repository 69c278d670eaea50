"""A report comes in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from mapsvc.base.errors import Forbidden, InvalidInput, MapsvcError, TooLarge
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline, Reporter
from mapsvc.cases.rules.codes import read_track_code
from mapsvc.cases.rules.values import Position
from mapsvc.people.rules.actor import PUBLIC, SYSTEM
from mapsvc.storage.outbox import OutboxRow

from .conftest import CENTRES, ON_THE_EDGE, District


def test_a_report_lies_with_its_chief_with_deadline_and_reason(district: District) -> None:
    receipt = district.open(at=CENTRES["G1"])
    assert (receipt.status, receipt.state, receipt.area_code) == ("created", "received", "P1")
    assert receipt.number == f"20261123-{receipt.case_id:06d}"
    assert read_track_code(receipt.track_code) == receipt.track_code
    # E0110 is due in 4 working hours; the clock stands at Monday 09:00: three before lunch, one after 14:00.
    assert receipt.due_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert receipt.person_name == "", "P1's name is not posted up, and the public asks"
    assert receipt.reason_zh == ""
    case = district.row(receipt.uuid)
    assert case.owner_area_id == district.areas["P1"]
    assert case.owner_person_id == district.people["P1"]
    assert case.generation == 1
    assert (case.lon, case.lat) == CENTRES["G1"]


def test_the_name_of_a_chief_is_told_where_it_is_posted_up(district: District) -> None:
    assert district.open(at=CENTRES["G3"]).person_name == "负责人P2"


def test_staff_are_told_the_reason(district: District) -> None:
    receipt = district.open(district.desk("intake"), channel="hotline")
    assert "界线第1版次" in receipt.reason_zh
    assert "P1名" in receipt.reason_zh
    assert "负责人P1" in receipt.reason_zh
    assert "文〔2026〕1号" in receipt.reason_zh
    assert "generation 1" in receipt.reason_en


def test_everything_is_written_in_one_transaction(district: District) -> None:
    receipt = district.open()
    with district.store.read() as work:
        session = work.session
        levels = dict(session.execute(select(CaseArea.level, CaseArea.area_id)).all())
        expected = {"district": "D1", "street": "S1", "community": "C1", "patch": "P1", "grid": "G1"}
        assert levels == {level: district.areas[code] for level, code in expected.items()}
        event = session.scalars(select(CaseEvent)).one()
        assert (event.sequence, event.step, event.from_state, event.to_state) == (1, "open", "", "received")
        assert session.scalars(select(Deadline.clock)).all() == ["total"]
        assert session.scalars(select(Reporter.phone)).all() == ["13800000000"]
        assert session.scalars(select(Assignment.rule)).all() == ["inside"]
        kinds = session.scalars(select(OutboxRow.kind).order_by(OutboxRow.id)).all()
        assert set(kinds[-2:]) == {"case_opened", "case_assigned"}
        assert session.get_one(Case, receipt.case_id).version == 1


def test_a_quick_case_is_to_be_signed_for_at_once(district: District) -> None:
    receipt = district.open(district.patrol("P1"), channel="patrol", workflow="quick")
    assert receipt.state == "assigned"
    assert receipt.sign_due_at is not None
    assert receipt.sign_due_at > district.clock.now()


@pytest.mark.parametrize("channel", ["public", "open311", "api", "hotline"])
def test_only_staffs_own_findings_go_without_filing(district: District, channel: str) -> None:
    asker = district.desk("intake") if channel in {"api", "hotline"} else PUBLIC
    with pytest.raises(Forbidden) as caught:
        district.open(asker, channel=channel, workflow="quick")
    assert caught.value.code == "workflow_not_allowed"
    assert district.open(asker, channel=channel, workflow="standard").state == "received"


def test_the_same_report_is_one_case(district: District) -> None:
    intake = district.intake()
    first = district.open(intake=intake)
    again = district.open(intake=intake)
    assert (again.status, again.number, again.track_code) == ("same", first.number, first.track_code)
    with district.store.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Case)) == 1
        assert work.session.scalar(select(func.count()).select_from(CaseEvent)) == 1


def test_the_same_report_is_recognised_after_staff_changed_the_case(district: District) -> None:
    intake = district.intake()
    district.open(intake=intake)
    district.step(district.desk("intake"), intake.uuid, "accept")
    again = district.open(intake=intake)
    assert (again.status, again.state) == ("same", "assigned")


def test_other_content_under_the_same_uuid_is_a_conflict_that_tells_nothing(district: District) -> None:
    intake = district.intake()
    district.open(intake=intake)
    other = replace(intake, content_sha256=hashlib.sha256(b"other").hexdigest())
    receipt = district.open(intake=other)
    assert receipt.status == "conflict"
    assert (receipt.number, receipt.track_code, receipt.case_id) == ("", "", 0)


def test_outside_every_area_it_goes_to_the_unplaced_tray(district: District) -> None:
    receipt = district.open(at=(118.3, 30.2))
    assert receipt.unplaced
    assert receipt.area_code == ""
    assert receipt.due_at is not None, "the clock runs for it too"
    assert "unplaced" in receipt.notices


def test_just_outside_it_goes_to_the_nearest_area(district: District) -> None:
    receipt = district.open(district.desk("intake"), at=(117.9998, 30.01), channel="hotline")
    assert receipt.area_code == "P1"
    assert "距离19米" in receipt.reason_zh
    assert "nearest" in receipt.notices


def test_at_a_border_it_is_an_edge_case_with_its_sides(district: District) -> None:
    position = Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps")
    receipt = district.open(position=position)
    assert receipt.edge
    assert receipt.area_code == "P1"
    assert {side.code for side in receipt.sides} == {"P1", "P2"}
    assert 0.5 < receipt.sides[0].probability < 0.95
    assert sum(side.probability for side in receipt.sides) == pytest.approx(1, abs=0.01)


def test_the_reporter_may_say_which_side(district: District) -> None:
    position = Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps")
    receipt = district.open(position=position, side_area_id=district.areas["P2"])
    assert (receipt.area_code, receipt.edge) == ("P2", False)
    with district.store.read() as work:
        assignment = work.session.scalars(select(Assignment)).one()
        assert assignment.rule == "side"
        assert len(assignment.candidates) == 2, "what the choice was from is kept"
    with pytest.raises(InvalidInput) as caught:
        district.open(position=position, side_area_id=district.areas["P4"])
    assert caught.value.code == "not_a_candidate"


def test_without_a_chief_one_level_up_answers_and_says_so(district: District) -> None:
    receipt = district.open(district.desk("intake"), at=CENTRES["G7"], channel="hotline")
    assert (receipt.area_level, receipt.area_code) == ("community", "C3")
    assert "无人任职" in receipt.reason_zh
    assert "vacant" in receipt.notices


def test_an_acting_chief_answers_and_says_so(district: District) -> None:
    receipt = district.open(district.desk("intake"), at=CENTRES["G5"], channel="hotline")
    assert receipt.area_code == "P3"
    assert "代理" in receipt.reason_zh
    assert "acting" in receipt.notices


def test_what_no_chief_may_be_given_goes_to_an_office(district: District) -> None:
    category = next(each for each in district.book.categories.in_use if each.no_chief)
    receipt = district.open(district.desk("intake"), category=category.code, channel="hotline")
    assert receipt.area_level in {"street", "district"}
    assert "主要责任主体" in receipt.reason_zh


def test_a_position_in_another_datum_is_stored_in_wgs84(district: District) -> None:
    receipt = district.open(position=Position(118.01, 30.01, datum="gcj02"))
    case = district.row(receipt.uuid)
    assert case.input_datum == "gcj02"
    assert case.lon is not None
    assert case.lat is not None
    assert 0.003 < 118.01 - case.lon < 0.008
    assert round(case.lon, 8) == case.lon


def test_the_time_of_observation_is_kept_and_never_lies_ahead(district: District) -> None:
    seen = district.clock.now() - timedelta(hours=5)
    receipt = district.open(observed_at=seen)
    case = district.row(receipt.uuid)
    assert (case.observed_at, case.received_at) == (seen, district.clock.now())
    ahead = district.open(observed_at=district.clock.now() + timedelta(hours=5))
    assert district.row(ahead.uuid).observed_at == district.clock.now()


def test_photos_that_came_before_are_attached(district: District) -> None:
    photo = district.photo(kind="far")
    receipt = district.open(photos=(photo,))
    assert "photo_missing" not in receipt.notices
    other = district.open(photos=(photo, uuid4()))
    assert "photo_missing" in other.notices, "it belongs to the first report, the other never came"


@pytest.mark.parametrize(
    ("changed", "error", "code"),
    [
        ({"category": "E9999"}, InvalidInput, "unknown_category"),
        ({"condition": "no such"}, InvalidInput, "unknown_condition"),
        ({"channel": "pigeon"}, InvalidInput, "unknown_channel"),
        ({"channel": "hotline"}, Forbidden, "channel_not_allowed"),
        ({"channel": "import"}, Forbidden, "channel_not_allowed"),
        ({"workflow": "slow"}, InvalidInput, "unknown_workflow"),
        ({"content_sha256": "abc"}, InvalidInput, "bad_hash"),
        ({"description": "x" * 4001}, TooLarge, "text_too_long"),
        ({"description": "\x00"}, InvalidInput, "bad_text"),
        ({"place_text": "\ud800"}, InvalidInput, "bad_text"),
        ({"photos": tuple(uuid4() for _ in range(11))}, TooLarge, "too_many_photos"),
        ({"at": None, "place_text": ""}, InvalidInput, "needs_position"),
        ({"observed_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}, InvalidInput, "bad_observed_at"),
        ({"position": Position(30.01, 118.01)}, InvalidInput, "lon_lat_swapped"),
        ({"position": Position(float("nan"), 30.0)}, InvalidInput, "position_not_finite"),
        ({"position": Position(200.0, 30.0)}, InvalidInput, "position_out_of_range"),
        ({"position": Position(118.0, 30.0, datum="mars")}, InvalidInput, "unknown_datum"),
        ({"position": Position(118.0, 30.0, source="dream")}, InvalidInput, "unknown_position_source"),
        ({"position": Position(118.0, 30.0, accuracy_m=-1)}, InvalidInput, "bad_accuracy"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    district: District, changed: dict[str, object], error: type[MapsvcError], code: str
) -> None:
    with pytest.raises(error) as caught:
        district.open(PUBLIC, **changed)
    assert caught.value.code == code
    with district.store.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Case)) == 0


def test_the_program_itself_may_report_by_any_channel(district: District) -> None:
    assert district.open(SYSTEM, channel="hotline").status == "created"


def test_intake_takes_a_fixed_number_of_statements(district: District, count_queries) -> None:  # type: ignore[no-untyped-def]
    district.open()
    count_queries()
    district.open()
    assert len([text for text in count_queries() if "revision" not in text]) <= 20
