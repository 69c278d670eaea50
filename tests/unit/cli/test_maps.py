"""`mapsvc maps export`, from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.settings import Settings
from mapsvc.cli import main, maps
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store
from tests import squares


@pytest.fixture
def run(settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("MAPSVC_DATA_DIR", str(settings.data_dir))
    import_rows(sqlite_store, settings, squares.shipped_levels(), SYSTEM, "grid", squares.grid_rows())

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main.cli, ["maps", "export", *arguments])

    return invoke


def test_a_file_is_written_once_whole_and_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "town.html"
    made = run(str(out), "--audience", "staff", "--language", "en", "--level", "grid", "--lines", "patch,street")
    assert made.exit_code == 0, made.output
    assert f"{out.stat().st_size:,} bytes" in made.output.replace("\n", "")
    assert "without a log-in" in made.output
    text = out.read_text(encoding="utf-8")
    assert text.endswith("</html>")
    assert '<html lang="en">' in text
    assert '"areas/street"' in text
    assert '"areas/community"' not in text
    again = run(str(out), "--audience", "staff")
    assert again.exit_code == 1
    assert "--force" in again.output
    assert out.read_text(encoding="utf-8") == text
    assert run(str(out), "--audience", "staff", "--force").exit_code == 0
    assert out.read_text(encoding="utf-8") != text
    assert [path.name for path in tmp_path.glob("*town.html*")] == ["town.html"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "MAPSVC_MAP_REVIEW_NUMBER"),
        (("--theme", "整改率"), "--audience staff"),
        (("--theme", "weather", "--audience", "staff"), "Themes are"),
        (("--level", "galaxy", "--audience", "staff"), "galaxy"),
        (("--area", "patch:P9", "--audience", "staff"), "LEVEL:CODE"),
        (("--month", "never", "--theme", "heat", "--audience", "staff"), "no window of time"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:  # type: ignore[no-untyped-def]
    before = set(tmp_path.iterdir())
    refused = run(str(tmp_path / "town.html"), *arguments)
    assert refused.exit_code == 1
    assert said in refused.output.replace("\n", " ")
    assert set(tmp_path.iterdir()) == before


def test_names_and_places_that_cannot_be(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert ".html" in run(str(tmp_path / "town.pdf"), "--audience", "staff").output
    lost = run(str(tmp_path / "nowhere" / "town.html"), "--audience", "staff")
    assert lost.exit_code == 1
    assert "cannot be written" in lost.output.replace("\n", " ")


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "town.html"
    out.write_text("theirs", encoding="utf-8")
    with pytest.raises(maps.Conflict):
        maps.write_whole(out, b"ours", force=False)
    assert out.read_text(encoding="utf-8") == "theirs"
    assert [path.name for path in tmp_path.glob("*town.html*")] == ["town.html"]
