"""Writes `mapsvc/guide/reference.md` from the tables of the program itself, so that it cannot go stale.

`python -m tools.reference` writes it; with `--check` it exits with 1 if the page is not what the program says.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from mapsvc.app import create_app
from mapsvc.base import events, paths
from mapsvc.base.settings import PREFIX, SETTINGS, load_settings
from mapsvc.cases.rules.workflow import TABLE
from mapsvc.catalog import load_layers, load_levels
from mapsvc.cli.main import NOUNS
from mapsvc.jobs.chores import make_chores
from mapsvc.jobs.handlers import make_handlers
from mapsvc.people.rules.permissions import PERMISSIONS
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.web.guard import declared

TARGET = paths.guide_dir() / "reference.md"
HEAD = """# Reference

Written by `python -m tools.reference` from the program's own tables; a test fails when it is stale.
"""


def reference() -> str:
    """Return the whole page."""
    parts = (_settings(), _commands(), _routes(), _permissions(), _steps(), _events(), _jobs(), _layers())
    return HEAD + "".join("\n" + "\n".join(part) + "\n" for part in parts)


def _settings() -> Iterator[str]:
    yield "## Settings\n\nAll from the environment; `mapsvc settings` prints those in force."
    for setting in SETTINGS:
        default = f"Default: `{setting.default}`." if setting.default else "Default: empty."
        yield f"\n### {PREFIX}{setting.name}\n\n{setting.help} {default}"


def _commands() -> Iterator[str]:
    yield "## Commands\n\nEach explains itself with `--help`."
    for noun, line in NOUNS.items():
        command = importlib.import_module(f"mapsvc.cli.{noun}").cli
        if not isinstance(command, click.Group):
            yield from _command(noun, command)
            continue
        yield f"\n### mapsvc {noun}\n\n{line}"
        for name, each in sorted(command.commands.items()):
            yield from _command(f"{noun} {name}", each)


def _command(name: str, command: click.Command) -> Iterator[str]:
    """Yield a command with its arguments, what it does, and a line for each option."""
    context = click.Context(command)
    arguments = [param.make_metavar(context) for param in command.params if isinstance(param, click.Argument)]
    about = (command.help or "").split("\f")[0].strip().split("\n\n")[0].replace("\n", " ")
    yield f"\n### mapsvc {name}\n\n`{' '.join(['mapsvc', name, *arguments])}`: {about}"
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if options:
        yield ""
    for option in options:
        value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
        said = f": {option.help}" if option.help else ""
        yield f"- `{max(option.opts, key=len)}{value}`{said}"


def _routes() -> Iterator[str]:
    yield "## Routes\n\nEach with the permission that it asks for; `/api/openapi.json` describes the API in full."
    with TemporaryDirectory() as folder:
        settings = load_settings({f"{PREFIX}DATA_DIR": folder})
        engine = make_engine(settings.store_url)
        migrate.upgrade(engine)
        engine.dispose()
        app = create_app(settings)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        methods = " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})) or "HEAD"
        about = (inspect.getdoc(app.view_functions[rule.endpoint]) or "").split("\n")[0]
        needs = f"Permission: `{declared(app, rule.endpoint)}`."
        yield f"\n### {methods} {rule.rule}\n\n{f'{about} {needs}'.strip()}"


def _permissions() -> Iterator[str]:
    yield "## Permissions\n\nRefused unless declared. Where a role is bound to an area or a unit, so is the permission."
    for name, row in PERMISSIONS.items():
        yield f"\n### {name}\n\n{row.help} Held by: {row.who}."


def _steps() -> Iterator[str]:
    yield "## Steps of a case\n\nOne table for both workflows, `quick` and `standard`."
    for rule in TABLE:
        about = f"{rule.en[0].upper()}{rule.en[1:]}. By: {', '.join(sorted(rule.roles))}."
        moves = (
            f"{', '.join(rule.moves)} → what it was before"
            if rule.reverses
            else ", ".join(f"{origin} → {target}" for origin, target in rule.moves.items())
        )
        needs = f" Needs: {', '.join(rule.needs)}." if rule.needs else ""
        guards = f" Only if: {', '.join(rule.guards)}." if rule.guards else ""
        yield f"\n### {rule.name} {rule.zh} ({', '.join(rule.workflows)})\n"
        yield f"{about} From and to: {moves}.{needs}{guards}"


def _events() -> Iterator[str]:
    yield "## Events\n\nWritten to the outbox in the transaction that caused them."
    ours = [kind for kind in events.Event.__subclasses__() if kind.__module__ == events.__name__]
    for kind in sorted(ours, key=lambda each: each.kind):
        yield f"\n### {kind.kind}\n\n{(inspect.getdoc(kind) or '').splitlines()[0]}"


def _jobs() -> Iterator[str]:
    yield "## Jobs\n\nWhat `mapsvc worker` does: jobs when an event asks for them, chores from time to time."
    with TemporaryDirectory() as folder:
        settings = load_settings({f"{PREFIX}DATA_DIR": folder})
        handlers, chores = make_handlers(settings), make_chores(settings)
    for kind, heard_by in sorted(handlers.items()):
        yield f"\n### Job {kind}\n\n{' '.join(_first_line(type(handler)) for handler in heard_by)}"
    for chore in chores.chores:
        minutes = chore.every.total_seconds() / 60
        often = f"{minutes / 60:g} hours" if minutes >= 60 else f"{minutes:g} minutes"
        yield f"\n### Chore {chore.name}\n\nOnce in {often}."


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]


def _layers() -> Iterator[str]:
    yield "## Layers\n\nOne TOML file each in `layers/`."
    levels = load_levels(paths.data_dir() / "levels.toml")
    for layer in load_layers(paths.layers_dir(), levels):
        zooms = "zoom {} to {}".format(*layer.zooms)
        yield f"\n### {layer.code}\n\n{layer.legend_zh}, {layer.legend_en}; {zooms}; for {', '.join(layer.audience)}."


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is stale."""
    fresh = reference()
    if arguments == ["--check"]:
        if Path(TARGET).read_text(encoding="utf-8") == fresh:
            return 0
        click.echo("mapsvc/guide/reference.md is stale: run `python -m tools.reference`.", err=True)
        return 1
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
