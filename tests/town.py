"""A small town for tests of the web: 4 x 4 grids or more, chiefs, one account for each role, and an app over it.

Two of everything that can be somebody else's: patches P0 and P1, units A and B, chiefs of both.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from mapsvc.app import create_app
from mapsvc.areas.models import Area, Post
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.writing import bump_revision
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.people.models import Person, Unit
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.access import issue_token
from mapsvc.people.service.users import NewGrant, NewUser, add_user
from mapsvc.storage.work import Store
from mapsvc.web.parts import EXTENSION

from . import squares

REPORTER_NAME, REPORTER_PHONE = "举报人甲乙丙", "13900006789"
CATEGORY = "E0107"

PLAIN_ROLES = ("intake", "dispatcher", "duty_officer", "planner", "approver", "leader", "admin")
"""Roles that hold everywhere."""


@dataclass(frozen=True)
class Login:
    """An account of the town and its bearer token."""

    user_id: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What a program of this account sends along."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Town:
    """An app over a small town, its accounts by name, and the ids of areas by (level, code)."""

    app: Flask
    store: Store
    settings: Settings
    clock: FixedClock
    logins: Mapping[str, Login]
    areas: Mapping[tuple[str, str], int]
    units: Mapping[str, int] = field(default_factory=dict)

    def close(self) -> None:
        """Close the app's own connections to the store."""
        own = self.app.extensions[EXTENSION]
        own.columns.wait()
        own.area_tiles.wait()
        own.store.engine.dispose()

    def client(self) -> FlaskClient:
        """Return a browser without a log-in."""
        return self.app.test_client()

    def get(self, path: str, who: str = "", **more: Any) -> TestResponse:
        """Ask as an account, or as nobody."""
        return self.client().get(path, headers=self.headers(who), **more)

    def headers(self, who: str) -> dict[str, str]:
        """Return the headers of an account; none for nobody."""
        return self.logins[who].headers if who else {}

    def report(self, who: str = "", *, column: int = 0, row: int = 0, **more: Any) -> tuple[uuid.UUID, TestResponse]:
        """Report a problem in the middle of a square; return its id and the answer."""
        case_uuid = uuid.uuid4()
        lon, lat = squares.middle(column, row)
        body = {
            "category": CATEGORY,
            "description": "test report",
            "position": {"lon": lon, "lat": lat, "source": "tap"},
            "contact": {"name": REPORTER_NAME, "phone": REPORTER_PHONE},
            **more,
        }
        return case_uuid, self.put_json(f"/api/v1/cases/{case_uuid}", body, who)

    def put_json(self, path: str, body: Any, who: str = "") -> TestResponse:
        """Put a JSON body as an account, or as nobody."""
        return self.client().put(path, json=body, headers=self.headers(who))

    def step(self, case_uuid: uuid.UUID, step: str, who: str, **more: Any) -> TestResponse:
        """Take a step of the workflow."""
        return self.put_json(f"/api/v1/cases/{case_uuid}/steps/{uuid.uuid4()}", {"step": step, **more}, who)


def build(
    store: Store, settings: Settings, clock: FixedClock, *, public_names: bool = False, size: int = 4, **changed: Any
) -> Town:
    """Make the town of `size` x `size` grids in an empty store, and the app over it; `changed` replaces settings."""
    import_rows(store, settings, squares.shipped_levels(), SYSTEM, "grid", squares.grid_rows(size, size))
    with store.write() as work:
        areas = {(row.level, row.code): row.id for row in work.session.scalars(select(Area))}
        units = {code: Unit(code=code, name=f"unit {code}") for code in ("A", "B")}
        work.session.add_all(units.values())
        people = {
            code: Person(code=code, name=f"chief {code}", public=public_names) for code in ("P0", "P1", "S0", "G0000")
        }
        work.session.add_all(people.values())
        work.session.flush()
        for code, level in (("P0", "patch"), ("P1", "patch"), ("S0", "street"), ("G0000", "grid")):
            work.session.add(
                Post(area_id=areas[level, code], person_id=people[code].id, role="chief", document="No. 1")
            )
        bump_revision(work, "posts")
        unit_ids = {code: unit.id for code, unit in units.items()}
        person_ids = {code: person.id for code, person in people.items()}
    logins = _make_logins(store, areas, unit_ids, person_ids)
    settings = replace(settings, **{"public_reports_per_hour": 10_000, **changed})
    return Town(create_app(settings, clock=clock), store, settings, clock, logins, areas, unit_ids)


def _make_logins(
    store: Store, areas: Mapping[tuple[str, str], int], units: Mapping[str, int], persons: Mapping[str, int]
) -> dict[str, Login]:
    new = {role: NewUser(role, role, grants=(NewGrant(role),)) for role in PLAIN_ROLES}
    new["chief_0"] = NewUser("chief_0", "chief P0", person_id=persons["P0"])
    new["chief_1"] = NewUser("chief_1", "chief P1", person_id=persons["P1"])
    new["grid_chief"] = NewUser("grid_chief", "chief G0000", person_id=persons["G0000"])
    new["street"] = NewUser("street", "street S0", person_id=persons["S0"])
    new["patrol"] = NewUser("patrol", "patrol", grants=(NewGrant("patrol", area_id=areas["patch", "P0"]),))
    new["unit_a"] = NewUser("unit_a", "unit A", grants=(NewGrant("unit_staff", unit_id=units["A"]),))
    new["unit_b"] = NewUser("unit_b", "unit B", grants=(NewGrant("unit_staff", unit_id=units["B"]),))
    new["bare"] = NewUser("bare", "no role")
    logins = {}
    with store.write() as work:
        for name, user in new.items():
            record = add_user(work, SYSTEM, user)
            logins[name] = Login(record.id, issue_token(work, SYSTEM, record.id, "test").secret)
    return logins


def sha256(body: Any) -> str:
    """Return the hash of a JSON body as the test client writes it."""
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()
