"""The district's own base map: what is written, what is refused, what a reader finds; no store is touched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from mapsvc.areas.ground import GroundFiles, GroundRows, load, path_of, save
from mapsvc.areas.service.ground import GroundFile, GroundReport, import_ground, write_ground
from mapsvc.base.errors import Forbidden, InvalidInput, MapsvcError, NotAuthenticated, Unavailable
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld

LON, LAT = 121.6, 38.9
MAX = 10_000_000


def geometries(*shapes: object) -> np.ndarray:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array


def street(offset: float = 0.0) -> shapely.LineString:
    return shapely.LineString([(LON, LAT + offset), (LON + 0.01, LAT + offset)])


def house(offset: float = 0.0) -> shapely.Polygon:
    return shapely.box(LON + offset, LAT, LON + offset + 0.0005, LAT + 0.0001)


def collection(*features: tuple[object, dict[str, object]]) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": properties}
                for shape, properties in features
            ],
        },
        ensure_ascii=False,
    )


def put(tmp_path: Path, text: str, name: str = "ground.geojson") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def bring(tmp_path: Path, text: str, layer: str = "roads", **fields: object) -> GroundReport:
    skip = bool(fields.pop("skip_refused", False))
    source = GroundFile(put(tmp_path, text), **{"crs": "wgs84", **fields})  # type: ignore[arg-type]
    return import_ground(tmp_path / "data", SYSTEM, layer, source, MAX, skip_refused=skip)


def test_what_a_program_writes_is_what_is_read(tmp_path: Path) -> None:
    rows = GroundRows(geometries(street(), house()), ["解放路", " 3号楼 "], ["主干路", "住宅"], [None, 36])
    report = write_ground(tmp_path, SYSTEM, "mixed", rows)
    found = load(tmp_path, "mixed")
    assert found is not None
    assert (list(found.rows.names), list(found.rows.households)) == (["解放路", "3号楼"], [None, 36])
    assert shapely.equals_exact(found.rows.geometries, rows.geometries, 1e-7).all()
    assert (report.written, report.named, report.kinds) == (2, 2, {"主干路": 1, "住宅": 1})


def test_columns_may_be_left_out(tmp_path: Path) -> None:
    write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries(street())))
    found = load(tmp_path, "roads")
    assert found is not None
    assert (found.rows.names, found.rows.kinds, found.rows.households) == (("",), ("",), (None,))


def test_a_file_is_replaced_whole_and_readers_see_it(tmp_path: Path) -> None:
    files = GroundFiles(tmp_path)
    assert files.find("roads") is None
    write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries(street())))
    first = files.find("roads")
    assert first is not None
    assert files.find("roads") is first
    write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries(street(), street(0.001))))
    second = files.find("roads")
    assert second is not None
    assert (len(second.rows), second.version != first.version) == (2, True)
    write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries()))
    assert files.find("roads") is None
    assert sorted(path.name for path in (tmp_path / "ground").iterdir()) == ["roads.parquet"]


def test_the_same_rows_have_the_same_version(tmp_path: Path) -> None:
    rows = GroundRows(geometries(street()), ["解放路"])
    versions = set()
    for folder in ("a", "b"):
        save(tmp_path / folder, "roads", rows)
        found = load(tmp_path / folder, "roads")
        assert found is not None
        versions.add(found.version)
    assert len(versions) == 1


def test_polygons_that_cross_themselves_are_made_valid(tmp_path: Path) -> None:
    bow = shapely.Polygon([(LON, LAT), (LON + 0.001, LAT + 0.001), (LON + 0.001, LAT), (LON, LAT + 0.001)])
    report = write_ground(tmp_path, SYSTEM, "water", GroundRows(geometries(bow, house())))
    found = load(tmp_path, "water")
    assert found is not None
    assert report.mended == 1
    assert shapely.is_valid(found.rows.geometries).all()


@pytest.mark.parametrize(
    ("shape", "more", "code"),
    [
        (None, {}, "empty_geometry"),
        (shapely.Polygon(), {}, "empty_geometry"),
        (shapely.Point(float("inf"), LAT), {}, "not_finite"),
        (shapely.LineString([(LAT, LON), (LAT + 0.01, LON)]), {}, "axes_swapped"),
        (shapely.LineString([(500_000, 4_000_000), (500_100, 4_000_000)]), {}, "out_of_range"),
        (shapely.GeometryCollection([shapely.Point(LON, LAT)]), {}, "mixed_geometry"),
        (shapely.Point(LON, LAT), {"names": ["路" * 201]}, "text_too_long"),
        (shapely.Point(LON, LAT), {"households": [-1]}, "bad_number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_the_layer_stays(
    tmp_path: Path, shape: object, more: dict[str, list[object]], code: str
) -> None:
    write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries(street())))
    before = path_of(tmp_path, "roads").read_bytes()
    with pytest.raises(InvalidInput) as caught:
        write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries(shape), **more))  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.detail["refused"][0].code) == ("ground_refused", code)
    assert path_of(tmp_path, "roads").read_bytes() == before


def test_columns_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        write_ground(tmp_path, SYSTEM, "roads", GroundRows(geometries(street()), ["a", "b"]))
    assert caught.value.code == "ground_columns_differ"


@pytest.mark.parametrize("code", ["", "../roads", "Roads", "a/b", "道路", "a" * 41])
def test_a_layer_cannot_be_called_anything(tmp_path: Path, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        write_ground(tmp_path, SYSTEM, code, GroundRows(geometries(street())))
    assert caught.value.code == "bad_ground_layer"


def test_only_who_may_import_borders_writes_the_ground(tmp_path: Path) -> None:
    rows = GroundRows(geometries(street()))
    with pytest.raises(NotAuthenticated):
        write_ground(tmp_path, PUBLIC, "roads", rows)
    with pytest.raises(Forbidden):
        write_ground(tmp_path, Actor(user_id=1, name="x", roles=(RoleHeld("dispatcher"),)), "roads", rows)
    write_ground(tmp_path, Actor(user_id=1, name="x", roles=(RoleHeld("planner"),)), "roads", rows)


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = save(tmp_path, "roads", GroundRows(geometries(street())))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Unavailable) as caught:
        load(tmp_path, "roads")
    assert caught.value.code == "ground_damaged"
    assert "roads.parquet" in caught.value.hint


def test_a_file_is_read_by_its_columns(tmp_path: Path) -> None:
    text = collection((street(), {"LM": "解放路", "DJ": "主干路"}), (street(0.001), {"LM": None, "DJ": "支路"}))
    report = bring(tmp_path, text, name_field="LM", kind_field="DJ")
    found = load(tmp_path / "data", "roads")
    assert found is not None
    assert (found.rows.names, found.rows.kinds) == (("解放路", ""), ("主干路", "支路"))
    assert (report.read, report.written, report.named) == (2, 2, 1)


def test_known_columns_need_no_naming(tmp_path: Path) -> None:
    bring(tmp_path, collection((house(), {"名称": "3号楼", "户数": "36", "类型": "住宅"})), "buildings")
    found = load(tmp_path / "data", "buildings")
    assert found is not None
    assert (found.rows.names, found.rows.kinds, found.rows.households) == (("3号楼",), ("住宅",), (36,))


def test_gcj02_is_brought_to_wgs84_when_it_is_said(tmp_path: Path) -> None:
    moved = shapely.transform(street(), lambda c: np.column_stack(wgs84_to_gcj02(c[:, 0], c[:, 1])))
    bring(tmp_path, collection((moved, {})), crs="gcj02")
    found = load(tmp_path / "data", "roads")
    assert found is not None
    assert shapely.hausdorff_distance(found.rows.geometries[0], street()) < 2e-7


def test_a_datum_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        bring(tmp_path, collection((street(), {})), crs=None)
    assert caught.value.code == "crs_needed"


@pytest.mark.parametrize(
    ("text", "fields", "code"),
    [
        (collection((street(), {})), {"name_field": "LM"}, "unknown_field"),
        (collection((shapely.transform(street(), lambda c: c[:, ::-1]), {})), {}, "axes_swapped"),
        (collection((house(), {"户数": "many"})), {}, "ground_refused"),
        (collection((house(), {"户数": 1.5})), {}, "ground_refused"),
    ],
)
def test_a_wrong_file_changes_nothing(tmp_path: Path, text: str, fields: dict[str, object], code: str) -> None:
    with pytest.raises(MapsvcError) as caught:
        bring(tmp_path, text, **fields)
    assert caught.value.code == code
    assert load(tmp_path / "data", "roads") is None


def test_bad_rows_are_left_out_when_asked(tmp_path: Path) -> None:
    text = collection((house(), {"户数": "many"}), (house(0.001), {"户数": 12}))
    report = bring(tmp_path, text, "buildings", skip_refused=True)
    assert [(row.row, row.code) for row in report.refused] == [(1, "bad_number")]
    assert (report.read, report.written) == (2, 1)
