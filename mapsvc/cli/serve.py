"""`mapsvc serve`: the pages and the API, by granian's worker processes."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mapsvc.app import WORKERS_VARIABLE, create_app, create_app_from_environment
from mapsvc.base.errors import Misconfigured, Unavailable
from mapsvc.base.settings import PREFIX, Settings
from mapsvc.cli.context import get_settings
from mapsvc.web.parts import parts

TARGET = "mapsvc.cli.serve:make_worker_app"
PR_SET_PDEATHSIG = 1
DRAIN_S = 10
"""How long a worker may finish what it has begun after it was told to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen at.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; one for each core by default, at most 4.")
@click.option(
    "--threads",
    default=32,
    show_default=True,
    type=click.IntRange(1, 512),
    help="Requests that each process has in hand at most; a phone that sends slowly keeps one of them.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Certificate chain (PEM). Phones need HTTPS.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its private key (PEM).")
def cli(host: str, port: int, workers: int | None, threads: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Serve the pages and the API until Ctrl-C or SIGTERM; what was begun is finished first."""
    settings = get_settings()
    check_tls(tls_cert, tls_key)
    check_port(host, port)
    warm(settings)
    count = workers or min(os.cpu_count() or 1, 4)
    scheme = "https" if tls_cert else "http"
    click.echo(f"Serving {scheme}://{host}:{port}/ with {count} workers. Ctrl-C stops.", err=True)
    os.environ[WORKERS_VARIABLE] = str(count)
    if tls_cert and PREFIX + "SECURE_COOKIES" not in os.environ:
        os.environ[PREFIX + "SECURE_COOKIES"] = "yes"
    run(host, port, workers=count, threads=threads, tls_cert=tls_cert, tls_key=tls_key)


def check_tls(cert: Path | None, key: Path | None) -> None:
    """Raise `Misconfigured` unless both files are there and can be read, or neither is asked for."""
    if (cert is None) != (key is None):
        raise Misconfigured(
            "tls_needs_both", "TLS needs a certificate and its key.", hint="Give --tls-cert and --tls-key."
        )
    for path in (cert, key):
        if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            raise Misconfigured("tls_file_missing", f"{path} is not there or cannot be read.", hint="Check the path.")


def check_port(host: str, port: int) -> None:
    """Raise `Unavailable` when somebody listens at the address already, or it is not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise Unavailable(
            "port_in_use",
            f"{host}:{port} cannot be listened at: {error.strerror or error}.",
            hint="Stop what runs there, or choose another --port or --host.",
        ) from error


def warm(settings: Settings) -> None:
    """Make the app once, so that what is wrong with settings, store or catalogues is said before any worker starts.

    The index of the borders in force is built on the way; the workers map its file.
    """
    app = create_app(settings)
    with app.app_context():
        own = parts()
        own.snapshots.current(own.clock.now())
        own.store.engine.dispose()


def make_worker_app() -> Callable[..., Any]:
    """Return the app of one worker process, which ends when the main process is killed.

    An orphan would hold the port, and go on serving while nobody could start the service anew.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return create_app_from_environment()


def run(host: str, port: int, *, workers: int, threads: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Run granian until it is told to stop."""
    from granian import Granian  # loads the server only for the command that serves
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    logging.getLogger("_granian").addFilter(_is_news)
    Granian(
        TARGET,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        ssl_cert=tls_cert,
        ssl_key=tls_key,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        workers_kill_timeout=DRAIN_S,
        respawn_failed_workers=True,
        log_access=False,
        process_name=None,
    ).serve()


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the server's doubt about the number of threads: it is meant, so that slow senders hold up nobody."""
    return "which seems quite high" not in record.getMessage()
