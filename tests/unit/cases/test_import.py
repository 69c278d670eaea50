"""Tables of cases come in: good rows once, bad rows into a workbook, nothing half seen, nothing twice."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from sqlalchemy import func, select

from mapsvc.base.errors import Forbidden, InvalidInput, MapsvcError, TooLarge
from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline, Reporter
from mapsvc.cases.queries.details import get_case
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.cases.rules.tickets import CategoryMap
from mapsvc.cases.service import import_writing
from mapsvc.cases.service.export_cases import export_cases
from mapsvc.cases.service.import_cases import CasesReport, import_cases
from mapsvc.cases.service.import_rows import ImportOptions
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Work

from .conftest import CENTRES, District

HEADER = ["工单编号", "类别", "内容", "地址", "经度", "纬度", "受理时间", "办结时间", "状态", "姓名", "电话"]
OPTIONS = ImportOptions("12345", categories=CategoryMap("", {"垃圾": "E0110"}))


def line(number: int, grid: str | None = "G1", **changed: object) -> list[object]:
    lon, lat = CENTRES[grid] if grid else ("", "")
    row: dict[str, object] = {
        "工单编号": f"T{number}", "类别": "垃圾", "内容": f"内容{number}", "地址": "解放路", "经度": lon, "纬度": lat,
        "受理时间": "2026-11-02 09:00", "办结时间": "2026.11.3", "状态": "已办结", "姓名": "王一",
        "电话": "13800000000",
    }  # fmt: skip
    return list((row | changed).values())


def write(path: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def run(
    district: District, path: Path, options: ImportOptions = OPTIONS, actor: Actor | None = None, **given: object
) -> CasesReport:
    return import_cases(
        district.store, district.settings, district.snapshot, district.book,
        actor or district.desk("intake"), path, options, **given,  # type: ignore[arg-type]
    )  # fmt: skip


def count(district: District, table: type) -> int:
    with district.store.read() as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def test_rows_become_cases_with_their_chief_and_reason(district: District, tmp_path: Path) -> None:
    path = write(
        tmp_path / "tickets.csv", [line(1), line(2, "G7"), line(3, None), line(4, "G3", 状态="在办", 办结时间="")]
    )
    outbox = count(district, OutboxRow)
    report = run(district, path)
    assert (report.total, report.imported, report.bad, report.inside, report.unplaced) == (4, 4, 0, 3, 1)
    assert report.without_position == (4,), "the line of the file, its header being the first"
    with district.store.read() as work:
        page = list_cases(work, district.desk("intake"), CaseFilters())
        rows = {row.source_number: row for row in page.rows}
        view = get_case(work, district.desk("intake"), district.book, rows["T1"].uuid)
    assert [(rows[name].state, rows[name].area_code) for name in ("T1", "T2", "T3", "T4")] == [
        ("closed", "P1"), ("closed", "C3"), ("closed", ""), ("received", "P2"),
    ]  # fmt: skip
    assert rows["T1"].person_name == "负责人P1"
    assert rows["T3"].unplaced
    assert [area.code for area in view.path] == ["D1", "S1", "C1", "P1", "G1"]
    assert "P1名" in view.assignments[0].reason_zh
    assert view.row.received_at.isoformat() == "2026-11-02T01:00:00+00:00"
    assert view.row.closed_at is not None
    assert view.row.due_at is not None, "computed, though no alarm hangs on it"
    assert not view.row.overdue
    assert view.contact_available
    assert count(district, OutboxRow) == outbox, "history notifies nobody"
    assert (count(district, CaseEvent), count(district, Deadline), count(district, Reporter)) == (4, 4, 4)
    assert (count(district, Assignment), count(district, CaseArea)) == (4, 15)


def test_the_answers_are_those_of_intake(district: District, tmp_path: Path) -> None:
    """The bulk way and the single way decide alike, sentence by sentence."""
    run(district, write(tmp_path / "a.csv", [line(number, grid) for number, grid in enumerate(CENTRES)]))
    for number, grid in enumerate(CENTRES):
        receipt = district.open(district.desk("intake"), channel="hotline", at=CENTRES[grid])
        with district.store.read() as work:
            imported = work.session.scalars(select(Case).where(Case.source_number == f"T{number}")).one()
            told = work.session.scalars(select(Assignment.reason).where(Assignment.case_id == imported.id)).one()
            single = work.session.scalars(select(Assignment.reason).where(Assignment.case_id == receipt.case_id)).one()
        case = district.row(receipt.uuid)
        assert told == single
        assert (imported.owner_area_id, imported.owner_person_id) == (case.owner_area_id, case.owner_person_id)


def test_bad_rows_go_to_a_workbook_with_their_reasons_and_the_good_ones_in(district: District, tmp_path: Path) -> None:
    bad = [
        line(2, 类别="不知道"),
        line(3, 受理时间=""),
        line(4, 受理时间="昨天"),
        line(5, 经度="abc"),
        line(6, 经度=30.01, 纬度=118.01),
        line(7, 经度=""),
        line(8, 电话="1.38E+10"),
        line(9, 受理时间="2030-01-01"),
        line(10, 经度=500),
    ]
    path = write(tmp_path / "tickets.csv", [line(1), *bad, line(11)])
    report = run(district, path)
    assert (report.total, report.imported, report.bad) == (11, 2, 9)
    assert report.bad_file == tmp_path / "tickets.bad.xlsx"
    sheet = openpyxl.load_workbook(report.bad_file).active
    assert sheet is not None
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [f"T{number}" for number in range(2, 11)]
    assert all(sheet.cell(row, len(HEADER) + 1).value for row in range(2, 11)), "each has its reason"
    assert {problem.row for problem in report.problems} == set(range(3, 12))


def test_the_bad_rows_put_right_are_imported_from_that_workbook(district: District, tmp_path: Path) -> None:
    report = run(district, write(tmp_path / "tickets.csv", [line(1), line(2, 类别="不知道")]))
    assert report.bad_file is not None
    book = openpyxl.load_workbook(report.bad_file)
    assert book.active is not None
    book.active["B2"] = "垃圾"
    book.save(report.bad_file)
    again = run(district, report.bad_file)
    assert (again.imported, again.bad) == (1, 0)
    assert count(district, Case) == 2


def test_the_same_file_again_adds_nothing(district: District, tmp_path: Path) -> None:
    path = write(tmp_path / "tickets.csv", [line(1), line(2, 类别="不知道")])
    run(district, path)
    again = run(district, path)
    assert (again.same_file, again.imported, again.already, again.bad) == (True, 0, 1, 1)
    assert count(district, Case) == 1


def test_a_longer_file_adds_only_what_is_new(district: District, tmp_path: Path) -> None:
    run(district, write(tmp_path / "monday.csv", [line(1), line(2)]))
    report = run(district, write(tmp_path / "tuesday.csv", [line(1), line(2), line(3)]))
    assert (report.imported, report.already) == (1, 2)
    assert count(district, Case) == 3


def test_rows_that_say_the_same_are_kept_apart_and_numbers_may_repeat(district: District, tmp_path: Path) -> None:
    rows = [line(1), line(1), line(1, "G2"), line(1, 状态="Completed - Dup")]
    report = run(district, write(tmp_path / "tickets.csv", rows))
    assert (report.imported, report.flagged) == (4, 1)
    with district.store.read() as work:
        cases = work.session.scalars(select(Case).order_by(Case.id)).all()
        assert {case.source_number for case in cases} == {"T1"}
        assert len({case.import_key for case in cases}) == len({case.number for case in cases}) == 4
        assert (cases[3].source_flag, cases[3].outcome) == ("duplicate", "duplicate")
    again = run(district, write(tmp_path / "again.csv", [*rows, line(1)]))
    assert (again.imported, again.already) == (1, 4), "a third one of its like is a new row"


def test_two_sources_are_kept_apart(district: District, tmp_path: Path) -> None:
    path = write(tmp_path / "tickets.csv", [line(1)])
    run(district, path)
    assert run(district, path, replace(OPTIONS, source="12319")).imported == 1


def test_nobody_sees_an_import_that_was_killed_and_it_goes_on_where_it_stopped(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsvc.cases.service.import_cases.CHUNK", 2)
    monkeypatch.setattr("mapsvc.cases.service.import_rows.CHUNK", 2)
    path = write(tmp_path / "tickets.csv", [line(number) for number in range(3)] + [line(9, 类别="?")] + [line(10)])
    original, written = import_writing.Writer.write, []

    def killed(self: import_writing.Writer, work: Work, batch: Sequence[object]) -> Mapping[str, int]:
        if len(written) == 1:
            raise KeyboardInterrupt
        written.append(len(batch))
        return original(self, work, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(import_writing.Writer, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        run(district, path)
    assert count(district, Case) == 2, "a whole batch is in the store"
    with district.store.read() as work:
        assert list_cases(work, district.desk("intake"), CaseFilters()).rows == (), "and nobody sees it"
    monkeypatch.setattr(import_writing.Writer, "write", original)
    report = run(district, path)
    assert (report.total, report.imported, report.already, report.bad) == (5, 4, 0, 1)
    assert report.bad_file is not None
    with district.store.read() as work:
        assert list_cases(work, district.desk("intake"), CaseFilters()).count == 4


def test_rows_of_an_import_that_was_given_up_are_taken_over(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("mapsvc.cases.service.import_cases.publish_run", _killed)
        with pytest.raises(KeyboardInterrupt):
            run(district, write(tmp_path / "monday.csv", [line(1), line(2)]))
    report = run(district, write(tmp_path / "tuesday.csv", [line(1), line(2), line(3)]))
    assert (report.imported, report.already) == (1, 2)
    with district.store.read() as work:
        assert list_cases(work, district.desk("intake"), CaseFilters()).count == 3


def _killed(*_given: object) -> None:
    raise KeyboardInterrupt


def test_live_rows_are_work_and_tell_their_chiefs_once_they_are_visible(district: District, tmp_path: Path) -> None:
    now = district.clock.now().astimezone(district.settings.timezone)
    today = f"{now:%Y-%m-%d} 08:00"
    path = write(tmp_path / "t.csv", [line(1, 受理时间=today, 办结时间="", 状态=""), line(2)])
    report = run(district, path, replace(OPTIONS, live=True))
    assert report.imported == 2
    with district.store.read() as work:
        told = [row.payload for row in work.session.scalars(select(OutboxRow).where(OutboxRow.kind == "case_opened"))]
        case = work.session.scalars(select(Case).where(Case.source_number == "T1")).one()
    assert told == [{"case_id": case.id, "emergency": False}], "the closed one is history of its own"
    assert district.step(district.desk("intake"), case.uuid, "accept").state == "assigned"
    assert district.step(district.chief("P1"), case.uuid, "sign").state == "in_progress"


def test_so_many_live_rows_at_once_and_no_more(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsvc.cases.service.import_cases.MAX_LIVE_ROWS", 1)
    with pytest.raises(TooLarge):
        run(district, write(tmp_path / "t.csv", [line(1), line(2)]), replace(OPTIONS, live=True))
    with district.store.read() as work:
        assert list_cases(work, district.desk("intake"), CaseFilters()).rows == ()


def test_a_gbk_file_and_a_workbook_say_the_same(district: District, tmp_path: Path) -> None:
    gbk = write(tmp_path / "gbk.csv", [line(1)], encoding="gb18030")
    book = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(book)) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range(0, 0, 0, 10, "12345 工单一览")
        for row, cells in enumerate([HEADER, line(1)], start=1):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell)
    assert run(district, gbk).imported == 1
    report = run(district, book, replace(OPTIONS, source="book"))
    assert report.imported == 1
    with district.store.read() as work:
        one, two = work.session.scalars(select(Case).order_by(Case.id)).all()
    fields = ("description", "lon", "lat", "received_at", "closed_at", "owner_area_id", "place_text")
    assert [getattr(one, name) for name in fields] == [getattr(two, name) for name in fields]


def test_positions_in_another_datum_or_projection_land_on_the_same_ground(district: District, tmp_path: Path) -> None:
    import shapely

    from mapsvc.geo.crs import geometries_from_wgs84, parse_crs
    from mapsvc.geo.datums import wgs84_to_gcj02

    lon, lat = CENTRES["G6"]
    gcj = wgs84_to_gcj02(lon, lat)
    path = write(tmp_path / "gcj.csv", [line(1, 经度=float(gcj[0]), 纬度=float(gcj[1]))])
    assert run(district, path, replace(OPTIONS, crs="gcj02")).imported == 1
    point = geometries_from_wgs84([shapely.Point(lon, lat)], parse_crs("EPSG:32650"))[0]
    projected = tmp_path / "utm.csv"
    with projected.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["受理时间", "类别", "X坐标", "Y坐标"], ["2026-11-02", "垃圾", point.x, point.y]])
    assert run(district, projected, replace(OPTIONS, crs="EPSG:32650")).imported == 1
    with district.store.read() as work:
        for case in work.session.scalars(select(Case)):
            assert case.lon == pytest.approx(lon, abs=1e-7)
            assert case.lat == pytest.approx(lat, abs=1e-7)
            assert case.owner_area_id == district.areas["P3"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (replace(OPTIONS, source=" "), "needs_source"),
        (replace(OPTIONS, crs="mars"), ""),
        (replace(OPTIONS, columns={"lon": "没有"}), "columns_not_found"),
    ],
)
def test_options_that_cannot_be_used(district: District, tmp_path: Path, options: ImportOptions, code: str) -> None:
    with pytest.raises(MapsvcError) as caught:
        run(district, write(tmp_path / "t.csv", [line(1)]), options)
    assert not code or caught.value.code == code
    assert count(district, Case) == 0


def test_who_may_import(district: District, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [line(1)])
    for actor in (district.chief("P1"), district.desk("leader"), district.desk("duty_officer")):
        with pytest.raises(Forbidden):
            run(district, path, actor=actor)


def test_a_file_without_its_column_of_time_says_what_it_has(district: District, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="received"):
        run(district, path)


@pytest.mark.parametrize("suffix", [".csv", ".geojson"])
def test_what_goes_out_names_no_reporter_and_runs_no_formula(district: District, tmp_path: Path, suffix: str) -> None:
    district.open(at=CENTRES["G1"], description="=HYPERLINK(1)", contact=None)
    district.open(at=(118.3, 30.2))
    secret = district.open(at=CENTRES["G3"])
    path = tmp_path / f"out{suffix}"
    with district.store.read() as work:
        assert export_cases(work, district.desk("intake"), CaseFilters(), path) == 3
    text = path.read_text(encoding="utf-8-sig")
    assert secret.number in text
    assert "13800000000" not in text
    assert "王一" not in text
    assert "负责人" not in text
    if suffix == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert {row["description"] for row in rows} >= {"'=HYPERLINK(1)"}
    else:
        places = [
            feature["geometry"] and feature["geometry"]["coordinates"] for feature in json.loads(text)["features"]
        ]
        assert sorted(places) == sorted([list(CENTRES["G1"]), list(CENTRES["G3"]), [118.3, 30.2]])


def test_an_export_is_scoped_and_paged(district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsvc.cases.service.export_cases.MAX_LIMIT", 2)
    for grid in CENTRES:
        district.open(at=CENTRES[grid])
    with district.store.read() as work:
        assert export_cases(work, district.chief("S1"), CaseFilters(), tmp_path / "s1.csv") == 4
        assert export_cases(work, district.desk("leader"), CaseFilters(), tmp_path / "all.csv") == 8
        with pytest.raises(Forbidden):
            export_cases(work, district.chief("P1"), CaseFilters(), tmp_path / "p1.csv")
        with pytest.raises(MapsvcError):
            export_cases(work, district.desk("leader"), CaseFilters(), tmp_path / "all.docx")
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["all.csv", "s1.csv"]


LEDGER = [
    *HEADER, "渠道", "办结时限", "立案时间", "派遣时间", "处置单位", "签收时间", "处置完成时间",
    "返工时间", "返工完成时间", "核查时间", "即查即改", "处理结果",
]  # fmt: skip


def ledger(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(LEDGER)
        for number, row in enumerate(rows, start=1):
            own = dict(zip(HEADER, line(number), strict=True)) | row
            out.writerow([own.get(name, "") for name in LEDGER])
    return path


def past_of(district: District, ticket: str) -> tuple[Case, list[CaseEvent], Deadline]:
    with district.store.read() as work:
        case = work.session.scalars(select(Case).where(Case.source_number == ticket)).one()
        events = work.session.scalars(
            select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.sequence)
        ).all()
        clock = work.session.scalars(select(Deadline).where(Deadline.case_id == case.id)).one()
    return case, list(events), clock


def test_a_ledger_brings_the_steps_of_the_past_at_their_own_moments(district: District, tmp_path: Path) -> None:
    whole = {
        "渠道": "热线", "办结时限": "2026-11-04 18:00", "立案时间": "2026-11-02 09:30", "派遣时间": "2026-11-02 10:00",
        "处置单位": "U1", "签收时间": "2026-11-02 10:20", "处置完成时间": "2026-11-02 15:00",
        "返工时间": "2026-11-02 16:00", "返工完成时间": "2026-11-02 17:00", "核查时间": "2026-11-02 17:30",
        "办结时间": "2026-11-02 17:45",
    }  # fmt: skip
    instant = {"渠道": "巡查", "处置完成时间": "2026-11-02 09:06", "即查即改": "是", "办结时间": "2026-11-02 09:07"}
    open_ = {"渠道": "群众", "立案时间": "2026-11-02 09:30", "状态": "处置中", "办结时间": ""}
    refused = {"渠道": "群众", "处理结果": "不予立案"}
    report = run(district, ledger(tmp_path / "ledger.csv", [whole, instant, open_, refused]))
    assert (report.imported, report.bad) == (4, 0)

    case, events, clock = past_of(district, "T1")
    assert [event.step for event in events] == [
        "open", "accept", "dispatch", "unit_sign", "fix", "check_fail", "fix", "check_pass", "close",
    ]  # fmt: skip
    assert (case.channel, case.workflow, case.state, case.outcome, case.reworks) == (
        "hotline", "standard", "closed", "solved", 1,
    )  # fmt: skip
    assert events[0].at == case.received_at
    assert events[-1].at == case.closed_at == clock.met_at
    assert clock.due_at == case.due_at
    assert case.due_at is not None
    assert case.due_at.isoformat() == "2026-11-04T10:00:00+00:00"
    assert case.unit_id == events[2].data["unit"]
    assert (case.filed_at, case.dispatched_at, case.fixed_at) == (events[1].at, events[2].at, events[6].at)
    assert (case.check_result, case.instant_at) == ("passed", None)

    case, events, _ = past_of(district, "T2")
    assert [event.step for event in events] == ["open", "instant_fix", "close"]
    assert (case.channel, case.workflow) == ("patrol", "quick")
    assert case.instant_at == case.fixed_at == events[1].at

    case, events, _ = past_of(district, "T3")
    assert (case.state, case.outcome, events[-1].to_state) == ("assigned", "", "assigned")
    case, events, _ = past_of(district, "T4")
    assert (case.state, case.outcome) == ("closed", "refused")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"渠道": "飞鸽"}, "渠道"),
        ({"处置单位": "没有这个单位"}, "处置单位"),
        ({"立案时间": "2026-11-02 08:00"}, "立案时间"),
        ({"立案时间": "2999-01-01", "办结时间": "", "状态": "在办"}, "受理时间"),
        ({"立案时间": "2026-11-02 10:00", "办结时间": ""}, "办结时间"),
    ],
)
def test_a_past_that_cannot_be_is_refused(
    district: District, tmp_path: Path, row: Mapping[str, object], column: str
) -> None:
    report = run(district, ledger(tmp_path / "ledger.csv", [row]))
    assert (report.imported, report.bad) == (0, 1)
    assert [problem.column for problem in report.problems], report.problems


def test_live_rows_bring_no_past(district: District, tmp_path: Path) -> None:
    row = {"渠道": "热线", "立案时间": "2026-11-02 10:00", "办结时间": "", "状态": "在办"}
    run(district, ledger(tmp_path / "ledger.csv", [row]), replace(OPTIONS, live=True))
    case, events, _ = past_of(district, "T1")
    assert (case.channel, case.state) == ("import", "received")
    assert [event.step for event in events] == ["open"]


def test_own_cases_go_on_here_and_nobody_is_told(district: District, tmp_path: Path) -> None:
    before = count(district, OutboxRow)
    row = {"渠道": "热线", "立案时间": "2026-11-02 10:00", "办结时间": "", "状态": "在办"}
    run(district, ledger(tmp_path / "ledger.csv", [row, {"渠道": "热线"}]), replace(OPTIONS, own=True))
    case, events, _ = past_of(district, "T1")
    assert (case.historic, case.state) == (False, "assigned")
    assert [event.step for event in events] == ["open", "accept"]
    assert past_of(district, "T2")[0].historic is False
    assert count(district, OutboxRow) == before
    with pytest.raises(InvalidInput, match="either"):
        run(district, tmp_path / "ledger.csv", replace(OPTIONS, own=True, live=True))
