"""The command line: quick to list, errors in two lines, the store commands."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mapsvc.base.settings import SETTINGS, Settings
from mapsvc.cli import main
from mapsvc.jobs import queue
from mapsvc.jobs.queue import MAX_TRIES
from mapsvc.storage import migrate
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.work import Store

ROOT = Path(__file__).resolve().parents[3]


def run(settings: Settings, *arguments: str, text: str | None = None) -> Result:
    environ = {"MAPSVC_DATA_DIR": str(settings.data_dir), "MAPSVC_DATABASE_URL": settings.database_url}
    return CliRunner().invoke(main.cli, arguments, env=environ, input=text)


def test_the_help_lists_every_noun_and_loads_none() -> None:
    program = "import sys; from mapsvc.__main__ import main\ntry:\n    main()\nfinally:\n    print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert all(f"  {noun} " in done.stdout for noun in main.NOUNS)
    loaded = set(done.stdout.split())
    assert not loaded & {"sqlalchemy", "shapely", "numpy", "flask", "alembic", "numba"}
    assert {name for name in loaded if name.startswith("mapsvc.cli.")} == {"mapsvc.cli.main"}


@pytest.mark.parametrize("noun", main.NOUNS)
def test_every_noun_has_its_command_and_help(noun: str) -> None:
    command = importlib.import_module(f"mapsvc.cli.{noun}").cli
    assert isinstance(command, click.Command)
    done = CliRunner().invoke(main.cli, [noun, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage: cli " + noun in done.output


def test_an_unknown_noun_is_a_wrong_use() -> None:
    done = CliRunner().invoke(main.cli, ["nonsense"])
    assert done.exit_code == 2
    assert "No such command" in done.output


def test_an_error_of_ours_is_two_lines_and_status_1(settings: Settings) -> None:
    done = run(settings, "jobs", "list")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0].startswith("Error: There is no store at ")
    assert done.stderr.splitlines()[1] == "Run `mapsvc db upgrade`."


def test_a_wrong_setting_is_told() -> None:
    done = CliRunner().invoke(main.cli, ["settings"], env={"MAPSVC_NEAREST_M": "far"})
    assert done.exit_code == 1
    assert "MAPSVC_NEAREST_M='far' cannot be used" in done.stderr


def test_settings_are_all_listed_and_secrets_are_not_shown() -> None:
    environ = {"MAPSVC_SECRET_KEY": "very secret", "MAPSVC_NEAREST_M": "75"}
    done = CliRunner().invoke(main.cli, ["settings", "--json"], env=environ)
    found = {row["name"]: row for row in json.loads(done.stdout)}
    assert list(found) == [f"MAPSVC_{setting.name}" for setting in SETTINGS]
    assert found["MAPSVC_SECRET_KEY"]["value"] == "(set)"
    assert found["MAPSVC_NEAREST_M"]["value"] == "75"
    table = CliRunner().invoke(main.cli, ["settings"], env=environ).stdout
    assert "very secret" not in table
    assert all(f"MAPSVC_{setting.name}" in table for setting in SETTINGS)


def test_a_store_is_made_once_and_found_again(settings: Settings) -> None:
    first, second = run(settings, "db", "upgrade"), run(settings, "db", "upgrade")
    assert first.stdout == f"The store {settings.data_dir / 'mapsvc.db'} is now at revision {migrate.HEAD}.\n"
    assert "is already at" in second.stdout
    current = run(settings, "db", "current")
    assert (current.exit_code, "the newest" in current.stdout) == (0, True)


def test_going_back_asks_first(settings: Settings) -> None:
    run(settings, "db", "upgrade")
    refused = run(settings, "db", "downgrade", "base", text="n\n")
    assert refused.exit_code == 1
    assert run(settings, "db", "current").exit_code == 0
    done = run(settings, "db", "downgrade", "base", "--yes")
    assert done.exit_code == 0
    assert run(settings, "db", "current").exit_code == 1


@pytest.fixture
def migrated(store: Store, store_settings: Settings) -> Settings:
    """Settings of a store with a waiting, a parked and a delivered job."""
    with store.write() as work:
        for number in range(3):
            work.session.add(
                OutboxRow(kind="rang", payload={"number": number}, created_at=work.now, due_at=work.now, tries=0)
            )
            work.session.flush()  # so that the ids are in this order
        waiting, parked, done = (work.session.get_one(OutboxRow, number) for number in (1, 2, 3))
        assert waiting.parked_at is None
        parked.parked_at, parked.tries, parked.error = work.now, MAX_TRIES, "Traceback\nValueError: broken"
        done.done_at = work.now
    return store_settings


def test_jobs_are_listed(migrated: Settings) -> None:
    done = run(migrated, "jobs", "list")
    assert done.exit_code == 0
    assert "ValueError: broken" in done.stdout
    assert "1 failed for good" in done.stderr
    everything = json.loads(run(migrated, "jobs", "list", "--json").stdout)
    assert [job["id"] for job in everything] == [1, 2]
    parked = json.loads(run(migrated, "jobs", "list", "--parked", "--json").stdout)
    assert [(job["id"], job["tries"], job["payload"]) for job in parked] == [(2, MAX_TRIES, {"number": 1})]


def test_a_parked_job_is_tried_again(migrated: Settings, store: Store) -> None:
    done = run(migrated, "jobs", "retry", "2")
    assert done.stdout == "Job 2 (rang) is due now.\n"
    with store.read() as work:
        assert queue.count_parked(work) == 0


@pytest.mark.parametrize(("job_id", "line"), [("3", "delivered already"), ("99", "no job 99")])
def test_a_job_that_cannot_be_tried_again_is_told(migrated: Settings, store: Store, job_id: str, line: str) -> None:
    done = run(migrated, "jobs", "retry", "2", job_id)
    assert done.exit_code == 1
    assert line in done.stderr
    with store.read() as work:
        assert queue.count_parked(work) == 1, "all of them or none"


def test_the_worker_delivers_once_and_ends(migrated: Settings, store: Store) -> None:
    done = run(migrated, "worker", "--once")
    assert done.exit_code == 0, done.output
    assert "1 jobs were dealt with" in done.stderr
    with store.read() as work:
        assert [job.id for job in queue.list_jobs(work)] == [2]


def test_no_job_at_all_is_said(settings: Settings) -> None:
    run(settings, "db", "upgrade")
    assert run(settings, "jobs", "list").stdout == "No job waits.\n"
