"""A town of 839 areas and 200,000 points: the same answers as geopandas gives, from memory and from the file."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from mapsvc.geo.locate.index import AreaIndex
from tests.bench.ground import make_areas, make_points


@pytest.mark.slow
def test_a_city_is_assigned_as_by_sjoin(tmp_path: Path) -> None:
    areas, points = make_areas(839), make_points(200_000)
    assert shapely.coverage_is_valid(areas)
    left = gpd.GeoDataFrame(geometry=shapely.points(points), crs=4326)
    right = gpd.GeoDataFrame({"number": np.arange(len(areas))}, geometry=areas, crs=4326)
    joined = gpd.sjoin(left, right, how="left", predicate="intersects")
    wanted = joined["number"].fillna(-1).groupby(level=0).min().to_numpy()
    index = AreaIndex.build(areas)
    np.testing.assert_array_equal(index.locate_points(points), wanted)
    index.save(tmp_path / "city")
    mapped = AreaIndex.open(tmp_path / "city")
    np.testing.assert_array_equal(mapped.locate(points[:, 0], points[:, 1]), wanted)
    assert [mapped.locate_one(lon, lat) for lon, lat in points[:20_000].tolist()] == wanted[:20_000].tolist()


def test_every_corner_of_the_city_has_the_smallest_of_its_areas() -> None:
    areas = make_areas(839)
    corners, rows = shapely.get_coordinates(areas, return_index=True)
    _, which = np.unique(corners, axis=0, return_inverse=True)
    smallest = np.full(which.max() + 1, len(areas))
    np.minimum.at(smallest, which, rows)
    index = AreaIndex.build(areas)
    np.testing.assert_array_equal(index.locate_points(corners), smallest[which])
    assert index.on_border(corners[:, 0], corners[:, 1]).all()
