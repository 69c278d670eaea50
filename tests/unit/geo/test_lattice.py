"""The lattice: exact round trips, shared vertices, hashes that know only the ground."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon

from mapsvc.base.errors import InvalidInput
from mapsvc.geo import lattice

STEPS = st.integers(min_value=-180 * lattice.PER_DEGREE, max_value=180 * lattice.PER_DEGREE)
DEGREES = st.floats(min_value=-180, max_value=180, allow_nan=False)


@given(STEPS)
def test_steps_come_back_exactly(step: int) -> None:
    assert int(lattice.to_lattice(lattice.from_lattice([step]))[0]) == step


@given(DEGREES)
def test_snapping_twice_is_snapping_once(degree: float) -> None:
    once = lattice.snap_coordinates([degree])
    assert abs(once[0] - degree) <= 0.5001 * lattice.STEP
    assert lattice.snap_coordinates(once)[0] == once[0]


@given(STEPS)
def test_a_lattice_degree_is_what_its_decimal_reads_as(step: int) -> None:
    degree = float(lattice.from_lattice([step])[0])
    sign = "-" if step < 0 else ""
    whole, rest = divmod(abs(step), lattice.PER_DEGREE)
    assert degree == float(f"{sign}{whole}.{rest:08d}")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        lattice.to_lattice([[118.0, bad]])
    assert caught.value.code == "not_finite"


def test_shared_vertices_stay_shared() -> None:
    middle = 118.000000004999
    left = Polygon([(117.9, 30), (middle, 30), (middle, 31), (117.9, 31)])
    right = Polygon([(middle, 30), (118.1, 30), (118.1, 31), (middle, 31)])
    snapped = lattice.snap_geometries([left, right])
    assert shapely.coverage_is_valid(snapped)
    assert lattice.on_lattice(snapped).all()
    assert not lattice.on_lattice([left])[0]


def test_none_and_empty_keep_their_row() -> None:
    box = shapely.box(0, 0, 1, 1)
    snapped = lattice.snap([None, box, Polygon(), box])
    assert snapped.geometries[0] is None
    assert snapped.geometries[2].is_empty
    assert snapped.geometries[3].equals(box)
    assert snapped.collapsed == ()


def test_repeated_vertices_are_dropped_and_counted() -> None:
    ring = [(0, 0), (1, 0), (1, 1e-10), (1, 1), (0, 1)]
    snapped = lattice.snap([Polygon(ring)])
    assert shapely.get_num_coordinates(snapped.geometries[0]) == 5
    assert snapped.repeated == 1
    assert snapped.collapsed == ()


def test_a_hole_that_collapses_is_left_out_and_reported() -> None:
    hole = [(0.5, 0.5), (0.5 + 1e-9, 0.5), (0.5, 0.5 + 1e-9)]
    snapped = lattice.snap([shapely.box(2, 2, 3, 3), Polygon(shapely.box(0, 0, 1, 1).exterior, [hole])])
    assert snapped.collapsed == (1,)
    assert len(snapped.geometries[1].interiors) == 0
    assert snapped.geometries[1].area == 1.0


def test_a_polygon_flattened_to_a_line_is_empty_and_reported() -> None:
    sliver = Polygon([(0, 0), (0.5, 1e-9), (1, 0), (0.5, -1e-9)])
    snapped = lattice.snap([sliver])
    assert snapped.collapsed == (0,)
    assert snapped.geometries[0].is_empty


def test_a_part_that_collapses_leaves_the_others() -> None:
    dust = shapely.box(5, 5, 5 + 1e-9, 5 + 1e-9)
    snapped = lattice.snap([MultiPolygon([shapely.box(0, 0, 1, 1), dust])])
    assert snapped.collapsed == (0,)
    assert snapped.geometries[0].area == 1.0


def test_smallest_true_triangle_is_kept() -> None:
    cell = Polygon([(118, 30), (118 + 1e-8, 30), (118, 30 + 1e-8)])
    snapped = lattice.snap([cell])
    assert snapped.collapsed == ()
    assert not snapped.geometries[0].is_empty


def test_z_is_dropped() -> None:
    snapped = lattice.snap_geometries([Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)])])
    assert not snapped[0].has_z


def _star(count: int, seed: int) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = rng.uniform(0.5, 1.0, count)
    return [(float(r * np.cos(a)), float(r * np.sin(a))) for r, a in zip(radius, angle, strict=True)]


@given(seed=st.integers(0, 500), start=st.integers(0, 30), back=st.booleans())
def test_hash_ignores_start_and_direction(seed: int, start: int, back: bool) -> None:
    ring = _star(11, seed)
    turned = ring[start % 11 :] + ring[: start % 11]
    if back:
        turned.reverse()
    assert lattice.lattice_hash(Polygon(turned)) == lattice.lattice_hash(Polygon(ring))


def test_hash_ignores_order_of_parts_and_holes() -> None:
    a, b = shapely.box(0, 0, 9, 9), shapely.box(20, 0, 21, 1)
    h1, h2 = shapely.box(1, 1, 2, 2).exterior, shapely.box(4, 4, 5, 5).exterior
    one = MultiPolygon([Polygon(a.exterior, [h1, h2]), b])
    other = MultiPolygon([b, Polygon(a.exterior.reverse(), [h2.reverse(), h1])])
    assert lattice.lattice_hash(one) == lattice.lattice_hash(other)
    assert lattice.lattice_hash(a) == lattice.lattice_hash(MultiPolygon([a]))


def test_hash_tells_a_hole_from_a_part() -> None:
    outer, inner = shapely.box(0, 0, 9, 9), shapely.box(1, 1, 2, 2)
    with_hole = Polygon(outer.exterior, [inner.exterior])
    hashes = lattice.lattice_hashes([outer, with_hole, MultiPolygon([outer, inner]), inner])
    assert len(set(hashes)) == 4


def test_hash_of_a_ring_that_passes_its_smallest_vertex_twice() -> None:
    points = [(0, 0), (2, 1), (2, 2), (0, 0), (-0.0, 3), (0.5, 4)]
    ring = [(0, 0), (2, -1), (3, 0), (0, 0), (3, 2), (1, 4)]
    for case in (points, ring):
        hashes = {lattice.lattice_hash(Polygon(case[k:] + case[:k])) for k in range(len(case))}
        hashes |= {lattice.lattice_hash(Polygon((case[k:] + case[:k])[::-1])) for k in range(len(case))}
        assert len(hashes) == 1


def test_hash_changes_by_one_step() -> None:
    box = shapely.box(0, 0, 1, 1)
    assert lattice.lattice_hash(box) != lattice.lattice_hash(shapely.box(0, 0, 1, 1 + lattice.STEP))


def test_hash_is_the_same_for_ever() -> None:
    # A stored hash is compared with later ones: this value may never change.
    box = shapely.box(118, 30, 118.5, 30.5)
    assert lattice.lattice_hash(box) == "0ba6f8a7deb5d7e53aede2fee14a975540c8c5ffbd66c6f0ad91627a7d3a324b"


def test_hash_refuses_what_is_no_polygon() -> None:
    with pytest.raises(InvalidInput) as caught:
        lattice.lattice_hash(shapely.Point(0, 0))
    assert caught.value.code == "not_polygon"


def test_hash_of_an_empty_polygon_is_that_of_no_parts() -> None:
    assert lattice.lattice_hash(Polygon()) == lattice.lattice_hash(MultiPolygon())
