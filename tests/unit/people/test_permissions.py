"""The one permission table: who may do what, where, and who may not hold two roles."""

from __future__ import annotations

import ast
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import Forbidden, Misconfigured, NotAuthenticated
from mapsvc.base.paths import PACKAGE
from mapsvc.people.rules.actor import PLACE_BOUND, PUBLIC, ROLES, SYSTEM, UNIT_BOUND, Actor, RoleHeld
from mapsvc.people.rules.permissions import (
    EVERYWHERE,
    NOWHERE,
    PERMISSIONS,
    Holders,
    Scope,
    allows,
    conflicting_roles,
    require,
    scope,
)

CHANGES = {
    "area.import",
    "post.import",
    "unit.import",
    "case.open",
    "case.step",
    "case.import",
    "case.recompute",
    "photo.add",
    "plan.edit",
    "plan.approve",
    "plan.publish",
    "user.add",
    "user.change",
    "job.retry",
}


def holder(*roles: str | RoleHeld) -> Actor:
    held = tuple(RoleHeld(role) if isinstance(role, str) else role for role in roles)
    return Actor(user_id=7, name="somebody", roles=held)


def may(*roles: str) -> set[str]:
    return {name for name in PERMISSIONS if allows(holder(*roles), name)}


def test_refused_unless_declared() -> None:
    for ask in (allows, require, scope):
        with pytest.raises(Misconfigured) as caught:
            ask(SYSTEM, "case.nonsense")
        assert caught.value.code == "unknown_permission"


def test_every_row_says_what_it_lets_one_do() -> None:
    for name, row in PERMISSIONS.items():
        assert row.name == name
        assert row.help.endswith(".")
        assert str(row.who)
        if isinstance(row.who, Holders):
            assert row.who.roles <= set(ROLES)
            assert row.who.roles


def test_every_role_may_do_something_of_its_own() -> None:
    everybody = {name for name in PERMISSIONS if allows(PUBLIC, name)}
    for role in ROLES:
        assert may(role) > everybody, role


def test_the_public_sees_and_reports_and_nothing_else() -> None:
    assert {name for name in PERMISSIONS if allows(PUBLIC, name)} == {
        "public",
        "public.locate",
        "public.report",
        "public.track",
        "layer.view",
    }


def test_an_account_without_a_role_has_only_itself() -> None:
    assert may() - {name for name in PERMISSIONS if allows(PUBLIC, name)} == {"account.own", "account.own_tokens"}


def test_leaders_only_read() -> None:
    assert may("leader") & CHANGES == set()
    assert {"case.view", "office.view", "locate.names"} <= may("leader")
    assert "contact.reveal" not in may("leader")


def test_the_administrator_decides_about_no_case() -> None:
    assert may("admin") & {"case.step", "case.open", "contact.see", "contact.reveal", "case.view"} == set()
    assert {"user.add", "job.retry", "area.import"} <= may("admin")


def test_only_intake_and_call_back_see_contacts_without_a_reason() -> None:
    assert {role for role in ROLES if "contact.see" in may(role)} == {"intake", "duty_officer"}


def test_whoever_draws_a_plan_does_not_approve_it() -> None:
    for role in ROLES:
        assert not {"plan.edit", "plan.approve"} <= may(role), role


@given(st.sets(st.sampled_from(sorted(ROLES))))
def test_roles_together_may_what_each_may(roles: set[str]) -> None:
    assert may(*roles) == may().union(*(may(role) for role in roles))


@given(st.sampled_from(sorted(PERMISSIONS)), st.sampled_from(sorted(ROLES)))
def test_require_and_allows_agree(name: str, role: str) -> None:
    actor = holder(role)
    if allows(actor, name):
        require(actor, name)
    else:
        with pytest.raises(Forbidden) as caught:
            require(actor, name)
        assert caught.value.detail == {"permission": name}


def test_the_public_is_asked_to_log_in() -> None:
    with pytest.raises(NotAuthenticated) as caught:
        require(PUBLIC, "case.view")
    assert caught.value.code == "login_required"
    require(PUBLIC, "public.report")


def test_the_program_may_do_everything_everywhere() -> None:
    for name in PERMISSIONS:
        require(SYSTEM, name)
        assert scope(SYSTEM, name) == EVERYWHERE


def test_nobody_has_a_scope_without_the_permission() -> None:
    assert scope(PUBLIC, "case.view") == NOWHERE
    assert NOWHERE.is_empty
    assert scope(holder("admin"), "case.view") == NOWHERE


@pytest.mark.parametrize("role", ["intake", "dispatcher", "duty_officer", "leader"])
def test_the_desk_sees_everything_unless_its_grant_names_an_area(role: str) -> None:
    assert scope(holder(role), "case.view") == EVERYWHERE
    assert scope(holder(RoleHeld(role, area_id=4)), "case.view") == Scope(area_ids=frozenset({4}), own_user_id=7)


@pytest.mark.parametrize("role", sorted(PLACE_BOUND))
def test_a_role_of_place_without_a_place_holds_nowhere(role: str) -> None:
    actor = holder(role)
    assert actor.areas_of(role) == frozenset()
    assert scope(actor, "case.view") == Scope(own_user_id=7)
    placed = holder(RoleHeld(role, area_id=3), RoleHeld(role, area_id=5, for_person_id=9))
    assert placed.areas_of(role) == {3, 5}
    assert scope(placed, "case.view").area_ids == {3, 5}
    assert not scope(placed, "case.view").everywhere


def test_unit_staff_see_their_unit() -> None:
    assert {"unit_staff"} == UNIT_BOUND
    actor = holder(RoleHeld("unit_staff", unit_id=2))
    assert scope(actor, "case.view") == Scope(unit_ids=frozenset({2}), own_user_id=7)
    assert actor.areas_of("unit_staff") == frozenset()
    assert actor.unit_ids == {2}
    assert scope(holder("unit_staff"), "case.view") == Scope(own_user_id=7)


def test_patrols_without_an_area_see_their_own_reports() -> None:
    assert scope(holder("patrol"), "case.view") == Scope(own_user_id=7)
    assert scope(holder(RoleHeld("patrol", area_id=8)), "case.view").area_ids == {8}


def test_only_roles_that_have_the_permission_widen_its_scope() -> None:
    actor = holder("planner", RoleHeld("area_chief", area_id=3))
    assert scope(actor, "case.view") == Scope(area_ids=frozenset({3}), own_user_id=7)
    assert scope(actor, "area.view") == EVERYWHERE


def test_the_widest_of_several_roles_counts() -> None:
    assert scope(holder(RoleHeld("area_chief", area_id=3), "dispatcher"), "case.view") == EVERYWHERE


APART = {
    frozenset({"dispatcher", "duty_officer"}),
    frozenset({"unit_staff", "dispatcher"}),
    frozenset({"unit_staff", "duty_officer"}),
    frozenset({"planner", "approver"}),
}


@pytest.mark.parametrize("pair", list(combinations(ROLES, 2)))
def test_which_two_roles_are_kept_apart(pair: tuple[str, str]) -> None:
    assert bool(conflicting_roles(pair)) == (frozenset(pair) in APART)
    assert conflicting_roles([pair[0], pair[0]]) == ""


ASKERS = {"require": 1, "allows": 1, "scope": 1, "permission": 0, "get_permission": 0}


def asked_names(path: Path) -> set[str]:
    """Return the permission names that a file writes out where one is asked for."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or len(node.args) <= ASKERS.get(getattr(node.func, "id", ""), 99):
            continue
        asked = node.args[ASKERS[getattr(node.func, "id", "")]]
        found.update(
            part.value for part in ast.walk(asked) if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
    return found


def test_the_program_asks_for_no_permission_that_is_not_in_the_table() -> None:
    asked = {path: asked_names(path) for path in PACKAGE.rglob("*.py")}
    assert len(set().union(*asked.values())) > 5
    assert {str(path): names - set(PERMISSIONS) for path, names in asked.items() if names - set(PERMISSIONS)} == {}
