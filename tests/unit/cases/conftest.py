"""A small district in both stores: two streets, three communities, four patches, eight grids, chiefs, units, actors.

The ground is 0.08 by 0.04 degrees at 118.00 E, 30.00 N, in eight squares of 0.02 degrees, grids G1 to G4
in the south and G5 to G8 in the north, from west to east::

    G5 G6 G7 G8      street S2, communities C2 (G5 G6) and C3 (G7 G8), patches P3 and P4
    G1 G2 G3 G4      street S1, community C1; patches P1 (G1 G2) and P2 (G3 G4)

P4 has no chief; P3 has an acting one. Everybody else answers for what their name says.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import shapely
from sqlalchemy import insert, select

from mapsvc import catalog
from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.models import Area, Duty, Post, Revision
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import BorderRows, ImportOptions, MadeColumn
from mapsvc.base import paths
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.cases.models import Case, CaseEvent, Photo
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import Contact, Intake, Position, Receipt, StepReceipt, StepRequest
from mapsvc.cases.service.intake import open_case
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.cases.service.steps import take_step
from mapsvc.people.models import Person, Unit, User
from mapsvc.people.rules.actor import PUBLIC, SYSTEM, Actor, RoleHeld
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store, Work
from tests import postgis

WEST, SOUTH, STEP = 118.0, 30.0, 0.02
COMMUNITY = {"G1": "C1", "G2": "C1", "G3": "C1", "G4": "C1", "G5": "C2", "G6": "C2", "G7": "C3", "G8": "C3"}
STREET = {"C1": "S1", "C2": "S2", "C3": "S2"}
PATCH = {"G1": "P1", "G2": "P1", "G3": "P2", "G4": "P2", "G5": "P3", "G6": "P3", "G7": "P4", "G8": "P4"}
GRIDS = tuple(COMMUNITY)
CENTRES = {
    grid: (WEST + STEP * (number % 4 + 0.5), SOUTH + STEP * (number // 4 + 0.5)) for number, grid in enumerate(GRIDS)
}
ON_THE_EDGE = (WEST + 2 * STEP - 0.00002, SOUTH + STEP / 2)
"""Two metres inside P1, at the border with P2."""

RUBBISH = "E0110"
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass
class District:
    """The district with everything that tests ask of it."""

    store: Store
    settings: Settings
    clock: FixedClock
    book: Rulebook
    snapshots: Snapshots
    areas: dict[str, int]
    people: dict[str, int]
    units: dict[str, int]
    users: dict[str, int]
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def snapshot(self) -> Snapshot:
        return self.snapshots.current(self.clock.now(), fresh=True)

    def actor(self, name: str, *held: RoleHeld) -> Actor:
        return Actor(self.users[name], name, held, person_id=self.people.get(name))

    def desk(self, role: str) -> Actor:
        return self.actor(role, RoleHeld(role))

    def chief(self, code: str, name: str = "") -> Actor:
        role = "grid_chief" if code.startswith("G") else "street" if code.startswith("S") else "area_chief"
        return self.actor(name or code, RoleHeld(role, area_id=self.areas[code]))

    def patrol(self, code: str) -> Actor:
        return self.actor("patrol", RoleHeld("patrol", area_id=self.areas[code]))

    def liaison(self, code: str) -> Actor:
        held = RoleHeld("liaison", area_id=self.areas[code], for_person_id=self.people[code])
        return self.actor("liaison", held)

    def staff(self, unit: str) -> Actor:
        return self.actor(f"staff {unit}", RoleHeld("unit_staff", unit_id=self.units[unit]))

    def intake(self, at: tuple[float, float] | None = CENTRES["G1"], **changed: object) -> Intake:
        number = next(self._numbers)
        position = Position(*at) if at is not None else None
        made = Intake(
            uuid=uuid4(),
            content_sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            category=RUBBISH,
            channel="public",
            description=f"report {number}",
            place_text="路口" if position is None else "",
            position=position,
            contact=Contact("王一", "13800000000"),
        )
        return replace(made, **changed)  # type: ignore[arg-type]

    def open(self, actor: Actor = PUBLIC, intake: Intake | None = None, **changed: object) -> Receipt:
        asked = intake or self.intake(**changed)  # type: ignore[arg-type]
        snapshot = self.snapshot
        with self.store.write() as work:
            return open_case(work, actor, snapshot, self.book, asked)

    def step(self, actor: Actor, case: UUID, step: str, **given: object) -> StepReceipt:
        step_uuid = given.pop("step_uuid", None) or uuid4()
        sha = given.pop("content_sha256", None) or hashlib.sha256(str(step_uuid).encode()).hexdigest()
        request = StepRequest(case_uuid=case, step_uuid=step_uuid, step=step, content_sha256=sha, **given)  # type: ignore[arg-type]
        snapshot = self.snapshot
        with self.store.write() as work:
            return take_step(work, actor, snapshot, self.book, request)

    def photo(self, case: UUID | None = None, kind: str = "after") -> UUID:
        """Put a row of a photo as `store_photo` writes it; the bytes do not matter to a step."""
        uuid = uuid4()
        with self.store.write() as work:
            case_id = work.session.scalar(select(Case.id).where(Case.uuid == case)) if case else None
            work.session.add(
                Photo(
                    uuid=uuid, case_id=case_id, kind=kind, sha256="0" * 64, stored_sha256="0" * 64, size=1,
                    width=1, height=1, exif_at="", uploaded_at=work.now,
                )
            )  # fmt: skip
        return uuid

    def opened(
        self, state: str, *, workflow: str = "standard", at: tuple[float, float] | None = CENTRES["G1"]
    ) -> Receipt:
        """Open a case and take it to a state by the shortest way."""
        quick = workflow == "quick"
        receipt = self.open(self.chief("P1"), at=at, channel="patrol" if quick else "staff", workflow=workflow)
        for step, actor, given in self._way(state, quick=quick):
            photos = {"photos": (self.photo(),)} if given == "photo" else {}
            reason = {"reason": "a reason"} if given != "photo" else {}
            until = {"until": self.clock.now().replace(year=self.clock.now().year + 1)} if step == "suspend" else {}
            self.step(actor, receipt.uuid, step, **photos, **reason, **until)
        return receipt

    def _way(self, state: str, *, quick: bool) -> list[tuple[str, Actor, str]]:
        chief, officer = self.chief("P1"), self.desk("duty_officer")
        filed: list[tuple[str, Actor, str]] = [] if quick else [("accept", self.desk("intake"), "")]
        signed = [*filed, ("sign", chief, "")]
        fixed = [*signed, ("fix", chief, "photo")]
        return {
            "received": [],
            "assigned": filed,
            "in_progress": signed,
            "returned": [*signed, ("return", chief, "")],
            "suspended": [*signed, ("suspend", officer, "")],
            "fixed": fixed,
            "closed": [*fixed, ("check_pass", self.patrol("P1"), ""), *([] if quick else [("close", officer, "")])],
        }[state]

    def row(self, case: UUID) -> Case:
        with self.store.read() as work:
            found = work.session.scalar(select(Case).where(Case.uuid == case))
            assert found is not None
            return found

    def steps_of(self, case: UUID) -> list[str]:
        with self.store.read() as work:
            statement = select(CaseEvent.step).join(Case, Case.id == CaseEvent.case_id).where(Case.uuid == case)
            return list(work.session.scalars(statement.order_by(CaseEvent.sequence)))


def _import_borders(store: Store, settings: Settings, levels: catalog.Levels) -> None:
    boxes = [
        shapely.box(lon - STEP / 2, lat - STEP / 2, lon + STEP / 2, lat + STEP / 2) for lon, lat in CENTRES.values()
    ]
    communities = tuple(COMMUNITY[grid] for grid in GRIDS)
    made = {
        "district": tuple("D1" for _ in GRIDS),
        "street": tuple(STREET[code] for code in communities),
        "community": communities,
        "patch": tuple(PATCH[grid] for grid in GRIDS),
    }
    rows = BorderRows(
        rows=tuple(range(1, 9)),
        codes=GRIDS,
        names=tuple(f"{grid}网格" for grid in GRIDS),
        geometries=np.array(boxes, dtype=object),
        kinds=("",) * 8,
        households=(None,) * 8,
        made=tuple(MadeColumn(level, codes, tuple(f"{code}名" for code in codes)) for level, codes in made.items()),
    )
    import_rows(store, settings, levels, SYSTEM, "grid", rows, ImportOptions())


def _add_people(work: Work, areas: dict[str, int]) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    session = work.session
    chiefs = [code for code in areas if code not in {"P4"}]
    people = {}
    for code in chiefs:
        person = Person(code=f"p-{code}", name=f"负责人{code}", phone="", public=code == "P2")
        session.add(person)
        session.flush()
        people[code] = person.id
        role = "acting" if code == "P3" else "chief"
        session.add(Post(area_id=areas[code], person_id=person.id, role=role, document="文〔2026〕1号"))
    units = {}
    for code in ("U1", "U2", "U9"):
        unit = Unit(code=code, name=f"单位{code}", ended_on=date(2020, 1, 1) if code == "U9" else None)
        session.add(unit)
        session.flush()
        units[code] = unit.id
    session.add(Duty(unit_id=units["U1"], category="E01"))
    users = {}
    desks = ("intake", "dispatcher", "duty_officer", "leader", "planner", "approver", "admin", "patrol", "liaison")
    for name in (*chiefs, *desks, "staff U1", "staff U2", "other", "second officer"):
        user = User(
            name=name, display_name=f"用户 {name}", password_hash=None, person_id=people.get(name), created_at=work.now
        )
        session.add(user)
        session.flush()
        users[name] = user.id
    session.execute(insert(Revision).values(name="posts", number=1))
    return people, units, users


@dataclass(frozen=True)
class Made:
    """A district that was made once, to be copied for each test: its rows are in a template, its index in a folder."""

    data_dir: Path
    ids: tuple[dict[str, int], dict[str, int], dict[str, int], dict[str, int]]
    database: str = ""


def _make(store: Store, settings: Settings) -> tuple[dict[str, int], dict[str, int], dict[str, int], dict[str, int]]:
    levels = catalog.load_levels(paths.data_dir() / "levels.toml")
    _import_borders(store, settings, levels)
    with store.write() as work:
        areas = {code: area_id for area_id, code in work.session.execute(select(Area.id, Area.code))}
        people, units, users = _add_people(work, areas)
    Snapshots(store, settings, levels).current(store.clock.now())  # builds the index files
    return areas, people, units, users


@pytest.fixture(scope="session")
def _sqlite_district(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    settings = load_settings({"MAPSVC_DATA_DIR": str(tmp_path_factory.mktemp("district"))})
    shutil.copyfile(_sqlite_template, settings.data_dir / "mapsvc.db")
    engine = make_engine(settings.store_url)
    ids = _make(Store(engine, FixedClock(START)), settings)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return Made(settings.data_dir, ids)


@pytest.fixture(scope="session")
def _postgis_district(
    postgis_cluster: postgis.Cluster, _postgis_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    postgis_cluster.run(f"CREATE DATABASE template_district TEMPLATE {_postgis_template}")
    settings = load_settings({"MAPSVC_DATA_DIR": str(tmp_path_factory.mktemp("district"))})
    engine = make_engine(postgis_cluster.url("template_district"))
    ids = _make(Store(engine, FixedClock(START)), settings)
    engine.dispose()
    return Made(settings.data_dir, ids, "template_district")


_databases = count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def store(request: pytest.FixtureRequest, settings: Settings, clock: FixedClock) -> Iterator[Store]:
    """A store that holds the district, on both databases."""
    made: Made = request.getfixturevalue(f"_{request.param}_district")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made.data_dir / "index", settings.data_dir / "index")
    cluster = None
    if request.param == "sqlite":
        shutil.copyfile(made.data_dir / "mapsvc.db", settings.data_dir / "mapsvc.db")
        engine = make_engine(settings.store_url)
    else:
        cluster = request.getfixturevalue("postgis_cluster")
        name = f"district_{next(_databases)}"
        cluster.run(f"CREATE DATABASE {name} TEMPLATE {made.database}")
        engine = make_engine(cluster.url(name))
    yield Store(engine, clock)
    engine.dispose()
    if cluster is not None:
        cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def district(request: pytest.FixtureRequest, store: Store, settings: Settings, clock: FixedClock) -> District:
    levels = catalog.load_levels(paths.data_dir() / "levels.toml")
    made: Made = request.getfixturevalue(
        f"_{'sqlite' if store.engine.dialect.name == 'sqlite' else 'postgis'}_district"
    )
    areas, people, units, users = made.ids
    return District(
        store=store,
        settings=settings,
        clock=clock,
        book=make_rulebook(settings, levels, _categories(), load_calendar(settings)),
        snapshots=Snapshots(store, settings, levels),
        areas=areas,
        people=people,
        units=units,
        users=users,
    )


@lru_cache(maxsize=1)
def _categories() -> catalog.Categories:
    return catalog.load_categories(paths.data_dir() / "categories.toml")


@pytest.fixture
def count_queries(store: Store) -> Callable[[], list[str]]:
    """Return a function that gives, and forgets, the statements since the last call."""
    from sqlalchemy import event

    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)

    def taken() -> list[str]:
        found, seen[:] = list(seen), []
        return found

    return taken
