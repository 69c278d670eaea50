"""`mapsvc patrols import`, from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mapsvc.base.settings import Settings
from mapsvc.cli import main
from mapsvc.people.models import Person
from mapsvc.storage.work import Store


@pytest.fixture
def run(settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("MAPSVC_DATA_DIR", str(settings.data_dir))
    with sqlite_store.write() as work:
        work.session.add(Person(code="p1", name="巡查员"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main.cli, ["patrols", "import", *arguments])

    return invoke


def test_a_track_is_imported_once_and_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "walk.gpx"
    times = [f"2025-11-22T01:{n // 6:02}:{n % 6 * 10:02}Z" for n in range(40)]
    points = "".join(
        f'<trkpt lat="{41.8 + n * 1e-4:.6f}" lon="123.0"><time>{time}</time></trkpt>' for n, time in enumerate(times)
    )
    path.write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>", encoding="utf-8")
    first = run(str(path), "--person", "p1")
    assert first.exit_code == 0, first.output
    assert "40 points, 0.43 km as drawn" in first.output
    assert "credited" in first.output
    assert "nothing was changed" in run(str(path), "--person", "p1").output
    stranger = run(str(path), "--person", "p2")
    assert stranger.exit_code == 1
    assert "p2" in stranger.output
    path.write_text('<gpx><wpt lat="1" lon="2"/></gpx>', encoding="utf-8")
    refused = run(str(path), "--person", "p1")
    assert refused.exit_code == 1
    assert "holds no track" in refused.output
