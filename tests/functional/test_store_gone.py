"""The database is killed with -9, or its disk is full, while the service works: what it said it has, it has.

The cluster is one of its own, which syncs as an office's would; the postmaster is killed, not the machine. The full
disk is a real one of a few megabytes where this account may mount one. Where it may not, PostgreSQL is made to answer
what it answers on a full disk (SQLSTATE 53100), and SQLite is given a largest number of pages.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Pool, event, func, select
from werkzeug.test import TestResponse

from mapsvc.base.clock import FixedClock, SystemClock
from mapsvc.base.events import CaseOpened
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Assignment, Case, CaseEvent, Deadline
from mapsvc.jobs.queue import Job
from mapsvc.jobs.worker import Worker
from mapsvc.storage.engine import create_store_file, make_engine
from mapsvc.storage.work import Store
from tests import postgis, schema, squares, town
from tests.conftest import settings_for

from .crash_town import address, contents, killer, posts_file, settled, tickets, undisturbed, visible_cases
from .test_serve import free_port, serving

pytestmark = pytest.mark.postgis

AGAIN_S = 60.0
"""So long a database may take to come back; nothing is measured by it."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgis.Cluster]:
    try:
        with postgis.private_cluster(postgis.DURABLE) as made:
            made.run("CREATE DATABASE template_mapsvc")
            engine = make_engine(made.url("template_mapsvc"))
            create_store_file(engine)
            schema.create(engine)
            engine.dispose()
            yield made
    except postgis.PostgisMissing as missing:
        pytest.skip(f"PostGIS cannot be had: {missing}")


@pytest.fixture
def mortal(cluster: postgis.Cluster, clock: FixedClock) -> Iterator[Store]:
    """A store of its own on the cluster that may be killed."""
    cluster.run("CREATE DATABASE mortal TEMPLATE template_mapsvc")
    engine = make_engine(cluster.url("mortal"))
    yield Store(engine, clock)
    engine.dispose()
    cluster.run("DROP DATABASE mortal WITH (FORCE)")


@dataclass
class Reporter:
    """Sends reports one after another until told to stop, and keeps what was answered by the id of each."""

    port: int
    token: str
    answers: dict[uuid.UUID, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    enough: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.enough.is_set():
            if self.send(uuid.uuid4()) not in {200, 201}:
                self.enough.wait(0.1)

    def send(self, case: uuid.UUID) -> int:
        lon, lat = squares.middle(0, 0)
        body = {"category": town.CATEGORY, "position": {"lon": lon, "lat": lat}}
        status, answer = 0, b"{}"
        with suppress(OSError, HTTPException):
            status, answer, _ = ask(self.port, f"/api/v1/cases/{case}", self.token, body)
        self.answers.setdefault(case, []).append((status, json.loads(answer)))
        return status

    def acknowledged(self) -> set[uuid.UUID]:
        return {case for case, told in self.answers.items() if any(status in {200, 201} for status, _ in told)}

    def refused(self) -> list[tuple[int, dict[str, Any]]]:
        return [one for told in self.answers.values() for one in told if one[0] not in {200, 201}]


def ask(port: int, path: str, token: str = "", body: Any = None, accept: str = "") -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    headers |= {"Accept": accept} if accept else {}
    try:
        connection.request("GET" if body is None else "PUT", path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + AGAIN_S
    while not done():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def assert_whole(store: Store, acknowledged: set[uuid.UUID]) -> None:
    """Every acknowledged case is there, and every case that is there is whole."""
    with store.read() as work:
        there = dict(work.session.execute(select(Case.uuid, Case.id)).all())
        assert acknowledged <= there.keys()
        for rows, at_least in ((CaseEvent, 1), (Assignment, 1), (Deadline, 1)):
            counted = dict(work.session.execute(select(rows.case_id, func.count()).group_by(rows.case_id)).all())
            assert counted.keys() == set(there.values())
            assert min(counted.values()) >= at_least


def test_a_killed_postgresql_loses_no_report_and_the_service_comes_back_by_itself(
    cluster: postgis.Cluster, mortal: Store, settings: Settings, clock: FixedClock
) -> None:
    made = town.build(mortal, settings_for(settings, mortal.engine), clock)
    token = made.logins["intake"].token
    made.close()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAPSVC_")}
    environment |= {"MAPSVC_DATA_DIR": str(settings.data_dir), "MAPSVC_DATABASE_URL": address(mortal)}
    port = free_port()
    with serving(environment, port) as process:
        assert process.stderr is not None
        logged: list[str] = []
        threading.Thread(target=logged.extend, args=(process.stderr,), daemon=True).start()  # a full pipe would stop it
        reporter = Reporter(port, token)
        sender = threading.Thread(target=reporter.run)
        sender.start()
        try:
            until(lambda: len(reporter.acknowledged()) >= 5)
            cluster.kill()
            until(lambda: any(status == 503 for status, _ in reporter.refused()))
            page = ask(port, "/cases", token, accept="text/html")
            ready = ask(port, "/readyz")
        finally:
            cluster.start()
        before = len(reporter.acknowledged())
        until(lambda: len(reporter.acknowledged()) >= before + 5)
        reporter.enough.set()
        sender.join()
        assert process.poll() is None, "the same process serves again"
        for status, told in reporter.refused():
            assert (status, told.get("code")) == (503, "store_gone"), told
            assert "postgres" not in json.dumps(told).lower(), "where the store lies is for the log"
        assert ready[0] == 503
        status, content, headers = page
        assert (status, headers["retry-after"]) == (503, "5")
        assert headers["content-type"].startswith("text/html")
        assert "系统暂时不可用" in content.decode()
        assert_whole(mortal, reporter.acknowledged())
        for case in list(reporter.answers):
            assert reporter.send(case) in {200, 201}, "sent again, each is one case"
    with mortal.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Case)) == len(reporter.answers)


def test_a_worker_outlives_the_death_of_its_database(cluster: postgis.Cluster, mortal: Store) -> None:
    heard: list[int] = []

    def listen(_store: Store, job: Job) -> None:
        heard.append(job.payload["case_id"])

    worker = Worker(Store(mortal.engine, SystemClock()), {CaseOpened.kind: (listen,)})
    thread = threading.Thread(target=lambda: worker.run(wait_s=0.05))
    thread.start()
    try:
        with mortal.write() as work:
            work.emit(CaseOpened(1))
        until(lambda: heard == [1])
        cluster.kill()
        thread.join(0.5)
        assert thread.is_alive()
    finally:
        cluster.start()
    try:
        with mortal.write() as work:
            work.emit(CaseOpened(2))
        until(lambda: heard == [1, 2])
    finally:
        worker.stop()
        thread.join()


def test_an_import_whose_postgresql_is_killed_goes_on_when_it_is_back(
    cluster: postgis.Cluster, mortal: Store, settings: Settings, tmp_path: Path, twin: tuple[Store, Settings]
) -> None:
    settled(mortal, settings)
    path = tickets(tmp_path / "tickets.csv")
    expected = undisturbed("cases", twin, path)
    with killer("cases", address(mortal), settings, path) as run:
        for point in ("pause dml 2 3", "pause commit 2", "pause committed 2", "pause commit 2"):
            assert run.at(point) == "paused"
            cluster.kill()
            assert run.at("go on").startswith("failed: The store cannot be reached")
            assert run.process.stdout is not None
            assert run.process.stdout.readline().strip() == "ended with 1"
            cluster.start()
            assert visible_cases(mortal, tmp_path) == 0, point
        assert run.at("none") == "done"
    assert contents(mortal) == expected


def test_posts_are_whole_after_their_postgresql_was_killed(
    cluster: postgis.Cluster, mortal: Store, settings: Settings, tmp_path: Path, twin: tuple[Store, Settings]
) -> None:
    settled(mortal, settings)
    before = contents(mortal)
    [path] = posts_file(tmp_path)
    expected = undisturbed("posts", twin, path)
    with killer("posts", address(mortal), settings, path) as run:
        for point in ("pause dml 1 2", "pause commit 1"):
            assert run.at(point) == "paused"
            cluster.kill()
            assert run.at("go on").startswith("failed: The store cannot be reached")
            assert run.process.stdout is not None
            assert run.process.stdout.readline().strip() == "ended with 1"
            cluster.start()
            assert contents(mortal) == before
        assert run.at("none") == "done"
    assert contents(mortal) == expected


# A full disk.


@dataclass
class Disk:
    """A small disk with a store on it, or what stands in for one: filled, and given room again."""

    store: Store
    fill: Callable[[], None]
    relieve: Callable[[], None]


def mounted(folder: Path, megabytes: int) -> bool:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0


def filler(folder: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    def fill() -> None:
        with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    return fill, (folder / "filler").unlink


@pytest.fixture
def sqlite_disk(tmp_path: Path, _sqlite_template: Path, clock: FixedClock) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    real = mounted(folder, 12)
    shutil.copyfile(_sqlite_template, folder / "mapsvc.db")
    engine = make_engine(f"sqlite:///{folder / 'mapsvc.db'}")
    pages = {"most": 2**31}

    def limit(connection: Any, *_more: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages['most']}").close()

    if real:
        disk = Disk(Store(engine, clock), *filler(folder))
    else:
        event.listen(Pool, "checkout", limit)  # of every engine: the app has one of its own
        disk = Disk(Store(engine, clock), lambda: pages.update(most=1), lambda: pages.update(most=2**31))
    yield disk
    engine.dispose()
    if real:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        event.remove(Pool, "checkout", limit)


REFUSING = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON case_event EXECUTE FUNCTION full_disk();
ALTER TABLE case_event DISABLE TRIGGER full_disk;
"""


@pytest.fixture
def postgis_disk(cluster: postgis.Cluster, clock: FixedClock, tmp_path: Path) -> Iterator[Disk]:
    folder = cluster.folder / "disk"
    real = mounted(folder, 48)
    if real:
        if cluster.user is not None:
            shutil.chown(folder, cluster.user)
        (folder / "tables").mkdir()
        if cluster.user is not None:
            shutil.chown(folder / "tables", cluster.user)
        cluster.run(f"CREATE TABLESPACE small LOCATION '{folder / 'tables'}'")
        cluster.run("CREATE DATABASE small TEMPLATE template_mapsvc TABLESPACE small")
        fill, relieve = filler(folder)
    else:
        cluster.run("CREATE DATABASE small TEMPLATE template_mapsvc")
        cluster.run(REFUSING, "small")
        switch = "ALTER TABLE case_event {} TRIGGER full_disk"
        fill, relieve = (
            (lambda: cluster.run(switch.format("ENABLE"), "small")),
            (lambda: cluster.run(switch.format("DISABLE"), "small")),
        )
    engine = make_engine(cluster.url("small"))
    yield Disk(Store(engine, clock), fill, relieve)
    engine.dispose()
    cluster.run("DROP DATABASE small WITH (FORCE)")
    if real:
        cluster.run("DROP TABLESPACE small")
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture(params=["sqlite", "postgis"])
def disk(request: pytest.FixtureRequest) -> Disk:
    found: Disk = request.getfixturevalue(f"{request.param}_disk")
    return found


def test_a_full_disk_is_told_kindly_and_ends_by_itself(disk: Disk, settings: Settings, clock: FixedClock) -> None:
    made = town.build(disk.store, settings_for_disk(settings, disk), clock)
    acknowledged = {made.report("intake")[0] for _ in range(3)}
    disk.fill()
    refused = None
    for _ in range(2_000):
        case, answer = made.report("intake", description="长" * 900)
        if answer.status_code == 503:
            refused = answer
            break
        assert answer.status_code == 201
        acknowledged.add(case)
    assert refused is not None
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("disk_full", "5")
    told = send_form(made.client())
    assert told.status_code == 503
    assert ("没有保存" in told.text, TYPED in told.text) == (True, True), "the form comes back with what was typed"
    assert made.get("/api/v1/cases", "intake").status_code == 200, "reading goes on"
    assert_whole(disk.store, acknowledged)
    disk.relieve()
    assert made.report("intake")[1].status_code == 201, "no restart was needed"
    assert_whole(disk.store, acknowledged)
    made.close()


TYPED = "长" * 900


def send_form(client: FlaskClient) -> TestResponse:
    """Report by the public form, as a browser does."""
    found = dict(re.findall(r'name="(csrf_token|uuid)" value="([^"]+)"', client.get("/report").text))
    lon, lat = squares.middle(0, 0)
    form = {"tile": "rubbish", "lon": str(lon), "lat": str(lat), "source": "tap", "description": TYPED}
    return client.post("/report", data=found | form, headers={"Accept": "text/html"})


def settings_for_disk(settings: Settings, disk: Disk) -> Settings:
    return replace(settings, database_url=disk.store.engine.url.render_as_string(hide_password=False))
