"""`mapsvc demo`: builds one of two towns, says who can log in, and leaves anybody's own district alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mapsvc.cli.main import cli
from mapsvc.demo.build import PASSWORD
from mapsvc.demo.staff import ACCOUNTS


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, list(words), env={"MAPSVC_DATA_DIR": str(folder)})


@pytest.mark.slow
def test_a_town_is_built_once_and_says_who_can_log_in(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--no-serve", "--cases", "0")
    assert done.exit_code == 0, done.output
    assert PASSWORD in done.output
    assert all(account.name in done.output for account in ACCOUNTS)
    assert "虚构城区示意图" in done.output
    assert "1,206 of 1,584" in done.output
    assert "--profile heping" in done.output, "how to see the other one"

    again = run(tmp_path, "demo", "--no-serve", "--cases", "0")
    assert again.exit_code == 0, again.output
    assert "The demo town suzhou is ready" in again.output

    other = run(tmp_path, "demo", "--no-serve", "--profile", "heping")
    assert other.exit_code != 0
    assert "The town in this store is suzhou, not heping." in other.output
    assert "MAPSVC_DATA_DIR" in other.output, "what to do"


def test_a_store_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    assert run(tmp_path, "db", "upgrade").exit_code == 0
    added = CliRunner().invoke(
        cli,
        ["users", "add", "fang", "--role", "dispatcher"],
        input="ein-langes-wort-26\nein-langes-wort-26\n",
        env={"MAPSVC_DATA_DIR": str(tmp_path)},
    )
    assert added.exit_code == 0, added.output
    done = run(tmp_path, "demo", "--no-serve")
    assert done.exit_code != 0
    assert "somebody's own district" in done.output
    assert "empty folder" in done.output


def test_an_unknown_town_is_refused_with_the_names(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--profile", "atlantis")
    assert done.exit_code == 2
    assert "heping" in done.output
    assert "suzhou" in done.output
