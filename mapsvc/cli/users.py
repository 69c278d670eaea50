"""`mapsvc users`: accounts, roles, passwords and tokens. A password never stands on the command line."""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta

import click
from rich.console import Console
from rich.table import Table

from mapsvc.areas.queries import posts
from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.base.settings import Settings
from mapsvc.catalog import load_catalog
from mapsvc.cli.context import get_settings, open_store
from mapsvc.people import queries
from mapsvc.people.queries import GrantRecord, UserRecord
from mapsvc.people.rules.actor import ROLES, SYSTEM
from mapsvc.people.rules.passwords import PasswordHash, hash_password
from mapsvc.people.service import access, users
from mapsvc.people.service.users import NewGrant, NewUser
from mapsvc.storage.work import Work

ROLE_LEVELS = {"area_chief": "patch", "grid_chief": "grid", "street": "street"}
"""Where a code stands at several levels, the level that a role means."""

_role = click.option("--role", type=click.Choice(list(ROLES)), required=True, help="The role to give.")
_area = click.option("--area", default="", metavar="CODE", help="The area in which the role holds.")
_level = click.option(
    "--level", default="", metavar="LEVEL", help="The level of that area, where its code is ambiguous."
)
_unit = click.option("--unit", default="", metavar="CODE", help="The handling unit, for unit_staff.")
_password_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")


@click.group()
def cli() -> None:
    """Add and list accounts, roles and tokens."""


@cli.command()
@click.argument("name")
@_role
@_area
@_level
@_unit
@click.option("--person", default="", metavar="CODE", help="The person whose posts say what the account answers for.")
@click.option("--display-name", default="", help="The name that pages show.")
@click.option("--language", type=click.Choice(users.LANGUAGES), default="zh", show_default=True)
@_password_stdin
@click.option("--no-password", is_flag=True, help="For an account that only uses tokens.")
def add(
    name: str,
    role: str,
    area: str,
    level: str,
    unit: str,
    person: str,
    display_name: str,
    language: str,
    password_stdin: bool,
    no_password: bool,
) -> None:
    """Add the account NAME. Asks for its password; where nobody can be asked, makes one and prints it."""
    settings = get_settings()
    made, hashed = ("", None) if no_password else _new_password(name, password_stdin)
    with open_store(settings) as store, store.write() as work:
        person_id, shown = _person(work, person)
        new = NewUser(
            name=name,
            display_name=display_name or shown,
            password_hash=hashed,
            person_id=person_id,
            language=language,
            grants=(_grant(settings, work, role, area, level, unit),),
        )
        user = users.add_user(work, SYSTEM, new)
    click.echo(f"Added {user.name} as {role} ({ROLES[role][0]}).")
    if made:
        click.echo(f"Password: {made}")


@cli.command()
@click.argument("name")
@_role
@_area
@_level
@_unit
def grant(name: str, role: str, area: str, level: str, unit: str) -> None:
    """Give the account NAME one more role."""
    settings = get_settings()
    with open_store(settings) as store, store.write() as work:
        user = _get_user(work, name)
        users.grant_role(work, SYSTEM, user.id, _grant(settings, work, role, area, level, unit))
    click.echo(f"{user.name} is {role} ({ROLES[role][0]}).")


@cli.command("end-role")
@click.argument("number", type=int)
def end_role(number: int) -> None:
    """End the role NUMBER (`users list` shows it) with today as its last day."""
    settings = get_settings()
    with open_store(settings) as store, store.write() as work:
        users.end_grant(work, SYSTEM, number, work.now.astimezone(settings.timezone).date())
    click.echo("The role ends today.")


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the accounts and their roles."""
    settings = get_settings()
    with open_store(settings) as store, store.read() as work:
        today = work.now.astimezone(settings.timezone).date()
        found = _all_users(work)
        grants = queries.list_grants(work, SYSTEM, [user.id for user in found])
    roles: dict[int, list[GrantRecord]] = {user.id: [] for user in found}
    for given in grants:
        if given.valid_to is None or given.valid_to >= today:
            roles[given.user_id].append(given)
    if as_json:
        rows = [
            {
                "id": user.id,
                "name": user.name,
                "display_name": user.display_name,
                "active": user.active,
                "roles": [
                    {"number": g.id, "role": g.role, "area_id": g.area_id, "unit_id": g.unit_id} for g in roles[user.id]
                ],
            }
            for user in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table("name", "shown as", "roles (number)", "state")
    for user in found:
        held = ", ".join(f"{g.role} ({g.id})" for g in roles[user.id])
        table.add_row(user.name, user.display_name, held, "open" if user.active else "closed")
    Console().print(table)


@cli.command()
@click.argument("name")
@_password_stdin
def passwd(name: str, password_stdin: bool) -> None:
    """Set the password of the account NAME and end its sessions."""
    with open_store(get_settings()) as store:
        with store.read() as work:
            user = _get_user(work, name)
        made, hashed = _new_password(user.name, password_stdin)
        with store.write() as work:
            users.set_password(work, SYSTEM, user.id, hashed)
    click.echo(f"Password: {made}" if made else f"{user.name} has a new password; its sessions have ended.")


@cli.command()
@click.argument("name")
def lock(name: str) -> None:
    """Close the account NAME: no log-in, sessions end, tokens are revoked."""
    with open_store(get_settings()) as store, store.write() as work:
        user = _get_user(work, name)
        users.lock_user(work, SYSTEM, user.id)
    click.echo(f"{user.name} is closed.")


@cli.command()
@click.argument("name")
def unlock(name: str) -> None:
    """Open the account NAME again."""
    with open_store(get_settings()) as store, store.write() as work:
        user = _get_user(work, name)
        users.unlock_user(work, SYSTEM, user.id)
    click.echo(f"{user.name} is open.")


@cli.command()
@click.argument("name")
@click.option("--for", "purpose", required=True, metavar="PROGRAM", help="What will use it.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Valid for so many days.")
def token(name: str, purpose: str, days: int) -> None:
    """Make an API token for the account NAME and print it, this once."""
    with open_store(get_settings()) as store, store.write() as work:
        user = _get_user(work, name)
        expires_at = work.now + timedelta(days=days)
        issued = access.issue_token(work, SYSTEM, user.id, purpose, expires_at=expires_at)
    click.echo(issued.secret)
    click.echo(f"Token {issued.id} for {user.name}, valid for {days} days; it is not shown again.", err=True)


@cli.command("revoke-token")
@click.argument("number", type=int)
def revoke_token(number: int) -> None:
    """End the token NUMBER at once."""
    with open_store(get_settings()) as store, store.write() as work:
        access.revoke_token(work, SYSTEM, number)
    click.echo("The token has ended.")


def _new_password(name: str, from_stdin: bool) -> tuple[str, PasswordHash]:
    """Return the password where it was made here (else an empty text), and the hash."""
    if from_stdin:
        return "", hash_password(name, sys.stdin.readline().rstrip("\r\n"))
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return "", hash_password(name, typed)
    made = secrets.token_urlsafe(12)
    return made, hash_password(name, made)


def _get_user(work: Work, name: str) -> UserRecord:
    user = queries.find_user(work, name)
    if user is None:
        raise NotFound("user_not_found", f"There is no account {name}.", hint="`mapsvc users list` shows them.")
    return user


def _all_users(work: Work) -> list[UserRecord]:
    found: list[UserRecord] = []
    while page := queries.list_users(work, SYSTEM, after=found[-1].name if found else "", limit=500):
        found.extend(page)
    return found


def _person(work: Work, code: str) -> tuple[int | None, str]:
    if not code:
        return None, ""
    person = queries.find_person(work, code)
    if person is None:
        raise NotFound("person_not_found", f"There is no person {code}.", hint="Import posts first.")
    return person.id, person.name


def _grant(settings: Settings, work: Work, role: str, area: str, level: str, unit: str) -> NewGrant:
    area_id = _area_id(settings, work, role, area, level) if area else None
    unit_id = None
    if unit:
        found = queries.find_unit(work, unit)
        if found is None:
            raise NotFound("unit_not_found", f"There is no unit {unit}.", hint="Import units first.")
        unit_id = found.id
    return NewGrant(role, area_id, unit_id)


def _area_id(settings: Settings, work: Work, role: str, code: str, level: str) -> int:
    """Return the area of a code: at the level named, else the only one, else the one at the role's own level."""
    levels = load_catalog(settings).levels
    wanted = (levels.get(level).code,) if level else levels.codes
    found: dict[str, int] = {}
    for candidate in wanted:
        for area_id in posts.list_areas_of_codes(work, candidate, [code]).values():
            found[candidate] = area_id
    if not found:
        raise NotFound("area_not_found", f"There is no area {code}.", hint="`mapsvc areas import` brings areas.")
    own = ROLE_LEVELS.get(role, "")
    if len(found) > 1 and own not in found:
        raise InvalidInput(
            "area_ambiguous", f"The code {code} stands at several levels: {', '.join(found)}.", hint="Add --level."
        )
    return found[own] if own in found else next(iter(found.values()))
