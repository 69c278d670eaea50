"""Border files: every format read alike, and each bad file refused by a stable code."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from numpy.typing import NDArray

from mapsvc.base.errors import InvalidInput, MapsvcError, NotFound, TooLarge, UnsupportedType
from mapsvc.geo.vectorfile import BorderTable, iter_borders, read_borders
from tests.coverages import array, grid

NAMES = ["东风街道", "幸福社区", "和平里", "第三网格"]
DRIVERS = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "geojson": "GeoJSON", "fgb": "FlatGeobuf", "kml": "KML"}


def write(
    path: Path,
    geometries: Any = None,
    *,
    crs: str | None = "EPSG:4490",
    names: list[str] | None = None,
    layer: str | None = None,
    append: bool = False,
    kind: str = "Polygon",
    **options: Any,
) -> Path:
    shapes = grid(2, 2)[0] if geometries is None else geometries
    texts = np.array((names or NAMES * 50)[: len(shapes)], dtype=object)
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(shapes, output_dimension=3),
        field_data=[texts, np.arange(len(shapes))],
        fields=["name", "number"],
        geometry_type=kind,
        crs=crs,
        driver=DRIVERS[path.suffix[1:]],
        layer=layer,
        append=append,
        **options,
    )
    return path


def code_of(path: Path, **options: Any) -> MapsvcError:
    with pytest.raises(MapsvcError) as caught:
        read_borders(path, **options)
    assert caught.value.hint, "each of these says what to do"
    return caught.value


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "fgb"])
def test_formats_with_a_system_are_read_alike(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"borders.{suffix}", **({"encoding": "UTF-8"} if suffix == "shp" else {}))
    table = read_borders(path)
    order = np.argsort(table.columns["number"])
    assert [table.columns["name"][k] for k in order] == NAMES
    assert table.source.name == "cgcs2000"
    assert not table.crs_given
    for got, expected in zip(table.geometries[order], grid(2, 2)[0], strict=True):
        assert shapely.equals_exact(got, expected, tolerance=1e-7, normalize=True)


def test_kml_and_geojson_without_crs_demand_one(tmp_path: Path) -> None:
    kml = write(tmp_path / "b.kml", crs="EPSG:4326")
    plain = write(tmp_path / "b.geojson", crs="EPSG:4326", RFC7946="YES")
    for path in (kml, plain):
        error = code_of(path)
        assert isinstance(error, InvalidInput)
        assert error.code == "crs_needed"
        assert "gcj02" in error.hint
        table = read_borders(path, crs="gcj02")
        assert (table.source.name, table.crs_given, len(table)) == ("gcj02", True, 4)


def test_a_shapefile_without_prj_demands_a_crs(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp")
    path.with_suffix(".prj").unlink()
    assert code_of(path).code == "crs_needed"


def test_the_crs_of_a_person_wins_and_is_told(tmp_path: Path) -> None:
    table = read_borders(write(tmp_path / "b.gpkg"), crs="bd09")
    assert table.source.name == "bd09"
    assert any("EPSG:4490" in note and "bd09" in note for note in table.notes)
    assert read_borders(write(tmp_path / "c.gpkg"), crs="EPSG:4490").notes == ()


def test_a_crs_member_of_a_feature_is_no_crs_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "b.geojson", crs="EPSG:4326", RFC7946="YES")
    found = json.loads(path.read_text(encoding="utf-8"))
    for feature in found["features"]:
        feature["properties"]["crs"] = {"type": "name"}
    path.write_text(json.dumps(found), encoding="utf-8")
    assert code_of(path).code == "crs_needed"


def test_batches_are_the_whole_in_order(tmp_path: Path) -> None:
    cells, _ = grid(10, 10)
    path = write(tmp_path / "b.gpkg", cells)
    parts = list(iter_borders(path, batch=30, columns=["number"]))
    assert [len(part) for part in parts] == [30, 30, 30, 10]
    assert [part.first_row for part in parts] == [0, 30, 60, 90]
    assert [number for part in parts for number in part.columns["number"]] == list(range(100))
    assert list(parts[0].columns) == ["number"]


def test_an_empty_layer_is_one_empty_batch(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", np.empty(0, dtype=object))
    table = read_borders(path)
    assert len(table) == 0
    assert list(table.columns) == ["name", "number"]


def test_a_field_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    error = code_of(write(tmp_path / "b.gpkg"), columns=["code"])
    assert error.code == "unknown_field"
    assert error.detail["fields"] == ["name", "number"]


def test_heights_are_dropped_and_told(tmp_path: Path) -> None:
    solid = shapely.force_3d(grid(2, 2)[0], 12.5)
    table = read_borders(write(tmp_path / "b.gpkg", solid, kind="Polygon Z"))
    assert not shapely.has_z(table.geometries).any()
    assert table.notes == ("Heights (Z) were dropped: borders are flat.",)


# -- texts


def test_a_gbk_table_without_cpg_is_read_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", encoding="GBK")
    path.with_suffix(".cpg").unlink()
    table = read_borders(path)
    assert list(table.columns["name"]) == NAMES
    assert any("GBK" in note for note in table.notes)


@pytest.mark.parametrize("given", ["GBK", "gb2312", "GB18030", "cp936"])
def test_a_gbk_table_with_the_encoding_named(tmp_path: Path, given: str) -> None:
    path = write(tmp_path / "b.shp", encoding="GBK")
    path.with_suffix(".cpg").unlink()
    table = read_borders(path, encoding=given)
    assert list(table.columns["name"]) == NAMES
    assert table.notes == ()


def test_a_utf8_table_without_cpg(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", encoding="UTF-8")
    path.with_suffix(".cpg").unlink()
    table = read_borders(path)
    assert list(table.columns["name"]) == NAMES
    assert any("UTF-8" in note for note in table.notes)


def test_a_cpg_that_lies_is_an_invalid_text(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8", encoding="ascii")
    error = code_of(path)
    assert error.code == "invalid_text"
    assert "GBK" in error.hint


def test_an_encoding_nobody_knows(tmp_path: Path) -> None:
    assert code_of(write(tmp_path / "b.shp"), encoding="klingon").code == "unknown_encoding"


def test_geojson_that_is_not_utf8(tmp_path: Path) -> None:
    path = write(tmp_path / "b.geojson")
    path.write_bytes(path.read_text(encoding="utf-8").encode("gbk"))
    error = code_of(path)
    assert error.code == "invalid_text"
    assert error.detail["byte"] > 0


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "b.geojson")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(read_borders(path).columns["name"]) == NAMES


# -- layers and zips


def test_several_layers_need_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", layer="streets")
    write(path, layer="grids", append=True)
    error = code_of(path)
    assert error.code == "layer_needed"
    assert sorted(error.detail["layers"]) == ["grids", "streets"]
    assert read_borders(path, layer="grids").layer == "grids"
    assert code_of(path, layer="roads").code == "unknown_layer"


def zipped(target: Path, *folders: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in folders:
            for path in sorted(folder.iterdir()):
                archive.write(path, f"{inside}{path.name}")
    return target


@pytest.mark.parametrize("inside", ["", "导出/2026/"])
def test_a_zipped_shapefile(tmp_path: Path, inside: str) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "网格.shp", encoding="GBK")
    table = read_borders(zipped(tmp_path / "b.zip", tmp_path / "in", inside=inside))
    assert list(table.columns["name"]) == NAMES
    assert table.layer == "网格"


def test_a_zip_with_several_files_needs_a_layer(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "streets.shp")
    write(tmp_path / "in" / "grids.gpkg")
    path = zipped(tmp_path / "b.zip", tmp_path / "in")
    error = code_of(path)
    assert error.code == "layer_needed"
    assert error.detail["layers"] == ["grids", "streets"]
    assert len(read_borders(path, layer="streets")) == 4
    assert len(read_borders(path, layer="grids")) == 4


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = make_zip(tmp_path / "b.zip", {"a.geojson": b'{"type":' + b" " * 60_000_000})
    assert bomb.stat().st_size < 100_000
    error = code_of(bomb)
    assert isinstance(error, TooLarge)
    assert error.code == "zip_too_large"


def test_a_zip_of_too_many_members(tmp_path: Path) -> None:
    many = make_zip(tmp_path / "b.zip", {f"{k}.geojson": b"{}" for k in range(2_001)})
    assert code_of(many).code == "zip_too_large"


@pytest.mark.parametrize(
    "name", ["../b.geojson", "/etc/b.geojson", "a/../../b.geojson", "C:/b.geojson", "..\\b.geojson"]
)
def test_a_zip_that_would_leave_its_folder(tmp_path: Path, name: str) -> None:
    path = make_zip(tmp_path / "b.zip", {"x.geojson": b"{}"})
    # zipfile itself cleans names on writing; a hostile one does not.
    content = path.read_bytes().replace(b"x.geojson", name.encode().ljust(9)[:9]) if len(name) == 9 else None
    if content is None:
        path = make_zip(tmp_path / "b.zip", {name: b"{}"})
    else:
        path.write_bytes(content)
    assert code_of(path).code == "zip_path"
    assert not (tmp_path.parent / "b.geojson").exists()


def test_a_zip_in_a_zip_and_a_zip_of_nothing(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", {"b.geojson": b"{}"})
    assert code_of(make_zip(tmp_path / "b.zip", {"inner.zip": inner.read_bytes()})).code == "zip_nested"
    assert code_of(make_zip(tmp_path / "c.zip", {"readme.txt": b"hello"})).code == "zip_empty"


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_zip(tmp_path: Path, share: float) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "b.gpkg")
    path = zipped(tmp_path / "b.zip", tmp_path / "in")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert code_of(path).code == "zip_broken"


# -- files that are not what they say


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb", "kml", "geojson", "json"])
def test_a_text_file_with_the_name_of_borders(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"b.{suffix}"
    path.write_text("code,name\n1,东风\n", encoding="utf-8")
    error = code_of(path)
    assert isinstance(error, UnsupportedType)
    assert error.code == "not_a_border_file"


def test_other_kinds_of_files(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(b"PK")
    assert code_of(path).code == "not_a_border_file"
    error = code_of(tmp_path / "nowhere.gpkg")
    assert isinstance(error, NotFound)
    assert error.code == "file_not_found"


def test_a_file_over_the_limit_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "b.gpkg"
    with path.open("wb") as stream:
        stream.truncate(1_000_000_000)  # a sparse file: a gigabyte that costs no disk
    error = code_of(path)
    assert isinstance(error, TooLarge)
    assert (error.code, error.detail["limit"]) == ("file_too_large", 500_000_000)


def test_the_parts_of_a_shapefile_count_together(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp")
    size = path.stat().st_size
    assert code_of(path, max_bytes=size + 1).code == "file_too_large"


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "fgb"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_file_is_never_read_as_a_shorter_one(tmp_path: Path, suffix: str, share: float) -> None:
    path = write(tmp_path / f"b.{suffix}", grid(12, 12)[0])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    try:
        table = read_borders(path)
    except InvalidInput as error:
        assert error.code in ("unreadable_file", "truncated_file", "crs_needed")  # noqa: PT017 - or it is read whole
    else:
        assert len(table) == 144
        assert not shapely.is_missing(table.geometries).any()


def test_a_shapefile_without_its_table(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp")
    path.with_suffix(".dbf").unlink()
    error = code_of(path)
    assert (error.code, error.detail["missing"]) == ("missing_part", [".dbf"])


def test_kml_with_entities(tmp_path: Path) -> None:
    path = tmp_path / "b.kml"
    path.write_text('<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "b">]><kml></kml>', encoding="utf-8")
    assert code_of(path, crs="wgs84").code == "xml_entities"


def test_a_layer_without_geometry(tmp_path: Path) -> None:
    path = tmp_path / "b.gpkg"
    pyogrio.raw.write(
        path, None, [np.array(["a"], dtype=object)], ["name"], driver="GPKG", layer="t", geometry_type=None
    )
    assert code_of(path, crs="wgs84").code == "no_polygons"


# -- rows


def geojson(path: Path, *rings: Any) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"n": k},
            "geometry": None if ring is None else {"type": "Polygon", "coordinates": ring},
        }
        for k, ring in enumerate(rings)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_null_and_unbuildable_rows_keep_their_number(tmp_path: Path) -> None:
    good = [[[118, 30], [119, 30], [119, 31], [118, 30]]]
    open_ring = [[[118, 30], [119, 30], [119, 31], [118, 31]]]
    table = read_borders(geojson(tmp_path / "b.geojson", good, None, open_ring, good), crs="wgs84")
    assert len(table) == 4
    assert table.geometries[1] is None
    assert shapely.equals(table.geometries[0], table.geometries[3])
    assert [(problem.row, problem.code) for problem in table.problems] in ([(2, "broken_ring")], [])
    if not table.problems:
        assert table.geometries[2].is_valid, "a reader that closes the ring itself leaves a sound polygon"


def test_a_ring_of_two_points(tmp_path: Path) -> None:
    table = read_borders(geojson(tmp_path / "b.geojson", [[[118, 30], [119, 30]]]), crs="wgs84")
    assert [problem.code for problem in table.problems] == ["broken_ring"]
    assert table.geometries[0] is None


def test_coordinates_that_are_not_finite_come_through_to_be_told(tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        bad = array(shapely.Polygon([(118, 30), (119, float("nan")), (119, 31)]), grid(1, 1)[0][0])
    path = tmp_path / "b.fgb"
    with np.errstate(invalid="ignore"):
        write(path, bad, SPATIAL_INDEX="NO")
    table: BorderTable = read_borders(path)
    points: NDArray[np.float64] = shapely.get_coordinates(table.geometries[0])
    assert np.isnan(points).any()


def test_the_number_of_rows_in_a_shapefile_that_lost_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "b.shp", grid(6, 6)[0])
    index = path.with_suffix(".shx").read_bytes()
    offset = struct.unpack(">i", index[100 + 8 * 20 : 104 + 8 * 20])[0] * 2
    path.write_bytes(path.read_bytes()[:offset])
    assert code_of(path).code in ("truncated_file", "unreadable_file")
