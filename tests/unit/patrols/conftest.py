"""A small town of squares with two persons who walk it, on both stores."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import numpy as np
import pytest

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.base.settings import Settings
from mapsvc.geo.tracks import Fixes, make_fixes
from mapsvc.patrols.rules.values import PatrolData, PatrolReceipt
from mapsvc.patrols.service.record import record_patrols
from mapsvc.people.models import Person, User
from mapsvc.people.rules.actor import SYSTEM, Actor, RoleHeld
from mapsvc.storage.work import Store
from tests import squares

LEVELS = squares.shipped_levels()
MORNING = 1_795_395_600.0 - 86_400
"""In seconds since 1970: a day before the tests' now, nine in the morning in Shanghai."""


@dataclass
class Beat:
    """The town and its walkers, `a` and `b`."""

    store: Store
    settings: Settings
    persons: dict[str, int]
    user_id: int

    @property
    def snapshot(self) -> Snapshot:
        return Snapshots(self.store, self.settings, LEVELS).current(self.store.clock.now())

    def record(self, *patrols: PatrolData, actor: Actor = SYSTEM) -> tuple[PatrolReceipt, ...]:
        snapshot = self.snapshot
        with self.store.write() as work:
            return record_patrols(work, actor, snapshot, patrols)

    def walker(self, code: str, role: str = "patrol") -> Actor:
        return Actor(user_id=self.user_id, name=code, roles=(RoleHeld(role),), person_id=self.persons[code])


def east(row: float = 0.5, *, columns: float = 4, start: float = MORNING, every: float = 5.0, **more: object) -> Fixes:
    """Walk east through a row of squares at 1.2 m/s, from the western border on; rows count from the south."""
    metres = columns * squares.SIDE * 83_000
    at = np.arange(0, metres / 1.2, every)
    lon = squares.WEST + at * 1.2 / 83_000
    return make_fixes(start + at, lon, np.full(len(at), squares.SOUTH + row * squares.SIDE), **more)  # type: ignore[arg-type]


def patrol(person: str = "a", fixes: Fixes | None = None, mode: str = "foot", uuid: UUID | None = None) -> PatrolData:
    return PatrolData(uuid or uuid4(), person, mode, east() if fixes is None else fixes)


@pytest.fixture
def beat(store: Store, settings: Settings) -> Beat:
    import_rows(store, settings, LEVELS, SYSTEM, "grid", squares.grid_rows())
    with store.write() as work:
        made = {code: Person(code=code, name=f"巡查员{code}") for code in ("a", "b")}
        work.session.add_all(made.values())
        work.session.flush()
        persons = {code: person.id for code, person in made.items()}
        user = User(name="u", display_name="u", password_hash=None, created_at=work.now)
        work.session.add(user)
        work.session.flush()
        user_id = user.id
    return Beat(store, settings, persons, user_id)
