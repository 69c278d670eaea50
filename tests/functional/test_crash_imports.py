"""kill -9 in the middle of imports of cases, posts, units and the ground, on both stores.

After each kill the store holds nothing of the import that anybody sees, or all of it; the next run completes it, and
the store is then what one undisturbed run leaves, row by row.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import geopandas
import openpyxl
import pytest
import shapely

from mapsvc.areas.ground import load
from mapsvc.base.settings import Settings
from mapsvc.storage.work import Store
from tests.conftest import settings_for

from .crash_town import (
    ROWS,
    address,
    contents,
    killer,
    posts_file,
    settled,
    tickets,
    undisturbed,
    units_files,
    visible_cases,
)


@pytest.fixture
def town(store: Store, settings: Settings) -> Store:
    return settled(store, settings)


def test_cases_killed_on_their_way_are_unseen_and_complete(
    town: Store, settings: Settings, tmp_path: Path, twin: tuple[Store, Settings]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    expected = undisturbed("cases", twin, tickets(other / "tickets.csv"))
    assert any("case_opened" in str(row) for row in expected["outbox"])
    # In each try the first transaction takes up the run; those that follow are the batches that are left, then the end.
    points = (
        "commit 1", "committed 1", "dml 2 1", "dml 2 5", "commit 2", "committed 2",
        "dml 2 3", "committed 2", "commit 2", "committed 2", "dml 2 1", "commit 2",
    )  # fmt: skip
    path = tickets(tmp_path / "tickets.csv")
    with killer("cases", address(town), settings_for(settings, town.engine), path) as run:
        for point in points:
            assert run.at(point) == "killed", point
            assert visible_cases(town, tmp_path) == 0, point
        assert not any("case_opened" in str(row) for row in contents(town)["outbox"]), "nobody was told yet"
        assert run.at("committed 2") == "killed"
        assert visible_cases(town, tmp_path) == ROWS - 2, "the last transaction is the one that shows them, all at once"
        assert contents(town) == expected
        assert run.at("none") == "done"
    assert contents(town) == expected, "the same file again adds nothing"
    bad = [openpyxl.load_workbook(folder / "tickets.bad.xlsx").active for folder in (tmp_path, other)]
    told, plain = ([[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in bad if sheet is not None)
    assert told == plain
    assert len(told) == 3


@pytest.mark.parametrize(("kind", "make"), [("posts", posts_file), ("units", units_files)])
def test_posts_and_units_are_there_whole_or_not_at_all(
    town: Store,
    settings: Settings,
    tmp_path: Path,
    twin: tuple[Store, Settings],
    kind: str,
    make: Callable[[Path], list[Path]],
) -> None:
    files = make(tmp_path)
    expected = undisturbed(kind, twin, *files)
    before = contents(town)
    assert before != expected
    with killer(kind, address(town), settings, *files) as run:
        for point in ("dml 1 1", "dml 1 2", "dml 1 4", "commit 1"):
            assert run.at(point) == "killed", point
            assert contents(town) == before, point
        assert run.at("committed 1") == "killed"
        assert contents(town) == expected
        assert run.at("none") == "done"
    assert contents(town) == expected, "the same file again changes nothing"


def roads(path: Path, count: int) -> Path:
    lines = [shapely.LineString([(123.0, 41.8 + n / 1e4), (123.01, 41.8 + n / 1e4)]) for n in range(count)]
    names = {"name": [f"解放路{n}" for n in range(count)], "kind": ["main"] * count}
    geopandas.GeoDataFrame(names, geometry=lines, crs="EPSG:4326").to_file(path)
    return path


def test_a_layer_of_the_ground_is_the_old_one_or_the_new_one(settings: Settings, tmp_path: Path) -> None:
    """The ground lies in files, whatever the store is."""
    url = "sqlite:///unused"
    with killer("ground", url, settings, roads(tmp_path / "old.gpkg", 3)) as run:
        assert run.at("none") == "done"
    old = load(settings.data_dir, "roads")
    assert old is not None
    with killer("ground", url, settings, roads(tmp_path / "new.gpkg", 500)) as run:
        for point in ("fsync", "replace"):
            assert run.at(point) == "killed"
            found = load(settings.data_dir, "roads")
            assert found is not None
            assert (found.version, len(found.rows)) == (old.version, 3)
        assert run.at("replaced") == "killed"
        new = load(settings.data_dir, "roads")
        assert new is not None
        assert len(new.rows) == 500
        left = list((settings.data_dir / "ground").glob(".aside-*"))
        assert len(left) == 2, "what was killed before it had its name"
        for path in left:
            os.utime(path, (0, 0))
        assert run.at("none") == "done"
    assert [path.name for path in (settings.data_dir / "ground").iterdir()] == ["roads.parquet"]
    again = load(settings.data_dir, "roads")
    assert again is not None
    assert again.version == new.version
