"""`mapsvc settings`: every setting, its value here, its default and what it does."""

from __future__ import annotations

import json
import os

import click
from rich.console import Console
from rich.table import Table

from mapsvc.base.settings import PREFIX, SETTINGS, Setting
from mapsvc.cli.context import get_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def cli(as_json: bool) -> None:
    """Print every setting, its value and what it does. Secrets are not shown."""
    get_settings()
    rows = [(PREFIX + setting.name, _shown(setting), setting.default, setting.help) for setting in SETTINGS]
    if as_json:
        keys = ("name", "value", "default", "help")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], ensure_ascii=False, indent=2))
        return
    table = Table("setting", "value", "default", "what it does")
    for row in rows:
        table.add_row(*row)
    Console(soft_wrap=False, width=None if os.isatty(1) else 200).print(table)


def _shown(setting: Setting) -> str:
    value = os.environ.get(PREFIX + setting.name)
    if value is None:
        return ""
    return "(set)" if setting.secret else value
