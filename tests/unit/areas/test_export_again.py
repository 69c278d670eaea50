"""What was exported comes back unchanged, at every level, without a word about its parents."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from mapsvc.areas.service.export_areas import export_areas
from mapsvc.areas.service.import_areas import import_areas, import_rows
from mapsvc.areas.service.prepared import BorderFile, ImportOptions, ImportReport
from mapsvc.base.settings import Settings
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store
from tests.squares import grid_rows, rows_of, shipped_levels, square

LEVELS = shipped_levels()


def come_back(store: Store, settings: Settings, path: Path, level: str) -> ImportReport:
    export_areas(store, settings, LEVELS, SYSTEM, path, store.clock.now(), [level], overwrite=True)
    return again(store, settings, path, level)


def again(store: Store, settings: Settings, path: Path, level: str, **parents: str) -> ImportReport:
    source = BorderFile(path, parent_fields=parents, crs="EPSG:4326")
    return import_areas(store, settings, LEVELS, SYSTEM, level, source, ImportOptions(dry_run=True))


def parents_of(report: ImportReport) -> tuple[int, int]:
    [entry] = [entry for entry in report.levels if entry.level == report.level]
    return len(entry.changes.unchanged), len(entry.changes.changed)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb"])
def test_every_level_comes_back_unchanged(store: Store, settings: Settings, tmp_path: Path, suffix: str) -> None:
    import_rows(store, settings, LEVELS, SYSTEM, "grid", grid_rows())
    for level in ("district", "street", "community", "patch", "grid"):
        report = come_back(store, settings, tmp_path / f"{level}{suffix}", level)
        assert report.changes_nothing, (level, report)
        assert (report.warnings, report.mismatches) == ((), ())


@pytest.mark.parametrize("absent", ["street", "community"])
def test_a_level_lies_in_what_stands_above_an_absent_one(
    store: Store, settings: Settings, tmp_path: Path, absent: str
) -> None:
    rows = grid_rows()
    made = tuple(column for column in rows.made if column.level != absent)
    import_rows(store, settings, LEVELS, SYSTEM, "grid", type(rows)(**vars(rows) | {"made": made}))
    for level in ("district", "street", "community", "patch", "grid"):
        if level != absent:
            assert come_back(store, settings, tmp_path / f"{level}.gpkg", level).changes_nothing, level
    if absent == "street":
        frame = gpd.read_file(tmp_path / "community.gpkg")
        assert set(frame["in_district"]) == {"D"}


@pytest.fixture
def exclave(store: Store, settings: Settings, tmp_path: Path) -> Path:
    """A community that lies in one street and belongs to the other by a stated column; the exported communities."""
    import_rows(
        store, settings, LEVELS, SYSTEM, "street", rows_of({"S0": square(0, 0, 2, 2), "S1": square(2, 0, 2, 2)})
    )
    communities = {"C0": square(0, 0, 1, 2), "C1": square(1, 0, 1, 2), "C2": square(2, 0, 2, 2)}
    stated = rows_of(communities, parents={"street": ("S0", "S1", "S1")})
    import_rows(store, settings, LEVELS, SYSTEM, "community", stated)
    path = tmp_path / "community.gpkg"
    export_areas(store, settings, LEVELS, SYSTEM, path, store.clock.now(), ["community"])
    return path


def test_a_parent_that_was_stated_comes_back_as_stated(store: Store, settings: Settings, exclave: Path) -> None:
    report = again(store, settings, exclave, "community")
    assert parents_of(report) == (3, 0)
    assert [(found.code, found.by_field, found.by_overlap) for found in report.mismatches] == [("C1", "S1", "S0")]


def test_what_was_redrawn_after_the_export_goes_by_the_ground(store: Store, settings: Settings, exclave: Path) -> None:
    frame = gpd.read_file(exclave)
    frame.loc[frame["code"] == "C1", "geometry"] = square(0, 1)
    frame.loc[frame["code"] == "C0", "geometry"] = shapely.union(square(0, 0), square(1, 0, 1, 2))
    frame.to_file(exclave)
    report = again(store, settings, exclave, "community")
    assert parents_of(report) == (1, 2)
    assert report.mismatches == (), "the old column says nothing of new ground"


def test_a_column_that_is_named_counts_also_for_redrawn_ground(store: Store, settings: Settings, exclave: Path) -> None:
    frame = gpd.read_file(exclave)
    frame["in_street"] = "S1"
    frame.to_file(exclave)
    assert parents_of(again(store, settings, exclave, "community", street="in_street")) == (2, 1)


def test_an_export_brings_its_parents_to_another_store(
    sqlite_store: Store, postgis_store: Store, settings: Settings, tmp_path: Path
) -> None:
    streets = rows_of({"S0": square(0, 0, 2, 2), "S1": square(2, 0, 2, 2)})
    for store in (sqlite_store, postgis_store):
        import_rows(store, settings, LEVELS, SYSTEM, "street", streets)
    stated = rows_of({"C0": square(0, 0, 2, 2), "C1": square(2, 0, 2, 2)}, parents={"street": ("S1", "S1")})
    import_rows(sqlite_store, settings, LEVELS, SYSTEM, "community", stated)
    path = tmp_path / "community.gpkg"
    export_areas(sqlite_store, settings, LEVELS, SYSTEM, path, sqlite_store.clock.now(), ["community"])
    import_areas(postgis_store, settings, LEVELS, SYSTEM, "community", BorderFile(path))
    there = tmp_path / "there.gpkg"
    export_areas(postgis_store, settings, LEVELS, SYSTEM, there, postgis_store.clock.now(), ["community"])
    assert list(gpd.read_file(there)["in_street"]) == ["S1", "S1"]
