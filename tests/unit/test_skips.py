"""Under CI nothing may be skipped but for want of ../shared/data; the run fails and says so at its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WANTS_POSTGIS = "import pytest\n\ndef test_it(postgis_cluster):\n    assert False, 'never reached'\n"
WANTS_DATA = "def test_it(shared_data):\n    assert False, 'never reached'\n"
WANTS_NOTHING = "def test_it():\n    assert True\n"
WHOLE_FILE = "import pytest\npytest.skip('no such machine', allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_it():\n    assert False\n"

NO_POSTGRES = """
import tests.postgis

def find_none():
    raise tests.postgis.PostgisMissing("none here")

tests.postgis._find_binaries = find_none
"""
NO_DATA = "import pathlib, tests.conftest as c\nc.SHARED_DATA = pathlib.Path('/nowhere')\n"


def run(tmp_path: Path, text: str, *, ci: str, workers: bool = False) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_it.py").write_text(text)
    (tmp_path / "without.py").write_text(NO_POSTGRES + NO_DATA)
    plugins = ["-p", "tests.conftest", "-p", "without", "-p", "no:cacheprovider", *(["-n", "1"] if workers else [])]
    where = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={tmp_path}", "test_it.py"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *where],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "ci", "status"),
    [
        (WANTS_POSTGIS, "", 0),
        (WANTS_POSTGIS, "true", 1),
        (WHOLE_FILE, "true", 1),
        (WANTS_DATA, "true", 0),
        (EXPECTED_FAILURE, "true", 0),
        (WANTS_NOTHING, "true", 0),
    ],
)
def test_what_may_be_skipped(tmp_path: Path, text: str, ci: str, status: int) -> None:
    # A file that is skipped whole leaves no test at all, which pytest itself tells by status 5.
    done = run(tmp_path, text + (WANTS_NOTHING if text == WHOLE_FILE else ""), ci=ci)
    assert done.returncode == status or (text == WHOLE_FILE and done.returncode == 5), done.stdout + done.stderr
    assert ("FAILED: under CI" in done.stdout) == (status == 1), done.stdout


def test_the_reason_is_told_at_the_end(tmp_path: Path) -> None:
    done = run(tmp_path, WANTS_POSTGIS, ci="")
    assert "1 tests: PostGIS cannot be had: none here" in done.stdout


def test_the_rule_holds_with_several_workers(tmp_path: Path) -> None:
    done = run(tmp_path, WANTS_POSTGIS, ci="true", workers=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED: under CI these 1 tests must run: PostGIS cannot be had" in done.stdout
