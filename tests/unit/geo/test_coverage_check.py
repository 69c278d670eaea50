"""The six checks: each fault is found where it is, as large as it is, and nothing else is found."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon

from mapsvc.geo.coverage import CheckOptions, Finding, Parents, check_coverage, shared_borders
from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.measure import LocalFrame, area_m2
from tests.coverages import array, box_m, grid


def kinds(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.kind for finding in findings]


def near_m(finding: Finding, x_m: float, y_m: float) -> float:
    x, y = LocalFrame(118.0, 30.0).to_metres(finding.lon, finding.lat)
    return float(np.hypot(x - x_m, y - y_m))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000))
def test_a_clean_coverage_has_no_finding(seed: int) -> None:
    cells, codes = grid(5, 4, seed=seed)
    assert check_coverage(cells, codes) == ()
    outline = shapely.coverage_union_all(cells)
    assert check_coverage(cells, codes, outline=outline) == ()


def test_nothing_to_check_is_clean() -> None:
    assert check_coverage([], []) == ()


def test_a_bow_tie_is_invalid_and_named_where_it_crosses() -> None:
    bow = Polygon([(118, 30), (118.001, 30.001), (118.001, 30), (118, 30.001)])
    assert shapely.coverage_is_valid([bow]), "the trap: shapely's own check accepts it"
    [finding] = [f for f in check_coverage([bow], ["A"]) if f.kind == "invalid"]
    assert finding.severity == "error"
    assert (round(finding.lon, 6), round(finding.lat, 6)) == (118.0005, 30.0005)
    assert "self-intersection" in finding.message


@pytest.mark.parametrize("shape", [None, Polygon(), shapely.Point(118, 30), shapely.LineString([(118, 30), (119, 30)])])
def test_a_row_without_ground_is_named(shape: shapely.Geometry | None) -> None:
    findings = check_coverage(array(box_m(0, 0, 100, 100), shape), ["A", "B"])
    assert [(f.kind, f.codes) for f in findings] == [("empty", ("B",))]


def test_an_overlap_has_its_place_and_size() -> None:
    findings = check_coverage([box_m(0, 0, 100, 100), box_m(98, 20, 200, 70)], ["A", "B"])
    [overlap] = [f for f in findings if f.kind == "overlap"]
    assert overlap.codes == ("A", "B")
    assert overlap.area_m2 == pytest.approx(100, rel=0.01)
    assert overlap.width_m == pytest.approx(2, rel=0.1)
    assert overlap.length_m == pytest.approx(50, rel=0.05)
    assert near_m(overlap, 99, 45) < 26
    assert kinds(findings) == ["overlap"]


def test_a_swallowed_area_overlaps_by_all_of_it() -> None:
    inner = box_m(40, 40, 60, 60)
    [finding] = check_coverage([box_m(0, 0, 100, 100), inner], ["A", "B"])
    assert finding.kind == "overlap"
    assert finding.area_m2 == pytest.approx(float(area_m2([inner])[0]), rel=1e-3)


def test_the_same_border_twice_is_an_overlap() -> None:
    box = box_m(0, 0, 100, 100)
    findings = check_coverage([box, box], ["A", "B"])
    assert kinds(findings) == ["overlap"]
    assert findings[0].area_m2 == pytest.approx(10_000, rel=1e-3)


def test_a_junction_without_a_vertex_is_an_edge_that_does_not_match() -> None:
    findings = check_coverage(
        [box_m(0, 0, 100, 100), box_m(100, 0, 200, 50), box_m(100, 50, 200, 100)], ["A", "B", "C"]
    )
    assert set(kinds(findings)) == {"edge"}
    assert all(f.severity == "error" and f.length_m > 0 for f in findings)
    assert ("A",) in [f.codes for f in findings]


def test_a_gap_enclosed_by_areas() -> None:
    ring = shapely.difference(box_m(0, 0, 300, 300), box_m(100, 100, 103, 200))
    halves = [shapely.intersection(ring, box_m(0, 0, 150, 300)), shapely.intersection(ring, box_m(150, 0, 300, 300))]
    [finding] = check_coverage(snap_geometries(halves), ["A", "B"])
    assert (finding.kind, finding.severity, finding.codes) == ("gap", "error", ("A",))
    assert finding.area_m2 == pytest.approx(300, rel=0.01)
    assert finding.width_m == pytest.approx(3, rel=0.1)


def test_a_wide_hole_may_be_intended_unless_an_outline_says_not() -> None:
    ring = shapely.difference(box_m(0, 0, 300, 300), box_m(100, 100, 150, 150))
    [hole] = check_coverage([ring], ["A"])
    assert (hole.kind, hole.severity) == ("hole", "warning")
    [gap] = check_coverage([ring], ["A"], outline=box_m(0, 0, 300, 300))
    assert (gap.kind, gap.severity) == ("gap", "error")
    [narrow] = check_coverage([ring], ["A"], options=CheckOptions(hole_m=80))
    assert narrow.kind == "gap"


def test_an_inlet_and_a_missing_area_at_the_rim_are_seen_with_an_outline() -> None:
    cells, codes = grid(3, 3, seed=4)
    outline = shapely.coverage_union_all(cells)
    kept, names = cells[1:], codes[1:]
    assert check_coverage(kept, names) == ()
    [inlet] = check_coverage(kept, names, outline=outline)
    assert inlet.kind == "inlet"
    assert inlet.area_m2 == pytest.approx(float(area_m2(cells[:1])[0]), rel=1e-3)
    assert codes[1] in inlet.codes


def test_noise_below_the_tolerance_is_not_reported_as_ground() -> None:
    findings = check_coverage([box_m(0, 0, 100, 100), box_m(99.995, 0, 200, 100)], ["A", "B"])
    assert set(kinds(findings)) == {"edge"}


def _family(cells: np.ndarray, codes: list[str]) -> Parents:
    of = [code[:2] for code in codes]
    names = sorted(set(of))
    unions = [shapely.coverage_union_all(cells[[k for k, name in enumerate(of) if name == parent]]) for parent in names]
    return Parents(names, unions, of)


def test_children_of_their_unions_nest_exactly() -> None:
    cells, codes = grid(6, 4, seed=9)
    assert check_coverage(cells, codes, parents=_family(cells, codes)) == ()


def test_a_child_under_the_wrong_parent_reaches_out_of_it() -> None:
    cells, codes = grid(4, 3, seed=2)
    family = _family(cells, codes)
    of = list(family.of)
    of[0] = "02"
    findings = check_coverage(cells, codes, parents=Parents(family.codes, family.geometries, of))
    [nesting] = [f for f in findings if f.kind == "nesting"]
    assert nesting.codes == ("0000", "02")
    assert nesting.area_m2 == pytest.approx(float(area_m2(cells[:1])[0]), rel=1e-3)
    assert [f.codes for f in findings if f.kind == "contiguity"] == [("0000",)]


def test_a_child_without_a_known_parent_and_a_parent_without_children() -> None:
    cells, codes = grid(3, 3)
    family = _family(cells, codes)
    of = ["" if parent == "00" else parent for parent in family.of]
    of[-1] = "99"
    findings = check_coverage(cells, codes, parents=Parents(family.codes, family.geometries, of))
    assert [f.codes for f in findings if f.kind == "no_parent"] == [("0000",), ("0001",), ("0002",), ("0202",)]
    assert [f.codes for f in findings if f.kind == "childless"] == [("00",)]


def test_ground_of_a_parent_that_no_child_covers() -> None:
    cells, codes = grid(3, 3, seed=5)
    family = _family(cells, codes)
    left = Parents(family.codes, family.geometries, family.of[:4] + family.of[5:])
    findings = check_coverage(np.delete(cells, 4), codes[:4] + codes[5:], parents=left)
    [gap] = [f for f in findings if f.kind == "gap"]
    assert gap.area_m2 == pytest.approx(float(area_m2(cells[4:5])[0]), rel=1e-3)


def test_parts_are_a_warning_with_the_smallest_part() -> None:
    exclave = MultiPolygon([box_m(0, 0, 100, 100), box_m(500, 0, 510, 10)])
    [finding] = [f for f in check_coverage([exclave], ["A"]) if f.kind == "parts"]
    assert finding.severity == "warning"
    assert finding.area_m2 == pytest.approx(100, rel=0.01)
    assert near_m(finding, 505, 5) < 6


def test_touching_in_a_point_is_not_hanging_together() -> None:
    shapes = [box_m(0, 0, 100, 100), box_m(100, 0, 200, 100), box_m(200, 100, 300, 200)]
    [finding] = check_coverage(shapes, ["A", "B", "C"])
    assert (finding.kind, finding.severity, finding.codes) == ("contiguity", "warning", ("C",))


def test_a_parent_in_two_parts_may_have_two_groups() -> None:
    shapes = [box_m(0, 0, 100, 100), box_m(500, 0, 600, 100)]
    parents = Parents(["P"], [MultiPolygon(shapes)], ["P", "P"])
    assert check_coverage(shapes, ["A", "B"], parents=parents) == ()


def test_load_outside_the_band() -> None:
    cells, codes = grid(2, 2)
    options = CheckOptions(households=[300, 90, 700, None], household_band=(200, 500))
    findings = check_coverage(cells, codes, options=options)
    assert [(f.kind, f.severity, f.codes[0]) for f in findings] == [
        ("load", "warning", codes[1]),
        ("load", "warning", codes[2]),
    ]
    assert "fewer than 200" in findings[0].message
    assert check_coverage(cells, codes, options=CheckOptions(households=[1, 2, 3, 4])) == ()


def test_errors_come_first_and_larger_before_smaller() -> None:
    shapes = [box_m(0, 0, 100, 100), box_m(99, 0, 200, 100), box_m(190, 0, 300, 100), box_m(900, 0, 901, 1)]
    findings = check_coverage(shapes, ["A", "B", "C", "D"])
    assert kinds(findings) == ["overlap", "overlap", "contiguity"]
    assert findings[0].codes == ("B", "C")


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000))
def test_shared_borders_are_those_with_length(seed: int) -> None:
    cells, _ = grid(4, 4, seed=seed)
    expected = {
        (i, j)
        for i in range(16)
        for j in range(i + 1, 16)
        if shapely.length(shapely.intersection(cells[i], cells[j])) > 0
    }
    first, second = shared_borders(cells)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), which=st.integers(0, 15), shift=st.floats(0.02, 5))
def test_a_moved_area_is_always_noticed(seed: int, which: int, shift: float) -> None:
    cells, codes = grid(4, 4, seed=seed)
    outline = shapely.coverage_union_all(cells)
    cells[which] = snap_geometries([shapely.transform(cells[which], lambda c: c + shift * 1e-5)])[0]
    findings = check_coverage(cells, codes, outline=outline)
    assert {"overlap", "edge", "gap", "inlet"} & set(kinds(findings))
    assert any(codes[which] in f.codes for f in findings if f.severity == "error")
