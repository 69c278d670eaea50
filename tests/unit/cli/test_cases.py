"""`mapsvc cases`: import, export, deadlines, from outside."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mapsvc.base.settings import Settings
from mapsvc.cli import main
from mapsvc.storage.work import Store

HEADER = ["number", "type", "longitude", "latitude", "created", "completed", "status", "address"]
ROWS = [
    ["A1", "rubbish", 118.01, 30.01, "2026-11-02", "2026-11-03", "Completed", "here"],
    ["A2", "E0110", "", "", "2026-11-02", "", "Open", "=cmd()"],
    ["A3", "unheard of", 118.01, 30.01, "2026-11-02", "", "Open", ""],
]


@pytest.fixture
def run(settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    from mapsvc.storage import migrate

    monkeypatch.setenv("MAPSVC_DATA_DIR", str(settings.data_dir))
    monkeypatch.setattr(migrate, "require_current", lambda _engine: None)  # the fixture's store has no revision

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main.cli, ["cases", *arguments])

    return invoke


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *ROWS])
    return path


def test_import_then_export(run, table: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mapping = tmp_path / "map.toml"
    mapping.write_text('[words]\nrubbish = "E0110"\n', encoding="utf-8")
    done = run("import", str(table), "--source", "city", "--categories", str(mapping))
    assert done.exit_code == 0, done.output
    assert "3 rows: 2 imported, 0 there already, 1 bad" in done.output
    assert "1 rows without a position" in done.output
    assert "unheard of" in done.output
    assert (tmp_path / "tickets.bad.xlsx").exists()
    again = run("import", str(table), "--source", "city", "--categories", str(mapping))
    assert "imported before" in again.output
    out = tmp_path / "out.csv"
    assert run("export", str(out)).exit_code == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["source_number"] for row in rows} == {"A1", "A2"}
    assert "'=cmd()" in {row["place_text"] for row in rows}
    assert run("export", str(out), "--open").exit_code == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert [row["source_number"] for row in csv.DictReader(file)] == ["A2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--source", "c", "--map", "colour=x"), "FIELD=COLUMN"),
        (("--source", "c", "--map", "lon=nothing"), "nothing"),
        (("--source", "c", "--category", "E9999"), "E9999"),
        (("--source", "c", "--crs", "mars"), "mars"),
        ((), "--source"),
    ],
)
def test_a_wrong_option_says_so_and_fails(run, table: Path, arguments: tuple[str, ...], told: str) -> None:  # type: ignore[no-untyped-def]
    done = run("import", str(table), *arguments)
    assert done.exit_code != 0
    assert told in done.output


def test_deadlines_are_listed_and_moved_only_with_a_reason(run) -> None:  # type: ignore[no-untyped-def]
    listed = run("deadlines")
    assert listed.exit_code == 0, listed.output
    assert "0 deadlines would be moved" in listed.output
    refused = run("deadlines", "--apply")
    assert refused.exit_code == 1
    assert "reason" in refused.output
    assert "0 deadlines were moved" in run("deadlines", "--apply", "--reason", "notice 1").output


def test_an_export_of_an_unknown_area_or_kind_fails(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("export", str(tmp_path / "a.csv"), "--area", "patch:P99").exit_code == 1
    assert run("export", str(tmp_path / "a.docx")).exit_code == 1
