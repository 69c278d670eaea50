"""`mapsvc demo`: one of two invented towns to look round in, built through the services and served to this machine."""

from __future__ import annotations

import os

import click

from mapsvc.base.clock import SystemClock
from mapsvc.base.errors import Conflict
from mapsvc.base.settings import PREFIX
from mapsvc.cli.context import get_settings, progress
from mapsvc.demo.build import CASES, PASSWORD, build_demo, built_at, built_profile
from mapsvc.demo.figures import window_name
from mapsvc.demo.profiles import PROFILES, SUZHOU, Profile
from mapsvc.demo.staff import ACCOUNTS
from mapsvc.people.queries import list_users
from mapsvc.people.rules.actor import ROLES, SYSTEM
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store

STAGES = {
    "town": "streets and houses",
    "people": "posts, units and accounts",
    "reports": "the last days, step by step",
    "ledger": "a year of cases",
    "walks": "a year of patrols",
}
CAPTION = "虚构城区示意图"


@click.command()
@click.option(
    "--profile",
    "name",
    default=None,
    type=click.Choice(sorted(PROFILES)),
    help=f"Which of the towns to build: {', '.join(PROFILES)}. The default is {SUZHOU.name}.",
)
@click.option("--no-serve", is_flag=True, help="Build the town and stop.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen at.")
@click.option("--cases", default=CASES, show_default=True, type=click.IntRange(0, 100_000), help="Cases to invent.")
@click.pass_context
def cli(ctx: click.Context, name: str | None, no_serve: bool, port: int, cases: int) -> None:
    """Build an invented, seeded town in the data folder, serve it on 127.0.0.1, and say who can log in.

    A town that is there already is served as it stands. A store that holds anything else is left alone.
    """
    settings = get_settings()
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    store = Store(engine, SystemClock())
    profile = built_profile(store)
    if profile is None:
        with store.read() as work:
            if list_users(work, SYSTEM, limit=1):
                raise Conflict(
                    "store_in_use",
                    "This store holds somebody's own district; the demo would mix its town into it.",
                    hint="Set MAPSVC_DATA_DIR to an empty folder.",
                )
        profile = PROFILES[name or SUZHOU.name]
        with progress() as bars:
            bar = bars.add_task("borders", total=None)

            def tell(stage: str, done: int, total: int) -> None:
                bars.update(bar, description=STAGES.get(stage, "borders"), completed=done, total=total or None)

            build_demo(store, settings, tell, cases=cases, profile=profile.name)
    elif name not in (None, profile.name):
        raise Conflict(
            "other_demo",
            f"The town in this store is {profile.name}, not {name}.",
            hint=f"Set MAPSVC_DATA_DIR to an empty folder for {name}, or leave --profile out to see {profile.name}.",
        )
    built = built_at(store)
    engine.dispose()
    _say_who(profile)
    if built is not None:
        _say_figures(profile, window_name(built.astimezone(settings.timezone)))
    if not no_serve:
        os.environ.setdefault(f"{PREFIX}DISPLAY_NAME", profile.display_name)
        os.environ.setdefault(f"{PREFIX}CAPTION", CAPTION)
        from mapsvc.cli.serve import cli as serve

        ctx.invoke(serve, host="127.0.0.1", port=port)


def _say_who(profile: Profile) -> None:
    click.echo(f"The demo town {profile.name} is ready. All of these log in with the password {PASSWORD}:\n")
    for account in ACCOUNTS:
        zh, en = ROLES[account.role]
        click.echo(f"  {account.name:<10} {account.display_name}  {zh} ({en})")
    click.echo(f"\nEverything in it is invented: {CAPTION}, no real place or person.")


def _say_figures(profile: Profile, window: str) -> None:
    """Say which figures the 90 days before the building print, where to see them, and how to get the other town."""
    told = profile.targets
    click.echo(f"\nWith the 20,000 cases of its year, /insight?window={window} prints:")
    if told.findings:
        share = told.instant / told.findings
        click.echo(f"  即查即改率 {share:.1%} = {told.instant:,} of {told.findings:,} findings")
    if told.received:
        click.echo(
            f"  受理 {told.received:,} = 办结 {told.closed:,} + 未到期在办 {told.in_time:,} + 超期 0; "
            f"{told.closed / told.received:.2%} closed is no fix rate: see 按期结案率 beside it"
        )
    others = [other for other in PROFILES if other != profile.name]
    if others:
        click.echo(
            f"\nThe other town: set MAPSVC_DATA_DIR to an empty folder and run `mapsvc demo --profile {others[0]}`."
        )
