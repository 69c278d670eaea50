"""Whose a component is (权属单位): kept with the case, told to staff, first in choosing the unit; else territory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from mapsvc.areas.models import Duty
from mapsvc.areas.queries.posts import find_due_unit
from mapsvc.base.errors import Forbidden, InvalidInput, NotFound, TooLarge
from mapsvc.cases.models import Case
from mapsvc.cases.queries.details import get_case
from mapsvc.cases.queries.tracking import track_case
from mapsvc.cases.rules.values import Position
from mapsvc.cases.service.preview import preview_assignment
from mapsvc.people.rules.actor import PUBLIC

from .conftest import CENTRES, District
from .test_import import OPTIONS, line, run

GRID_COMPANY = "国家电网"


@pytest.fixture
def owned(district: District) -> District:
    """U1 is due for everything of E01 anywhere; U2 for whatever belongs to the grid company."""
    with district.store.write() as work:
        work.session.add(Duty(unit_id=district.units["U2"], category="", owner=GRID_COMPANY))
    return district


@pytest.mark.parametrize(
    ("owner", "unit", "by"), [("", "U1", "anywhere"), (GRID_COMPANY, "U2", "owner"), ("无人认领", "U1", "anywhere")]
)
def test_a_component_goes_to_its_owner_and_what_nobody_owns_to_the_territory(
    owned: District, owner: str, unit: str, by: str
) -> None:
    receipt = owned.open(owned.desk("intake"), channel="hotline", owner=f" {owner} ")
    case = owned.row(receipt.uuid)
    assert case.owner == owner
    with owned.store.read() as work:
        located = owned.snapshot.locate(*CENTRES["G1"])
        due = find_due_unit(work, case.category, located, work.now.date(), owner=case.owner)
        told = preview_assignment(
            work, owned.desk("dispatcher"), owned.snapshot, owned.book, Position(*CENTRES["G1"]), case.category,
            owner=owner,
        )  # fmt: skip
    assert due is not None
    assert (due.code, due.by) == (unit, by)
    assert told.unit_id == owned.units[unit]


def test_the_owner_decides_nothing_about_the_chief(owned: District) -> None:
    plain = owned.open(owned.desk("intake"), channel="hotline")
    said = owned.open(owned.desk("intake"), channel="hotline", owner=GRID_COMPANY)
    assert (said.area_code, said.due_at) == (plain.area_code, plain.due_at)


def test_another_category_keeps_the_owner(owned: District) -> None:
    receipt = owned.open(owned.desk("intake"), channel="hotline", owner=GRID_COMPANY)
    other = next(found.code for found in owned.book.categories.in_use if found.code != owned.row(receipt.uuid).category)
    owned.step(owned.desk("intake"), receipt.uuid, "recategorise", category=other, reason="另一类")
    case = owned.row(receipt.uuid)
    assert (case.category, case.owner) == (other, GRID_COMPANY)


def test_a_corrected_owner_changes_who_is_proposed_and_nothing_else(owned: District) -> None:
    receipt = owned.open(owned.desk("intake"), channel="hotline", owner=GRID_COMPANY)
    before = owned.row(receipt.uuid)
    owned.step(owned.chief("P1"), receipt.uuid, "correct_owner", owner="  国家电网城东 ", reason="杆上有铭牌")
    case = owned.row(receipt.uuid)
    assert case.owner == "国家电网城东"
    for name in (
        "state",
        "owner_area_id",
        "owner_person_id",
        "unit_id",
        "due_at",
        "sign_due_at",
        "category",
        "outcome",
    ):
        assert getattr(case, name) == getattr(before, name), name
    with owned.store.read() as work:
        view = get_case(work, owned.chief("P1"), owned.book, receipt.uuid)
        told = track_case(work, receipt.track_code)
        located = owned.snapshot.locate(*CENTRES["G1"])
        due = find_due_unit(work, case.category, located, work.now.date(), owner=case.owner)
    last = view.events[-1]
    assert (last.step, last.reason) == ("correct_owner", "杆上有铭牌")
    assert dict(last.data) | {"from_owner": GRID_COMPANY, "owner": "国家电网城东"} == dict(last.data)
    assert due is not None
    assert due.code == "U1", "the grid company's unit is no longer the one that is due"
    assert "国家电网" not in repr(told)


def test_an_empty_owner_says_that_nobody_is_known_and_needs_its_reason(owned: District) -> None:
    receipt = owned.open(owned.desk("intake"), channel="hotline", owner=GRID_COMPANY)
    for given, code in (({"owner": ""}, "needs_reason"), ({"reason": "无铭牌"}, "needs_owner")):
        with pytest.raises(InvalidInput) as caught:
            owned.step(owned.desk("dispatcher"), receipt.uuid, "correct_owner", **given)
        assert caught.value.code == code
    with pytest.raises(InvalidInput) as caught:
        owned.step(owned.desk("dispatcher"), receipt.uuid, "correct_owner", owner=GRID_COMPANY, reason="再看")
    assert caught.value.code == "same_owner"
    with pytest.raises(TooLarge):
        owned.step(owned.desk("dispatcher"), receipt.uuid, "correct_owner", owner="长" * 201, reason="再看")
    owned.step(owned.desk("dispatcher"), receipt.uuid, "correct_owner", owner="", reason="无铭牌, 属地兜底")
    assert owned.row(receipt.uuid).owner == ""


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("desk:intake", True), ("desk:dispatcher", True), ("desk:duty_officer", True), ("chief:P1", True),
        ("chief:P2", False), ("chief:G1", False), ("staff:U1", False), ("desk:patrol", False), ("public", False),
    ],
)  # fmt: skip
def test_only_those_who_answer_for_the_case_correct_its_owner(owned: District, who: str, may: bool) -> None:
    receipt = owned.open(owned.desk("intake"), channel="hotline", owner=GRID_COMPANY)
    kind, _, name = who.partition(":")
    actor = PUBLIC if kind == "public" else getattr(owned, kind)(name)
    if may:
        owned.step(actor, receipt.uuid, "correct_owner", owner="市政", reason="更正")
        assert owned.row(receipt.uuid).owner == "市政"
        return
    with pytest.raises((Forbidden, NotFound)):
        owned.step(actor, receipt.uuid, "correct_owner", owner="市政", reason="更正")
    assert owned.row(receipt.uuid).owner == GRID_COMPANY


def test_staff_of_the_place_read_it_and_nobody_else(owned: District) -> None:
    receipt = owned.open(owned.desk("intake"), channel="hotline", owner=GRID_COMPANY)
    with owned.store.read() as work:
        assert get_case(work, owned.chief("P1"), owned.book, receipt.uuid).row.owner == GRID_COMPANY
        for stranger in (owned.chief("P2"), owned.chief("G7"), owned.staff("U2"), PUBLIC):
            with pytest.raises(NotFound):
                get_case(work, stranger, owned.book, receipt.uuid)
        assert GRID_COMPANY not in repr(track_case(work, receipt.track_code))


def test_the_public_does_not_say_whose_a_component_is(owned: District) -> None:
    for channel in ("public", "open311"):
        with pytest.raises(InvalidInput) as caught:
            owned.open(PUBLIC, channel=channel, owner=GRID_COMPANY)
        assert caught.value.code == "owner_not_for_public"
    with pytest.raises(TooLarge):
        owned.open(owned.desk("intake"), channel="hotline", owner="长" * 201)
    with owned.store.read() as work:
        assert work.session.scalars(select(Case)).all() == []


def test_a_column_of_an_import_brings_owners(owned: District, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    header = [
        "工单编号",
        "类别",
        "内容",
        "地址",
        "经度",
        "纬度",
        "受理时间",
        "办结时间",
        "状态",
        "姓名",
        "电话",
        "权属单位",
    ]
    rows = [[*line(1), GRID_COMPANY], [*line(2), ""]]
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]), encoding="utf-8")
    report = run(owned, path, replace(OPTIONS))
    assert (report.imported, report.bad) == (2, 0)
    with owned.store.read() as work:
        found = work.session.execute(select(Case.source_number, Case.owner).order_by(Case.source_number)).all()
    assert [tuple(row) for row in found] == [("T1", GRID_COMPANY), ("T2", "")]
