"""`mapsvc db`: make, migrate and look at the store."""

from __future__ import annotations

import click

from mapsvc.cli.context import get_settings
from mapsvc.storage import migrate
from mapsvc.storage.engine import describe, make_engine


@click.group()
def cli() -> None:
    """Make or migrate the store."""


@cli.command()
def upgrade() -> None:
    """Make the store, or bring it to the newest revision. Running it again changes nothing."""
    engine = make_engine(get_settings().store_url)
    before = migrate.find_revision(engine)
    migrate.upgrade(engine)
    after = migrate.find_revision(engine)
    said = "is already at" if before == after else "is now at"
    click.echo(f"The store {describe(engine)} {said} revision {after}.")
    engine.dispose()


@cli.command()
@click.argument("revision")
@click.confirmation_option(prompt="Going back loses what later revisions hold. Go on?")
def downgrade(revision: str) -> None:
    """Go back to REVISION ("base" empties the store)."""
    engine = make_engine(get_settings().store_url)
    migrate.downgrade(engine, revision)
    click.echo(f"The store {describe(engine)} is now at revision {migrate.find_revision(engine) or 'base'}.")
    engine.dispose()


@cli.command()
def current() -> None:
    """Say at which revision the store is; exit status 1 when it is not the newest."""
    engine = make_engine(get_settings().store_url)
    migrate.require_current(engine)
    click.echo(f"The store {describe(engine)} is at revision {migrate.HEAD}, the newest.")
    engine.dispose()
