"""Repair behind a preview: nothing moves in silence, and each trap of coverage_clean is met."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon

from mapsvc.geo.coverage import RepairPreview, check_coverage, repair_coverage
from mapsvc.geo.lattice import lattice_hash, on_lattice, snap_geometries
from mapsvc.geo.measure import area_m2
from tests.coverages import array, box_m, grid


def shaken(cells: np.ndarray, metres: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size = metres / 111_000
    return snap_geometries([shapely.transform(cell, lambda c: c + rng.uniform(-size, size, 2)) for cell in cells])


def standing(preview: RepairPreview) -> tuple[np.ndarray, list[str]]:
    there = ~shapely.is_missing(preview.geometries)
    return preview.geometries[there], [code for code, kept in zip(preview.codes, there, strict=True) if kept]


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000))
def test_shaken_areas_match_again_and_every_move_is_told(seed: int) -> None:
    cells, codes = grid(5, 4, seed=seed)
    dirty = shaken(cells, 0.1, seed)
    assert check_coverage(dirty, codes)
    preview = repair_coverage(dirty, codes, snapping_m=0.3, gap_m=0.5)
    assert preview.is_clean
    assert check_coverage(preview.geometries, codes) == ()
    assert on_lattice(preview.geometries).all()
    assert preview.refused == ()
    assert 0 < preview.max_shift_m < 0.6
    # Book-keeping: what each area gains and loses by the list is what its area changes by, within the small change.
    before, after = area_m2(dirty), area_m2(preview.geometries)
    told = dict.fromkeys(codes, 0.0)
    for piece in preview.moved:
        if piece.to_code:
            told[piece.to_code] += piece.area_m2
        if piece.from_code:
            told[piece.from_code] -= piece.area_m2
    claimed_twice = float(before.sum() - area_m2([shapely.union_all(dirty)])[0])
    change = after - before
    assert sum(told.values()) == pytest.approx(float(change.sum()) + claimed_twice, abs=2 + 2 * preview.minor_m2)
    assert {change.code for change in preview.changes} <= set(codes)


def test_a_clean_coverage_stays_the_very_same() -> None:
    cells, codes = grid(5, 5, seed=3)
    preview = repair_coverage(cells, codes, snapping_m=0.5, gap_m=2)
    assert preview.is_clean
    assert (preview.moved, preview.changes, preview.refused, preview.max_shift_m) == ((), (), (), 0.0)
    assert all(new is old for new, old in zip(preview.geometries, cells, strict=True))


def test_repairing_twice_is_repairing_once() -> None:
    cells, codes = grid(4, 4, seed=8)
    once = repair_coverage(shaken(cells, 0.1), codes, snapping_m=0.3, gap_m=0.5)
    twice = repair_coverage(once.geometries, codes, snapping_m=0.3, gap_m=0.5)
    assert twice.moved == ()
    assert [lattice_hash(g) for g in twice.geometries] == [lattice_hash(g) for g in once.geometries]


def test_rows_without_ground_stay_in_their_place_and_shift_nobody() -> None:
    cells, codes = grid(3, 2, seed=6)
    dirty = shaken(cells, 0.1)
    line = shapely.LineString([(118, 30), (118.1, 30)])
    mixed = array(None, *dirty[:2], Polygon(), *dirty[2:4], None, *dirty[4:], line)
    names = ["n0", *codes[:2], "e", *codes[2:4], "n1", *codes[4:], "l"]
    preview = repair_coverage(mixed, names, snapping_m=0.3, gap_m=0.5)
    assert preview.geometries[0] is None
    assert preview.geometries[6] is None
    assert preview.geometries[3].is_empty
    assert preview.geometries[-1] is line
    plain = repair_coverage(dirty, codes, snapping_m=0.3, gap_m=0.5)
    by_code = dict(zip(preview.codes, preview.geometries, strict=True))
    for code, expected in zip(codes, plain.geometries, strict=True):
        assert lattice_hash(by_code[code]) == lattice_hash(expected)


def test_a_swallowed_area_is_refused_with_its_code() -> None:
    shapes = [box_m(0, 0, 100, 100), box_m(40, 40, 60, 60), box_m(100, 0, 200, 100)]
    preview = repair_coverage(shapes, ["A", "B", "C"], snapping_m=0.1, gap_m=0.1)
    assert [(refusal.row, refusal.code, refusal.reason) for refusal in preview.refused] == [(1, "B", "swallowed")]
    assert preview.geometries[1] is None
    assert [(piece.from_code, piece.to_code) for piece in preview.moved] == [("B", "A")]
    assert preview.moved[0].area_m2 == pytest.approx(400, rel=0.01)
    assert not any(shape is not None and shape.is_empty for shape in preview.geometries)
    assert preview.geometries[2] is shapes[2]


def test_the_same_ground_twice_is_refused_for_the_second() -> None:
    box = box_m(0, 0, 100, 100)
    preview = repair_coverage([box, shapely.reverse(box)], ["A", "B"], snapping_m=0.1, gap_m=0.1)
    [refusal] = preview.refused
    assert (refusal.row, refusal.code, refusal.reason) == (1, "B", "duplicate")
    assert "A" in refusal.message
    assert preview.geometries[0] is box
    assert preview.geometries[1] is None


def test_an_alley_narrower_than_the_snapping_distance_is_refused_not_lost() -> None:
    shapes = [box_m(0, 0, 100, 100), box_m(100, 0, 100.8, 100), box_m(100.8, 0, 200, 100)]
    codes = ["A", "ALLEY", "B"]
    preview = repair_coverage(shapes, codes, snapping_m=1.0, gap_m=0.1)
    [refusal] = preview.refused
    assert (refusal.row, refusal.code, refusal.reason) == (1, "ALLEY", "too_narrow")
    assert "0.8 m wide" in refusal.message or "0.79 m wide" in refusal.message
    assert any(change.code == "ALLEY" for change in preview.changes)
    assert any(piece.from_code == "ALLEY" for piece in preview.moved)
    finer = repair_coverage(shapes, codes, snapping_m=0.3, gap_m=0.1)
    assert finer.refused == ()
    assert finer.geometries[1] is shapes[1]


def _with_hole(size_m: float) -> list[Polygon]:
    ring = shapely.difference(box_m(0, 0, 100, 100), box_m(50, 50, 50 + size_m, 50 + size_m))
    return [snap_geometries([ring])[0], box_m(100.2, 0, 200, 100)]


def test_an_intended_hole_is_kept_unless_asked_for() -> None:
    shapes = _with_hole(2)
    preview = repair_coverage(shapes, ["A", "B"], snapping_m=0.1, gap_m=3)
    assert len(preview.geometries[0].interiors) == 1
    [hole] = preview.holes
    assert (hole.codes, hole.filled) == (("A",), False)
    assert hole.area_m2 == pytest.approx(4, rel=0.02)
    assert hole.width_m == pytest.approx(2, rel=0.02)
    filled = repair_coverage(shapes, ["A", "B"], snapping_m=0.1, gap_m=3, fill_holes=True)
    assert len(filled.geometries[0].interiors) == 0
    assert filled.holes[0].filled
    assert any(piece.from_code is None and piece.area_m2 == pytest.approx(4, rel=0.05) for piece in filled.moved)


def test_a_hole_wider_than_the_gaps_is_not_in_question() -> None:
    preview = repair_coverage(_with_hole(20), ["A", "B"], snapping_m=0.1, gap_m=3)
    assert preview.holes == ()
    assert len(preview.geometries[0].interiors) == 1


def test_a_sliver_between_areas_is_a_gap_and_is_filled() -> None:
    outer = box_m(0, 0, 200, 100)
    left = shapely.difference(box_m(0, 0, 100, 100), box_m(99.6, 20, 100, 80))
    shapes = snap_geometries([left, box_m(100, 0, 200, 100)])
    preview = repair_coverage(shapes, ["A", "B"], snapping_m=0.05, gap_m=0.5)
    assert preview.is_clean
    assert preview.holes == ()
    assert check_coverage(preview.geometries, ["A", "B"], outline=outer) == ()
    [piece] = preview.moved
    assert piece.from_code is None
    assert piece.area_m2 == pytest.approx(24, rel=0.02)
    assert preview.max_shift_m == pytest.approx(0.4, abs=0.05)


def test_inlets_are_closed_with_an_outline_only() -> None:
    outline = box_m(0, 0, 200, 100)
    shapes = [box_m(0, 0, 99.7, 100), box_m(100, 0, 200, 100)]
    without = repair_coverage(shapes, ["A", "B"], snapping_m=0.05, gap_m=0.5)
    assert "inlet" in [f.kind for f in check_coverage(without.geometries, ["A", "B"], outline=outline)]
    closed = repair_coverage(shapes, ["A", "B"], snapping_m=0.05, gap_m=0.5, outline=outline)
    assert closed.is_clean
    assert check_coverage(closed.geometries, ["A", "B"], outline=outline) == ()
    assert sum(piece.area_m2 for piece in closed.moved if piece.from_code is None) == pytest.approx(30, rel=0.02)


def test_a_bow_tie_is_made_valid_and_told() -> None:
    bow = Polygon([(118, 30), (118.001, 30.001), (118.001, 30), (118, 30.001)])
    preview = repair_coverage([bow, box_m(500, 0, 600, 100)], ["A", "B"], snapping_m=0.1, gap_m=0.1)
    assert preview.is_clean
    assert preview.geometries[0].is_valid
    assert any(
        change.code == "A" and change.message.startswith("made valid: Self-intersection") for change in preview.changes
    )


def test_the_ground_given_is_not_changed() -> None:
    cells, codes = grid(3, 3)
    dirty = shaken(cells, 0.1)
    copies = shapely.to_wkb(dirty)
    repair_coverage(dirty, codes, snapping_m=0.3, gap_m=0.5)
    assert (shapely.to_wkb(dirty) == copies).all()


def test_nothing_to_repair() -> None:
    preview = repair_coverage(array(None, Polygon()), ["A", "B"], snapping_m=0.3, gap_m=0.5)
    assert preview.moved == ()
    assert preview.geometries[0] is None
    assert preview.is_clean


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000), metres=st.floats(0.5, 8))
def test_overlaps_wider_than_the_snapping_distance_are_settled_too(seed: int, metres: float) -> None:
    cells, codes = grid(4, 3, seed=seed)
    preview = repair_coverage(shaken(cells, metres, seed), codes, snapping_m=0.3, gap_m=0.5)
    shapes, names = standing(preview)
    assert preview.is_clean
    assert not [f for f in check_coverage(shapes, names) if f.kind in ("overlap", "invalid", "edge")]
