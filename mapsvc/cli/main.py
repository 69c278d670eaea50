"""The command line: one module per noun, loaded when it is asked for, so that `mapsvc --help` is quick.

Each module `mapsvc/cli/<noun>.py` holds one Click command or group named `cli`.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from mapsvc.base.errors import MapsvcError

NOUNS: dict[str, str] = {
    # noun: its line in `mapsvc --help`, written here so that the listing loads none of them
    "areas": "Import, check and export areas and their borders.",
    "ground": "Import streets, water, parks and buildings that lie under the borders.",
    "posts": "Import who answers for which area.",
    "units": "Import handling units and their duties.",
    "locate": "Say in which areas a point lies and who answers for them.",
    "assign": "Give every point of a file its area.",
    "cases": "Import and export cases.",
    "patrols": "Import tracks of patrols.",
    "maps": "Write a map as one file that opens without a network.",
    "insight": "Print briefings and verify figures against the event log.",
    "users": "Add and list accounts, roles and tokens.",
    "serve": "Serve the pages and the API.",
    "worker": "Deliver events and run due jobs.",
    "jobs": "List jobs and retry those that failed for good.",
    "demo": "Build a small seeded town and serve it.",
    "db": "Make or migrate the store.",
    "settings": "Print every setting, its value and what it does.",
}


class Nouns(click.Group):
    """A group that loads a noun's module when the noun is used, and turns our errors into exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(f"mapsvc.cli.{cmd_name}")
        command: click.Command = module.cli
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MapsvcError as error:
            raise Failed(error) from error


class Failed(click.ClickException):
    """One of our errors on the command line: what happened, then what to do, on stderr; exit status 1."""

    exit_code = 1

    def __init__(self, error: MapsvcError) -> None:
        super().__init__(error.message)
        self.error = error

    def show(self, file: Any = None) -> None:
        click.secho(f"Error: {self.error.message}", fg="red", err=True)
        if self.error.hint:
            click.echo(self.error.hint, err=True)


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mapsvc")
def cli() -> None:
    """Grid mapping and patrol service for city districts.

    Settings come from the environment, MAPSVC_...; `mapsvc settings` lists them.
    """
