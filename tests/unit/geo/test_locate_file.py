"""The index file: what is read is what was written, or a clear error; never a wrong answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput, NotFound, Unavailable
from mapsvc.geo.lattice import from_lattice
from mapsvc.geo.locate import file as index_file
from mapsvc.geo.locate.index import AreaIndex
from tests.unit.geo.lattice_towns import degrees, interesting_points, town

AREAS = town(np.random.default_rng(11), 8, 9, 3_000, 900, (11_400_000_000, 3_000_000_000), thin=False)
LONLAT = from_lattice(interesting_points(np.random.default_rng(12), AREAS, 2_000))

FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "grid.idx"
    AreaIndex.build(degrees(AREAS)).save(path)
    return path


def test_a_mapped_index_gives_the_same_answers(saved: Path) -> None:
    built, mapped = AreaIndex.build(degrees(AREAS)), AreaIndex.open(saved)
    assert len(mapped) == len(AREAS)
    assert mapped.nbytes == built.nbytes
    np.testing.assert_array_equal(mapped.locate_points(LONLAT), built.locate_points(LONLAT))
    assert [mapped.locate_one(*p) for p in LONLAT.tolist()] == built.locate_points(LONLAT).tolist()
    lon, lat = LONLAT[7].tolist()
    assert mapped.candidates(lon, lat, 0.002) == built.candidates(lon, lat, 0.002)
    assert mapped.nearest(lon - 0.001, lat, 500.0) == built.nearest(lon - 0.001, lat, 500.0)


def test_an_index_of_nothing_survives_the_file(tmp_path: Path) -> None:
    AreaIndex.build([]).save(tmp_path / "empty")
    assert AreaIndex.open(tmp_path / "empty").locate_one(1.0, 1.0) == -1


def test_the_same_areas_give_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    AreaIndex.build(degrees(AREAS)).save(tmp_path / "again")
    assert saved.read_bytes() == (tmp_path / "again").read_bytes()


def test_nothing_is_left_beside_the_file(saved: Path) -> None:
    assert [path.name for path in saved.parent.iterdir()] == ["grid.idx"]


def test_who_has_the_old_file_mapped_keeps_it(saved: Path) -> None:
    old = AreaIndex.open(saved)
    wanted = old.locate_points(LONLAT)
    AreaIndex.build([shapely.box(0, 0, 1, 1)]).save(saved)
    np.testing.assert_array_equal(old.locate_points(LONLAT), wanted)
    assert AreaIndex.open(saved).locate_one(0.5, 0.5) == 0


def test_arrays_begin_on_cache_lines(saved: Path) -> None:
    cells = AreaIndex.open(saved)._cells
    assert cells.table.ctypes.data % 64 == 0
    assert cells.words.ctypes.data % 64 == 0
    assert not cells.table.flags.writeable


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        AreaIndex.open(tmp_path / "none")
    assert caught.value.code == "no_index_file"


@pytest.mark.parametrize("content", [b"", b"x", b"MAPSVCIX", b"SQLite format 3\0" * 100, bytes(4096)])
def test_a_foreign_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        AreaIndex.open(path)
    assert caught.value.code == "bad_index_file"
    assert "foreign" in caught.value.message


def test_a_folder_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        AreaIndex.open(tmp_path)


@FUZZ
@given(st.data())
def test_a_truncated_file_is_refused(saved: Path, data: st.DataObject) -> None:
    content = saved.read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 200))
    broken = saved.with_name("cut")
    broken.write_bytes(content[:cut])
    with pytest.raises(InvalidInput) as caught:
        AreaIndex.open(broken)
    assert caught.value.code == "bad_index_file"


@FUZZ
@given(st.data())
def test_a_damaged_file_is_refused(saved: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 200))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    broken = saved.with_name("damaged")
    broken.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        AreaIndex.open(broken)
    assert caught.value.code == "bad_index_file"


def test_a_longer_file_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + bytes(64))
    with pytest.raises(InvalidInput, match="bytes instead of"):
        AreaIndex.open(saved)


def test_another_version_is_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_file, "VERSION", index_file.VERSION + 1)
    with pytest.raises(InvalidInput, match="version"):
        AreaIndex.open(saved)


def test_a_folder_that_is_not_there_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        AreaIndex.build([shapely.box(0, 0, 1, 1)]).save(tmp_path / "no" / "such.idx")
    assert caught.value.code == "index_not_written"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_keeps_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()
    opened = Path.open

    def full(self: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if self.suffix == ".part":
            self.touch()
            return opened(Path("/dev/full"), "wb")
        return opened(self, mode, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(Unavailable, match="No space left"):
        AreaIndex.build([shapely.box(0, 0, 1, 1)]).save(saved)
    monkeypatch.undo()
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["grid.idx"]


def run(code: str, **environ: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")} | environ
    return subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True).stdout


def test_asking_for_one_point_loads_no_numba(saved: Path) -> None:
    lon, lat = LONLAT[0].tolist()
    code = f"""
import sys
from mapsvc.geo.locate.index import AreaIndex
index = AreaIndex.open({str(saved)!r})
print(index.locate_one({lon!r}, {lat!r}), "numba" in sys.modules)
"""
    assert run(code).split() == [str(AreaIndex.open(saved).locate_one(lon, lat)), "False"]


@pytest.mark.parametrize("early", [True, False], ids=["numba loaded before", "numba loaded after"])
def test_a_read_only_install_keeps_its_loops_elsewhere(saved: Path, tmp_path: Path, early: bool) -> None:
    """Where neither the package nor the home can be written, the folder given is used."""
    code = f"""
import os
{"import numba" if early else ""}
from pathlib import Path
from mapsvc.geo.locate import kernels
kernels._can_write = lambda folder: False
kernels.prepare_kernels(Path({str(tmp_path)!r}))
from mapsvc.geo.locate.index import AreaIndex
index = AreaIndex.open({str(saved)!r})
print(index.locate([0.0], [0.0])[0])
"""
    assert run(code, HOME="/nonexistent").strip() == "-1"
    assert list((tmp_path / "numba").rglob("*.nbi"))


def test_a_folder_named_in_the_environment_wins(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from mapsvc.geo.locate import kernels
kernels._can_write = lambda folder: False
kernels.prepare_kernels(Path({str(tmp_path / "other")!r}))
print(os.environ["NUMBA_CACHE_DIR"])
"""
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)).strip() == str(tmp_path)
