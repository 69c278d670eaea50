"""Who would get it: the preview and the intake that follows say the same."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.models import Case
from mapsvc.cases.rules.values import Position, Preview
from mapsvc.cases.service.preview import preview_assignment
from mapsvc.people.rules.actor import PUBLIC, Actor

from .conftest import CENTRES, ON_THE_EDGE, RUBBISH, District


def preview(district: District, actor: Actor, position: Position, category: str = RUBBISH, **given: object) -> Preview:
    with district.store.read() as work:
        return preview_assignment(work, actor, district.snapshot, district.book, position, category, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", [*CENTRES.values(), (117.9998, 30.01), (118.3, 30.2)])
def test_the_preview_is_what_intake_does(district: District, place: tuple[float, float]) -> None:
    desk = district.desk("intake")
    told = preview(district, desk, Position(*place))
    receipt = district.open(desk, channel="hotline", at=place)
    assert (told.area_level, told.area_code, told.person_name) == (
        receipt.area_level, receipt.area_code, receipt.person_name,
    )  # fmt: skip
    assert (told.unplaced, told.edge, told.due_at) == (receipt.unplaced, receipt.edge, receipt.due_at)
    assert (told.reason_zh, told.reason_en) == (receipt.reason_zh, receipt.reason_en)


def test_the_unit_that_is_due_is_proposed_to_staff(district: District) -> None:
    told = preview(district, district.desk("dispatcher"), Position(*CENTRES["G1"]))
    assert (told.unit_id, told.unit_name) == (district.units["U1"], "单位U1")


def test_the_public_is_told_areas_and_only_names_that_are_posted_up(district: District) -> None:
    hidden = preview(district, PUBLIC, Position(*CENTRES["G1"]))
    assert (hidden.area_name, hidden.person_name, hidden.unit_name, hidden.reason_zh) == ("P1名", "", "", "")
    assert preview(district, PUBLIC, Position(*CENTRES["G3"])).person_name == "负责人P2"


def test_an_edge_asks_and_an_answer_settles_it(district: District) -> None:
    position = Position(*ON_THE_EDGE, accuracy_m=30.0, source="gps")
    asked = preview(district, PUBLIC, position)
    assert asked.edge
    assert {side.code for side in asked.sides} == {"P1", "P2"}
    settled = preview(district, PUBLIC, position, side_area_id=district.areas["P2"])
    assert (settled.edge, settled.area_code) == (False, "P2")


def test_a_preview_writes_nothing_and_refuses_what_intake_would(district: District) -> None:
    preview(district, PUBLIC, Position(*CENTRES["G1"]))
    with pytest.raises(InvalidInput):
        preview(district, PUBLIC, Position(*CENTRES["G1"]), "E9999")
    with pytest.raises(InvalidInput):
        preview(district, PUBLIC, Position(30.01, 118.01))
    with district.store.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Case)) == 0
