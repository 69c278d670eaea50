"""Problems of rows, and whether borders look like GCJ-02."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.problems import geometry_problems
from tests.coverages import array, grid

GOOD = shapely.box(118, 30, 118.1, 30.1)


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (None, "null_geometry"),
        (Polygon(), "empty_geometry"),
        (shapely.Point(118, 30), "not_polygon"),
        (shapely.LineString([(118, 30), (119, 30)]), "not_polygon"),
        (shapely.GeometryCollection([GOOD, shapely.Point(0, 0)]), "not_polygon"),
        (shapely.box(30, 118, 31, 119), "axes_swapped"),
        (shapely.box(30, 80, 31, 81), "axes_swapped"),
        (shapely.box(450_000, 3_300_000, 450_100, 3_300_100), "looks_projected"),
        (shapely.box(179, 30, 181, 31), "out_of_range"),
        (Polygon([(118, 30), (119, 31), (119, 30), (118, 31)]), "self_intersection"),
        (Polygon(GOOD.exterior, [shapely.box(120, 30, 120.1, 30.1).exterior]), "broken_ring"),
    ],
)
def test_each_problem_has_its_code_and_row(shape: BaseGeometry | None, code: str) -> None:
    [problem] = geometry_problems(array(GOOD, shape, GOOD))
    assert (problem.row, problem.code) == (1, code)
    assert problem.message.endswith((".", "]"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite(bad: float) -> None:
    with np.errstate(invalid="ignore"):
        shape = Polygon([(118, 30), (119, bad), (119, 31)])
    [problem] = geometry_problems([shape])
    assert problem.code == "not_finite"


def test_a_plane_has_no_range() -> None:
    plane = shapely.box(450_000, 3_300_000, 450_100, 3_300_100)
    assert geometry_problems([plane, GOOD], degrees=False) == ()


def test_good_rows_have_no_problem() -> None:
    assert geometry_problems(grid(4, 4)[0]) == ()
    assert geometry_problems([]) == ()


def test_the_rows_come_in_order() -> None:
    problems = geometry_problems([None, GOOD, Polygon(), None])
    assert [problem.row for problem in problems] == [0, 2, 3]
