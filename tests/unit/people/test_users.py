"""Accounts, roles, persons and units, on both stores."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from mapsvc.base.errors import Conflict, Forbidden, InvalidInput, MapsvcError, NotFound
from mapsvc.people import queries
from mapsvc.people.models import Person, Unit
from mapsvc.people.queries import CHUNK, PersonRecord, UserRecord
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld
from mapsvc.people.rules.passwords import hash_password
from mapsvc.people.service import persons, units, users
from mapsvc.people.service.persons import PersonData
from mapsvc.people.service.units import UnitData
from mapsvc.people.service.users import NewGrant, NewUser
from mapsvc.storage.work import Store, Work

TODAY = date(2026, 11, 23)
NOBODY = Actor(user_id=99, name="nobody")


def add(store: Store, name: str = "zhaoxue", *grants: NewGrant, person_id: int | None = None) -> UserRecord:
    with store.write() as work:
        return users.add_user(work, SYSTEM, NewUser(name, person_id=person_id, grants=grants))


def add_unit(work: Work, code: str = "HW") -> int:
    return units.upsert_units(work, SYSTEM, [UnitData(code, f"{code} unit")]).ids[code]


def test_an_account_is_added_with_its_roles(store: Store) -> None:
    with store.write() as work:
        unit = add_unit(work)
        user = users.add_user(
            work,
            SYSTEM,
            NewUser(" MaQiang ", "马强", language="en", grants=(NewGrant("unit_staff", unit_id=unit),)),
        )
        created_at = work.now
    assert (user.name, user.display_name, user.language) == ("maqiang", "马强", "en")
    assert (user.active, user.revision, user.created_at) == (True, 1, created_at)
    with store.read() as work:
        assert queries.find_user(work, "MAQIANG") == user
        assert queries.get_user(work, user.id) == user
        assert queries.find_user(work, "somebody") is None
        actor = queries.load_actor(work, user.id, TODAY)
        assert queries.user_names(work, [user.id, 12345]) == {user.id: "马强"}
    assert actor == Actor(user.id, "马强", (RoleHeld("unit_staff", unit_id=unit),), language="en")


def test_an_account_without_a_shown_name_shows_the_one_it_has(store: Store) -> None:
    assert add(store, "ZhaoXue").display_name == "ZhaoXue"


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (NewUser(""), "bad_user_name"),
        (NewUser("two words"), "bad_user_name"),
        (NewUser("bell\x07"), "bad_user_name"),
        (NewUser("x" * 65), "bad_user_name"),
        (NewUser("TAKEN"), "user_exists"),
        (NewUser("x", language="fr"), "bad_language"),
        (NewUser("x", person_id=999), "person_not_found"),
        (NewUser("x", grants=(NewGrant("king"),)), "unknown_role"),
        (NewUser("x", grants=(NewGrant("unit_staff"),)), "grant_unit"),
        (NewUser("x", grants=(NewGrant("intake", unit_id=1),)), "grant_unit"),
        (NewUser("x", grants=(NewGrant("unit_staff", unit_id=999),)), "unit_not_found"),
        (NewUser("x", grants=(NewGrant("unit_staff", area_id=1, unit_id=1),)), "grant_area_and_unit"),
        (NewUser("x", grants=(NewGrant("area_chief"),)), "grant_needs_area"),
        (NewUser("x", grants=(NewGrant("planner"), NewGrant("approver"))), "roles_apart"),
        (
            NewUser("x", grants=(NewGrant("leader", valid_from=TODAY, valid_to=TODAY - timedelta(days=1)),)),
            "bad_dates",
        ),
    ],
)
def test_what_is_refused_adds_nothing(store: Store, new: NewUser, code: str) -> None:
    add(store, "taken")
    with pytest.raises(MapsvcError) as caught, store.write() as work:
        users.add_user(work, SYSTEM, new)
    assert caught.value.code == code
    with store.read() as work:
        assert [user.name for user in queries.list_users(work, SYSTEM)] == ["taken"]


def test_a_chief_with_a_person_needs_no_area(store: Store) -> None:
    with store.write() as work:
        ids = persons.upsert_persons(work, SYSTEM, [PersonData("R1", "张敏")]).ids
    user = add(store, "zhangmin", NewGrant("area_chief"), person_id=ids["R1"])
    with store.read() as work:
        actor = queries.load_actor(work, user.id, TODAY)
    assert actor is not None
    assert actor.person_id == ids["R1"]
    assert actor.areas_of("area_chief") == frozenset()


def test_roles_hold_from_day_to_day(store: Store) -> None:
    day = timedelta(days=1)
    user = add(store, "x", NewGrant("leader", valid_from=TODAY, valid_to=TODAY + day), NewGrant("planner"))

    def roles(on: date) -> set[str]:
        with store.read() as work:
            actor = queries.load_actor(work, user.id, on)
        assert actor is not None
        return set(actor.role_names)

    assert roles(TODAY - day) == {"planner"}
    assert roles(TODAY) == roles(TODAY + day) == {"planner", "leader"}
    assert roles(TODAY + 2 * day) == {"planner"}


def test_a_role_ends_and_leaves_room_for_the_one_kept_apart(store: Store) -> None:
    user = add(store, "x", NewGrant("dispatcher"))
    with store.write() as work:
        (held,) = queries.list_grants(work, SYSTEM, [user.id])
        with pytest.raises(Conflict):
            users.grant_role(work, SYSTEM, user.id, NewGrant("duty_officer", valid_from=TODAY + timedelta(days=1)))
        users.end_grant(work, SYSTEM, held.id, TODAY)
    with store.write() as work:
        with pytest.raises(Conflict):
            users.grant_role(work, SYSTEM, user.id, NewGrant("duty_officer", valid_from=TODAY))
        given = users.grant_role(work, SYSTEM, user.id, NewGrant("duty_officer", valid_from=TODAY + timedelta(days=1)))
        with pytest.raises(InvalidInput):
            users.end_grant(work, SYSTEM, given.id, TODAY)
        with pytest.raises(NotFound):
            users.end_grant(work, SYSTEM, 999, TODAY)
    with store.read() as work:
        assert [grant.valid_to for grant in queries.list_grants(work, SYSTEM, [user.id])] == [TODAY, None]


def test_closing_an_account_ends_its_sessions(store: Store) -> None:
    user = add(store, "x", NewGrant("leader"))
    with store.write() as work:
        users.lock_user(work, SYSTEM, user.id)
    with store.read() as work:
        assert queries.load_actor(work, user.id, TODAY) is None
    with store.write() as work:
        users.unlock_user(work, SYSTEM, user.id)
    with store.read() as work:
        assert queries.load_actor(work, user.id, TODAY) is not None
        assert queries.load_actor(work, user.id, TODAY, revision=user.revision) is None
        assert queries.load_actor(work, user.id + 100, TODAY) is None


def test_sessions_end_on_demand(store: Store) -> None:
    user = add(store, "x")
    with store.write() as work:
        users.log_out_everywhere(work, Actor(user.id, "x"), user.id)
        assert queries.get_user(work, user.id).revision == user.revision + 1
        with pytest.raises(Forbidden):
            users.log_out_everywhere(work, NOBODY, user.id)


def test_setting_a_password_forgets_failures(store: Store) -> None:
    user = add(store, "x")
    with store.write() as work:
        users.set_password(work, SYSTEM, user.id, hash_password("x", "three brown foxes"))
        assert queries.get_user(work, user.id).revision == 2
        with pytest.raises(Forbidden):
            users.set_password(work, NOBODY, user.id, hash_password("x", "three brown foxes"))
        with pytest.raises(NotFound):
            users.set_password(work, SYSTEM, 12345, hash_password("x", "three brown foxes"))


def test_the_language_is_kept(store: Store) -> None:
    user = add(store, "x")
    with store.write() as work:
        users.set_language(work, Actor(user.id, "x"), "en")
        assert queries.get_user(work, user.id).language == "en"
        with pytest.raises(InvalidInput):
            users.set_language(work, Actor(user.id, "x"), "fr")
        with pytest.raises(MapsvcError):
            users.set_language(work, PUBLIC, "en")
        with pytest.raises(Forbidden):
            users.set_language(work, SYSTEM, "en")


def test_accounts_are_the_administrators(store: Store) -> None:
    user = add(store, "x", NewGrant("intake"))
    admin = Actor(user_id=add(store, "root", NewGrant("admin")).id, name="root", roles=(RoleHeld("admin"),))
    with store.write() as work:
        clerk = Actor(user.id, "x", (RoleHeld("intake"),))
        for forbidden in (
            lambda: users.add_user(work, clerk, NewUser("y")),
            lambda: users.grant_role(work, clerk, user.id, NewGrant("admin")),
            lambda: users.end_grant(work, clerk, 1, TODAY),
            lambda: users.lock_user(work, clerk, user.id),
            lambda: users.unlock_user(work, clerk, user.id),
            lambda: queries.list_users(work, clerk),
            lambda: queries.list_grants(work, clerk, [user.id]),
            lambda: queries.list_account_changes(work, clerk, user.id),
            lambda: users.lock_user(work, admin, admin.user_id or 0),
        ):
            with pytest.raises(Forbidden):
                forbidden()
        users.lock_user(work, admin, user.id)
    with store.read() as work:
        changes = queries.list_account_changes(work, admin, user.id)
    assert [(change.action, change.by_user_id) for change in changes] == [
        ("added", None),
        ("role_granted", None),
        ("locked", admin.user_id),
    ]
    assert ("role", "intake") in changes[1].data


def test_accounts_are_listed_by_name_in_pages(store: Store) -> None:
    for name in ("c", "a", "e", "b", "d"):
        add(store, name)
    with store.read() as work:
        first = queries.list_users(work, SYSTEM, limit=2)
        second = queries.list_users(work, SYSTEM, after=first[-1].name, limit=2)
        with pytest.raises(NotFound):
            queries.get_user(work, 999)
    assert [user.name for user in (*first, *second)] == ["a", "b", "c", "d"]


# Persons.


def test_persons_come_in_and_are_brought_up_to_date(store: Store) -> None:
    with store.write() as work:
        first = persons.upsert_persons(
            work, SYSTEM, [PersonData("R1", "张敏", "138"), PersonData("R2", "周航", public=True)]
        )
    assert (first.added, first.changed) == (2, 0)
    with store.write() as work:
        again = persons.upsert_persons(
            work,
            SYSTEM,
            [
                PersonData("R1", "张敏"),
                PersonData("R2", "周行", "139"),
                PersonData("R3", "王磊"),
                PersonData("R1", "张敏"),
            ],
        )
    assert (again.added, again.changed) == (1, 1)
    assert again.ids["R1"] == first.ids["R1"]
    with store.read() as work:
        assert queries.find_person(work, "R1") == PersonRecord(first.ids["R1"], "R1", "张敏", "138", False)
        assert queries.find_person(work, "R9") is None
        assert queries.persons_by_code(work, ["R2", "R9"]) == {
            "R2": PersonRecord(first.ids["R2"], "R2", "周行", "139", True)
        }
        assert set(queries.persons_by_id(work, [first.ids["R2"], 999])) == {first.ids["R2"]}


def test_an_empty_phone_is_erased_and_an_absent_one_left(store: Store) -> None:
    with store.write() as work:
        persons.upsert_persons(work, SYSTEM, [PersonData("R1", "张敏", "138")])
        persons.upsert_persons(work, SYSTEM, [PersonData("R1", "张敏", public=True)])
        assert queries.persons_by_code(work, ["R1"])["R1"].phone == "138"
        persons.upsert_persons(work, SYSTEM, [PersonData("R1", "张敏", "")])
        assert queries.persons_by_code(work, ["R1"])["R1"].phone == ""


def test_many_persons_cost_few_queries(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [PersonData(f"R{number:05}", f"name {number}") for number in range(2 * CHUNK + 1)]
    with store.write() as work:
        asked = 0
        original = work.session.scalars

        def counted(*arguments: object, **options: object) -> object:
            nonlocal asked
            asked += 1
            return original(*arguments, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(work.session, "scalars", counted)
        done = persons.upsert_persons(work, SYSTEM, people)
    assert (done.added, len(done.ids), asked) == (len(people), len(people), 3)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([PersonData("R1", "张敏"), PersonData("R1", "周航")], "person_code_twice"),
        ([PersonData("", "张敏")], "person_incomplete"),
        ([PersonData("R1", " ")], "person_incomplete"),
    ],
)
def test_persons_that_cannot_be_told_apart(store: Store, rows: list[PersonData], code: str) -> None:
    with pytest.raises(InvalidInput) as caught, store.write() as work:
        persons.upsert_persons(work, SYSTEM, [PersonData("R0", "何芳"), *rows])
    assert caught.value.code == code
    with store.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Person)) == 0


# Units.


def test_units_come_in_end_and_work_again(store: Store) -> None:
    with store.write() as work:
        done = units.upsert_units(
            work,
            SYSTEM,
            [UnitData("HW", "环卫所", "110"), UnitData("GS", "供水公司"), UnitData("HW", "环卫所", None, "cleansing")],
        )
        assert (done.added, done.changed) == (2, 0)
        assert queries.find_unit(work, "HW") is not None
        units.end_unit(work, SYSTEM, "HW", TODAY)
    with store.read() as work:
        assert [unit.code for unit in queries.list_units(work, SYSTEM, TODAY)] == ["GS", "HW"]
        assert [unit.code for unit in queries.list_units(work, SYSTEM, TODAY + timedelta(days=1))] == ["GS"]
        assert [unit.code for unit in queries.list_units(work, SYSTEM, TODAY, after="GS")] == ["HW"]
        hw = queries.units_by_code(work, ["HW", "??"])["HW"]
        assert (hw.phone, hw.kind, hw.ended_on) == ("110", "cleansing", TODAY)
        assert queries.units_by_id(work, [hw.id, 999]) == {hw.id: hw}
        assert queries.find_unit(work, "??") is None
    with store.write() as work:
        again = units.upsert_units(work, SYSTEM, [UnitData("HW", "环卫所")])
        assert (again.added, again.changed, again.ids) == (0, 1, {"HW": hw.id})
        assert queries.units_by_code(work, ["HW"])["HW"].ended_on is None
        with pytest.raises(NotFound):
            units.end_unit(work, SYSTEM, "??", TODAY)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([UnitData("HW", "环卫所"), UnitData("HW", "环卫二所")], "unit_code_twice"),
        ([UnitData("", "环卫所")], "unit_incomplete"),
    ],
)
def test_units_that_cannot_be_told_apart(store: Store, rows: list[UnitData], code: str) -> None:
    with pytest.raises(InvalidInput) as caught, store.write() as work:
        units.upsert_units(work, SYSTEM, rows)
    assert caught.value.code == code
    with store.read() as work:
        assert work.session.scalar(select(func.count()).select_from(Unit)) == 0


def test_persons_and_units_are_not_everybodys_to_change(store: Store) -> None:
    with store.write() as work:
        with pytest.raises(Forbidden):
            persons.upsert_persons(work, NOBODY, [PersonData("R1", "张敏")])
        with pytest.raises(Forbidden):
            units.upsert_units(work, NOBODY, [UnitData("HW", "环卫所")])
        with pytest.raises(Forbidden):
            units.end_unit(work, NOBODY, "HW", TODAY)
        with pytest.raises(Forbidden):
            queries.list_units(work, NOBODY, TODAY)
