"""`mapsvc users` on both stores: no password on the command line, errors in two lines."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mapsvc.areas.models import Area, AreaVersion, Generation
from mapsvc.base.errors import NotAuthenticated
from mapsvc.base.settings import Settings
from mapsvc.cli import users
from mapsvc.cli.main import cli
from mapsvc.people import queries
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.people.service.access import log_in
from mapsvc.people.service.persons import PersonData, upsert_persons
from mapsvc.people.service.units import UnitData, upsert_units
from mapsvc.storage import migrate
from mapsvc.storage.work import Store

TODAY = date(2026, 11, 23)
PASSWORD = "three brown foxes"


@pytest.fixture(autouse=True)
def _migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store of the tests is made from the rows and bears no revision."""
    monkeypatch.setattr(migrate, "require_current", lambda _engine: None)


@pytest.fixture
def run(store_settings: Settings) -> Any:
    environ = {"MAPSVC_DATA_DIR": str(store_settings.data_dir), "MAPSVC_DATABASE_URL": store_settings.database_url}

    def run_command(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(cli, ["users", *arguments], env=environ, input=text)

    return run_command


def add_areas(store: Store, *places: tuple[str, str]) -> dict[tuple[str, str], int]:
    with store.write() as work:
        work.session.add(Generation(number=1, level="", started_at=work.now, published_at=work.now))
        work.session.flush()
        ids = {}
        for level, code in places:
            area = Area(level=level, code=code)
            work.session.add(area)
            work.session.flush()
            work.session.add(AreaVersion(area_id=area.id, generation=1, name=code, label_lon=0.0, label_lat=0.0))
            ids[level, code] = area.id
        return ids


def actor(store: Store, name: str) -> Actor:
    with store.read() as work:
        user = queries.find_user(work, name)
        assert user is not None
        found = queries.load_actor(work, user.id, TODAY)
    assert found is not None
    return found


def test_a_password_from_stdin(run: Any, store: Store) -> None:
    done = run("add", "HeFang", "--role", "intake", "--display-name", "何芳", "--password-stdin", text=PASSWORD + "\n")
    assert (done.exit_code, done.stdout) == (0, "Added hefang as intake (受理员).\n"), done.output
    assert log_in(store, "hefang", PASSWORD).display_name == "何芳"


def test_where_nobody_can_be_asked_a_password_is_made(run: Any, store: Store) -> None:
    done = run("add", "hefang", "--role", "intake")
    assert done.exit_code == 0, done.output
    made = done.stdout.splitlines()[1].removeprefix("Password: ")
    assert len(made) >= 16
    assert log_in(store, "hefang", made).name == "hefang"


def test_a_typed_password_is_hidden_and_confirmed(run: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users.sys, "stdin", type("Terminal", (), {"isatty": staticmethod(lambda: True)})())
    asked: list[dict[str, object]] = []

    def prompt(_text: str, **options: object) -> str:
        asked.append(options)
        return PASSWORD

    monkeypatch.setattr(users.click, "prompt", prompt)
    made, hashed = users._new_password("x", from_stdin=False)
    assert made == ""
    assert hashed.startswith("$argon2id$")
    assert asked == [{"hide_input": True, "confirmation_prompt": True}]


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in users.cli.commands.values():
        for parameter in command.params:
            if "password" in (parameter.name or ""):
                assert getattr(parameter, "is_flag", False), command.name


def test_a_weak_password_adds_nothing(run: Any, store: Store) -> None:
    done = run("add", "hefang", "--role", "intake", "--password-stdin", text="short\n")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: A password has at least 10 characters.\n")
    with store.read() as work:
        assert queries.find_user(work, "hefang") is None


def test_roles_of_place_and_unit(run: Any, store: Store) -> None:
    ids = add_areas(store, ("patch", "P07"), ("grid", "P07"), ("street", "S1"), ("grid", "X"), ("community", "X"))
    with store.write() as work:
        unit_id = upsert_units(work, SYSTEM, [UnitData("HW", "环卫所")]).ids["HW"]
        upsert_persons(work, SYSTEM, [PersonData("R1", "张敏")])
    assert run("add", "a", "--role", "area_chief", "--area", "P07", "--no-password").exit_code == 0
    assert run("add", "b", "--role", "grid_chief", "--area", "P07", "--no-password").exit_code == 0
    assert run("add", "c", "--role", "patrol", "--area", "P07", "--level", "grid", "--no-password").exit_code == 0
    assert run("add", "d", "--role", "leader", "--area", "S1", "--no-password").exit_code == 0
    assert run("add", "e", "--role", "unit_staff", "--unit", "HW", "--no-password").exit_code == 0
    assert run("add", "f", "--role", "area_chief", "--person", "R1", "--no-password").exit_code == 0
    assert actor(store, "a").areas_of("area_chief") == {ids["patch", "P07"]}
    assert actor(store, "b").areas_of("grid_chief") == {ids["grid", "P07"]}
    assert actor(store, "c").areas_of("patrol") == {ids["grid", "P07"]}
    assert actor(store, "d").areas_of("leader") == {ids["street", "S1"]}
    assert actor(store, "e").unit_ids == {unit_id}
    assert actor(store, "f").name == "张敏"
    with pytest.raises(NotAuthenticated):
        log_in(store, "a", "")
    for arguments, code in (
        (("--role", "patrol", "--area", "X"), "several levels"),
        (("--role", "patrol", "--area", "Y"), "no area Y"),
        (("--role", "patrol", "--area", "X", "--level", "moon"), "no level 'moon'"),
        (("--role", "unit_staff", "--unit", "??"), "no unit ??"),
        (("--role", "area_chief", "--person", "??"), "no person ??"),
        (("--role", "area_chief"), "holds in an area"),
    ):
        done = run("add", "z", *arguments, "--no-password")
        assert (done.exit_code, code in done.stderr) == (1, True), done.stderr
    assert run("add", "z", "--role", "king", "--no-password").exit_code == 2


def test_an_account_through_its_life(run: Any, store: Store) -> None:
    run("add", "zhaoxue", "--role", "dispatcher", "--no-password")
    assert "another name" in run("add", "ZhaoXue", "--role", "intake", "--no-password").stderr
    assert "does not close" in run("grant", "zhaoxue", "--role", "duty_officer").stderr
    assert run("grant", "zhaoxue", "--role", "intake").exit_code == 0
    listed = json.loads(run("list", "--json").stdout)
    assert [role["role"] for role in listed[0]["roles"]] == ["dispatcher", "intake"]
    assert run("end-role", str(listed[0]["roles"][1]["number"])).exit_code == 0
    assert "zhaoxue" in run("list").stdout
    assert run("passwd", "zhaoxue", "--password-stdin", text=PASSWORD + "\n").exit_code == 0
    assert log_in(store, "zhaoxue", PASSWORD).revision == 2
    token = run("token", "zhaoxue", "--for", "phone", "--days", "3650")
    secret = token.stdout.strip()
    with store.read() as work:
        assert queries.load_actor_by_token(work, secret, TODAY) is not None
    number = token.stderr.split()[1]
    assert run("revoke-token", number).exit_code == 0
    with store.read() as work:
        assert queries.load_actor_by_token(work, secret, TODAY) is None
    assert run("lock", "zhaoxue").exit_code == 0
    assert json.loads(run("list", "--json").stdout)[0]["active"] is False
    with pytest.raises(NotAuthenticated):
        log_in(store, "zhaoxue", PASSWORD)
    assert run("unlock", "zhaoxue").exit_code == 0
    assert log_in(store, "zhaoxue", PASSWORD)


@pytest.mark.parametrize("command", ["lock", "unlock", "passwd", "grant", "token"])
def test_an_account_that_is_not_there(run: Any, command: str) -> None:
    more = {"grant": ["--role", "intake"], "token": ["--for", "x"]}.get(command, [])
    done = run(command, "nobody", *more)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == ["Error: There is no account nobody.", "`mapsvc users list` shows them."]
