"""The one permission table: what may be done, and by whom. Refused unless declared here.

A route, command or job names a permission; the web refuses early by `allows`, the service decides
again on the object, and lists are filtered in SQL by `scope`. Who may take which step of a case in
which state is the workflow table's (`cases.rules.workflow`); `case.step` here only lets somebody try.

Separations that cut through the table (practice notes, section 1):

* Handler is not checker, dispatcher is not closer: see `conflicting_roles`, and the workflow's guards.
* Leaders read only: the role `leader` stands in rows that change nothing.
* The administrator keeps accounts and set-up, and decides about no case.
* A liaison acts for a leader: the role comes from the leader's post and bears the leader's id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mapsvc.base.errors import Forbidden, Misconfigured, NotAuthenticated
from mapsvc.people.rules.actor import PLACE_BOUND, ROLES, UNIT_BOUND, Actor


@dataclass(frozen=True)
class Everybody:
    """Whoever asks, with or without an account."""

    def __str__(self) -> str:
        return "everybody"

    def holds(self, actor: Actor) -> bool:
        """Whether it holds for the actor: always."""
        return True


@dataclass(frozen=True)
class Account:
    """Whoever has an account, whatever the role."""

    def __str__(self) -> str:
        return "any account"

    def holds(self, actor: Actor) -> bool:
        """Whether the actor is logged in."""
        return actor.user_id is not None


@dataclass(frozen=True)
class Holders:
    """Whoever holds one of the roles, anywhere."""

    roles: frozenset[str]

    def __str__(self) -> str:
        return ", ".join(role for role in ROLES if role in self.roles)

    def holds(self, actor: Actor) -> bool:
        """Whether the actor holds one of the roles."""
        return actor.user_id is not None and not self.roles.isdisjoint(actor.role_names)


Who = Everybody | Account | Holders


@dataclass(frozen=True)
class Permission:
    """One row of the table: a name, who has it, and what it lets one do."""

    name: str
    who: Who
    help: str


def _holders(*roles: str) -> Holders:
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise Misconfigured("unknown_role", f"The permission table names {', '.join(unknown)}.")
    return Holders(frozenset(roles))


CHIEFS = ("grid_chief", "area_chief", "liaison", "street")
DESK = ("intake", "dispatcher", "duty_officer")
FIELD = (*CHIEFS, "patrol", "unit_staff")
READERS = (*DESK, *FIELD, "planner", "approver", "leader", "admin")

EVERYBODY = Everybody()
ACCOUNT = Account()

_ROWS: tuple[Permission, ...] = (
    # Without an account. The page decides what it may show: no border without a map review number, no person.
    Permission("public", EVERYBODY, "See the start page, the guide, log-in, self-check, health and static files."),
    Permission("public.locate", EVERYBODY, "Ask in which areas a point lies; persons only with `locate.names`."),
    Permission("locate.many", _holders(*READERS), "Ask for the areas of many points at once."),
    Permission("public.report", EVERYBODY, "Report a problem and send its photos."),
    Permission("public.track", EVERYBODY, "Follow a report by its code, and answer whether it was solved."),
    # One's own account.
    Permission("account.own", ACCOUNT, "Log out, change one's own password and language."),
    Permission("account.own_tokens", ACCOUNT, "Make and revoke one's own API tokens."),
    # Map and areas.
    Permission("area.view", _holders(*READERS), "See areas, their borders and their history."),
    Permission("area.check", _holders("planner", "approver", "admin"), "Check borders for gaps and overlaps."),
    Permission("area.import", _holders("planner", "admin"), "Import borders, and the ground that lies under them."),
    Permission("area.export", _holders("planner", "approver", "leader", "admin"), "Export borders."),
    Permission("locate.names", _holders(*READERS), "See who answers for a place, also where no name is posted up."),
    Permission("point.assign", _holders("planner", "dispatcher", "admin"), "Give many points their areas."),
    Permission("layer.view", EVERYBODY, "Load map layers; each layer names its own audience."),
    Permission("map.export", _holders(*READERS), "Download a map as one file; figures in it need `insight.view`."),
    Permission("patch.view", _holders(*CHIEFS, *DESK, "patrol", "planner", "leader"), "See a chief's patch page."),
    # Posts, units, duties.
    Permission("post.view", _holders(*READERS), "See who holds which post, and areas without a chief."),
    Permission("post.import", _holders("planner", "admin"), "Import posts."),
    Permission("unit.view", _holders(*READERS), "See handling units and their duties."),
    Permission("unit.import", _holders("dispatcher", "admin"), "Import units and duties."),
    Permission("unit.work", _holders("unit_staff"), "See the page of one's own handling unit."),
    # Cases. Which ones: `scope` says; the roles of DESK and the leader see all, the others those of their places.
    Permission("case.open", _holders(*DESK, *FIELD), "Open a case by form or API, in the name of an account."),
    Permission("case.view", _holders(*DESK, *FIELD, "leader"), "See the cases of one's places, unit or own reports."),
    Permission("case.step", _holders(*DESK, *FIELD), "Take steps; the workflow table says which, when and who."),
    Permission("case.preview", _holders(*DESK, *FIELD), "See whose a case would be at another place or category."),
    Permission("case.import", _holders("intake", "dispatcher", "admin"), "Import cases from tables."),
    Permission("case.export", _holders(*DESK, "street", "leader"), "Export cases, without reporters."),
    Permission("case.unplaced", _holders(*DESK, "leader"), "See the tray of cases that fit no area (未落格)."),
    Permission("case.recompute", _holders("duty_officer"), "Move open deadlines to a new calendar, by an event."),
    Permission("contact.see", _holders("intake", "duty_officer"), "See a reporter's contact: intake and call-back."),
    Permission("contact.reveal", _holders(*DESK, *FIELD), "Reveal a reporter's contact with a reason that is logged."),
    Permission("photo.view", _holders(*DESK, *FIELD, "leader"), "See the photos of cases that one may see."),
    Permission("photo.add", _holders(*DESK, *FIELD), "Add photos to cases."),
    Permission("office.view", _holders(*DESK, "street", "planner", "leader"), "See the counters and trays."),
    # Figures. Counted over the cases that one may see; who reads only sees them too.
    Permission("insight.view", _holders(*DESK, *CHIEFS, "leader"), "See rates, heat maps and their tables."),
    Permission("insight.export", _holders(*DESK, *CHIEFS, "leader"), "Print the briefing of an area (通报)."),
    # Patrols (巡查). Effort is metres and minutes of ground, and names nobody; a named track is one's own.
    Permission("patrol.record", _holders(*CHIEFS, "patrol", "dispatcher", "admin"), "Record one's own patrols."),
    Permission("patrol.import", _holders("dispatcher", "admin"), "Import the tracks of others."),
    Permission("effort.view", _holders(*CHIEFS, *DESK, "patrol", "planner", "leader"), "See what ground was walked."),
    # Plans (网格调整方案).
    Permission("plan.view", _holders("planner", "approver", "street", "leader"), "See plans for borders."),
    Permission("plan.edit", _holders("planner"), "Draw and check plans."),
    Permission("plan.approve", _holders("approver"), "Approve or withdraw a plan that somebody else drew."),
    Permission("plan.publish", _holders("approver"), "Publish an approved plan for a date."),
    # Accounts and machinery.
    Permission("user.view", _holders("admin"), "List accounts, roles and tokens."),
    Permission("user.add", _holders("admin"), "Add accounts and give or end roles."),
    Permission("user.change", _holders("admin"), "Lock accounts, set passwords, revoke tokens."),
    Permission("job.view", _holders("admin"), "See jobs, also those that failed for good."),
    Permission("job.retry", _holders("admin"), "Try a failed job again."),
    Permission("metrics.view", _holders("admin"), "Read the figures of the running service."),
    Permission("settings.view", _holders("admin"), "See the settings, secrets left out."),
)

PERMISSIONS: dict[str, Permission] = {row.name: row for row in _ROWS}


def get_permission(name: str) -> Permission:
    """Return a row of the table; a name that is not in it raises `Misconfigured`: refused unless declared."""
    row = PERMISSIONS.get(name)
    if row is None:
        raise Misconfigured(
            "unknown_permission",
            f"There is no permission {name!r}.",
            hint="mapsvc/people/rules/permissions.py lists them all.",
        )
    return row


def allows(actor: Actor, permission: str) -> bool:
    """Return whether the actor has the permission at all; on which objects, `scope` and the service say.

    The program itself (`SYSTEM`) may do everything.
    """
    row = get_permission(permission)
    return actor.system or row.who.holds(actor)


def require(actor: Actor, permission: str) -> None:
    """Raise `NotAuthenticated` for somebody without an account, `Forbidden` for anybody else who lacks it."""
    if allows(actor, permission):
        return
    if actor.user_id is None:
        raise NotAuthenticated("login_required", "This needs a log-in.", hint="Log in, or send a bearer token.")
    raise Forbidden(
        "not_permitted",
        "Your roles do not allow this.",
        hint=f"It is for: {get_permission(permission).who}.",
        detail={"permission": permission},
    )


@dataclass(frozen=True)
class Scope:
    """Where a permission holds, as a value for SQL: the union of what is named.

    `everywhere` makes the rest idle. `area_ids` hold with all that lies below them; `unit_ids` mean
    what is dispatched to these units; `own_user_id` what this account opened itself.
    """

    everywhere: bool = False
    area_ids: frozenset[int] = frozenset()
    unit_ids: frozenset[int] = frozenset()
    own_user_id: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in scope."""
        return not (self.everywhere or self.area_ids or self.unit_ids or self.own_user_id is not None)


NOWHERE = Scope()
EVERYWHERE = Scope(everywhere=True)


def scope(actor: Actor, permission: str) -> Scope:
    """Return where the actor has a permission; `NOWHERE` without it.

    A grant for an area narrows any role to that area. Without one, roles of place (`PLACE_BOUND`)
    hold nowhere, unit staff only for their unit, the others everywhere; patrols without an area see
    what they reported themselves.
    """
    if not allows(actor, permission):
        return NOWHERE
    who = get_permission(permission).who
    if actor.system:
        return EVERYWHERE
    if not isinstance(who, Holders):
        return Scope(own_user_id=actor.user_id)
    held = [held for held in actor.roles if held.role in who.roles]
    unbound = {role.role for role in held if role.area_id is None and role.unit_id is None}
    if unbound - PLACE_BOUND - UNIT_BOUND - {"patrol"}:
        return EVERYWHERE
    return Scope(
        area_ids=frozenset(role.area_id for role in held if role.area_id is not None),
        unit_ids=frozenset(role.unit_id for role in held if role.unit_id is not None and role.area_id is None),
        own_user_id=actor.user_id,
    )


_APART: tuple[tuple[str, str, str], ...] = (
    ("dispatcher", "duty_officer", "who dispatches does not close"),
    ("unit_staff", "dispatcher", "who repairs does not dispatch"),
    ("unit_staff", "duty_officer", "who repairs does not close"),
    ("planner", "approver", "who draws a plan does not approve it"),
)


def conflicting_roles(roles: Iterable[str]) -> str:
    """Return why these roles may not be held by one account together; empty where they may (监督、指挥分离)."""
    held = frozenset(roles)
    return "; ".join(why for one, other, why in _APART if one in held and other in held)
