"""A private PostGIS cluster for one test process: made in a temporary folder, stopped with the process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "jit": "off",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


DURABLE = {**SETTINGS, "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""As an office runs it: a commit that returned is on disk. For tests that kill the server."""


class PostgisMissing(Exception):
    """PostgreSQL or PostGIS cannot be had on this machine; the text says which."""


@dataclass
class Cluster:
    """A cluster, reached by its socket folder or by its port on 127.0.0.1; it runs from `start` on."""

    folder: Path
    port: int
    binaries: Path
    user: str | None
    settings: dict[str, str]
    server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait for it; after a kill also for the death of the processes that it left."""
        deadline = time.monotonic() + 60
        while True:
            self.server = _start(self)
            try:
                _wait(self.server, self)
            except PostgisMissing:
                # The shared memory is in use until the last child of a killed postmaster has noticed its death.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """Kill the postmaster with -9: nothing is written any more, no client is told."""
        assert self.server is not None
        self.server.kill()
        self.server.wait()

    def stop(self) -> None:
        """Stop the server, without waiting for its clients."""
        if self.server is None:
            return
        self.server.send_signal(signal.SIGINT)
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of one database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}&port={self.port}"

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside a transaction, as CREATE DATABASE wants it."""
        with psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@dataclass
class Database:
    """A database that many tests use one after another; `empty` makes it as new in a few milliseconds.

    CREATE and DROP DATABASE for each test would cost a fifth of a second.
    """

    cluster: Cluster
    template: str
    name: str

    def __post_init__(self) -> None:
        self._make()

    @property
    def url(self) -> str:
        return self.cluster.url(self.name)

    def empty(self) -> None:
        """Cut all connections, delete all rows, start ids at 1; a database whose tables changed is made anew."""
        self.cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")
        with psycopg.connect(
            host=str(self.cluster.folder), port=self.cluster.port, user="postgres", dbname=self.name
        ) as connection:
            if connection.execute(SHAPE).fetchone() == self._shape:
                connection.execute("SET LOCAL session_replication_role = replica")  # foreign keys need no look
                connection.execute(self._deletions)
                for (table,) in connection.execute(LARGE).fetchall():
                    connection.execute(f"TRUNCATE {table} CASCADE")  # type: ignore[call-overload]
                return
        self.cluster.run(f"DROP DATABASE {self.name} WITH (FORCE)")
        self._make()

    def _make(self) -> None:
        self.cluster.run(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
        with psycopg.connect(
            host=str(self.cluster.folder), port=self.cluster.port, user="postgres", dbname=self.name
        ) as connection:
            self._shape = connection.execute(SHAPE).fetchone()
            names = [name for (name,) in connection.execute(TABLES).fetchall()]
            sequences = [name for (name,) in connection.execute(SEQUENCES).fetchall()]
        self._deletions = "".join(
            [f"DELETE FROM {name};" for name in names] + [f"SELECT setval('{name}', 1, false);" for name in sequences]
        ).encode()


TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
    "AND relname NOT IN ('spatial_ref_sys', 'alembic_version')"
)
SEQUENCES = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
LARGE = f"{TABLES} AND pg_relation_size(oid) > 1000000"
SHAPE = (
    "SELECT count(*), sum(hashtext(relname || attname || atttypid)) "
    "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
    "WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped"
)


@contextlib.contextmanager
def private_cluster(settings: dict[str, str] = SETTINGS) -> Iterator[Cluster]:
    """Start a cluster of our own on a free port and stop it afterwards, also when this process is killed."""
    binaries = _find_binaries()
    user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix="mapsvc-pg-"))
    cluster = Cluster(folder, _free_port(), binaries, user, settings)
    try:
        if user is not None:
            shutil.chown(folder, user)
        _run(
            [
                binaries / "initdb",
                "-D",
                folder / "data",
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
            ],
            user,
        )
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _find_binaries() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    if found := shutil.which("initdb"):
        folders.insert(0, Path(found).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgisMissing("PostgreSQL is not installed (apt-get install postgresql postgresql-15-postgis-3)")


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root; the account that its package makes is taken then."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise PostgisMissing("root cannot run PostgreSQL and there is no account `postgres`") from None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _run(command: list[str | Path], user: str | None) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgisMissing(f"{Path(command[0]).name} failed: {done.stderr.strip()[-300:]}")


def _start(cluster: Cluster) -> subprocess.Popen[bytes]:
    options = [part for name, value in cluster.settings.items() for part in ("-c", f"{name}={value}")]
    folder = cluster.folder
    where = ["-D", folder / "data", "-k", folder, "-h", "127.0.0.1", "-p", str(cluster.port)]
    command = [cluster.binaries / "postgres", *where, *options]
    return subprocess.Popen(
        command, user=cluster.user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,
    )  # fmt: skip


def _die_with_parent() -> None:
    """Ask Linux for a SIGINT (fast shutdown) when the test process dies, so that no server is left behind."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _wait(server: subprocess.Popen[bytes], cluster: Cluster) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise PostgisMissing(f"the private PostgreSQL ended with status {server.returncode}")
        try:
            cluster.run("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise PostgisMissing("the private PostgreSQL did not answer within a minute")
