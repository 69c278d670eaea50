"""Posts, units and duties on both databases: from tables, by rules, and as queries give them back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from sqlalchemy import select

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.models import Duty, Post
from mapsvc.areas.queries import posts as post_queries
from mapsvc.areas.queries import state as queries
from mapsvc.areas.service.duties import DutyData, UnitImportOptions, import_units, put_units
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.import_posts import PostImportOptions, import_posts
from mapsvc.areas.service.posts import PostData, end_post, put_posts
from mapsvc.base.errors import Forbidden, InvalidInput, NotFound
from mapsvc.base.paths import data_dir
from mapsvc.base.settings import Settings
from mapsvc.catalog import Categories, load_categories
from mapsvc.people.queries import find_person
from mapsvc.people.rules.actor import SYSTEM, Actor, RoleHeld
from mapsvc.people.service.units import UnitData
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store
from tests.squares import grid_rows, middle, shipped_levels

LEVELS = shipped_levels()
TODAY = date(2026, 11, 23)
HEADER = "层级,辖区编码,岗位,人员编号,姓名,电话,AB岗编号,联络员编号,文号,起,止\n"


@pytest.fixture
def town(store: Store, settings: Settings) -> Store:
    import_rows(store, settings, LEVELS, SYSTEM, "grid", grid_rows())
    return store


def now_at(store: Store, settings: Settings) -> Snapshot:
    return Snapshots(store, settings, LEVELS).current(store.clock.now())


def put(store: Store, *posts: PostData, end_previous: bool = False) -> object:
    with store.write() as work:
        return put_posts(work, LEVELS, SYSTEM, posts, end_previous=end_previous)


def chief(code: str, person: str, begin: date | None = None, end: date | None = None, **more: object) -> PostData:
    return PostData("patch", code, "chief", person, f"name {person}", valid_from=begin, valid_to=end, **more)  # type: ignore[arg-type]


def test_a_csv_in_gbk_with_dates_as_they_are_written(town: Store, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "任职.csv"
    lines = [
        "片区,P0,片区长,Z01,张敏,13800138000.0,Z02,Z03,和政发〔2026〕3号,2026.3.1,\n",
        "片区,P1,片区长,Z02,李静,13900139000,,,和政发〔2026〕3号,2026年3月1日,2026-12-31\n",
        "网格,G0000,网格长,Z03,王磊,138 0013 8001,,,,20260301,至今\n",
    ]
    path.write_bytes((HEADER + "".join(lines)).encode("gb18030"))
    report = import_posts(town, LEVELS, SYSTEM, path)
    assert (report.read, report.accepted, report.refused, report.file_format) == (3, 3, 0, "csv")
    assert report.written is not None
    assert (report.written.added, report.written.persons_added) == (3, 3)
    snapshot = now_at(town, settings)
    patch = snapshot.find_area("patch", "P0")
    assert patch is not None
    found = snapshot.responsible(patch.area_id, TODAY)
    assert found is not None
    assert (found.name, found.document, found.liaison_name) == ("张敏", "和政发〔2026〕3号", "王磊")
    with town.read() as work:
        person = find_person(work, "Z01")
        [event] = [row for row in work.session.scalars(select(OutboxRow)) if row.kind == "posts_changed"]
    assert person is not None
    assert person.phone == "13800138000"
    assert len(event.payload["area_ids"]) == 3
    again = import_posts(town, LEVELS, SYSTEM, path)
    assert again.written is not None
    assert (again.written.added, again.written.unchanged) == (0, 3)
    with town.read() as work:
        assert queries.get_revisions(work).posts == 1


def write_workbook(path: Path, rows: list[list[object]]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("任职表")
        page.merge_range(0, 0, 0, 10, "片区长任职一览表")
        for n, name in enumerate(HEADER.strip().split(",")):
            page.write(1, n, name)
        for row, values in enumerate(rows, start=2):
            for column, value in enumerate(values):
                page.write(row, column, value)


BAD_ROWS: list[tuple[list[object], str]] = [
    (["村", "P0", "片区长", "Z1", "甲", "", "", "", "", "", ""], "level"),
    (["片区", "P9", "片区长", "Z1", "甲", "", "", "", "", "", ""], "area_code"),
    (["片区", "", "片区长", "Z1", "甲", "", "", "", "", "", ""], "area_code"),
    (["片区", "P0", "皇帝", "Z1", "甲", "", "", "", "", "", ""], "role"),
    (["片区", "P0", "片区长", "", "甲", "", "", "", "", "", ""], "person_code"),
    (["片区", "P0", "片区长", "Z1", "", "", "", "", "", "", ""], "person"),
    (["片区", "P0", "片区长", "Z1", "甲", "call me", "", "", "", "", ""], "phone"),
    (["片区", "P0", "片区长", "Z1", "甲", "", "Z99", "", "", "", ""], "deputy_code"),
    (["片区", "P0", "片区长", "Z1", "甲", "", "", "", "", "2026.2.30", ""], "from"),
    (["片区", "P0", "片区长", "Z1", "甲", "", "", "", "", "2026.3.1", "2026.2.1"], "to"),
]


@pytest.mark.parametrize(("row", "column"), BAD_ROWS, ids=[column for _, column in BAD_ROWS])
def test_a_bad_row_comes_back_in_a_workbook_and_nothing_is_imported(
    town: Store, tmp_path: Path, row: list[object], column: str
) -> None:
    path, errors = tmp_path / "posts.xlsx", tmp_path / "errors.xlsx"
    write_workbook(path, [["片区", "P1", "片区长", "Z2", "乙", 13900139000.0, "", "", "", "", ""], row])
    with pytest.raises(InvalidInput) as caught:
        import_posts(town, LEVELS, SYSTEM, path, PostImportOptions(errors=errors))
    assert caught.value.code == "posts_refused"
    report = caught.value.detail["report"]
    assert [(problem.row, problem.column) for problem in report.problems] == [(4, column)]
    sheet = openpyxl.load_workbook(errors).active
    assert sheet is not None
    assert sheet.max_row == 2
    assert any(cell.comment for cell in sheet[2]) or column == "person_code"
    with town.read() as work:
        assert work.session.scalars(select(Post)).all() == []
        assert find_person(work, "Z2") is None
    taken = import_posts(town, LEVELS, SYSTEM, path, PostImportOptions(skip_refused=True))
    assert taken.written is not None
    assert (taken.written.added, taken.refused) == (1, 1)


def test_two_chiefs_at_once_are_refused_in_the_file_and_against_the_store(town: Store) -> None:
    with pytest.raises(InvalidInput) as caught:
        put(town, chief("P0", "a"), chief("P0", "b", date(2026, 6, 1)))
    assert "two chiefs" in caught.value.message
    put(town, chief("P0", "a", date(2026, 1, 1)))
    with pytest.raises(InvalidInput):
        put(town, chief("P0", "b", date(2026, 6, 1)))
    put(town, chief("P0", "b", date(2025, 1, 1), date(2025, 12, 31)))
    put(town, chief("P1", "b", date(2026, 6, 1)))


def test_a_new_chief_may_end_the_one_before(town: Store, settings: Settings) -> None:
    put(town, chief("P0", "a", date(2026, 1, 1)))
    written = put(town, chief("P0", "b", date(2026, 6, 1)), end_previous=True)
    assert written.ended == 1  # type: ignore[attr-defined]
    area = now_at(town, settings).find_area("patch", "P0")
    assert area is not None
    snapshot = now_at(town, settings)
    days = (date(2026, 5, 31), date(2026, 6, 1))
    assert [found.name for day in days if (found := snapshot.responsible(area.area_id, day))] == ["name a", "name b"]


def test_the_same_post_again_with_an_end_ends_it(town: Store) -> None:
    put(town, chief("P0", "a", date(2026, 1, 1)))
    changed = put(town, chief("P0", "a", date(2026, 1, 1), date(2026, 10, 31)))
    assert (changed.added, changed.changed) == (0, 1)  # type: ignore[attr-defined]
    with town.read() as work:
        [post] = work.session.scalars(select(Post))
    assert post.valid_to == date(2026, 10, 31)


def test_ending_a_post(town: Store) -> None:
    put(town, chief("P0", "a", date(2026, 1, 1)))
    with town.write() as work:
        [post] = work.session.scalars(select(Post))
        end_post(work, SYSTEM, post.id, date(2026, 10, 31))
    with pytest.raises(InvalidInput) as caught, town.write() as work:
        end_post(work, SYSTEM, post.id, date(2025, 10, 31))
    assert caught.value.code == "post_ends_before_it_begins"
    with pytest.raises(NotFound), town.write() as work:
        end_post(work, SYSTEM, 999, TODAY)


def test_areas_without_a_chief_are_a_standing_warning(town: Store) -> None:
    deputy = PostData("patch", "P0", "deputy", "d", "name d")
    put(town, chief("P0", "a", date(2026, 1, 1), date(2026, 10, 31)), deputy, chief("P1", "b"))
    with town.read() as work:
        found = post_queries.areas_without_chief(work, ["patch", "street"], TODAY, work.now)
        before = post_queries.areas_without_chief(work, ["patch"], date(2026, 10, 31), work.now)
        none = post_queries.areas_without_chief(work, ["patch"], TODAY, work.now, within=[])
    shown = [(area.level, area.code, area.since, area.stand_in) for area in found]
    assert shown == [
        ("patch", "P0", date(2026, 11, 1), "deputy"),
        ("street", "S0", None, ""),
        ("street", "S1", None, ""),
    ]
    assert before == none == ()


def test_roles_follow_from_posts_day_by_day(town: Store) -> None:
    put(
        town,
        chief("P0", "a", date(2026, 1, 1), deputy_code="b", deputy="name b", liaison_code="c", liaison="name c"),
        PostData("grid", "G0000", "chief", "b", "name b"),
    )
    with town.read() as work:
        ids = {code: find_person(work, code) for code in "abc"}
        a, b, c = (ids[code].id for code in "abc")  # type: ignore[union-attr]
        patch = post_queries.list_areas_of_codes(work, "patch", ["P0"])["P0"]
        grid = post_queries.list_areas_of_codes(work, "grid", ["G0000"])["G0000"]
        assert post_queries.actor_posts(work, a, TODAY) == (RoleHeld("area_chief", patch),)
        assert set(post_queries.actor_posts(work, b, TODAY)) == {
            RoleHeld("area_chief", patch, for_person_id=a),
            RoleHeld("grid_chief", grid),
        }
        assert post_queries.actor_posts(work, c, TODAY) == (RoleHeld("liaison", patch, for_person_id=a),)
        assert post_queries.actor_posts(work, a, date(2025, 12, 31)) == ()
        team = post_queries.list_team(work, patch, TODAY)
    assert [(member.name, member.capacity) for member in team] == [
        ("name a", "chief"),
        ("name b", "stand_in"),
        ("name c", "liaison"),
    ]


def test_thousands_of_posts_in_one_import(town: Store) -> None:
    posts = [PostData("grid", f"G{n % 4:02}{n // 4 % 4:02}", "member", f"m{n}", f"name {n}") for n in range(6_550)]
    written = put(town, *posts)
    assert written.added == 6_550  # type: ignore[attr-defined]


def test_only_who_may_import_posts_does(town: Store) -> None:
    actor = Actor(user_id=1, name="x", roles=(RoleHeld("area_chief", area_id=1),))
    with pytest.raises(Forbidden), town.write() as work:
        put_posts(work, LEVELS, actor, [chief("P0", "a")])


# -- units and duties


@pytest.fixture(scope="module")
def categories() -> Categories:
    return load_categories(data_dir() / "categories.toml", LEVELS)


UNITS = "单位编码,单位名称,电话,类别,层级,辖区编码,权属,起,止\n"


def test_units_and_their_duties_from_a_table(
    town: Store, settings: Settings, categories: Categories, tmp_path: Path
) -> None:
    code = categories.in_use[0].code
    path = tmp_path / "units.csv"
    lines = [
        f"H1,环卫所,024-1111,{code[:3]},,,,,\n",
        f"H2,市政公司,024-2222,{code},片区,P1,,,\n",
        "H3,供电公司,95598,*,,,国家电网,,\n",
        "H4,物业公司,,,,,,,\n",
    ]
    path.write_text(UNITS + "".join(lines), encoding="utf-8")
    report = import_units(town, LEVELS, categories, SYSTEM, path)
    assert report.written is not None
    assert (report.written.units_added, report.written.duties_added) == (4, 3)
    snapshot = now_at(town, settings)
    with town.read() as work:

        def due(column: int, owner: str = "", category: str = code) -> tuple[str, str] | None:
            located = snapshot.locate(*middle(column, 0))
            found = post_queries.find_due_unit(work, category, located, TODAY, owner=owner)
            return (found.code, found.by) if found else None

        assert due(0) == ("H1", "anywhere")
        assert due(2) == ("H2", "area")
        assert due(2, owner="国家电网") == ("H3", "owner")
        assert due(0, category="X9999") is None
    again = import_units(town, LEVELS, categories, SYSTEM, path)
    assert again.written is not None
    assert (again.written.units_added, again.written.duties_added, again.written.duties_unchanged) == (0, 0, 3)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("H1,,,E01,,,,,", "unit_name"),
        ("H1,甲,,Q99,,,,,", "category"),
        ("H1,甲,,E01,,P1,,,", "level"),
        ("H1,甲,,E01,片区,P9,,,", "area_code"),
        ("H1,甲,,,片区,P1,,,", "category"),
        ("H1,甲,,E01,,,,2026.3.1,2026.2.1", "to"),
        ("H0,乙,,E01,,,,,", "unit_name"),
    ],
)
def test_bad_lines_of_duties_are_refused(
    town: Store, categories: Categories, tmp_path: Path, line: str, column: str
) -> None:
    path, errors = tmp_path / "units.csv", tmp_path / "errors.xlsx"
    path.write_text(f"{UNITS}H0,甲零,,E01,,,,,\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        import_units(town, LEVELS, categories, SYSTEM, path, UnitImportOptions(errors=errors))
    assert caught.value.code == "units_refused"
    assert [problem.column for problem in caught.value.detail["report"].problems] == [column]
    assert errors.exists()
    with town.read() as work:
        assert work.session.scalars(select(Duty)).all() == []


def test_a_duty_for_a_unit_that_is_not_there_is_refused(town: Store) -> None:
    with pytest.raises(InvalidInput) as caught, town.write() as work:
        put_units(work, LEVELS, SYSTEM, [UnitData("H1", "甲")], [DutyData("H9", "E01")])
    assert caught.value.code == "unknown_unit"
    with town.read() as work:
        assert post_queries.list_duties(work) == ()
