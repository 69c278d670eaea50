"""`mapsvc serve` as a process: it says what hinders it, serves by HTTP and HTTPS, and finishes what it began."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mapsvc.base.settings import load_settings
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine

REPORT = {"category": "E0107", "place_text": "at the gate"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPSVC_")}
    return {**kept, "MAPSVC_DATA_DIR": str(tmp_path / "instance")}


@pytest.fixture
def store(environment: dict[str, str]) -> None:
    engine = make_engine(load_settings({"MAPSVC_DATA_DIR": environment["MAPSVC_DATA_DIR"]}).store_url)
    migrate.upgrade(engine)
    engine.dispose()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*more: str) -> list[str]:
    return [sys.executable, "-m", "mapsvc", "serve", *more]


@contextmanager
def serving(
    environment: dict[str, str], port: int, *more: str, tls: ssl.SSLContext | None = None
) -> Iterator[subprocess.Popen[str]]:
    arguments = command("--port", str(port), "--workers", "1", *more)
    with subprocess.Popen(
        arguments, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            for _ in range(300):
                time.sleep(0.1)
                assert process.poll() is None, process.communicate()
                try:
                    if ask(port, "GET", "/readyz", tls=tls)[0] == 200:
                        break
                except OSError:
                    continue
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


def ask(
    port: int, method: str, path: str, body: bytes | None = None, *, tls: ssl.SSLContext | None = None
) -> tuple[int, dict[str, object]]:
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    )
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def refused(environment: dict[str, str], *more: str) -> str:
    done = subprocess.run(command(*more), env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_store_that_is_not_there_is_said_before_anything_starts(environment: dict[str, str]) -> None:
    assert "mapsvc db upgrade" in refused(environment, "--port", str(free_port()))


@pytest.mark.usefixtures("store")
def test_a_port_in_use_and_half_a_key_pair_are_said(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(environment, "--port", str(port))
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said
    assert "TLS" in refused(environment, "--tls-cert", str(tmp_path / "cert.pem"))
    missing = refused(environment, "--tls-cert", str(tmp_path / "c.pem"), "--tls-key", str(tmp_path / "k.pem"))
    assert "c.pem" in missing


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_what_it_acknowledged_is_there_after_it_stopped_and_no_worker_outlives_a_kill(
    environment: dict[str, str],
) -> None:
    port, path = free_port(), f"/api/v1/cases/{uuid.uuid4()}"
    with serving(environment, port) as process:
        status, receipt = ask(port, "PUT", path, json.dumps(REPORT).encode())
        assert status == 201, receipt
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    with serving(environment, port) as process:
        status, again = ask(port, "PUT", path, json.dumps(REPORT).encode())
        assert (status, again["number"]) == (200, receipt["number"])
        process.kill()
        process.wait(30)
        for _ in range(100):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)):
                    break
        else:
            pytest.fail("a worker outlived the main process and holds the port")


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_body_that_never_ends_well_writes_nothing_and_the_next_one_is_served(environment: dict[str, str]) -> None:
    port, path = free_port(), f"/api/v1/cases/{uuid.uuid4()}"
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    with serving(environment, port):
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(head.encode() + json.dumps(REPORT).encode())
        oversize = head.replace("500", str(10**10))
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(oversize.encode() + b"{}")
            line.settimeout(20)
            assert b" 413 " in line.recv(65536).split(b"\r\n")[0]
        assert ask(port, "PUT", path, json.dumps(REPORT).encode())[0] == 201


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_phones_that_send_slowly_keep_nobody_waiting(environment: dict[str, str]) -> None:
    head = "PUT /api/v1/cases/{} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    port = free_port()
    with serving(environment, port), ExitStack() as lines:
        for _ in range(16):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.sendall(head.format(uuid.uuid4()).encode() + b"{")
        time.sleep(1)
        for _ in range(5):
            assert ask(port, "GET", "/readyz")[0] == 200


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_it_serves_https(environment: dict[str, str], tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*made, *names], check=True, capture_output=True)
    tls = ssl.create_default_context(cafile=str(cert))
    port = free_port()
    with serving(environment, port, "--tls-cert", str(cert), "--tls-key", str(key), tls=tls):
        assert ask(port, "GET", "/healthz", tls=tls) == (200, {"status": "ok"})
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=tls)
        connection.request("GET", "/login", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert "Secure" in (answer.getheader("Set-Cookie") or "").split("; ")
        assert answer.getheader("Strict-Transport-Security")
