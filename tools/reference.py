"""Writes `mapsvc/guide/reference.md` and its twin `zh/reference.md` from the tables of the program itself.

`python -m tools.reference` writes them; with `--check` it exits with 1 if a page is not what the program says, with
`--missing` it lists the sentences that have no Chinese yet. Those stay English in the Chinese page.

The Chinese of a sentence stands in `tools/reference_zh.toml` under its English: when the program says something else,
the page falls back to English until somebody writes the new sentence, so that it is never wrong.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from mapsvc.app import create_app
from mapsvc.base import events, paths
from mapsvc.base.settings import PREFIX, SETTINGS, load_settings
from mapsvc.cases.rules.workflow import STATE_NAMES, TABLE, StepRule
from mapsvc.catalog import load_layers, load_levels
from mapsvc.cli.main import NOUNS
from mapsvc.jobs.chores import make_chores
from mapsvc.jobs.handlers import make_handlers
from mapsvc.people.rules.actor import ROLES
from mapsvc.people.rules.permissions import PERMISSIONS, Holders
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.web.guard import declared

TARGETS = {"en": paths.guide_dir() / "reference.md", "zh": paths.guide_dir() / "zh" / "reference.md"}
CHINESE = Path(__file__).with_name("reference_zh.toml")
HEAD = "Written by `python -m tools.reference` from the program's own tables; a test fails when it is stale."
OTHER_ROLES = {"reporter": "反映人", "system": "系统"}


class Tongue:
    """What the page says in one tongue; `missing` gathers the sentences that have no Chinese."""

    def __init__(self, name: str) -> None:
        self.chinese = name == "zh"
        self.known = load_chinese() if self.chinese else {}
        self.used: set[str] = set()
        self.missing: list[str] = []
        self.comma = "、" if self.chinese else ", "

    def say(self, english: str) -> str:
        """Return a sentence; the English one where there is no other."""
        if not self.chinese or not english:
            return english
        self.used.add(english)
        if english not in self.known:
            self.missing.append(english)
        return self.known.get(english, english)

    def join(self, *sentences: str) -> str:
        """Return sentences one after the other; Chinese ones need no space between them."""
        joined = ""
        for each in filter(None, sentences):
            space = "" if not joined or joined.endswith(("。", "；")) else " "
            joined += space + each
        return joined

    def roles(self, names: Iterator[str] | list[str]) -> str:
        """Return roles by their name in the tongue."""
        chinese = {role: name for role, (name, _) in ROLES.items()} | OTHER_ROLES
        return self.comma.join(chinese.get(name, name) if self.chinese else name for name in names)

    def state(self, name: str) -> str:
        return STATE_NAMES[name][0] if self.chinese else name

    def words(self, kind: str, names: tuple[str, ...]) -> str:
        """Return codes of a kind (`need` or `guard`); in Chinese what each of them means."""
        if not self.chinese:
            return ", ".join(names)
        said = {name: self.say(f"{kind} {name}") for name in names}
        return self.comma.join(name if said[name] == f"{kind} {name}" else said[name] for name in names)


def load_chinese() -> dict[str, str]:
    """Return the Chinese of each sentence, by its English."""
    tables = tomllib.loads(CHINESE.read_text(encoding="utf-8"))
    return {english: chinese for table in tables.values() for english, chinese in table.items()}


def reference(name: str = "en") -> str:
    """Return the whole page in a tongue."""
    return write_reference(Tongue(name))


def write_reference(tongue: Tongue) -> str:
    """Return the whole page in a tongue, which then knows what it used and what it lacked."""
    chapters = (_settings, _commands, _routes, _permissions, _steps, _events, _jobs, _layers)
    head = f"# {tongue.say('Reference')}\n\n{tongue.say(HEAD)}\n"
    return head + "".join("\n" + "\n".join(chapter(tongue)) + "\n" for chapter in chapters)


def _chapter(tongue: Tongue, title: str, about: str) -> str:
    return f"## {tongue.say(title)}\n\n{tongue.say(about)}"


def _settings(tongue: Tongue) -> Iterator[str]:
    yield _chapter(tongue, "Settings", "All from the environment; `mapsvc settings` prints those in force.")
    for setting in SETTINGS:
        default = tongue.say("Default: `{}`.").format(setting.default) if setting.default else ""
        text = tongue.join(tongue.say(setting.help), default or tongue.say("Default: empty."))
        yield f"\n### {PREFIX}{setting.name}\n\n{text}"


def _commands(tongue: Tongue) -> Iterator[str]:
    yield _chapter(tongue, "Commands", "Each explains itself with `--help`.")
    for noun, line in NOUNS.items():
        command = importlib.import_module(f"mapsvc.cli.{noun}").cli
        if not isinstance(command, click.Group):
            yield from _command(tongue, noun, command)
            continue
        yield f"\n### mapsvc {noun}\n\n{tongue.say(line)}"
        for name, each in sorted(command.commands.items()):
            yield from _command(tongue, f"{noun} {name}", each)


def _command(tongue: Tongue, name: str, command: click.Command) -> Iterator[str]:
    """Yield a command with its arguments, what it does, and a line for each option."""
    context = click.Context(command)
    colon = "：" if tongue.chinese else ": "
    arguments = [param.make_metavar(context) for param in command.params if isinstance(param, click.Argument)]
    about = (command.help or "").split("\f")[0].strip().split("\n\n")[0].replace("\n", " ")
    yield f"\n### mapsvc {name}\n\n`{' '.join(['mapsvc', name, *arguments])}`{colon}{tongue.say(about)}"
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if options:
        yield ""
    for option in options:
        value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
        said = f"{colon}{tongue.say(option.help)}" if option.help else ""
        yield f"- `{max(option.opts, key=len)}{value}`{said}"


def _routes(tongue: Tongue) -> Iterator[str]:
    about = "Each with the permission that it asks for; `/api/openapi.json` describes the API in full."
    yield _chapter(tongue, "Routes", about)
    with TemporaryDirectory() as folder:
        settings = load_settings({f"{PREFIX}DATA_DIR": folder})
        engine = make_engine(settings.store_url)
        migrate.upgrade(engine)
        engine.dispose()
        app = create_app(settings)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        methods = " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})) or "HEAD"
        about = _first_line(app.view_functions[rule.endpoint])
        needs = tongue.say("Permission: `{}`.").format(declared(app, rule.endpoint))
        yield f"\n### {methods} {rule.rule}\n\n{tongue.join(tongue.say(about), needs)}"


def _permissions(tongue: Tongue) -> Iterator[str]:
    about = "Refused unless declared. Where a role is bound to an area or a unit, so is the permission."
    yield _chapter(tongue, "Permissions", about)
    for name, row in PERMISSIONS.items():
        holders = [role for role in ROLES if role in row.who.roles] if isinstance(row.who, Holders) else []
        who = tongue.roles(holders) if holders else tongue.say(str(row.who))
        yield f"\n### {name}\n\n{tongue.join(tongue.say(row.help), tongue.say('Held by: {}.').format(who))}"


def _steps(tongue: Tongue) -> Iterator[str]:
    yield _chapter(tongue, "Steps of a case", "One table for both workflows, `quick` and `standard`.")
    for rule in TABLE:
        yield f"\n### {rule.name} {rule.zh} ({', '.join(rule.workflows)})\n"
        yield _step(tongue, rule)


def _step(tongue: Tongue, rule: StepRule) -> str:
    moves = (
        tongue.say("{} → what it was before").format(tongue.comma.join(map(tongue.state, rule.moves)))
        if rule.reverses
        else tongue.comma.join(f"{tongue.state(a)} → {tongue.state(b)}" for a, b in rule.moves.items())
    )
    return tongue.join(
        "" if tongue.chinese else f"{rule.en[0].upper()}{rule.en[1:]}.",
        tongue.say("By: {}.").format(tongue.roles(sorted(rule.roles))),
        tongue.say("From and to: {}.").format(moves),
        tongue.say("Needs: {}.").format(tongue.words("need", rule.needs)) if rule.needs else "",
        tongue.say("Only if: {}.").format(tongue.words("guard", rule.guards)) if rule.guards else "",
    )


def _events(tongue: Tongue) -> Iterator[str]:
    yield _chapter(tongue, "Events", "Written to the outbox in the transaction that caused them.")
    ours = [kind for kind in events.Event.__subclasses__() if kind.__module__ == events.__name__]
    for kind in sorted(ours, key=lambda each: each.kind):
        yield f"\n### {kind.kind}\n\n{tongue.say(_first_line(kind))}"


def _jobs(tongue: Tongue) -> Iterator[str]:
    about = "What `mapsvc worker` does: jobs when an event asks for them, chores from time to time."
    yield _chapter(tongue, "Jobs", about)
    with TemporaryDirectory() as folder:
        settings = load_settings({f"{PREFIX}DATA_DIR": folder})
        handlers, chores = make_handlers(settings), make_chores(settings)
    for kind, heard_by in sorted(handlers.items()):
        about = tongue.join(*(tongue.say(_first_line(type(handler))) for handler in heard_by))
        yield f"\n### {tongue.say('Job {}').format(kind)}\n\n{about}"
    for chore in chores.chores:
        minutes = chore.every.total_seconds() / 60
        often = "Once in {} hours." if minutes >= 60 else "Once in {} minutes."
        number = f"{minutes / 60 if minutes >= 60 else minutes:g}"
        yield f"\n### {tongue.say('Chore {}').format(chore.name)}\n\n{tongue.say(often).format(number)}"


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]


def _layers(tongue: Tongue) -> Iterator[str]:
    yield _chapter(tongue, "Layers", "One TOML file each in `layers/`.")
    levels = load_levels(paths.data_dir() / "levels.toml")
    for layer in load_layers(paths.layers_dir(), levels):
        names = layer.legend_zh if tongue.chinese else f"{layer.legend_zh}, {layer.legend_en}"
        first, last = layer.zooms
        audience = tongue.comma.join(
            tongue.say(f"for {name}") if name in ("public", "staff") and tongue.chinese else tongue.roles([name])
            for name in layer.audience
        )
        yield f"\n### {layer.code}\n\n{tongue.say('{}; zoom {} to {}; for {}.').format(names, first, last, audience)}"


def main(arguments: list[str]) -> int:
    """Write the pages, or say whether they are stale, or what has no Chinese."""
    tongues = {name: Tongue(name) for name in TARGETS}
    fresh = {name: write_reference(tongue) for name, tongue in tongues.items()}
    if arguments == ["--missing"]:
        click.echo("\n".join(dict.fromkeys(tongues["zh"].missing)))
        return 0
    for name, target in TARGETS.items():
        if arguments == ["--check"] and target.read_text(encoding="utf-8") != fresh[name]:
            click.echo(f"{target.name} ({name}) is stale: run `python -m tools.reference`.", err=True)
            return 1
        if arguments != ["--check"]:
            target.write_text(fresh[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
