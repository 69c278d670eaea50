"""Pure rules: who answers, which level answers, from when, which unit is due, what a position may be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.areas.rules.changes import AreaFacts, compare_areas
from mapsvc.areas.rules.duties import DutyHeld, find_unit_due
from mapsvc.areas.rules.effective import decide_effective_from
from mapsvc.areas.rules.ground import (
    check_unions,
    find_datum_doubt,
    is_same_ground,
    parents_by_overlap,
    union_of,
)
from mapsvc.areas.rules.located import AreaAt, Located, PostHeld, choose_responsible, owner_chain
from mapsvc.areas.rules.positions import check_position
from mapsvc.areas.rules.posts import PostLine, Term, find_overlap, roles_from_posts
from mapsvc.areas.rules.trees import PairCheck, decide_trees, list_ancestors, list_pairs, nesting_of
from mapsvc.base.errors import Conflict, InvalidInput
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.people.rules.actor import RoleHeld
from tests.squares import SIDE, SOUTH, WEST, shipped_levels, square

DAY = date(2026, 5, 3)
NESTING = nesting_of(shipped_levels())
ABLE = {"district", "street", "community", "patch", "grid"}


def post(post_id: int, role: str = "chief", begin: date | None = None, end: date | None = None) -> PostHeld:
    return PostHeld(post_id, 1, post_id * 10, f"name {post_id}", True, role, "文1", begin, end)


# -- who answers


def test_a_chief_goes_before_an_acting_one_and_that_before_a_deputy() -> None:
    posts = [post(1, "deputy"), post(2, "acting"), post(3, "chief"), post(4, "member")]
    found = choose_responsible(posts, DAY)
    assert found is not None
    assert (found.post_id, found.stand_in, found.document) == (3, "", "文1")
    acting = choose_responsible(posts[:2], DAY)
    assert acting is not None
    assert (acting.post_id, acting.stand_in) == (2, "acting")
    deputy = choose_responsible(posts[:1], DAY)
    assert deputy is not None
    assert (deputy.post_id, deputy.stand_in) == (1, "deputy")
    assert choose_responsible(posts[3:], DAY) is None


def test_days_of_a_post_are_both_held() -> None:
    held = post(1, begin=date(2026, 5, 1), end=DAY)
    assert choose_responsible([held], DAY) is not None
    assert choose_responsible([held], date(2026, 5, 1)) is not None
    assert choose_responsible([held], DAY + timedelta(days=1)) is None
    assert choose_responsible([held], date(2026, 4, 30)) is None


@given(st.permutations([post(1, begin=date(2026, 1, 1)), post(2, begin=date(2026, 2, 1)), post(3), post(4, "acting")]))
def test_who_answers_does_not_hang_on_the_order_of_posts(posts: list[PostHeld]) -> None:
    found = choose_responsible(posts, DAY)
    assert found is not None
    assert found.post_id == 2


def test_owner_chain_skips_levels_that_the_point_lacks() -> None:
    areas = tuple(AreaAt(level, n, n, level, level) for n, level in enumerate(("grid", "community", "district"), 1))
    located = Located(areas, (), "inside", 0.0, 1.0, 1, "community")
    chain = owner_chain(located, ("patch", "community", "street", "district"))
    assert [area.level for area in chain] == ["community", "district"]
    assert located.owner == areas[1]
    assert located.area_ids == (1, 2, 3)


# -- which level answers


def test_two_trees_meet_in_the_grid() -> None:
    pairs = list_pairs(NESTING, ABLE, ABLE)
    checks = [PairCheck(upper, finer, True) for upper, finer in pairs]
    decision = decide_trees(NESTING, ABLE, checks)
    assert decision.answers == {
        "district": "street",
        "street": "community",
        "community": "grid",
        "patch": "grid",
        "grid": "grid",
    }
    assert decision.independent == ()


def test_a_level_left_out_is_jumped_over() -> None:
    there = {"district", "grid"}
    pairs = list_pairs(NESTING, there, ABLE)
    assert pairs == (("district", "grid"),)
    assert decide_trees(NESTING, there, [PairCheck("district", "grid", True)]).answers["district"] == "grid"


def test_levels_that_need_not_be_a_coverage_answer_for_nobody() -> None:
    assert list_pairs(NESTING, {"grid", "building"}, ABLE) == ()


def test_what_does_not_add_up_stands_alone_and_says_why() -> None:
    checks = [PairCheck("street", "community", False, "3 differ"), PairCheck("district", "street", True)]
    decision = decide_trees(NESTING, {"district", "street", "community"}, checks)
    assert decision.answers == {"district": "street", "street": "street", "community": "community"}
    assert decision.independent == ("community",)
    assert decision.reasons == ("street: 3 differ",)


@given(st.sets(st.sampled_from(sorted(ABLE)), min_size=1), st.data())
def test_following_the_answers_always_ends_at_an_index(there: set[str], data: st.DataObject) -> None:
    pairs = list_pairs(NESTING, there, ABLE)
    checks = [PairCheck(upper, finer, data.draw(st.booleans())) for upper, finer in pairs]
    decision = decide_trees(NESTING, there, checks)
    assert set(decision.answers) == there
    for level in there:
        steps = 0
        while decision.answers[level] != level:
            assert level in list_ancestors(NESTING, decision.answers[level])
            level, steps = decision.answers[level], steps + 1
            assert steps < len(there)


# -- from when

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def test_first_borders_are_valid_from_always() -> None:
    assert decide_effective_from(None, NOW, ZONE, first=True, latest=None) is None
    assert decide_effective_from(TODAY, NOW, ZONE, first=True, latest=None) is None


def test_a_day_means_its_local_midnight_and_today_means_now() -> None:
    tomorrow = decide_effective_from(TODAY + timedelta(days=1), NOW, ZONE, first=False, latest=None)
    assert tomorrow == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert decide_effective_from(TODAY, NOW, ZONE, first=False, latest=None) == NOW
    assert decide_effective_from(None, NOW, ZONE, first=False, latest=NOW) == NOW


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))
def test_dates_never_run_backwards(wanted: date, latest_naive: datetime) -> None:
    latest = latest_naive.replace(tzinfo=UTC)
    midnight = datetime(wanted.year, wanted.month, wanted.day, tzinfo=ZONE)
    begins = NOW if wanted == TODAY else midnight.astimezone(UTC)
    if wanted < TODAY:
        expected: str | datetime = "date_in_past"
    else:
        expected = "date_runs_backwards" if begins < latest else begins
    if isinstance(expected, str):
        with pytest.raises((InvalidInput, Conflict)) as caught:
            decide_effective_from(wanted, NOW, ZONE, first=False, latest=latest)
        assert caught.value.code == expected
    else:
        assert decide_effective_from(wanted, NOW, ZONE, first=False, latest=latest) == expected


# -- what changes


def test_changes_by_code() -> None:
    old = {code: AreaFacts(code, code, code) for code in ("A", "B", "C", "D")}
    new = {
        "B": AreaFacts("B", "B", "B"),
        "C": AreaFacts("C", "other", "C"),
        "D": AreaFacts("D", "D", "new name"),
        "E": AreaFacts("E", "E", "E"),
    }
    asked: list[str] = []

    def same(code: str) -> bool:
        asked.append(code)
        return True

    found = compare_areas(old, new, same)
    assert (found.added, found.changed, found.technical) == (("E",), ("D",), ("C",))
    assert (found.unchanged, found.removed) == (("B",), ("A",))
    assert asked == ["C"]
    assert not found.is_nothing
    assert compare_areas(old, old, same).is_nothing


def test_a_vertex_more_is_the_same_ground_and_a_metre_is_not() -> None:
    plain = square(0, 0)
    ring = [*plain.exterior.coords]
    ring.insert(1, (WEST + SIDE / 2, SOUTH + 1e-8))
    assert is_same_ground(plain, shapely.Polygon(ring))
    ring[1] = (WEST + SIDE / 2, SOUTH + 1e-5)
    assert not is_same_ground(plain, shapely.Polygon(ring))
    hole = shapely.difference(plain, shapely.box(WEST + 3e-4, SOUTH + 3e-4, WEST + 6e-4, SOUTH + 6e-4))
    assert not is_same_ground(plain, hole)


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_same_ground_is_symmetric(dx: int, dy: int) -> None:
    a = square(0, 0)
    b = shapely.transform(a, lambda c: np.add(c, (dx * 1e-8, dy * 1e-8)))
    assert is_same_ground(a, b) == is_same_ground(b, a)
    assert is_same_ground(a, b) == (max(abs(dx), abs(dy)) <= 1 or dx * dx + dy * dy <= 2)


def test_unions_and_what_is_wrong_with_them() -> None:
    finer = np.array([square(0, 0), square(1, 0), square(2, 0)], dtype=object)
    upper = np.array([square(0, 0, 2, 1), square(2, 0)], dtype=object)
    assert check_unions(["A", "B"], upper, ["A", "A", "B"], finer).adds_up
    orphan = check_unions(["A", "B"], upper, ["A", "", "B"], finer)
    assert not orphan.adds_up
    assert "1 of 3" in orphan.reason
    childless = check_unions(["A", "B", "C"], np.append(upper, square(5, 5)), ["A", "A", "B"], finer)
    assert "C" in childless.reason
    wrong = check_unions(["A", "B"], upper, ["A", "B", "B"], finer)
    assert not wrong.adds_up
    assert "2 of 2" in wrong.reason


def test_union_of_areas_that_do_not_match_is_valid_all_the_same() -> None:
    overlapping = np.array([square(0, 0, 2, 1), square(1, 0, 2, 1)], dtype=object)
    union = union_of(overlapping)
    assert union.is_valid
    assert union.area == pytest.approx(3 * SIDE * SIDE, rel=1e-6)


def test_parents_by_overlap_take_the_most_and_the_smaller_code_on_a_tie() -> None:
    parents = np.array([square(0, 0, 2, 2), square(2, 0, 2, 2)], dtype=object)
    children = np.array(
        [
            square(0, 0),
            square(1, 0, 2, 1),
            shapely.box(WEST + 1.9 * SIDE, SOUTH, WEST + 3 * SIDE, SOUTH + SIDE),
            square(9, 9),
        ],
        dtype=object,
    )
    codes, share = parents_by_overlap(children, ["A", "B"], parents)
    assert codes == ("A", "A", "B", "")
    assert share == pytest.approx([1.0, 0.5, 1 / 1.1, 0.0], abs=1e-3)


def test_gcj02_is_seen_by_its_shift_and_true_borders_are_not_doubted() -> None:
    ground = np.array([square(c * 4, r * 4, 4, 4) for c in range(8) for r in range(6)], dtype=object)
    shifted = shapely.transform(ground, lambda c: np.column_stack(wgs84_to_gcj02(c[:, 0], c[:, 1])))
    doubt = find_datum_doubt(shifted, ground)
    assert doubt is not None
    assert doubt.share_as_gcj02 > 0.99 > doubt.share_as_is
    assert find_datum_doubt(ground, ground) is None
    assert find_datum_doubt(ground[:5], ground) is None
    elsewhere = shapely.transform(ground, lambda c: np.add(c, 1.0))
    assert find_datum_doubt(elsewhere, ground) is None


# -- which unit is due


def duty(duty_id: int, category: str = "E01", **more: object) -> DutyHeld:
    return DutyHeld(duty_id, duty_id * 10, f"U{duty_id}", f"unit {duty_id}", category, **more)  # type: ignore[arg-type]


GRID, PATCH = AreaAt("grid", 1, 1, "G1", ""), AreaAt("patch", 2, 2, "P1", "")
HERE = Located((GRID, PATCH), (), "inside", 0.0, 1.0, 1, "patch")


@pytest.mark.parametrize(
    ("duties", "expected"),
    [
        ([duty(1), duty(2, "E0110")], (2, "anywhere")),
        ([duty(1, "E0110"), duty(2, level="grid")], (2, "level")),
        ([duty(1, level="grid"), duty(2, area_id=2)], (2, "area")),
        ([duty(1, area_id=2), duty(2, area_id=1)], (2, "area")),
        ([duty(1, area_id=1), duty(2, in_polygon=True)], (2, "polygon")),
        ([duty(1, in_polygon=True), duty(3, owner="供电公司"), duty(2)], (3, "owner")),
        ([duty(1), duty(2)], (1, "anywhere")),
        ([duty(1, area_id=99), duty(2, level="street"), duty(3, "E02"), duty(4, owner="燃气")], None),
        ([duty(1, valid_to=date(2026, 5, 2)), duty(2, valid_from=date(2026, 5, 4))], None),
    ],
)
def test_the_most_particular_duty_wins(duties: list[DutyHeld], expected: tuple[int, str] | None) -> None:
    found = find_unit_due(duties, "E0110", HERE, DAY, owner="供电公司", polygons=frozenset({1, 2}))
    assert (None if found is None else (found.duty_id, found.by)) == expected


def test_without_a_place_only_duties_for_anywhere_fit() -> None:
    found = find_unit_due([duty(1, level="grid"), duty(2)], "E0110", None, DAY)
    assert found is not None
    assert found.duty_id == 2


# -- posts


@given(st.lists(st.tuples(st.integers(1, 28), st.integers(1, 28)), min_size=1, max_size=6))
def test_overlapping_terms_are_found_whatever_their_order(days: list[tuple[int, int]]) -> None:
    terms = [Term(date(2026, 5, min(p)), date(2026, 5, max(p)), n) for n, p in enumerate(days)]
    every = [(a, b) for a in terms for b in terms if a.label < b.label and a.overlaps(b)]
    found = find_overlap(terms)
    assert (found is None) == (not every)
    if found is not None:
        assert found[0].overlaps(found[1])


def test_open_terms_overlap_whatever_comes_later() -> None:
    assert find_overlap([Term(None, None, 1), Term(date(2026, 5, 1), None, 2)]) is not None
    assert find_overlap([Term(None, date(2026, 4, 30), 1), Term(date(2026, 5, 1), None, 2)]) is None


def test_roles_that_follow_from_posts() -> None:
    lines = [
        PostLine("grid", 1, "chief", 5, "holder"),
        PostLine("patch", 2, "chief", 5, "holder"),
        PostLine("street", 3, "deputy", 5, "holder"),
        PostLine("patch", 4, "chief", 9, "deputy"),
        PostLine("patch", 6, "chief", 9, "liaison"),
        PostLine("grid", 7, "member", 5, "holder"),
    ]
    assert roles_from_posts(lines) == (
        RoleHeld("grid_chief", area_id=1),
        RoleHeld("area_chief", area_id=2),
        RoleHeld("street", area_id=3),
        RoleHeld("area_chief", area_id=4, for_person_id=9),
        RoleHeld("liaison", area_id=6, for_person_id=9),
        RoleHeld("patrol", area_id=7),
    )


# -- positions

BOUNDS = (122.9, 41.7, 123.1, 41.9)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (float("nan"), 41.8, "position_not_finite"),
        (123.0, float("inf"), "position_not_finite"),
        (41.8, 123.0, "lon_lat_swapped"),
        (200.0, 41.0, "position_out_of_range"),
        (123.0, 91.0, "position_out_of_range"),
    ],
)
def test_what_cannot_be_a_position_is_refused(lon: float, lat: float, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_position(lon, lat, BOUNDS)
    assert caught.value.code == code


def test_an_exchange_below_ninety_degrees_is_seen_by_the_bounds() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_position(30.5, 80.2, (80.0, 30.0, 81.0, 31.0))
    assert caught.value.code == "lon_lat_swapped"
    assert caught.value.detail == {"lon": 80.2, "lat": 30.5}


def test_positions_inside_and_far_outside_pass() -> None:
    check_position(123.0, 41.8, BOUNDS)
    check_position(0.0, 0.0, BOUNDS)
    check_position(10.0, 20.0, None)
