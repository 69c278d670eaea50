"""Real borders: Chicago's three levels, 余杭区's streets, four Chinese districts in every system they come in."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.queries import areas as area_queries
from mapsvc.areas.queries import state as queries
from mapsvc.areas.service.check_areas import check_areas
from mapsvc.areas.service.export_areas import export_areas
from mapsvc.areas.service.import_areas import import_areas
from mapsvc.areas.service.prepared import BorderFile, ImportOptions, ImportReport
from mapsvc.base.errors import InvalidInput
from mapsvc.base.paths import data_dir
from mapsvc.base.settings import Settings
from mapsvc.catalog import Levels, load_levels
from mapsvc.geo.lattice import snap_coordinates
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

CHICAGO = load_levels(Path(__file__).with_name("levels_chicago.toml"))
SHIPPED = load_levels(data_dir() / "levels.toml")

pytestmark = pytest.mark.data


def bring_in(
    store: Store, settings: Settings, levels: Levels, level: str, path: Path, *, merge: bool = False, **fields: object
) -> ImportReport:
    source = BorderFile(path=path, **fields)  # type: ignore[arg-type]
    return import_areas(store, settings, levels, SYSTEM, level, source, ImportOptions(merge=merge))


def chicago(store: Store, settings: Settings, folder: Path) -> dict[str, ImportReport]:
    return {
        "police_district": bring_in(
            store,
            settings,
            CHICAGO,
            "police_district",
            folder / "police_districts_2013.geojson",
            code_field="police_district",
            merge=True,
        ),
        "community_area": bring_in(
            store, settings, CHICAGO, "community_area", folder / "community_areas.geojson", code_field="community_area"
        ),
        "beat": bring_in(
            store, settings, CHICAGO, "beat", folder / "police_beats_2013.geojson", code_field="BEAT_NUM", merge=True
        ),
    }


def current(store: Store, settings: Settings, levels: Levels) -> Snapshot:
    return Snapshots(store, settings, levels).current(store.clock.now())


def random_points(snapshot: Snapshot, number: int) -> NDArray[np.float64]:
    assert snapshot.bounds is not None
    west, south, east, north = snapshot.bounds
    rng = np.random.default_rng(311)
    return snap_coordinates(np.column_stack([rng.uniform(west, east, number), rng.uniform(south, north, number)]))


def test_chicago_in_three_levels(sqlite_store: Store, settings: Settings, shared_data: Path) -> None:
    reports = chicago(sqlite_store, settings, shared_data / "chicago_311")
    # 277 and 25 rows: district 31, and beat 3100 in it, are three parts of one area each.
    assert [(r.read, r.accepted) for r in reports.values()] == [(25, 23), (77, 77), (277, 275)]
    assert all(not report.refused for report in reports.values())
    last = reports["beat"].trees
    assert last is not None
    assert set(last.answers) == {"police_district", "community_area", "beat"}
    # Three districts differ from the union of their beats by some 100 m2: they answer for themselves, and it says so.
    assert last.answers["police_district"] == "police_district"
    assert "3 of 23" in last.reasons[0]
    checks = {check.level: check for check in check_areas(sqlite_store, CHICAGO, SYSTEM, sqlite_store.clock.now())}
    assert checks["police_district"].is_clean
    assert checks["community_area"].is_clean
    faults = [finding for finding in checks["beat"].findings if finding.severity == "error"]
    # The beats are a clean coverage; what is wrong is between them and those three districts.
    assert {finding.kind for finding in faults} <= {"nesting", "gap", "inlet"}
    assert 0 < sum(finding.area_m2 for finding in faults) < 2_000


def test_every_answer_equals_a_spatial_join(sqlite_store: Store, settings: Settings, shared_data: Path) -> None:
    folder = shared_data / "chicago_311"
    bring_in(
        sqlite_store,
        settings,
        CHICAGO,
        "community_area",
        folder / "community_areas.geojson",
        code_field="community_area",
    )
    snapshot = current(sqlite_store, settings, CHICAGO)
    points = random_points(snapshot, 40_000)
    rows = snapshot.locate_rows(points[:, 0], points[:, 1])["community_area"]
    codes = np.array([*snapshot.tables["community_area"].codes, ""], dtype=object)[rows]
    polygons = geopandas.read_file(folder / "community_areas.geojson")
    polygons["geometry"] = [shapely.transform(geometry, snap_coordinates) for geometry in polygons.geometry]
    frame = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*points.T), crs=polygons.crs)
    joined = geopandas.sjoin(frame, polygons, predicate="intersects")
    expected = joined.groupby(level=0)["community_area"].agg(lambda found: min(str(code) for code in found))
    assert (rows >= 0).sum() == len(expected)
    assert codes[expected.index.to_numpy()].tolist() == expected.tolist()


def test_streets_of_yuhang_do_not_say_their_datum(store: Store, settings: Settings, shared_data: Path) -> None:
    path = shared_data / "china_streets" / "yuhang_streets_as_published.geojson"
    with pytest.raises(InvalidInput) as caught:
        bring_in(store, settings, SHIPPED, "street", path, code_field="name")
    assert caught.value.code == "crs_needed"
    with store.read() as work:
        assert queries.get_revisions(work).borders == 0


def test_streets_of_yuhang_import_and_check_clean(
    store: Store, settings: Settings, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "china_streets" / "yuhang_streets_clean.geojson"
    report = bring_in(store, settings, SHIPPED, "street", path, code_field="street_code_2023", name_field="name")
    assert (report.read, report.accepted, report.refused) == (12, 12, ())
    [check] = check_areas(store, SHIPPED, SYSTEM, store.clock.now())
    assert check.is_clean
    snapshot = current(store, settings, SHIPPED)
    found = snapshot.find_area("street", "330110112")
    assert found is not None
    assert found.name == "百丈镇"
    target = tmp_path / "streets.geojson"
    assert export_areas(store, settings, SHIPPED, SYSTEM, target, store.clock.now()) == {"street": 12}
    again = bring_in(store, settings, SHIPPED, "street", target)
    assert again.changes_nothing
    with store.read() as work:
        km2 = (
            sum(view.area_m2 or 0 for page in area_queries.iter_areas(work, "street", work.now) for view in page) / 1e6
        )
    assert km2 == pytest.approx(945, abs=3)


def test_the_same_borders_called_wgs84_and_shifted_are_found_out(
    sqlite_store: Store, settings: Settings, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "china_streets" / "yuhang_streets_clean.geojson"
    bring_in(sqlite_store, settings, SHIPPED, "street", path, code_field="street_code_2023", name_field="name")
    shifted = tmp_path / "shifted.gpkg"
    export_areas(sqlite_store, settings, SHIPPED, SYSTEM, shifted, sqlite_store.clock.now(), crs="gcj02")
    honest = bring_in(sqlite_store, settings, SHIPPED, "street", shifted, crs="gcj02")
    assert not any(level.changes.added or level.changes.removed for level in honest.levels)
    wrong = tmp_path / "labelled.geojson"
    frame = geopandas.read_file(shifted).set_crs("EPSG:4326", allow_override=True)
    frame.to_file(wrong, driver="GeoJSON")
    with pytest.raises(InvalidInput) as caught:
        bring_in(sqlite_store, settings, SHIPPED, "street", wrong)
    assert caught.value.code == "looks_like_gcj02"


DISTRICTS = {"210102": "4550", "620902": "4542", "530381": "4544", "231002": "4552"}


def ground_of(store: Store, code: str) -> shapely.Geometry:
    with store.read() as work:
        border = area_queries.get_area(work, "district", code, work.now).border
    assert border is not None
    return border


def import_districts(store: Store, settings: Settings, folder: Path, name: str, **fields: object) -> None:
    bring_in(store, settings, SHIPPED, "district", folder / name, code_field="adcode", name_field="name", **fields)


def test_four_districts_are_the_same_ground_in_every_system(
    sqlite_store: Store, settings: Settings, shared_data: Path
) -> None:
    folder = shared_data / "china_districts"
    import_districts(sqlite_store, settings, folder, "four_named_districts_epsg4490.geojson")
    stored = {code: ground_of(sqlite_store, code) for code in DISTRICTS}
    for code, plain in DISTRICTS.items():
        import_districts(sqlite_store, settings, folder, f"{code}_epsg{plain}.gpkg")
        drawn = ground_of(sqlite_store, code)
        off = shapely.hausdorff_distance(stored[code], drawn)
        # Vertices are the same; the edges are straight in another system, so they part between them.
        assert off * 111_000 < 60, code
        shared = shapely.intersection(stored[code], drawn).area
        assert shared / shapely.union(stored[code], drawn).area > 0.9999, code
        [prefixed] = {path.name for path in folder.glob(f"{code}_epsg*.gpkg")} - {f"{code}_epsg{plain}.gpkg"}
        again = bring_in(
            sqlite_store, settings, SHIPPED, "district", folder / prefixed, code_field="adcode", name_field="name"
        )
        # A zone's prefix is only another way to write the same easting.
        assert all(not (level.changes.changed or level.changes.added) for level in again.levels), code


def test_heping_in_gcj02_fits_once_it_is_named(sqlite_store: Store, settings: Settings, shared_data: Path) -> None:
    folder = shared_data / "china_districts"
    import_districts(sqlite_store, settings, folder, "four_named_districts_epsg4490.geojson")
    plain = ground_of(sqlite_store, "210102")
    gcj = "four_named_districts_gcj02.geojson"
    with pytest.raises(InvalidInput) as unnamed:
        import_districts(sqlite_store, settings, folder, gcj)
    assert unnamed.value.code == "crs_needed"
    import_districts(sqlite_store, settings, folder, gcj, crs="gcj02")
    undone = ground_of(sqlite_store, "210102")
    iou = shapely.intersection(plain, undone).area / shapely.union(plain, undone).area
    assert iou == pytest.approx(0.917, abs=0.01)
