"""`mapsvc assign`: the same rows with one column more, or a clear refusal and no file."""

from __future__ import annotations

import csv
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from click.testing import CliRunner, Result

from mapsvc.base.settings import Settings
from mapsvc.cli import assign_chunks, assign_dask, main
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.geo.pointfile import open_points

WEST, SOUTH, STEP = 118.0, 30.0, 0.001
AREAS = [shapely.box(WEST + c * STEP, SOUTH, WEST + (c + 1) * STEP, SOUTH + STEP) for c in range(4)]
CODES = ["01", "02", "03", "04"]

LINES = [
    ("a", 118.0005, 30.0005, "01"),
    ("b, c", 118.0015, 30.0005, "02"),
    ('say "d"', 118.0010, 30.0005, "01"),
    ("井盖", 118.0035, 30.0005, "04"),
    ("far", 118.9, 30.0005, ""),
]


@pytest.fixture
def areas(tmp_path: Path) -> Path:
    path = tmp_path / "areas.gpkg"
    gpd.GeoDataFrame({"code": CODES, "名称": CODES}, geometry=AREAS, crs=4326).to_file(path)
    return path


def write_csv(path: Path, *, header: str = "note,lon,lat", encoding: str = "utf-8", end: str = "\n") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator=end)
        writer.writerow(header.split(","))
        writer.writerows([note, lon, lat] for note, lon, lat, _ in LINES)
    return path


def run(settings: Settings, *arguments: object) -> Result:
    environ = {"MAPSVC_DATA_DIR": str(settings.data_dir)}
    return CliRunner().invoke(main.cli, ["assign", *map(str, arguments)], env=environ)


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def rows_of(path: Path, encoding: str = "utf-8") -> list[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("header", ["note,lon,lat", "说明,经度,纬度", "n,LNG,Latitude", "n,x,y"])
def test_csv_in_csv_out(settings: Settings, areas: Path, tmp_path: Path, encoding: str, header: str) -> None:
    points = write_csv(tmp_path / "p.csv", header=header, encoding=encoding, end="\r\n")
    out = tmp_path / "o.csv"
    text = done(run(settings, points, out, "--areas", areas))
    before, after = rows_of(points, encoding), rows_of(out, encoding)
    assert [row[:-1] for row in after] == before
    assert [row[-1] for row in after] == ["area_code", *(code for *_, code in LINES)]
    assert out.read_bytes().count(b"\r\n") == len(after)
    for line in ("5 rows", "inside: 3", "on border: 1 ", "outside: 1", "overlaps: 0 ", "no position: 0", "cell index"):
        assert line in text


def test_parquet_keeps_types_and_nulls(settings: Settings, areas: Path, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, None, 3, 4, 5], pa.int32()),
            "note": pa.array([note for note, *_ in LINES]).dictionary_encode(),
            "lon": pa.array([lon for _, lon, *_ in LINES]),
            "lat": pa.array([lat for *_, lat, _ in LINES]),
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    done(run(settings, tmp_path / "p.parquet", tmp_path / "o.parquet", "--areas", areas))
    out = pq.read_table(tmp_path / "o.parquet")
    assert out.drop_columns("area_code").equals(table)
    assert out["area_code"].to_pylist() == [code or None for *_, code in LINES]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("dirty", [False, True], ids=["clean", "overlapping"])
def test_both_engines_write_the_same(
    settings: Settings, tmp_path: Path, kind: str, dirty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assign_dask, "PART_BYTES", 20_000)
    rng = np.random.default_rng(3)
    shapes = [*AREAS, shapely.box(118.0015, 30, 118.0025, 30.001)] if dirty else AREAS
    gpd.GeoDataFrame({"code": [*CODES, "00"][: len(shapes)]}, geometry=shapes, crs=4326).to_file(tmp_path / "a.gpkg")
    n = 3_000
    frame = gpd.pd.DataFrame(
        {
            "id": [f"{i:05d}" for i in range(n)],
            "lon": rng.uniform(117.999, 118.005, n),
            "lat": rng.uniform(29.999, 30.002, n),
            "count": gpd.pd.array([None if i % 7 == 0 else i for i in range(n)], dtype="Int64"),
        }
    )
    points = tmp_path / f"p.{kind}"
    if kind == "csv":
        frame.to_csv(points, index=False)
    else:
        frame.to_parquet(points, row_group_size=500, index=False)
    texts = []
    for engine in ("local", "dask"):
        out = tmp_path / f"{engine}.{kind}"
        texts.append(done(run(settings, points, out, "--areas", tmp_path / "a.gpkg", "--engine", engine)))
    assert texts[0].replace("local", "dask") == texts[1]
    one, other = tmp_path / f"local.{kind}", tmp_path / f"dask.{kind}"
    if kind == "csv":
        assert one.read_bytes() == other.read_bytes()
    else:
        assert pq.read_table(one).equals(pq.read_table(other))


def test_without_dask_the_engine_says_what_to_install(
    settings: Settings, areas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(assign_dask, "import_module", missing)
    result = run(settings, write_csv(tmp_path / "p.csv"), tmp_path / "o.csv", "--areas", areas, "--engine", "dask")
    assert result.exit_code == 1
    assert "pip install 'mapsvc[dask]'" in result.stderr
    assert not (tmp_path / "o.csv").exists()


def test_line_breaks_in_cells_stay_whole_with_dask(settings: Settings, areas: Path, tmp_path: Path) -> None:
    points = tmp_path / "p.csv"
    points.write_text('lon,lat,note\n118.0005,30.0005,"two\nlines"\n118.0015,30.0005,x\n', encoding="utf-8")
    done(run(settings, points, tmp_path / "o.csv", "--areas", areas, "--engine", "dask"))
    assert [row[2:] for row in rows_of(tmp_path / "o.csv")] == [
        ["note", "area_code"],
        ["two\nlines", "01"],
        ["x", "02"],
    ]


def test_rows_without_a_position_stay_and_are_counted(settings: Settings, areas: Path, tmp_path: Path) -> None:
    points = tmp_path / "p.csv"
    points.write_text("lon;lat;id\n118.0005;30.0005;1\nabc;30;2\n;;3\n\n118.0005\nnan;30;5\n", encoding="utf-8")
    text = done(run(settings, points, tmp_path / "o.csv", "--areas", areas))
    assert "5 rows" in text
    assert "no position: 4" in text
    assert (tmp_path / "o.csv").read_text(encoding="utf-8").splitlines() == [
        "lon;lat;id;area_code",
        "118.0005;30.0005;1;01",
        "abc;30;2;",
        ";;3;",
        "118.0005;;;",
        "nan;30;5;",
    ]


def test_a_datum_is_converted(settings: Settings, areas: Path, tmp_path: Path) -> None:
    lon, lat = wgs84_to_gcj02([118.0035], [30.0005])
    points = tmp_path / "p.csv"
    points.write_text(f"lon,lat\n{float(lon[0])!r},{float(lat[0])!r}\n", encoding="utf-8")
    done(run(settings, points, tmp_path / "o.csv", "--areas", areas, "--datum", "gcj02"))
    assert rows_of(tmp_path / "o.csv")[1][-1] == "04"
    done(run(settings, points, tmp_path / "o.csv", "--areas", areas, "--overwrite"))
    assert rows_of(tmp_path / "o.csv")[1][-1] == ""


def test_overlaps_and_broken_rings_are_answered_and_counted(settings: Settings, tmp_path: Path) -> None:
    bow = shapely.Polygon([(118.005, 30), (118.006, 30.001), (118.006, 30), (118.005, 30.001)])
    shapes = [*AREAS, shapely.box(118.0015, 30, 118.0025, 30.001), bow]
    codes = [*CODES, "00", "99"]
    gpd.GeoDataFrame({"dm": codes}, geometry=shapes, crs=4326).to_file(tmp_path / "a.geojson")
    points = tmp_path / "p.csv"
    points.write_text("lon,lat\n118.0018,30.0005\n118.0051,30.0005\n118.0005,30.0005\n", encoding="utf-8")
    result = run(settings, points, tmp_path / "o.csv", "--areas", tmp_path / "a.geojson", "--crs", "wgs84")
    text = done(result)
    assert [row[-1] for row in rows_of(tmp_path / "o.csv")[1:]] == ["00", "99", "01"]
    assert "slower way" in text
    assert "overlaps: 1 " in text
    assert "repaired: area 99; 1 points lie there" in text


def test_an_areas_file_without_a_system_demands_one(settings: Settings, tmp_path: Path) -> None:
    gpd.GeoDataFrame({"code": CODES}, geometry=AREAS, crs=4326).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    arguments = (write_csv(tmp_path / "p.csv"), tmp_path / "o.csv", "--areas", tmp_path / "a.shp")
    result = run(settings, *arguments)
    assert result.exit_code == 1
    assert "--crs" in result.stderr
    assert not (tmp_path / "o.csv").exists()
    done(run(settings, *arguments, "--crs", "EPSG:4490"))


def test_exchanged_columns_are_noticed(settings: Settings, areas: Path, tmp_path: Path) -> None:
    points = write_csv(tmp_path / "p.csv")
    result = run(settings, points, tmp_path / "o.csv", "--areas", areas, "--lon", "lat", "--lat", "lon")
    assert "outside: 5" in done(result)
    assert "look exchanged" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.csv", "o.csv"), "There is no file"),
        (("p.csv", "o.parquet"), "of another kind"),
        (("p.csv", "p.csv", "--overwrite"), "the file of points itself"),
        (("p.csv", "there.csv"), "--overwrite"),
        (("p.csv", "no/o.csv"), "There is no folder"),
        (("p.xlsx", "o.csv"), "neither CSV nor Parquet"),
        (("p.csv", "o.csv", "--lon", "longi"), "note, lon, lat"),
        (("p.csv", "o.csv", "--code", "nr"), "--code; the columns are: code"),
        (("p.csv", "o.csv", "--layer", "other"), "other"),
        (("p.csv", "o.csv", "--encoding", "klingon"), "There is no encoding"),
        (("p.csv", "o.csv", "--encoding", "ascii"), "cannot be read as ascii"),
        (("bare.csv", "o.csv"), "No column of bare.csv is called a longitude"),
        (("empty.csv", "o.csv"), "has no header"),
        (("twice.csv", "o.csv"), "already has a column area_code"),
        (("wide.csv", "o.csv"), "Line 2 of wide.csv has 4 cells"),
        (("cut.parquet", "o.parquet"), "no whole Parquet file"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(
    settings: Settings, areas: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_csv(tmp_path / "p.csv")
    texts = {
        "there.csv": "kept",
        "p.xlsx": "x",
        "bare.csv": "a,b\n1,2\n",
        "empty.csv": "",
        "twice.csv": "lon,lat,area_code\n1,2,3\n",
        "wide.csv": "lon,lat,n\n1,2,3,4\n",
        "cut.parquet": "PAR1",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    points, out, *options = arguments
    result = run(settings, tmp_path / points, tmp_path / out, "--areas", areas, *options)
    assert result.exit_code == 1, result.output
    assert said in result.stderr.replace("\n", " ")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("options", [("--areas", "x.gpkg", "--level", "grid"), ("--code", "c"), ("--crs", "wgs84")])
def test_options_that_do_not_go_together(settings: Settings, tmp_path: Path, options: tuple[str, ...]) -> None:
    result = run(settings, write_csv(tmp_path / "p.csv"), tmp_path / "o.csv", *options)
    assert result.exit_code == 2


def test_a_million_rows_do_not_lie_in_memory_at_once(tmp_path: Path) -> None:
    points = tmp_path / "p.csv"
    points.write_text("lon,lat\n" + "1.5,2.5\n" * 2_500, encoding="utf-8")
    sizes = [len(chunk) for chunk in open_points(points).chunks(1_000)]
    assert sizes == [1_000, 1_000, 500]


def test_a_full_disk_leaves_no_half_file(
    settings: Settings, areas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full(self: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if self.suffix == ".part":
            self.touch()
            return opened(Path("/dev/full"), mode, encoding="utf-8", newline="")
        return opened(self, mode, *args, **kwargs)  # type: ignore[call-overload]

    points = write_csv(tmp_path / "p.csv")
    monkeypatch.setattr(Path, "open", full)
    result = run(settings, points, tmp_path / "o.csv", "--areas", areas)
    monkeypatch.undo()
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["areas.gpkg", "p.csv"]


def mapsvc(settings: Settings, *arguments: object) -> Result:
    environ = {"MAPSVC_DATA_DIR": str(settings.data_dir)}
    result = CliRunner().invoke(main.cli, [*map(str, arguments)], env=environ)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def imported(settings: Settings, tmp_path: Path) -> Path:
    """A store with four grids in two communities, which are unions of the grids."""
    path = tmp_path / "grids.gpkg"
    gpd.GeoDataFrame({"code": CODES, "shequ": ["A", "A", "B", "B"]}, geometry=AREAS, crs=4326).to_file(path)
    mapsvc(settings, "db", "upgrade")
    mapsvc(settings, "areas", "import", path, "--level", "grid", "--code", "code", "--make-parents", "community=shequ")
    return path


@pytest.mark.parametrize(
    ("options", "column", "codes"),
    [
        ((), "grid_code", ["01", "02", "01", "04", ""]),
        (("--level", "community", "--engine", "dask"), "community_code", ["A", "A", "A", "B", ""]),
        (("--level", "grid"), "grid_code", ["01", "02", "01", "04", ""]),
        (("--level", "community"), "community_code", ["A", "A", "A", "B", ""]),
    ],
)
def test_areas_of_the_store(
    settings: Settings,
    imported: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    column: str,
    codes: list[str],
) -> None:
    points = write_csv(tmp_path / "p.csv")
    text = done(run(settings, points, tmp_path / "o.csv", *options))
    assert [row[-1] for row in rows_of(tmp_path / "o.csv")] == [column, *codes]
    assert "generation 1" in text


def test_levels_that_are_not_there(settings: Settings, imported: Path, tmp_path: Path) -> None:
    points = write_csv(tmp_path / "p.csv")
    unknown = run(settings, points, tmp_path / "o.csv", "--level", "planet")
    assert (unknown.exit_code, "planet" in unknown.stderr) == (1, True)
    empty = run(settings, points, tmp_path / "o.csv", "--level", "building")
    assert (empty.exit_code, "no borders" in empty.stderr) == (1, True)


def test_an_empty_store_says_so(settings: Settings, tmp_path: Path) -> None:
    mapsvc(settings, "db", "upgrade")
    result = run(settings, write_csv(tmp_path / "p.csv"), tmp_path / "o.csv")
    assert result.exit_code == 1
    assert "The store has no borders" in result.stderr


def test_totals_add_up() -> None:
    one = assign_chunks.Totals(rows=3, inside=1, outside=2)
    assert one + one == assign_chunks.Totals(rows=6, inside=2, outside=4)
