"""Outlines for a picture: fewer vertices, no gap and no overlap, the same numbers on both sides of a border."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsvc.geo.measure import length_m
from mapsvc.geo.sketch import DIGITS, decode_rings, encode_rings, join_areas, simplify_together

from .lattice_towns import degrees, town


def wavy(count: int = 4, steps: int = 60) -> list[shapely.Polygon]:
    """Columns side by side whose common borders are waves of a few metres."""
    lat = np.linspace(30.0, 30.01, steps)
    borders = [np.column_stack([118 + 0.01 * n + 2e-5 * np.sin(np.arange(steps) + n), lat]) for n in range(count + 1)]
    return [shapely.Polygon([*left, *right[::-1]]) for left, right in pairwise(borders)]


def test_shared_borders_stay_shared_and_nothing_is_lost() -> None:
    before = wavy()
    after = simplify_together(before, 5.0)
    assert shapely.coverage_is_valid(after)
    assert shapely.get_num_coordinates(after).sum() < shapely.get_num_coordinates(before).sum() / 2
    for one, other in zip(before, after, strict=True):
        assert shapely.hausdorff_distance(one.boundary, other.boundary) < 1e-4
    for one, other in pairwise(after):
        assert length_m([one.intersection(other)])[0] == pytest.approx(1108.5, rel=0.01)


def test_none_empty_and_what_overlaps() -> None:
    empty = shapely.Polygon()
    kept = simplify_together([None, empty, *wavy()], 5.0)
    assert kept[0] is None
    assert kept[1].is_empty
    assert simplify_together([None], 5.0).tolist() == [None]
    twice = simplify_together([wavy()[0], wavy()[0]], 5.0)  # no coverage: each by itself
    assert twice[0].equals(twice[1])
    assert shapely.get_num_coordinates(twice[0]) < 20


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_numbers_of_a_coverage_are_those_of_a_coverage(seed: int) -> None:
    polygons = degrees(town(np.random.default_rng(seed), 6, 5, 200_000, 60_000, (11_800_000_000, 3_000_000_000), False))
    back = [decode_rings(encode_rings(polygon)) for polygon in polygons]
    assert shapely.coverage_is_valid(np.array(back, dtype=object))
    for one, other in zip(polygons, back, strict=True):
        assert shapely.hausdorff_distance(one, other) <= 10.0**-DIGITS


def test_holes_parts_and_slivers() -> None:
    ring = shapely.box(0, 0, 1, 1).difference(shapely.box(0.25, 0.25, 0.5, 0.5))
    two = shapely.MultiPolygon([ring, shapely.box(2, 0, 3, 1)])
    assert decode_rings(encode_rings(two)).equals(two)
    assert encode_rings(shapely.box(0, 0, 1, 1e-9)) == []
    assert encode_rings(None) == encode_rings(shapely.Polygon()) == []


def test_joined_areas_keep_the_vertices_of_their_outer_border() -> None:
    whole = join_areas(wavy())
    assert whole.equals(shapely.union_all(wavy()))
    over = [shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)]  # no coverage
    assert join_areas(over).area == pytest.approx(3.0)
