"""Systems: names, zones, what contradicts what, and edges that stay where they were drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely import MultiPolygon, Polygon
from shapely.affinity import rotate
from shapely.geometry.base import BaseGeometry

from mapsvc.base.errors import InvalidInput
from mapsvc.geo import crs, datums
from mapsvc.geo.lattice import snap_geometries
from mapsvc.geo.measure import LocalFrame

SITE = np.array([450_000.0, 4_600_000.0])

ESRI_PRJ = (
    'PROJCS["CGCS2000_3_Degree_GK_CM_120E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


@pytest.mark.parametrize(
    ("text", "kind", "name", "epsg"),
    [
        ("EPSG:4326", "datum", "wgs84", 4326),
        ("4326", "datum", "wgs84", 4326),
        ("WGS84", "datum", "wgs84", 4326),
        ("OGC:CRS84", "datum", "wgs84", 4326),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "datum", "wgs84", 4326),
        ("EPSG:4490", "datum", "cgcs2000", 4490),
        ("cgcs2000", "datum", "cgcs2000", 4490),
        ("GCJ-02", "datum", "gcj02", None),
        ("bd09", "datum", "bd09", None),
        ("epsg:4549", "epsg", "CGCS2000 / 3-degree Gauss-Kruger CM 120E", 4549),
        (ESRI_PRJ, "epsg", "CGCS2000 / 3-degree Gauss-Kruger CM 120E", 4549),
    ],
)
def test_names_are_understood(text: str, kind: str, name: str, epsg: int | None) -> None:
    source = crs.parse_crs(text)
    assert (source.kind, source.name, source.epsg) == (kind, name, epsg)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("EPSG:999999", "unknown_crs"),
        ("nonsense", "unknown_crs"),
        ("", "unknown_crs"),
        ('LOCAL_CS["site",LOCAL_DATUM["x",0],UNIT["metre",1]]', "crs_not_supported"),
        ("EPSG:5737", "crs_not_supported"),
    ],
)
def test_names_that_mean_nothing_here(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        crs.parse_crs(text)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("epsg", [*range(4513, 4555), *range(4491, 4513)])
def test_every_belt_is_the_one_that_proj_means(epsg: int) -> None:
    from mapsvc.geo.crs_checks import belt_of

    belt = belt_of(epsg)
    assert belt is not None
    assert belt.epsg == epsg
    values = CRS.from_epsg(epsg).to_cf()
    middle = 3 * belt.zone if belt.width == 3 else 6 * belt.zone - 3
    assert values["longitude_of_central_meridian"] == middle
    assert values["false_easting"] == 500_000 + (belt.zone * 1_000_000 if belt.prefixed else 0)


def _plane(east: float, north: float = 3_350_000) -> Polygon:
    return shapely.box(east, north, east + 500, north + 400)


@pytest.mark.parametrize(
    ("declared", "east", "fits"),
    [
        (4549, 40_450_000, 4528),
        (4549, 41_450_000, 4529),
        (4528, 450_000, 4549),
        (4528, 41_450_000, 4529),
        (4549, 20_450_000, 4498),
        (4509, 20_450_000, 4498),
    ],
)
def test_a_zone_that_contradicts_the_coordinates_is_named(declared: int, east: float, fits: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        crs.geometries_to_wgs84([_plane(east)], crs.parse_crs(f"EPSG:{declared}"))
    assert caught.value.code == "crs_zone_mismatch"
    assert caught.value.detail["fits"] == fits
    assert f"EPSG:{fits}" in caught.value.hint


def test_with_and_without_prefix_is_the_same_ground() -> None:
    plain = crs.geometries_to_wgs84([_plane(450_000)], crs.parse_crs("EPSG:4549"))
    zoned = crs.geometries_to_wgs84([_plane(40_450_000)], crs.parse_crs("EPSG:4528"))
    assert shapely.equals_exact(plain[0], zoned[0], tolerance=1e-10)


@pytest.mark.parametrize(
    ("declared", "shape", "code"),
    [
        ("EPSG:4549", shapely.box(119.9, 30.1, 120.1, 30.3), "crs_looks_geographic"),
        ("gcj02", _plane(450_000), "crs_looks_projected"),
        ("wgs84", shapely.box(30.1, 118.2, 30.4, 118.9), "axes_swapped"),
        ("EPSG:4490", shapely.box(30.1, 80.2, 30.4, 81.9), "axes_swapped"),
        ("wgs84", shapely.box(179, 10, 181, 11), "out_of_range"),
        ("EPSG:4549", shapely.box(3_350_000, 450_000, 3_350_500, 450_400), "axes_swapped"),
        ("EPSG:4528", shapely.box(3_350_000, 40_450_000, 3_350_500, 40_450_400), "axes_swapped"),
        ("EPSG:4479", _plane(450_000), "geocentric_needs_z"),
        ("EPSG:4610", shapely.box(118, 30, 119, 31), "crs_no_transformation"),
        ("EPSG:2415", _plane(39_450_000), "crs_not_accurate"),
    ],
)
def test_what_cannot_be_is_refused(declared: str, shape: BaseGeometry, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        crs.geometries_to_wgs84([shape], crs.parse_crs(declared))
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with np.errstate(invalid="ignore"):
        shape = Polygon([(118, 30), (119, bad), (119, 31)])
    with pytest.raises(InvalidInput) as caught:
        crs.geometries_to_wgs84([shape], crs.WGS84)
    assert caught.value.code == "not_finite"


def test_geocentric_coordinates_with_z_are_read() -> None:
    ring = np.array([(118.0, 30.0), (118.1, 30.0), (118.1, 30.1), (118.0, 30.1), (118.0, 30.0)])
    to_xyz = Transformer.from_crs(4480, 4479, always_xy=True)
    solid = Polygon(np.column_stack(to_xyz.transform(ring[:, 0], ring[:, 1], np.zeros(5))))
    got = crs.geometries_to_wgs84([solid], crs.parse_crs("EPSG:4479"))
    assert not got[0].has_z
    assert np.allclose(got[0].bounds, (118.0, 30.0, 118.1, 30.1), atol=1e-4)
    with pytest.raises(InvalidInput):
        crs.geometries_from_wgs84(got, crs.parse_crs("EPSG:4479"))


def _worst_deviation_m(shape: BaseGeometry, source: crs.Source, got: BaseGeometry) -> float:
    """Return how far points 2001 to the edge, brought over one by one, lie off the converted border."""
    lon0, lat0 = got.centroid.coords[0]
    points = shapely.get_coordinates(shape)
    share = np.linspace(0, 1, 2001)[:, None]
    dense = np.concatenate([a + (b - a) * share for a, b in pairwise(points)])
    if source.kind == "datum":
        lon, lat = datums.to_wgs84(dense[:, 0], dense[:, 1], source.name)
    else:
        own = CRS.from_epsg(4490 if "CGCS" in source.name else 4326)
        lon, lat = Transformer.from_crs(source.crs, own, always_xy=True).transform(dense[:, 0], dense[:, 1])
    # One metre a unit at the middle, and straight in degrees: what "the border between its vertices" means here.
    scale = np.array([111_320 * np.cos(np.radians(lat0)), 111_320.0])
    border = shapely.LineString((shapely.get_coordinates(got) - (lon0, lat0)) * scale)
    shapely.prepare(border)
    return float(shapely.distance(border, shapely.points((np.column_stack([lon, lat]) - (lon0, lat0)) * scale)).max())


@pytest.mark.parametrize(
    ("name", "west", "south", "size"),
    [
        ("EPSG:4549", 440_000, 4_610_000, 10_000),
        ("EPSG:4549", 400_000, 5_800_000, 100_000),
        ("EPSG:4528", 40_440_000, 4_610_000, 10_000),
        ("EPSG:4509", 440_000, 2_500_000, 60_000),
        ("EPSG:3857", 13_000_000, 5_000_000, 20_000),
        ("EPSG:3435", 1_100_000, 1_800_000, 60_000),
        ("gcj02", 118, 30, 0.12),
        ("bd09", 118, 30, 0.12),
    ],
)
def test_no_border_moves_by_more_than_a_centimetre(name: str, west: float, south: float, size: float) -> None:
    shape = Polygon([(west, south), (west + size, south + size / 3), (west + size, south + size), (west, south + size)])
    source = crs.parse_crs(name)
    got = snap_geometries(crs.geometries_to_wgs84([shape], source))
    assert _worst_deviation_m(shape, source, got[0]) <= 0.01
    # Without the vertices added it would not hold: the test can see a bend.
    bare = shapely.transform(shape, lambda c: np.column_stack(_bare(c, source)))
    assert _worst_deviation_m(shape, source, bare) > 0.05


def _bare(points: NDArray[np.float64], source: crs.Source) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if source.kind == "datum":
        return datums.to_wgs84(points[:, 0], points[:, 1], source.name)
    own = CRS.from_epsg(4490 if "CGCS" in source.name else 4326)
    x, y = Transformer.from_crs(source.crs, own, always_xy=True).transform(points[:, 0], points[:, 1])
    return x, y


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(["EPSG:4549", "gcj02", "bd09", "EPSG:3857"]))
def test_a_coverage_stays_one(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(5) * 4_000.0, np.arange(5) * 4_000.0)
    nodes = np.stack([x, y], axis=-1) + rng.uniform(-1_200, 1_200, (5, 5, 2))
    if name.startswith("EPSG"):
        nodes += (450_000, 4_600_000) if name == "EPSG:4549" else (13_100_000, 4_600_000)
    else:
        nodes = nodes / 100_000 + (118, 30)
    cells = [
        Polygon([nodes[i, j], nodes[i, j + 1], nodes[i + 1, j + 1], nodes[i + 1, j]][:: rng.choice([-1, 1])])
        for i in range(4)
        for j in range(4)
    ]
    assert shapely.coverage_is_valid(cells)
    got = snap_geometries(crs.geometries_to_wgs84(cells, crs.parse_crs(name)))
    assert shapely.get_num_coordinates(got).sum() > shapely.get_num_coordinates(cells).sum()
    assert shapely.coverage_is_valid(got)
    assert shapely.is_valid(got).all()


def test_a_junction_without_a_vertex_is_noded_first() -> None:
    big, low, high = (
        shapely.box(0, 0, 1e4, 1e4),
        shapely.box(1e4, 0, 1.5e4, 3333.33),
        shapely.box(1e4, 3333.33, 1.5e4, 1e4),
    )
    turned = [rotate(shape, 17, origin=(0, 0)) for shape in (big, low, high)]
    plane = [shapely.transform(shape, lambda c: c + SITE) for shape in turned]
    source = crs.parse_crs("EPSG:4549")
    noded = snap_geometries(crs.geometries_to_wgs84(plane, source))
    assert shapely.coverage_is_valid(noded)
    assert not shapely.coverage_is_valid(snap_geometries(crs.geometries_to_wgs84(plane, source, junctions=False)))


def test_a_spike_gains_no_vertex_of_its_own_polygon() -> None:
    spike = Polygon([(0, 0), (100, 0), (100, 50), (50, 0.0005), (0, 50)])
    shape = shapely.transform(spike, lambda c: c + SITE)
    got = crs.geometries_to_wgs84([shape], crs.parse_crs("EPSG:4549"))
    assert shapely.get_num_coordinates(got[0]) == 6


def test_none_empty_parts_and_holes_keep_their_place() -> None:
    outer = shapely.box(450_000, 4_600_000, 490_000, 4_640_000)
    hole = shapely.box(460_000, 4_610_000, 470_000, 4_620_000)
    island = shapely.box(500_000, 4_600_000, 500_100, 4_600_100)
    multi = MultiPolygon([Polygon(outer.exterior, [hole.exterior]), island])
    got = crs.geometries_to_wgs84([None, Polygon(), multi, hole], crs.parse_crs("EPSG:4549"))
    assert got[0] is None
    assert got[1].is_empty
    assert [len(part.interiors) for part in got[2].geoms] == [1, 0]
    assert shapely.coverage_is_valid(snap_geometries(got[2:]))
    assert shapely.is_valid(got[2:]).all()


@pytest.mark.parametrize("name", ["EPSG:4549", "gcj02", "bd09", "cgcs2000", "EPSG:3857"])
def test_out_and_in_again_is_the_same_ground(name: str) -> None:
    shape = Polygon([(119.9, 30.1), (120.05, 30.12), (120.0, 30.3)])
    target = crs.parse_crs(name)
    back = crs.geometries_to_wgs84(crs.geometries_from_wgs84([shape], target), target)
    frame = LocalFrame(120.0, 30.2)
    dense = frame.geometries_to_metres(shapely.segmentize([shape], 0.0005))
    ring = frame.geometries_to_metres(shapely.segmentize(back, 0.0005))
    assert shapely.hausdorff_distance(dense, ring)[0] < 60
    assert shapely.symmetric_difference(shape, back[0]).area / shape.area < 1e-6


def test_nothing_at_all_is_nothing() -> None:
    assert len(crs.geometries_to_wgs84([], crs.parse_crs("EPSG:4549"))) == 0
