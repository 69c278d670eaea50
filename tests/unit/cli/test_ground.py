"""`mapsvc ground`: what is said about a file that was taken, and about one that was not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mapsvc.areas.ground import load
from mapsvc.cli.main import cli

STREETS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [[121.6, 38.9], [121.61, 38.9 + n / 1000]]},
            "properties": {"LM": f"测试{n}路", "DJ": kind},
        }
        for n, kind in enumerate(("主干路", "支路", "乡道"))
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "streets.geojson"
    path.write_text(json.dumps(STREETS, ensure_ascii=False), encoding="utf-8")
    return path


def run(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["ground", *words], env={"MAPSVC_DATA_DIR": str(tmp_path / "data")})


def test_a_file_is_taken_and_told_by_its_kinds(tmp_path: Path, file: Path) -> None:
    done = run(tmp_path, "import", str(file), "--layer", "roads", "--name", "LM", "--kind", "DJ", "--crs", "wgs84")
    assert done.exit_code == 0, done.stderr
    assert "3 rows read from streets.geojson (wgs84), 3 written, 3 named." in done.stderr
    assert "乡道: 1 (no style of its own)" in done.stderr
    found = load(tmp_path / "data", "roads")
    assert found is not None
    assert found.rows.kinds == ("主干路", "支路", "乡道")
    listed = run(tmp_path, "list")
    assert "roads" in listed.stdout
    assert found.version in listed.stdout


def test_a_layer_that_nothing_draws_is_refused(tmp_path: Path, file: Path) -> None:
    done = run(tmp_path, "import", str(file), "--layer", "streets", "--crs", "wgs84")
    assert done.exit_code == 1
    assert "there are: compounds, green, water, buildings, roads." in done.stderr
    assert load(tmp_path / "data", "streets") is None


def test_a_file_without_a_datum_is_refused(tmp_path: Path, file: Path) -> None:
    done = run(tmp_path, "import", str(file), "--layer", "roads")
    assert done.exit_code == 1
    assert "--crs" in done.stderr
    assert load(tmp_path / "data", "roads") is None
