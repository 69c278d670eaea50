"""Migrations on both databases: up from nothing, equal to the row classes, down to nothing, and the errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, Table, inspect, text

from mapsvc.base.errors import Misconfigured, Unavailable
from mapsvc.base.settings import Settings
from mapsvc.storage import migrate
from mapsvc.storage.base import Row
from mapsvc.storage.engine import make_engine
from tests import schema  # noqa: F401  # loads every row class into the metadata
from tests.postgis import Cluster

# SQLAlchemy does not know PostGIS's type; `column_types` below asks the database itself about it.
pytestmark = pytest.mark.filterwarnings("ignore:Did not recognize type 'geometry'")

OURS_BESIDE_THE_ROWS = {
    "alembic_version", "case_words_term",
    *(f"{tree}{part}" for tree in ("border_box", "case_position") for part in ("", "_node", "_parent", "_rowid")),
    *(f"case_words{part}" for part in ("", "_config", "_data", "_idx")),
    "ix_case_file_point", "ix_case_file_words",
}  # fmt: skip
"""Tables beside those of the row classes, and indexes over expressions; tests of their own prove that they work."""
OF_POSTGIS = {"spatial_ref_sys", "geometry_columns", "geography_columns"}


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def empty(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Engine]:
    """A database that holds nothing: no file on SQLite, no extension on PostgreSQL."""
    if request.param == "sqlite":
        engine = make_engine(settings.store_url)
        yield engine
        engine.dispose()
        return
    cluster: Cluster = request.getfixturevalue("postgis_cluster")
    cluster.run("CREATE DATABASE empty")
    engine = make_engine(cluster.url("empty"))
    yield engine
    engine.dispose()
    cluster.run("DROP DATABASE empty WITH (FORCE)")


def differences(engine: Engine) -> list[Any]:
    """Return what Alembic would do to make the store equal to the row classes."""

    def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
        return name not in OURS_BESIDE_THE_ROWS | OF_POSTGIS

    def known_type(_context: Any, _column: Any, _metadata_column: Any, found: Any, wanted: Any) -> bool | None:
        return False if "geometry" in type(wanted).__name__.lower() else None

    def dialect_index(item: Any) -> bool:
        """Whether this is the GiST index, which SQLite neither has nor wants."""
        return engine.dialect.name == "sqlite" and item[0] == "add_index" and item[1].name == "ix_border_geometry"

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": known_type, "compare_server_default": True, "include_object": ours}
        )
        return [item for item in compare_metadata(context, Row.metadata) if not dialect_index(item)]


def column_types(engine: Engine) -> dict[tuple[str, str], tuple[str, bool]]:
    """Return the type and nullability of every column, as the database itself says them."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            found: dict[tuple[str, str], tuple[str, bool]] = {}
            for table in Row.metadata.tables:
                for column in inspect(connection).get_columns(table):
                    found[table, column["name"]] = (str(column["type"]), bool(column["nullable"]))
            return found
        rows = connection.execute(
            text(
                "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull "
                "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "WHERE a.attnum > 0 AND c.relkind = 'r' AND c.relname = ANY(:names)"
            ),
            {"names": list(Row.metadata.tables)},
        )
        return {(table, column): (kind, nullable) for table, column, kind, nullable in rows}


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        found = inspect(connection)
        return set(found.get_table_names()) - OF_POSTGIS


def test_the_migrated_store_is_the_one_that_the_row_classes_describe(empty: Engine) -> None:
    migrate.upgrade(empty)
    assert differences(empty) == []


def test_a_missing_column_would_be_noticed(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("ALTER TABLE person DROP COLUMN phone"))
    assert [item[0] for item in differences(empty)] == ["add_column"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def test_the_stores_of_the_other_tests_are_the_migrated_one(
    kind: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(f"{kind}_store").engine
    expected = column_types(made)
    if kind == "sqlite":
        migrated = make_engine(f"sqlite:///{settings.data_dir / 'migrated.db'}")
    else:
        cluster: Cluster = request.getfixturevalue("postgis_cluster")
        cluster.run("CREATE DATABASE migrated")
        migrated = make_engine(cluster.url("migrated"))
    try:
        migrate.upgrade(migrated)
        assert column_types(migrated) == expected
        assert tables(migrated) == tables(made)
    finally:
        migrated.dispose()
        if kind == "postgis":
            cluster.run("DROP DATABASE migrated WITH (FORCE)")


def test_going_back_to_base_leaves_nothing_of_ours(empty: Engine) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert tables(empty) == {"alembic_version"}
    assert migrate.find_revision(empty) is None


def test_up_down_and_up_again(empty: Engine) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    migrate.upgrade(empty)
    migrate.require_current(empty)
    assert differences(empty) == []


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO revision (name, number) VALUES ('borders', 7)"))
    migrate.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT number FROM revision")) == 7


def test_a_store_that_was_never_made_says_what_to_run(empty: Engine) -> None:
    with pytest.raises(Misconfigured) as caught:
        migrate.require_current(empty)
    assert caught.value.code == "store_not_migrated"
    assert "mapsvc db upgrade" in caught.value.hint


def test_asking_for_the_revision_makes_no_file(settings: Settings) -> None:
    engine = make_engine(settings.store_url)
    assert migrate.find_revision(engine) is None
    assert not settings.data_dir.exists()
    engine.dispose()


@pytest.mark.parametrize(("revision", "code"), [("0000", "store_not_migrated"), ("9999", "store_too_new")])
def test_an_older_and_a_newer_store_are_told_apart(empty: Engine, revision: str, code: str) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    with pytest.raises(Misconfigured) as caught:
        migrate.require_current(empty)
    assert caught.value.code == code


def test_an_unknown_revision_is_refused_and_changes_nothing(empty: Engine) -> None:
    migrate.upgrade(empty)
    with pytest.raises(Misconfigured) as caught:
        migrate.downgrade(empty, "nowhere")
    assert caught.value.code == "unknown_revision"
    migrate.require_current(empty)


def test_a_migration_that_fails_leaves_nothing_behind(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: object) -> None:
        raise RuntimeError("stopped half way")

    monkeypatch.setattr("mapsvc.storage.boxes.create_border_boxes", fail)
    with pytest.raises(RuntimeError, match="half way"):
        migrate.upgrade(empty)
    assert tables(empty) == set()


def test_going_back_without_a_store_says_so(empty: Engine) -> None:
    with pytest.raises(Misconfigured) as caught:
        migrate.downgrade(empty, "base")
    assert caught.value.code == "store_not_migrated"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    engine = make_engine(f"sqlite:///{tmp_path / 'file' / 'mapsvc.db'}")
    with pytest.raises(Unavailable) as caught:
        migrate.upgrade(engine)
    assert caught.value.code == "store_gone"
    engine.dispose()


@pytest.mark.postgis
def test_without_the_right_to_add_postgis_the_error_says_who_can(postgis_cluster: Cluster) -> None:
    postgis_cluster.run("CREATE ROLE plain LOGIN")
    postgis_cluster.run("CREATE DATABASE plain OWNER plain")
    engine = make_engine(postgis_cluster.url("plain").replace("postgres@", "plain@"))
    with pytest.raises(Misconfigured) as caught:
        migrate.upgrade(engine)
    assert caught.value.code == "no_postgis"
    assert "CREATE EXTENSION postgis" in caught.value.hint
    assert tables(engine) == set()
    engine.dispose()


@pytest.mark.postgis
def test_a_superuser_made_the_extension_and_a_plain_owner_migrates(postgis_cluster: Cluster) -> None:
    postgis_cluster.run("CREATE ROLE owner LOGIN")
    postgis_cluster.run("CREATE DATABASE owned OWNER owner")
    postgis_cluster.run("CREATE EXTENSION postgis", "owned")
    engine = make_engine(postgis_cluster.url("owned").replace("postgres@", "owner@"))
    migrate.upgrade(engine)
    migrate.require_current(engine)
    engine.dispose()


# The scripts themselves.


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    return ScriptDirectory.from_config(config)


def test_the_written_head_is_the_real_one() -> None:
    assert scripts().get_heads() == [migrate.HEAD]


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


REVISIONS = sorted((migrate.SCRIPTS / "versions").glob("*.py"))


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: path.stem)
def test_a_revision_goes_back_and_knows_no_row_class(path: Path) -> None:
    found = functions(path)
    assert len([node for node in found["downgrade"].body if not isinstance(node, ast.Expr | ast.Pass)]) or any(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in found["downgrade"].body
    ), "downgrade does nothing"
    assert ".models" not in path.read_text(encoding="utf-8"), "a revision must not change when the row classes do"


def test_revisions_are_numbered_in_their_order() -> None:
    order = [script.revision for script in scripts().walk_revisions()][::-1]
    assert order == sorted(order)
    assert [path.stem.split("_")[0] for path in REVISIONS] == [f"r{revision}" for revision in order]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def test_marks_are_folded_from_the_events_that_are_there(
    database: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    if database == "postgis":
        cluster: Cluster = request.getfixturevalue("postgis_cluster")
        cluster.run("CREATE DATABASE marks")
    engine = make_engine(settings.store_url if database == "sqlite" else cluster.url("marks"))
    migrate.upgrade(engine, "0004")
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["case_file", "case_event"])
        case, event = tables.tables["case_file"], tables.tables["case_event"]
        logs = {1: ["open"], 2: ["open", "accept", "dispatch", "fix", "check_fail", "fix", "check_pass"],
                3: ["open", "instant_fix", "close", "reopen"]}  # fmt: skip
        for case_id, steps in logs.items():
            connection.execute(case.insert().values(_row(case, case_id)))
            for number, step in enumerate(steps):
                values = _row(event, case_id * 100 + number)
                values |= {"case_id": case_id, "sequence": number, "step": step, "at": MOMENT.replace(hour=number)}
                connection.execute(event.insert().values(values))
    migrate.upgrade(engine)
    with engine.begin() as connection:
        names = ("filed_at", "dispatched_at", "fixed_at", "instant_at", "check_result")
        rows = connection.execute(text(f"SELECT {', '.join(names)} FROM case_file ORDER BY id")).all()
    engine.dispose()
    if database == "postgis":
        cluster.run("DROP DATABASE marks WITH (FORCE)")
    hours = [[None if at is None else str(at)[11:13] for at in row[:4]] + [row[4]] for row in rows]
    assert hours == [
        [None, None, None, None, None],
        ["01", "02", "05", None, "passed"],
        [None, None, None, "01", None],
    ]


MOMENT = datetime(2026, 11, 23, tzinfo=UTC)


def _row(table: Table, row_id: int) -> dict[str, object]:
    """Return some value for every column that must have one."""
    kinds: dict[str, object] = {"INTEGER": row_id, "BOOLEAN": False, "DATETIME": MOMENT, "JSON": {}, "DOUBLE": 0.0}
    found: dict[str, object] = {}
    for column in table.columns:
        if not column.nullable:
            kind = str(column.type).split("(", maxsplit=1)[0]
            found[column.name] = uuid4() if "uuid" in column.name else kinds.get(kind, f"{column.name} {row_id}")
            if kind == "TIMESTAMP":
                found[column.name] = MOMENT
            if column.name == "uuid" and kind in {"CHAR", "VARCHAR"}:
                found[column.name] = uuid4().hex
    return found
