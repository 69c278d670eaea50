"""The demo town: built through the services, every role can log in, and what it shows hangs together."""

from __future__ import annotations

from collections import Counter

import pytest

from mapsvc.areas.index import Snapshots
from mapsvc.areas.queries.posts import actor_posts
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.catalog import load_catalog
from mapsvc.demo.build import PASSWORD, build_demo, built_at
from mapsvc.demo.staff import ACCOUNTS
from mapsvc.people.queries import load_actor
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.people.service.access import log_in
from mapsvc.storage.work import Store

pytestmark = pytest.mark.slow

DUTY_OFFICER = next(account for account in ACCOUNTS if account.role == "duty_officer")


def _log_in(store: Store, clock: FixedClock, name: str) -> Actor:
    user = log_in(store, name, PASSWORD)
    today = clock.now().date()
    with store.read() as work:
        actor = load_actor(work, user.id, today)
        assert actor is not None
        posts = actor_posts(work, user.person_id, today) if user.person_id else ()
    return Actor(user_id=user.id, name=actor.name, roles=(*actor.roles, *posts), person_id=user.person_id)


def test_the_demo_hangs_together(sqlite_store: Store, settings: Settings, clock: FixedClock) -> None:
    """One town serves all the checks: building it takes seconds."""
    store = sqlite_store
    with store.read() as work:
        assert list_cases(work, SYSTEM, CaseFilters()).count == 0
    assert built_at(store) is None
    told: list[tuple[str, int, int]] = []
    build_demo(store, settings, lambda *stage: told.append(stage), cases=150)
    assert built_at(store) == clock.now()
    assert told[-1] == ("reports", 150, 150)

    for account in ACCOUNTS:
        assert account.role in _log_in(store, clock, account.name).role_names, account.name

    officer = _log_in(store, clock, DUTY_OFFICER.name)
    with store.read() as work:
        page = list_cases(work, officer, CaseFilters(include_historic=False), limit=200)
    assert page.count == 150
    with store.read() as work:
        everything = list_cases(work, officer, CaseFilters())
    assert everything.count == 600, "the ledger of the time before is there as history"
    states = Counter(row.state for row in page.rows)
    assert states["closed"] > 90
    assert sum(states.values()) - states["closed"] >= 5, "a town without open cases shows nothing"
    assert len({row.number for row in page.rows}) == 150

    snapshot = Snapshots(store, settings, load_catalog(settings).levels).current(clock.now())
    today = clock.now().date()
    p07, p13 = snapshot.find_area("patch", "P07"), snapshot.find_area("patch", "P13")
    assert p07 is not None
    assert p13 is not None
    chief = snapshot.responsible(p07.area_id, today)
    assert chief is not None
    assert (chief.name, chief.liaison_name) == ("张敏", "徐宁")
    assert snapshot.responsible(p13.area_id, today) is None

    zhangmin = _log_in(store, clock, "zhangmin")
    with store.read() as work:
        own = list_cases(work, zhangmin, CaseFilters(include_historic=False), limit=200)
    assert 0 < own.count < 150, "a chief sees their own patch, not the town"
