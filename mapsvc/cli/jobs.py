"""`mapsvc jobs`: what waits in the outbox, and what failed for good."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from mapsvc.cli.context import get_settings, open_store
from mapsvc.jobs import queue
from mapsvc.jobs.queue import Job


@click.group()
def cli() -> None:
    """List jobs and retry those that failed for good."""


@cli.command("list")
@click.option("--parked", is_flag=True, help="Only those that failed for good.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the whole error.")
def list_(parked: bool, limit: int, as_json: bool) -> None:
    """List the jobs that are not delivered, the oldest first."""
    settings = get_settings()
    with open_store(settings) as store, store.read() as work:
        jobs = queue.list_jobs(work, parked=parked, limit=limit)
        total_parked = queue.count_parked(work)
    if as_json:
        click.echo(json.dumps([_as_json(job) for job in jobs], ensure_ascii=False, indent=2))
        return
    table = Table("id", "kind", "since", "next try", "tries", "error")
    for job in jobs:
        since = job.created_at.astimezone(settings.timezone)
        due = "parked" if job.parked_at else f"{job.due_at.astimezone(settings.timezone):%m-%d %H:%M:%S}"
        table.add_row(str(job.id), job.kind, f"{since:%Y-%m-%d %H:%M}", due, str(job.tries), _last_line(job.error))
    Console().print(table if jobs else "No job waits.")
    if total_parked and not parked:
        click.echo(f"{total_parked} failed for good; `mapsvc jobs retry ID` tries one again.", err=True)


@cli.command()
@click.argument("job_ids", metavar="ID...", type=int, nargs=-1, required=True)
def retry(job_ids: tuple[int, ...]) -> None:
    """Make jobs due now, with all their tries before them."""
    with open_store(get_settings()) as store, store.write() as work:
        for job_id in job_ids:
            job = queue.retry(work, job_id)
            click.echo(f"Job {job.id} ({job.kind}) is due now.")


def _as_json(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "kind": job.kind,
        "payload": dict(job.payload),
        "created_at": job.created_at.isoformat(),
        "due_at": job.due_at.isoformat(),
        "tries": job.tries,
        "parked_at": job.parked_at.isoformat() if job.parked_at else None,
        "error": job.error,
    }


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
