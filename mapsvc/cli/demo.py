"""`mapsvc demo`: a small invented town to look round in, built through the services and served to this machine."""

from __future__ import annotations

import os

import click

from mapsvc.base.clock import SystemClock
from mapsvc.base.errors import Conflict
from mapsvc.base.settings import PREFIX
from mapsvc.cli.context import get_settings, progress
from mapsvc.demo.build import CASES, PASSWORD, build_demo, built_at
from mapsvc.demo.staff import ACCOUNTS
from mapsvc.demo.town import DISTRICT
from mapsvc.people.queries import list_users
from mapsvc.people.rules.actor import ROLES, SYSTEM
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store

STAGES = {
    "people": "posts, units and accounts",
    "ledger": "an older ledger",
    "reports": "three months of reports",
}


@click.command()
@click.option("--no-serve", is_flag=True, help="Build the town and stop.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen at.")
@click.option("--cases", default=CASES, show_default=True, type=click.IntRange(0, 100_000), help="Reports to invent.")
@click.pass_context
def cli(ctx: click.Context, no_serve: bool, port: int, cases: int) -> None:
    """Build a small seeded town in the data folder, serve it on 127.0.0.1, and say who can log in.

    A town that is there already is served as it stands. A store that holds anything else is left alone.
    """
    settings = get_settings()
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    store = Store(engine, SystemClock())
    if built_at(store) is None:
        with store.read() as work:
            if list_users(work, SYSTEM, limit=1):
                raise Conflict(
                    "store_in_use",
                    "This store holds somebody's own district; the demo would mix its town into it.",
                    hint="Set MAPSVC_DATA_DIR to an empty folder.",
                )
        with progress() as bars:
            bar = bars.add_task("borders", total=None)

            def tell(stage: str, done: int, total: int) -> None:
                bars.update(bar, description=STAGES.get(stage, "borders"), completed=done, total=total or None)

            build_demo(store, settings, tell, cases=cases)
    engine.dispose()
    _say_who()
    if not no_serve:
        os.environ.setdefault(f"{PREFIX}DISPLAY_NAME", DISTRICT[1])
        os.environ.setdefault(f"{PREFIX}CAPTION", "虚构城区示意图")
        from mapsvc.cli.serve import cli as serve

        ctx.invoke(serve, host="127.0.0.1", port=port)


def _say_who() -> None:
    click.echo(f"The demo town is ready. All of these log in with the password {PASSWORD}:\n")
    for account in ACCOUNTS:
        zh, en = ROLES[account.role]
        click.echo(f"  {account.name:<10} {account.display_name}  {zh} ({en})")
    click.echo("\nEverything in it is invented: 虚构城区, no real place or person.")
