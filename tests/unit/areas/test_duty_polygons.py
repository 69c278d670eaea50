"""Duties by polygon, on both databases: read from the formats of borders, stored once, known again by name."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from sqlalchemy import func, select

from mapsvc.areas.index import Snapshots
from mapsvc.areas.models import Border, Duty
from mapsvc.areas.queries import posts as post_queries
from mapsvc.areas.service.duties import DutyData, UnitImportOptions, UnitsReport, import_units, put_units
from mapsvc.areas.service.duty_polygons import PolygonFile
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.errors import InvalidInput
from mapsvc.base.paths import data_dir
from mapsvc.base.settings import Settings
from mapsvc.catalog import Categories, load_categories
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.units import UnitData
from mapsvc.storage.work import Store
from tests.squares import grid_rows, middle, shipped_levels, square

LEVELS = shipped_levels()
HEADER = "单位编码,单位名称,类别,层级,辖区编码,责任区\n"


@pytest.fixture(scope="module")
def categories() -> Categories:
    return load_categories(data_dir() / "categories.toml", LEVELS)


@pytest.fixture
def town(store: Store, settings: Settings) -> Store:
    import_rows(store, settings, LEVELS, SYSTEM, "grid", grid_rows())
    return store


def draw(path: Path, *, crs: str | None = "EPSG:4326", **shapes: shapely.Geometry) -> Path:
    gpd.GeoDataFrame({"名称": list(shapes)}, geometry=list(shapes.values()), crs=crs).to_file(path, encoding="UTF-8")
    return path


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "units.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def bring(store: Store, categories: Categories, path: Path, polygons: Path | None, **more: object) -> UnitsReport:
    source = PolygonFile(polygons, **more) if polygons else None  # type: ignore[arg-type]
    return import_units(store, LEVELS, categories, SYSTEM, path, UnitImportOptions(polygons=source))


def due(store: Store, settings: Settings, category: str, lonlat: tuple[float, float]) -> tuple[str, str] | None:
    snapshot = Snapshots(store, settings, LEVELS).current(store.clock.now())
    with store.read() as work:
        located, on = snapshot.locate(*lonlat), work.now.date()
        found = post_queries.find_due_unit(work, category, located, on, lon=lonlat[0], lat=lonlat[1])
    return (found.code, found.by) if found else None


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb"])
def test_a_duty_holds_inside_the_polygon_that_it_names(
    town: Store, settings: Settings, categories: Categories, tmp_path: Path, suffix: str
) -> None:
    code = categories.in_use[0].code
    polygons = draw(tmp_path / f"zones{suffix}", 北段=square(0, 0, 2, 2), 南段=square(2, 2, 2, 2))
    path = table(tmp_path, f"H1,环卫所,{code},,,北段", f"H2,市政公司,{code},,,")
    report = bring(town, categories, path, polygons)
    assert report.written is not None
    assert report.written.duties_added == 2
    assert due(town, settings, code, middle(1, 1)) == ("H1", "polygon")
    assert due(town, settings, code, middle(3, 3)) == ("H2", "anywhere"), "the other feature was not asked for"
    again = bring(town, categories, path, polygons)
    assert again.written is not None
    assert (again.written.duties_added, again.written.duties_changed, again.written.duties_unchanged) == (0, 0, 2)


def test_a_polygon_drawn_anew_moves_its_duty(
    town: Store, settings: Settings, categories: Categories, tmp_path: Path
) -> None:
    code = categories.in_use[0].code
    path = table(tmp_path, f"H1,环卫所,{code},,,北段")
    bring(town, categories, path, draw(tmp_path / "old.gpkg", 北段=square(0, 0)))
    report = bring(town, categories, path, draw(tmp_path / "new.gpkg", 北段=square(3, 3)))
    assert report.written is not None
    assert (report.written.duties_added, report.written.duties_changed) == (0, 1)
    assert due(town, settings, code, middle(0, 0)) is None
    assert due(town, settings, code, middle(3, 3)) == ("H1", "polygon")


def test_a_polygon_that_is_an_area_is_stored_once(town: Store, categories: Categories, tmp_path: Path) -> None:
    code = categories.in_use[0].code
    with town.read() as work:
        before = work.session.scalar(select(func.count()).select_from(Border))
    bring(town, categories, table(tmp_path, f"H1,甲,{code},,,a"), draw(tmp_path / "z.gpkg", a=square(1, 1)))
    with town.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Border)) == before
        assert work.session.scalars(select(Duty.border_id)).one() is not None


def test_gcj02_is_read_as_such_when_said(
    town: Store, settings: Settings, categories: Categories, tmp_path: Path
) -> None:
    code = categories.in_use[0].code
    moved = shapely.transform(square(0, 0), lambda c: np.column_stack(wgs84_to_gcj02(c[:, 0], c[:, 1])))
    polygons = draw(tmp_path / "z.gpkg", a=moved)
    bring(town, categories, table(tmp_path, f"H1,甲,{code},,,a"), polygons, crs="gcj02")
    assert due(town, settings, code, middle(0, 0)) == ("H1", "polygon")


def test_an_unlabelled_datum_is_never_guessed(town: Store, categories: Categories, tmp_path: Path) -> None:
    code = categories.in_use[0].code
    polygons = tmp_path / "zones.geojson"
    feature = {"type": "Feature", "properties": {"name": "a"}, "geometry": shapely.geometry.mapping(square(0, 0))}
    polygons.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    path = table(tmp_path, f"H1,甲,{code},,,a")
    with pytest.raises(InvalidInput) as caught:
        bring(town, categories, path, polygons)
    assert caught.value.code == "crs_needed"
    report = bring(town, categories, path, polygons, crs="wgs84")
    assert report.written is not None


def test_gcj02_called_wgs84_by_the_file_is_noticed(
    store: Store, settings: Settings, categories: Categories, tmp_path: Path
) -> None:
    wide = square(0, 0, 20, 20)
    import_rows(store, settings, LEVELS, SYSTEM, "grid", grid_rows(20, 20))
    moved = shapely.transform(wide, lambda c: np.column_stack(wgs84_to_gcj02(c[:, 0], c[:, 1])))
    path = table(tmp_path, f"H1,甲,{categories.in_use[0].code},,,a")
    with pytest.raises(InvalidInput) as caught:
        bring(store, categories, path, draw(tmp_path / "z.gpkg", a=moved))
    assert caught.value.code == "looks_like_gcj02"
    report = bring(store, categories, path, draw(tmp_path / "z2.gpkg", a=moved), crs="wgs84")
    assert any("look like GCJ-02" in warning for warning in report.warnings)


BOW = shapely.Polygon([(123.0, 41.8), (123.001, 41.801), (123.001, 41.8), (123.0, 41.801)])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("H1,甲,{code},,,nowhere", "there is no polygon 'nowhere'"),
        ("H1,甲,{code},,,bow", "crosses itself"),
        ("H1,甲,{code},,,twice", "2 features"),
        ("H1,甲,{code},,,point", "must be a polygon"),
    ],
)
def test_names_that_cannot_be_had_come_back_in_the_error_workbook(
    town: Store, categories: Categories, tmp_path: Path, line: str, words: str
) -> None:
    code = categories.in_use[0].code
    shapes = [square(0, 0), BOW, square(1, 0), square(2, 0), shapely.Point(123, 41.8)]
    names = ["good", "bow", "twice", "twice", "point"]
    polygons = tmp_path / "zones.gpkg"
    gpd.GeoDataFrame({"name": names}, geometry=shapes, crs="EPSG:4326").to_file(polygons)
    path, errors = table(tmp_path, f"H0,乙,{code},,,good", line.format(code=code)), tmp_path / "errors.xlsx"
    options = UnitImportOptions(errors=errors, polygons=PolygonFile(polygons))
    with pytest.raises(InvalidInput) as caught:
        import_units(town, LEVELS, categories, SYSTEM, path, options)
    [problem] = caught.value.detail["report"].problems
    assert (problem.row, problem.column) == (3, "polygon")
    assert words in problem.message
    sheet = openpyxl.load_workbook(errors).active
    assert sheet is not None
    assert sheet.max_row == 2
    with town.read() as work:
        assert work.session.scalars(select(Duty)).all() == []


def test_a_name_without_a_file_and_a_file_without_names(town: Store, categories: Categories, tmp_path: Path) -> None:
    code = categories.in_use[0].code
    path = table(tmp_path, f"H1,甲,{code},,,a")
    with pytest.raises(InvalidInput) as caught:
        bring(town, categories, path, None)
    assert "--polygons" in caught.value.message
    nameless = tmp_path / "nameless.gpkg"
    gpd.GeoDataFrame({"size": [1]}, geometry=[square(0, 0)], crs="EPSG:4326").to_file(nameless)
    with pytest.raises(InvalidInput) as caught:
        bring(town, categories, path, nameless)
    assert caught.value.code == "polygon_name_needed"


def test_in_memory_a_polygon_must_be_handed_in(town: Store) -> None:
    with pytest.raises(InvalidInput) as caught, town.write() as work:
        put_units(work, LEVELS, SYSTEM, [UnitData("H1", "甲")], [DutyData("H1", "E01", polygon="a")])
    assert caught.value.code == "unknown_polygon"
    with town.write() as work:
        written = put_units(
            work, LEVELS, SYSTEM, [UnitData("H1", "甲")], [DutyData("H1", "E01", polygon="a")], {"a": square(0, 0)}
        )
    assert written.duties_added == 1


def hashes(store: Store) -> set[str]:
    with store.read() as work:
        return set(work.session.scalars(select(Border.lattice_hash)))


def test_the_old_border_of_a_redrawn_polygon_goes(town: Store, categories: Categories, tmp_path: Path) -> None:
    """Unless somebody else still needs it: another duty, or an area that has the same border."""
    code, before = categories.in_use[0].code, hashes(town)
    path = table(tmp_path, f"H1,环卫所,{code},,,北段", f"H2,市政公司,{code},,,南段", f"H3,园林所,{code},,,北段")
    first = draw(tmp_path / "first.gpkg", 北段=square(0, 0, 2, 1), 南段=square(0, 3, 2, 1))
    bring(town, categories, path, first)
    drawn = hashes(town) - before
    assert len(drawn) == 2
    second = draw(tmp_path / "second.gpkg", 北段=square(1, 1), 南段=square(0, 3, 2, 1))
    bring(town, categories, path, second)
    kept = hashes(town) - before
    assert len(kept) == 1, "the northern border is gone, and the new one is that of an area"
    assert kept < drawn
    bring(town, categories, path, draw(tmp_path / "third.gpkg", 北段=square(2, 1, 2, 1), 南段=square(0, 3, 2, 1)))
    assert before < hashes(town), "what an area has stays"
    assert len(hashes(town) - before) == 2


def test_a_border_that_another_duty_names_stays(town: Store, categories: Categories, tmp_path: Path) -> None:
    code, before = categories.in_use[0].code, hashes(town)
    both = draw(tmp_path / "both.gpkg", 北段=square(0, 0, 2, 1), 同段=square(0, 0, 2, 1))
    bring(town, categories, table(tmp_path, f"H1,环卫所,{code},,,北段", f"H2,市政公司,{code},,,同段"), both)
    moved = draw(tmp_path / "moved.gpkg", 北段=square(2, 2, 2, 1))
    bring(town, categories, table(tmp_path, f"H1,环卫所,{code},,,北段"), moved)
    assert len(hashes(town) - before) == 2
