"""Figures over HTTP, under wrk against granian: `python -m tests.bench.http [--areas 10000] [--seconds 6]`.

Each figure stands beside its peer of the same run: `GET /api/v1/locate` beside a route of the same app
that answers a constant, durable reports beside the disk's own fsync rate. Ratios are what to quote.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
from werkzeug.test import EnvironBuilder

from mapsvc.areas.models import Area, Post
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import MadeColumn
from mapsvc.areas.service.writing import bump_revision
from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import load_settings
from mapsvc.people.models import Person
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.access import issue_token
from mapsvc.people.service.users import NewGrant, NewUser, add_user
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.bench.ground import make_areas, make_points
from tests.squares import rows_of, shipped_levels

CONNECTIONS = 8
BATCH = 10_000
POINTS_IN_SCRIPT = 2_000


@dataclass(frozen=True)
class Load:
    """What wrk measured."""

    per_s: float
    p50: str
    p99: str
    errors: str


def build(folder: Path, count: int) -> str:
    """Make a store of `count` grids in patches of about ten, a public chief on each; return a token of staff."""
    settings = load_settings({"MAPSVC_DATA_DIR": str(folder)})
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    store = Store(engine, SystemClock())
    codes = [f"G{number:06}" for number in range(count)]
    patches = [f"P{number // 10:05}" for number in range(count)]
    made = MadeColumn("patch", tuple(patches), tuple(patches))
    rows = rows_of(dict(zip(codes, make_areas(count), strict=True)), made=(made,))
    import_rows(store, settings, shipped_levels(), SYSTEM, "grid", rows)
    with store.write() as work:
        areas = [row[0] for row in work.session.execute(select(Area.id).order_by(Area.id))]
        people = [{"id": n, "code": f"R{n}", "name": f"张{n}", "public": True} for n in range(1, len(areas) + 1)]
        work.session.execute(insert(Person), people)
        posts = [{"area_id": area, "person_id": n, "role": "chief"} for n, area in enumerate(areas, start=1)]
        work.session.execute(insert(Post), posts)
        bump_revision(work, "posts")
        user = add_user(work, SYSTEM, NewUser("intake", grants=(NewGrant("intake"),)))
        token = issue_token(work, SYSTEM, user.id, "bench").secret
    engine.dispose()
    return token


@contextmanager
def serving(folder: Path, *, workers: int, threads: int) -> Iterator[str]:
    """Run granian over the app of the figures; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    many = dict.fromkeys(("MAPSVC_PUBLIC_REPORTS_PER_HOUR", "MAPSVC_PUBLIC_LOOKUPS_PER_HOUR"), "100000000")
    environment = {**os.environ, "MAPSVC_DATA_DIR": str(folder), **many}
    command = [sys.executable, "-c", _SERVE, str(port), str(workers), str(threads)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=5).read()
                break
            except OSError:
                continue
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


_SERVE = """
import sys
from pathlib import Path
from mapsvc.cli import serve
serve.TARGET = "tests.bench.http_app:make_app"
port, workers, threads = map(int, sys.argv[1:])
serve.run("127.0.0.1", port, workers=workers, threads=threads, tls_cert=None, tls_key=None)
"""


def wrk(url: str, seconds: int, script: str = "", token: str = "", connections: int = CONNECTIONS) -> Load:
    """Load an address and return what was measured."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command += ["-s", file.name] if script else []
        command += ["-H", f"Authorization: Bearer {token}"] if token else []
        told = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    find = re.compile(r"(50%|99%|Requests/sec:|Non-2xx or 3xx responses:|Socket errors:)\s+(\S.*)")
    found = dict(find.findall(told))
    errors = found.get("Non-2xx or 3xx responses:", "") + found.get("Socket errors:", "")
    return Load(float(found["Requests/sec:"]), found["50%"], found["99%"], errors)


def script_of_points(points: NDArray[np.float64], path: str) -> str:
    """Return a wrk script that asks for one point after another."""
    lines = ",\n".join(f'"{path}lon={lon:.7f}&lat={lat:.7f}"' for lon, lat in points)
    return f"local p={{{lines}}}\nlocal n=0\nrequest=function() n=n%#p+1 return wrk.format('GET',p[n]) end\n"


def script_of_body(path: str, body: Path, content_type: str) -> str:
    """Return a wrk script that posts one body again and again."""
    return (
        f"local f=io.open('{body}','rb') wrk.body=f:read('*a') f:close()\n"
        f"wrk.method='POST' wrk.path='{path}' wrk.headers['Content-Type']='{content_type}'\n"
    )


def bench_locate(url: str, points: NDArray[np.float64], token: str, seconds: int, rounds: int) -> None:
    """One point: with names of chiefs (public ones for everybody, all for staff) beside the constant."""
    asked = script_of_points(points[:POINTS_IN_SCRIPT], "/api/v1/locate?")
    constant = script_of_points(points[:POINTS_IN_SCRIPT], "/api/constant?")
    for who, sent in (("everybody", ""), ("staff, by token", token)):
        ratios = []
        for _ in range(rounds):
            best, found = wrk(url, seconds, constant, sent), wrk(url, seconds, asked, sent)
            ratios.append(found.per_s / best.per_s)
            print(
                f"  {who}: constant {best.per_s:,.0f}/s (p99 {best.p99}), locate {found.per_s:,.0f}/s "
                f"(p50 {found.p50}, p99 {found.p99}) = {ratios[-1]:.0%} {best.errors}{found.errors}"
            )
        print(f"  {who}: median {statistics.median(ratios):.0%} of the constant (aim: 70 %)")


def bench_batches(url: str, points: NDArray[np.float64], token: str, folder: Path, seconds: int) -> None:
    """Ten thousand points at once, by float64 and by JSON, over HTTP and by the view alone."""
    batch = points[:BATCH]
    bodies = {"application/octet-stream": batch.astype("<f8").tobytes()}
    bodies["application/json"] = json.dumps({"points": batch.tolist()}).encode()
    aims = {"application/octet-stream": 10.0, "application/json": 0.5}
    for content_type, raw in bodies.items():
        for query in ("?nearest=false", ""):
            body = folder / "body"
            body.write_bytes(raw)
            found = wrk(
                url, seconds, script_of_body(f"/api/v1/locate{query}", body, content_type), token, connections=2
            )
            inside = in_the_server(folder, content_type, raw, query, token)
            print(
                f"  POST {content_type} {query or '(nearest too)'}: HTTP {found.per_s * BATCH / 1e6:.2f} M points/s"
                f" (p99 {found.p99}{found.errors}); in the server {inside / 1e6:.2f} (aim: {aims[content_type]})"
            )


def in_the_server(folder: Path, content_type: str, raw: bytes, query: str, token: str) -> float:
    """Return the points that the whole WSGI app answers in a second of its CPU, without a socket; median of 60."""
    os.environ.update({"MAPSVC_DATA_DIR": str(folder)})
    from tests.bench.http_app import make_app

    app, times, statuses = make_app(), [], set()
    sent = {"Authorization": f"Bearer {token}"}
    builder = EnvironBuilder(f"/api/v1/locate{query}", method="POST", data=raw, content_type=content_type, headers=sent)
    for _ in range(60):
        environ = builder.get_environ() | {"wsgi.input": io.BytesIO(raw)}
        start = time.thread_time()
        answer = app(environ, lambda status, *_: statuses.add(status))
        b"".join(answer)
        times.append(time.thread_time() - start)
    assert statuses == {"200 OK"}, statuses
    return BATCH / statistics.median(times)


def bench_reports(url: str, points: NDArray[np.float64], folder: Path, seconds: int, clients: int) -> None:
    """Durable reports, one connection for each client, beside the disk's own fsync of as many bytes."""
    times: list[list[float]] = [[] for _ in range(clients)]
    host = url.removeprefix("http://")
    until = time.perf_counter() + seconds

    def send(own: list[float]) -> None:
        connection = http.client.HTTPConnection(host)
        place = secrets.randbelow(len(points))
        while time.perf_counter() < until:
            place = (place + 1) % len(points)
            lon, lat = points[place].tolist()
            raw = json.dumps({"category": "E0107", "description": "bench", "position": {"lon": lon, "lat": lat}})
            start = time.perf_counter()
            connection.request("PUT", f"/api/v1/cases/{uuid.uuid4()}", raw, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201, answer.status
            own.append(time.perf_counter() - start)

    threads = [threading.Thread(target=send, args=(own,)) for own in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = np.sort(np.concatenate([np.array(own) for own in times])) * 1000
    rate, fsyncs = len(every) / seconds, fsync_rate(folder)
    p50, p99 = every[len(every) // 2], every[int(len(every) * 0.99)]
    print(f"  PUT case, {clients} clients: {rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms", end="; ")
    print(f"the disk's fsync of 16 kB: {fsyncs:,.0f}/s ({rate / fsyncs:.2f} of it)")


def fsync_rate(folder: Path, seconds: float = 2.0) -> float:
    """Return how often a second 16 kB can be appended and synced, on the disk of the store."""
    count, start = 0, time.perf_counter()
    with (folder / "fsync").open("ab") as file:
        while time.perf_counter() - start < seconds:
            file.write(bytes(16_384))
            file.flush()
            os.fsync(file.fileno())
            count += 1
    return count / (time.perf_counter() - start)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--areas", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="Where to keep the store; a temporary folder by default.")
    options = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print("wrk is not installed: no figures over HTTP.")
        return
    points = make_points(200_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        token = build(folder, options.areas)
        print(
            f"HTTP, {options.areas:,} areas, granian, 1 worker, {options.threads} thread(s), {CONNECTIONS} connections"
        )
        with serving(folder, workers=1, threads=options.threads) as url:
            bench_locate(url, points, token, options.seconds, options.rounds)
            bench_batches(url, points, token, folder, options.seconds)
            for clients in (1, 8):
                bench_reports(url, points, folder, options.seconds, clients)


if __name__ == "__main__":
    main()
