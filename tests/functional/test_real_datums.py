"""Real borders and real answers of map services: datums, belts and formats agree on the same ground.

Needs ../shared/data; skipped where it is not there. None of it is part of this repository.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely

from mapsvc.areas.rules.ground import find_datum_doubt
from mapsvc.base.errors import InvalidInput
from mapsvc.geo import datums
from mapsvc.geo.coverage import check_coverage
from mapsvc.geo.crs import geometries_from_wgs84, geometries_to_wgs84, parse_crs
from mapsvc.geo.lattice import snap
from mapsvc.geo.measure import area_m2, distance_m
from mapsvc.geo.problems import geometry_problems
from mapsvc.geo.vectorfile import read_borders

pytestmark = pytest.mark.data

NAMES = {"210102": "和平区", "620902": "肃州区", "530381": "宣威市", "231002": "东安区"}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def districts(shared_data: Path, name: str, crs: str | None = None) -> dict[str, shapely.Geometry]:
    """Return the districts of a file in WGS 84 on the lattice, by their code."""
    table = read_borders(shared_data / "china_districts" / name, crs=crs)
    moved = snap(geometries_to_wgs84(table.geometries, table.source))
    assert moved.collapsed == ()
    return {str(code): shape for code, shape in zip(table.columns["adcode"], moved.geometries, strict=True)}


def overlap(one: shapely.Geometry, other: shapely.Geometry) -> float:
    return float(shapely.intersection(one, other).area / shapely.union(one, other).area)


def test_every_answer_of_the_amap_service_within_ten_metres(shared_data: Path) -> None:
    rows = rows_of(shared_data / "gcj_pairs" / "amap_wgs84_gcj02.csv")
    lon, lat, to_lon, to_lat = np.array(
        [[float(row[key]) for key in ("wgs_lng", "wgs_lat", "gcj_lng_amap", "gcj_lat_amap")] for row in rows]
    ).T
    assert len(rows) == 1755
    off = distance_m(*datums.wgs84_to_gcj02(lon, lat), to_lon, to_lat)
    assert off.max() < 10
    shifted = np.array([row["amap_shifted"] == "True" for row in rows])
    assert (datums.in_mainland(lon, lat) == shifted).all()
    assert np.median(off[shifted]) < 1
    back = distance_m(*datums.gcj02_to_wgs84(to_lon, to_lat), lon, lat)
    assert back.max() < 10


def test_the_belt_holds_every_place_where_the_service_changes_its_mind(shared_data: Path) -> None:
    rows = rows_of(shared_data / "gcj_pairs" / "amap_wgs84_gcj02.csv")
    known = {(float(row["wgs_lng"]), float(row["wgs_lat"])): row["amap_shifted"] == "True" for row in rows}
    steps = [((a, b), (round(a + 1, 3), b)) for a, b in known] + [((a, b), (a, round(b + 2, 4))) for a, b in known]
    between = [pair for pair in steps if pair[1] in known and known[pair[0]] != known[pair[1]]]
    assert len(between) > 100
    middle = np.array([np.add(*pair) / 2 for pair in between])
    unsure = datums.in_uncertain_belt(middle[:, 0], middle[:, 1])
    # Border towns narrow the belt in some places; elsewhere the middle of such a step is in it.
    assert unsure.mean() > 0.75


def test_the_baidu_service_within_a_metre(shared_data: Path) -> None:
    for row in rows_of(shared_data / "gcj_pairs" / "baidu_api_examples.csv"):
        lon, lat = datums.from_wgs84(float(row["lng_in"]), float(row["lat_in"]), row["to_crs"])
        off = float(distance_m(lon, lat, float(row["lng_out"]), float(row["lat_out"])))
        # The service used to add noise of about a metre to its answers; it no longer does.
        assert off < (1.0 if row["status"].startswith("current") else 2.0), row["status"]


def test_cgcs2000_and_projected_files_are_the_same_ground(shared_data: Path) -> None:
    plain = districts(shared_data, "four_named_districts_epsg4490.geojson")
    assert set(plain) == set(NAMES)
    for row in rows_of(shared_data / "china_districts" / "projected_examples.csv"):
        [(code, shape)] = districts(shared_data, f"{row['adcode']}_epsg{row['epsg']}.gpkg").items()
        assert code == row["adcode"]
        # The files were projected vertex by vertex, so an edge is straight in one plane or the other.
        assert overlap(shape, plain[code]) > 0.999
        assert abs(shape.area - plain[code].area) / plain[code].area < 1e-3
        assert float(area_m2([shape])[0]) / 1e6 == pytest.approx(float(row["geodesic_km2"]), rel=2e-4)


def test_areas_and_bounds_in_the_plane_are_those_stated(shared_data: Path) -> None:
    plain = districts(shared_data, "four_named_districts_epsg4490.geojson")
    for row in rows_of(shared_data / "china_districts" / "projected_examples.csv"):
        [plane] = read_borders(shared_data / "china_districts" / f"{row['adcode']}_epsg{row['epsg']}.gpkg").geometries
        stated = [float(row[key]) for key in ("minx", "miny", "maxx", "maxy")]
        assert np.allclose(plane.bounds, stated, atol=0.01)
        assert plane.area / 1e6 == pytest.approx(float(row["area_km2"]), abs=0.001)
        [written] = geometries_from_wgs84([plain[row["adcode"]]], parse_crs(f"EPSG:{row['epsg']}"))
        assert np.allclose(written.bounds, stated, atol=0.2)
        assert written.area / 1e6 == pytest.approx(float(row["area_km2"]), rel=1e-4)


def test_with_and_without_zone_prefix_is_the_same_ground(shared_data: Path) -> None:
    rows = rows_of(shared_data / "china_districts" / "projected_examples.csv")
    for code in NAMES:
        files = [f"{code}_epsg{row['epsg']}.gpkg" for row in rows if row["adcode"] == code]
        one, other = (districts(shared_data, name)[code] for name in files)
        assert shapely.hausdorff_distance(one, other) < 2e-8


def test_gcj02_and_cgcs2000_are_the_same_ground_to_within_the_sources(shared_data: Path) -> None:
    plain = districts(shared_data, "four_named_districts_epsg4490.geojson")
    shifted = districts(shared_data, "four_named_districts_gcj02.geojson", crs="gcj02")
    as_it_stands = districts(shared_data, "four_named_districts_gcj02.geojson", crs="wgs84")
    for code in NAMES:
        # The two publishers draw the borders differently by some hundred metres; the shift brings them nearer.
        assert overlap(plain[code], shifted[code]) > overlap(plain[code], as_it_stands[code])
        assert overlap(plain[code], shifted[code]) > 0.9
        apart = distance_m(*plain[code].centroid.coords[0], *shifted[code].centroid.coords[0])
        assert apart < 250


def test_heping_looks_like_gcj02_and_not_once_shifted(shared_data: Path) -> None:
    plain = districts(shared_data, "four_named_districts_epsg4490.geojson")["210102"]
    unlabelled = districts(shared_data, "four_named_districts_gcj02.geojson", crs="wgs84")["210102"]
    shifted = districts(shared_data, "four_named_districts_gcj02.geojson", crs="gcj02")["210102"]
    assert overlap(unlabelled, plain) == pytest.approx(0.745, abs=0.001)
    assert overlap(shifted, plain) == pytest.approx(0.917, abs=0.001)
    assert find_datum_doubt(np.array([unlabelled]), np.array([plain])) is not None
    assert find_datum_doubt(np.array([shifted]), np.array([plain])) is None


def test_the_streets_of_yuhang_are_clean(shared_data: Path) -> None:
    table = read_borders(shared_data / "china_streets" / "yuhang_streets_clean.geojson")
    assert geometry_problems(table.geometries) == ()
    moved = snap(geometries_to_wgs84(table.geometries, table.source)).geometries
    assert len(moved) == 12
    assert area_m2(moved).sum() / 1e6 == pytest.approx(945, rel=0.005)
    findings = check_coverage(moved, [str(name) for name in table.columns["name"]])
    assert [f.message for f in findings if f.kind in ("invalid", "overlap", "gap")] == []


def test_the_streets_as_published_name_no_datum(shared_data: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_borders(shared_data / "china_streets" / "yuhang_streets_as_published.geojson")
    assert caught.value.code == "crs_needed"
