"""The five lines of the README put a district in, as they are written: only places, ports and `pip install` differ."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import pytest

from mapsvc.base.paths import guide_dir
from mapsvc.demo.town import DemoArea, make_town

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there"),
]

README = guide_dir().parents[1] / "README.md"
SHIPPED_FOLDER = "/srv/mapsvc"
STREET = "990101002"
REPORTS = 40
PATIENCE_S = 240.0


@dataclass
class Office:
    """A folder with the files of an office, its environment, and the lines of the README adapted to it."""

    folder: Path
    environ: dict[str, str]
    lines: tuple[str, ...]
    port: int
    grids: tuple[DemoArea, ...]
    patches: tuple[str, ...]

    def run(self, line: str) -> str:
        """Run a line by the shell; anything but success fails the test."""
        done = self._shell(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def mapsvc(self, *words: str) -> str:
        """Run a command and return what it prints on stdout."""
        done = self._shell("exec mapsvc " + " ".join(words))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _shell(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def ask(self, path: str) -> Any:
        """Ask the service over HTTPS, trusting its own certificate only."""
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        with urllib.request.urlopen(f"https://127.0.0.1:{self.port}{path}", context=context, timeout=10) as answer:
            return json.load(answer)


def _lines() -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (own,) = [str(block) for block in blocks if "mapsvc areas import" in block]
    return own.splitlines()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("office")
    grids = tuple(grid for grid in make_town().at("grid") if grid.code.startswith(STREET))
    patches = tuple(sorted({grid.parents["patch"] for grid in grids}))
    _write_grids(folder / "grids.gpkg", grids)
    _write_posts(folder / "posts.xlsx", patches)
    _write_units(folder / "units.xlsx")
    _write_requests(folder / "requests.csv", grids)
    _write_certificate(folder)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAPSVC_")}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    environ["MAPSVC_DATA_DIR"] = str(folder / "srv")
    port = _free_port()
    install, *rest = _lines()
    assert install.startswith("pip install ")
    first = install.split(" && ", 1)[1].replace(SHIPPED_FOLDER, str(folder / "srv"))
    lines = (first, *(line.replace("mapsvc serve", f"mapsvc serve --port {port}") for line in rest))
    return Office(folder, environ, lines, port, grids, patches)


def _write_grids(path: Path, grids: tuple[DemoArea, ...]) -> None:
    columns = {
        "CODE": [grid.code for grid in grids],
        "NAME": [grid.name for grid in grids],
        "PATCH": [grid.parents["patch"] for grid in grids],
    }
    frame = geopandas.GeoDataFrame(columns, geometry=[grid.border for grid in grids], crs=4326)
    frame.to_file(path, driver="GPKG")


def _write_posts(path: Path, patches: tuple[str, ...]) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["片区长任职表"])
    sheet.append(["层级", "片区编码", "岗位", "人员编码", "姓名", "联系电话", "文号", "起"])
    for number, patch in enumerate(patches):
        sheet.append(
            ["片区", patch, "片区长", f"R{number:03}", f"甲{number}", 13800000000.0 + number, "一号", "2026.3.1"]
        )
    book.save(path)


def _write_units(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["单位编码", "单位名称", "电话", "类别"])
    sheet.append(["HW", "环卫所", "000-0001-0001", "E01"])
    book.save(path)


def _write_requests(path: Path, grids: tuple[DemoArea, ...]) -> None:
    """Write requests inside the first grids, numbered by the code of the grid, and one without a place."""
    with path.open("w", encoding="gbk", newline="") as file:
        table = csv.writer(file)
        table.writerow(["工单编号", "类别", "内容", "经度", "纬度", "受理时间", "状态"])
        for grid in grids[:REPORTS]:
            point = grid.border.representative_point()
            table.writerow(
                [grid.code, "E0110", "路口垃圾", f"{point.x:.7f}", f"{point.y:.7f}", "2026-03-02 08:30", "办结"]
            )
        table.writerow(["no place", "E0110", "说不清在哪里", "", "", "2026-03-02 09:00", "在办"])


def _write_certificate(folder: Path) -> None:
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def filled(office: Office) -> tuple[Office, tuple[str, ...]]:
    """Run all lines but the last; return what each of them printed."""
    return office, tuple(office.run(line) for line in office.lines[:-1])


@pytest.fixture(scope="module")
def served(filled: tuple[Office, tuple[str, ...]]) -> Iterator[Office]:
    """Run the last line in a group of its own, and end the whole group afterwards."""
    office, _ = filled
    with (office.folder / "serve.log").open("wb") as log:
        running = subprocess.Popen(
            ["bash", "-c", office.lines[-1]],
            cwd=office.folder,
            env=office.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield office
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(timeout=PATIENCE_S)


def _until(wanted: Callable[[], bool], office: Office) -> None:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        try:
            if wanted():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.3)
    pytest.fail((office.folder / "serve.log").read_text(encoding="utf-8", errors="replace"))


def test_each_line_says_what_it_did(filled: tuple[Office, tuple[str, ...]]) -> None:
    office, said = filled
    db, areas, people, cases = (" ".join(each.split()) for each in said)
    assert "is now at revision" in db
    assert f"{len(office.grids)} rows read from grids.gpkg" in areas
    assert "in force from always" in areas
    assert f"{len(office.patches)} posts added" in people
    assert "1 units added" in people
    assert "Added fang as dispatcher" in cases
    assert f"{REPORTS + 1} rows: {REPORTS + 1} imported, 0 there already, 0 bad; {REPORTS} inside" in cases


def test_every_request_lies_with_the_patch_of_its_place(filled: tuple[Office, tuple[str, ...]]) -> None:
    office, _ = filled
    office.mapsvc("cases", "export", "out.csv")
    with (office.folder / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["source_number"]: row for row in csv.DictReader(file)}
    expected = {grid.code: grid.parents["patch"] for grid in office.grids[:REPORTS]}
    assert {code: rows[code]["area_code"] for code in expected} == expected
    assert rows["no place"]["unplaced"] == "是"


def test_the_same_lines_again_add_nothing(filled: tuple[Office, tuple[str, ...]]) -> None:
    office, _ = filled
    assert "is already at revision" in office.run(office.lines[0])
    assert "Nothing changed" in office.run(office.lines[1])
    assert "0 posts added" in office.run(office.lines[2])
    again = office.run(office.lines[3].split(" && ")[1])
    assert "This very file was imported before" in again


def test_it_is_served_over_tls_and_knows_who_answers(served: Office) -> None:
    _until(lambda: served.ask("/healthz") == {"status": "ok"}, served)
    assert served.ask("/readyz")["borders"] is True
    grid = served.grids[0]
    point = grid.border.representative_point()
    found = served.ask(f"/api/v1/locate?lon={point.x:.7f}&lat={point.y:.7f}")
    areas = {area["level"]: area["code"] for area in found["areas"]}
    assert areas == {"grid": grid.code, "patch": grid.parents["patch"]}
    assert found["owner_level"] == "patch"
    assert not any(area["vacant"] for area in found["areas"] if area["level"] == "patch")


def test_the_worker_beside_it_does_what_waits(served: Office) -> None:
    _until(lambda: json.loads(served.mapsvc("jobs", "list", "--json")) == [], served)
