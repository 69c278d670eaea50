"""The built wheel works outside the checkout: `pip install` it, then `mapsvc demo` and the pages' own files."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and, by a path entry, the libraries of this one; never the checkout."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    packages = next(place.glob("lib/python3*/site-packages"))
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(place),
        "install",
        "--no-deps",
        "--quiet",
        "--force-reinstall",
    ]
    subprocess.run([*command, str(wheel)], check=True)
    return place


def _run(installed: Path, code: str, cwd: Path) -> str:
    done = subprocess.run(
        [str(installed / "bin" / "python"), "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_everything_that_a_page_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "mapsvc/share/data/levels.toml",
        "mapsvc/share/data/categories.toml",
        "mapsvc/share/static/css/tokens.css",
        "mapsvc/storage/migrations/env.py",
    ):
        assert wanted in names
    guide = {str(page.relative_to(ROOT)) for page in (ROOT / "mapsvc" / "guide").rglob("*.md")}
    assert {"mapsvc/guide/index.md", "mapsvc/guide/zh/index.md"} <= guide <= set(names)
    assert any(name.startswith("mapsvc/share/layers/") and name.endswith(".toml") for name in names)
    assert any(name.startswith("mapsvc/web/templates/") for name in names)
    assert any(name.startswith("mapsvc/share/static/vendor/") and "leaflet" in name for name in names)
    assert not any(name.startswith("tests/") or "/__pycache__/" in name for name in names)


def test_installed_program_finds_its_files_inside_itself(installed: Path, tmp_path: Path) -> None:
    where = _run(installed, "from mapsvc.base import paths; print(paths.share_dir())", tmp_path)
    assert Path(where).is_relative_to(installed)


def test_demo_is_built_by_the_installed_program(installed: Path, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAPSVC_")}
    done = subprocess.run(
        [str(installed / "bin" / "mapsvc"), "demo", "--no-serve", "--cases", "40"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "zhangmin" in done.stdout
    assert (tmp_path / "instance" / "mapsvc.db").is_file()
