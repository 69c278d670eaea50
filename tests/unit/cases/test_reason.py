"""The sentence that says why: where nobody can answer it says whether the point lies in an area or in none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mapsvc import catalog
from mapsvc.areas.index import Snapshots
from mapsvc.areas.rules.located import AreaAt, Responsible
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.settings import Settings
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.assignment import Decision
from mapsvc.cases.service.intake import decide_intake
from mapsvc.cases.service.positions import Placed
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store
from tests.squares import middle, rows_of, square

NAMES = {"grid": ("网格", "grid"), "patch": ("片区", "patch")}
GRID = AreaAt("grid", 1, 11, "G1", "一号网格")
PATCH = AreaAt("patch", 2, 12, "P1", "东片区")
NOWHERE = Decision("none", None, None, (), (), (), 0.0, 0.0, 7)
AT_HOME = Decision(
    "inside", PATCH, Responsible(5, "王一", False, "", 9, "1号", "chief"), (PATCH, GRID), (), (), 0, 1, 7
)


def test_a_point_outside_everything_lies_in_no_area() -> None:
    assert reason.in_chinese(NOWHERE, NAMES) == "未落格: 点位不在任何辖区内, 附近也没有可认定的辖区(界线第7版次)。"
    assert "lies in no area and near none" in reason.in_english(NOWHERE, NAMES)


def test_a_point_in_a_level_that_does_not_answer_is_not_said_to_lie_nowhere() -> None:
    found = replace(NOWHERE, path=(GRID,))
    chinese, english = reason.in_chinese(found, NAMES), reason.in_english(found, NAMES)
    assert "点位在一号网格内" in chinese
    assert "没有可负责案件的层级" in chinese
    assert "不在任何辖区" not in chinese
    assert "lies in 一号网格, but no level that answers" in english
    assert "no area" not in english


@pytest.mark.parametrize(
    ("cause", "zh", "en"),
    [
        ("", "东片区 › 一号网格", "东片区 › 一号网格"),
        ("redraw", "界线调整, 按第7版次重新认定: 东片区", "The borders changed; decided again by generation 7: 东片区"),
        ("post", "任职变动, 交接: 东片区", "Who is in post changed: 东片区"),
    ],
)
def test_what_caused_a_second_decision_comes_first(cause: str, zh: str, en: str) -> None:
    decision = replace(AT_HOME, cause=cause)
    assert reason.in_chinese(decision, NAMES).startswith(zh)
    assert reason.in_english(decision, NAMES).startswith(en)
    assert reason.split(reason.both(decision, NAMES)) == (
        reason.in_chinese(decision, NAMES),
        reason.in_english(decision, NAMES),
    )


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def test_with_grids_alone_the_sentence_names_the_grid(
    request: pytest.FixtureRequest, settings: Settings, database: str
) -> None:
    store: Store = request.getfixturevalue(f"{database}_store")
    found = catalog.load_catalog(settings)
    import_rows(store, settings, found.levels, SYSTEM, "grid", rows_of({"g1": square(0, 0), "g2": square(1, 0)}))
    snapshot = Snapshots(store, settings, found.levels).current(store.clock.now())
    book = make_rulebook(settings, found.levels, found.categories, load_calendar(settings))
    category = book.categories.get("E0110")
    with store.read() as work:
        inside, outside = (
            decide_intake(snapshot, book, category, Placed(*at, None, "tap", "wgs84"), work)
            for at in (middle(1, 0), middle(9, 9))
        )
    assert "name g2" in reason.in_english(inside, book.level_names())
    assert "lies in no area" not in reason.in_english(inside, book.level_names())
    assert "lies in no area" in reason.in_english(outside, book.level_names())
