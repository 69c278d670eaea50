"""The commands of areas, posts and locate from end to end; bad files; kill -9 in the middle of an import."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from mapsvc.areas.models import Area, AreaVersion, Generation
from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import load_settings
from mapsvc.cli.main import cli
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.squares import SIDE, SOUTH, WEST, middle, square

Command = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def mapsvc(folder: Path) -> Command:
    runner = CliRunner(env={"MAPSVC_DATA_DIR": str(folder / "instance"), "MAPSVC_LEVELS_FILE": None, "COLUMNS": "160"})

    def run(*arguments: object) -> Result:
        return runner.invoke(cli, [str(argument) for argument in arguments])

    assert run("db", "upgrade").exit_code == 0
    return run


def grids(path: Path, columns: int = 4, rows: int = 4, **more: list[object]) -> Path:
    places = [(c, r) for r in range(rows) for c in range(columns)]
    frame = geopandas.GeoDataFrame(
        {
            "code": [f"G{r:02}{c:02}" for c, r in places],
            "name": [f"第{r}行{c}列" for c, r in places],
            "COMM": [f"C{c // 2}" for c, _ in places],
            "COMM_NAME": [f"社区{c // 2}" for c, _ in places],
            "PATCH": [f"P{r // 2}" for _, r in places],
            "户数": [300 + c for c, _ in places],
            **more,
        },
        geometry=[square(*place) for place in places],
        crs="EPSG:4326",
    )
    frame.to_file(path)
    return path


def import_town(mapsvc: Command, folder: Path) -> Result:
    path = grids(folder / "grids.gpkg")
    made = ["--make-parents", "community=COMM,COMM_NAME", "--make-parents", "patch=PATCH"]
    return mapsvc("areas", "import", path, "--level", "grid", *made)


def test_grids_alone_are_imported_with_a_warning_that_nobody_would_answer(mapsvc: Command, folder: Path) -> None:
    path = grids(folder / "grids.gpkg")
    alone = mapsvc("areas", "import", path, "--level", "grid")
    assert alone.exit_code == 0, alone.output
    told = " ".join(alone.output.split())
    assert "every case would be unplaced" in told
    assert "--make-parents patch=FIELD" in told
    assert "unplaced" not in import_town(mapsvc, folder).output


def open_store(folder: Path) -> Store:
    settings = load_settings({"MAPSVC_DATA_DIR": str(folder / "instance")})
    return Store(make_engine(settings.store_url), SystemClock())


def count(folder: Path, table: type) -> int:
    with open_store(folder).read() as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_town_from_one_file(mapsvc: Command, folder: Path) -> None:
    result = import_town(mapsvc, folder)
    assert result.exit_code == 0, result.output
    assert "Published as generation 1, in force from always." in result.output
    assert "community is read from the grid" in result.output
    assert list((folder / "instance" / "index").glob("grid-*.index"))
    assert mapsvc("areas", "check").exit_code == 0
    lon, lat = middle(3, 0)
    found = mapsvc("locate", "--json", "--accuracy", 10, "--", lon, lat)
    answer = json.loads(found.stdout)
    assert {area["level"]: area["code"] for area in answer["areas"]} == {
        "grid": "G0003",
        "patch": "P0",
        "community": "C1",
    }
    assert (answer["rule"], answer["owner_level"]) == ("inside", "patch")
    again = import_town(mapsvc, folder)
    assert "Nothing changed" in again.output
    listed = mapsvc("areas", "generations")
    assert "always" in listed.output
    assert "+16" in listed.output


def test_who_answers_is_told_and_who_is_missing_is_listed(mapsvc: Command, folder: Path) -> None:
    import_town(mapsvc, folder)
    posts = folder / "posts.csv"
    posts.write_text(
        "level,area_code,role,person_code,person,phone,deputy_code,document,from,to\n"
        "patch,P0,chief,z1,张敏,13800138000,,文1,2026-01-01,\n",
        encoding="utf-8",
    )
    assert mapsvc("posts", "import", posts).exit_code == 0
    found = mapsvc("locate", *middle(0, 0))
    assert "张敏" in found.output
    vacant = mapsvc("posts", "vacant", "--level", "patch")
    assert "patch P1 P1: never had one; one level up answers" in vacant.output
    posts.write_text("level,area_code,role,person_code,person\npatch,P7,chief,z1,张敏\n", encoding="utf-8")
    refused = mapsvc("posts", "import", posts)
    assert refused.exit_code == 1
    assert (folder / "posts.errors.xlsx").is_file()
    assert "there is no patch P7" in refused.output


def test_what_cannot_be_located_is_said_so(mapsvc: Command, folder: Path) -> None:
    assert "no borders in the store" in mapsvc("locate", 123.0, 41.8).output
    import_town(mapsvc, folder)
    swapped = mapsvc("locate", 41.8, 123.0)
    assert swapped.exit_code == 1
    assert "exchanged" in swapped.output
    sea = mapsvc("locate", 150.0, 30.0)
    assert "in the sea" in sea.output
    assert "未落格" in sea.output


@pytest.mark.parametrize("name", ["grids.gpkg", "grids.geojson", "grids.shp", "grids.fgb"])
def test_an_export_comes_back_unchanged(mapsvc: Command, folder: Path, name: str) -> None:
    import_town(mapsvc, folder)
    target = folder / "out" / name
    target.parent.mkdir()
    assert mapsvc("areas", "export", target, "--level", "grid").exit_code == 0
    again = mapsvc("areas", "export", target, "--level", "grid")
    assert again.exit_code == 1
    assert "is there already" in again.output
    frame = geopandas.read_file(target)
    assert set(frame["caption"]) == {"内部使用"}
    parents = [column for column in frame.columns if column.startswith("in_commu")]
    result = mapsvc(
        "areas",
        "import",
        target,
        "--level",
        "grid",
        "--parent",
        f"community={parents[0]}",
        "--parent",
        "patch=in_patch",
    )
    assert result.exit_code == 0, result.output
    assert "Nothing changed" in result.output


def test_a_zipped_shapefile_in_gbk_and_a_projected_system(mapsvc: Command, folder: Path) -> None:
    frame = geopandas.read_file(grids(folder / "grids.gpkg")).to_crs("EPSG:4550")
    frame = frame.rename(columns={"code": "编码", "name": "网格名称", "COMM_NAME": "CN"})
    frame.to_file(folder / "shp.shp", encoding="GBK")
    packed = folder / "网格.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in folder.glob("shp.*"):
            archive.write(part, part.name)
    result = mapsvc("areas", "import", packed, "--level", "grid", "--name", "网格名称", "--households", "户数")
    assert result.exit_code == 0, result.output
    found = json.loads(mapsvc("locate", "--json", "--", *middle(2, 1)).stdout)
    assert found["areas"][0]["name"] == "第1行2列"


def bad_file(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.gpkg"
    if kind == "text":
        path.write_text("code,name\n1,a\n", encoding="utf-8")
    elif kind == "truncated":
        path.write_bytes(grids(folder / "whole.gpkg").read_bytes()[:9_000])
    elif kind == "unlabelled":
        path = folder / "unlabelled.geojson"
        feature = {"type": "Feature", "properties": {"code": "A"}, "geometry": shapely.geometry.mapping(square(0, 0))}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    elif kind == "utf8":
        path = folder / "utf8.geojson"
        path.write_bytes(b'{"type":"FeatureCollection","features":[],"name":"\xff\xfe"}')
    elif kind == "swapped":
        frame = geopandas.read_file(grids(folder / "whole.gpkg"))
        frame["geometry"] = [shapely.transform(g, lambda c: c[:, ::-1]) for g in frame.geometry]
        frame.to_file(path)
    elif kind == "metres":
        frame = geopandas.read_file(grids(folder / "whole.gpkg")).to_crs("EPSG:4550")
        frame.set_crs("EPSG:4326", allow_override=True).to_file(path)
    elif kind == "bomb":
        path = folder / "bomb.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("big.geojson", b" " * 60_000_000)
    elif kind == "no_code":
        geopandas.GeoDataFrame({"x": ["1"]}, geometry=[square(0, 0)], crs="EPSG:4326").to_file(path)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text", "not a GeoPackage"),
        ("truncated", "damaged or not complete"),
        ("unlabelled", "does not say in which coordinate system"),
        ("utf8", "not UTF-8"),
        ("swapped", "swapped"),
        ("metres", "they are metres"),
        ("bomb", "zip"),
        ("no_code", "is called a code"),
    ],
)
def test_bad_files_get_a_clear_error_and_change_nothing(mapsvc: Command, folder: Path, kind: str, words: str) -> None:
    result = mapsvc("areas", "import", bad_file(folder, kind), "--level", "grid")
    assert result.exit_code == 1, result.output
    assert words in result.output
    assert "Traceback" not in result.output
    assert count(folder, Generation) == count(folder, Area) == 0


def test_an_unknown_level_a_missing_field_and_an_ambiguous_parent(mapsvc: Command, folder: Path) -> None:
    path = grids(folder / "grids.gpkg")
    assert "There is no level 'village'" in mapsvc("areas", "import", path, "--level", "village").output
    assert "no field 'CODE'" in mapsvc("areas", "import", path, "--level", "grid", "--code", "CODE").output
    which = mapsvc("areas", "import", path, "--level", "grid", "--parent", "COMM")
    assert which.exit_code == 1
    assert "--parent community=COMM" in which.output
    unknown = mapsvc("areas", "import", path, "--level", "grid", "--parent", "community=COMM")
    assert "--make-parents community" in unknown.output
    past = mapsvc("areas", "import", path, "--level", "grid", "--from", "2001-01-01")
    assert "that day is past" in past.output
    assert count(folder, Generation) == 0


def test_bad_rows_are_told_by_number_and_the_good_ones_can_be_taken(mapsvc: Command, folder: Path) -> None:
    frame = geopandas.read_file(grids(folder / "grids.gpkg"))
    bowtie = shapely.Polygon(np.array([(9, 9), (10, 10), (10, 9), (9, 10)]) * SIDE + (WEST, SOUTH))
    frame.loc[5, "geometry"] = bowtie
    frame.loc[7, "code"] = "G0000"
    path = folder / "bad.gpkg"
    frame.to_file(path)
    result = mapsvc("areas", "import", path, "--level", "grid", "--allow-gaps")
    assert result.exit_code == 1
    assert "row 6:" in result.output
    assert "[self_intersection]" in result.output
    assert "row 8: The code G0000 stands in row 1 already." in result.output
    assert count(folder, Generation) == 0
    taken = mapsvc("areas", "import", path, "--level", "grid", "--allow-gaps", "--skip-refused")
    assert taken.exit_code == 0, taken.output
    assert "16 rows read" in taken.output
    assert "14 accepted" in taken.output


def test_a_repair_is_shown_first(mapsvc: Command, folder: Path) -> None:
    frame = geopandas.read_file(grids(folder / "grids.gpkg"))
    frame["geometry"] = [
        shapely.transform(g, lambda c, n=n: c + (n % 3 - 1) * 4e-7) for n, g in enumerate(frame.geometry)
    ]
    path = folder / "off.gpkg"
    frame.to_file(path)
    assert mapsvc("areas", "import", path, "--level", "grid").exit_code == 1
    shown = mapsvc("areas", "import", path, "--level", "grid", "--repair", "--snapping", 0.3, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "The repair moves borders by up to" in shown.output
    assert count(folder, Generation) == 0
    assert mapsvc("areas", "import", path, "--level", "grid", "--repair", "--snapping", 0.3).exit_code == 0
    assert mapsvc("areas", "check", "--level", "grid").exit_code == 0


KILLED = """
import os, signal, sys
from mapsvc.areas.service import writing
writing.BATCH = 20
put, seen = writing._put_versions, []
def put_and_die(*arguments):
    put(*arguments)
    seen.append(1)
    if len(seen) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
writing._put_versions = put_and_die
if sys.argv[1] == "0":
    publish = writing.publish
    def publish_and_die(*arguments, **more):
        publish(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    writing.publish = publish_and_die
from mapsvc.cli.main import cli
cli(sys.argv[2:])
"""


@pytest.mark.parametrize("batch", ["1", "3", "0"])
def test_kill_9_in_the_middle_leaves_nothing_that_anybody_sees(mapsvc: Command, folder: Path, batch: str) -> None:
    """Killed in the first batch, the third, and inside the publishing transaction before its commit."""
    path = grids(folder / "grids.gpkg", 10, 10)
    environment = {**os.environ, "MAPSVC_DATA_DIR": str(folder / "instance")}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, batch, "areas", "import", str(path), "--level", "grid"],
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert "no borders in the store" in mapsvc("locate", *middle(0, 0)).output
    with open_store(folder).read() as work:
        assert work.session.scalars(select(Generation.published_at)).all() == [None]
    left = count(folder, AreaVersion)
    assert left == {"1": 0, "3": 40, "0": 100}[batch]
    result = mapsvc("areas", "import", path, "--level", "grid")
    assert result.exit_code == 0, result.output
    assert "Published as generation 2, in force from always." in result.output
    assert count(folder, AreaVersion) == 100
    assert mapsvc("areas", "check").exit_code == 0
