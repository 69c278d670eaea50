"""`mapsvc worker`: deliver what the outbox holds, until told to stop."""

from __future__ import annotations

import logging
import signal
from types import FrameType

import click

from mapsvc.cli.context import get_settings, open_store
from mapsvc.jobs.chores import make_chores
from mapsvc.jobs.handlers import make_handlers
from mapsvc.jobs.worker import Worker


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due now, then end.")
@click.option("--wait", "wait_s", default=2.0, show_default=True, help="Seconds between looks when nothing is due.")
def cli(once: bool, wait_s: float) -> None:
    """Deliver events and run due jobs. SIGTERM and Ctrl-C end it after the job at hand."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = get_settings()
    with open_store(settings) as store:
        worker = Worker(store, make_handlers(settings), make_chores(settings))

        def stop(_signal: int, _frame: FrameType | None) -> None:
            worker.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        if not once:
            logging.getLogger(__name__).info("The worker runs; SIGTERM or Ctrl-C ends it.")
            worker.run(wait_s=wait_s)
            return
        total = 0
        while not worker.stopping.is_set() and (found := worker.run_once().total):
            total += found
        worker.chores.do_due(store)
        click.echo(f"{total} jobs were dealt with.", err=True)
