"""Build a demo town: borders, people, units, accounts and a year of reports, through the services only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.queries.posts import actor_posts, list_areas_of_codes
from mapsvc.areas.service.duties import DutyData, put_units
from mapsvc.areas.service.posts import PostData, put_posts
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import PhotoUpload
from mapsvc.cases.service.photos import PreparedPhoto, prepare_photo
from mapsvc.cases.service.rulebook import load_calendar, make_rulebook
from mapsvc.catalog import Catalog, load_catalog
from mapsvc.demo.entries import make_entries
from mapsvc.demo.history import History, Staff
from mapsvc.demo.ledger import Ledger
from mapsvc.demo.pictures import draw_street
from mapsvc.demo.places import Spots, make_spots
from mapsvc.demo.profiles import PROFILES, SUZHOU, Profile
from mapsvc.demo.settle import draw_ground, import_ground
from mapsvc.demo.staff import ACCOUNTS, UNITS, Account, accounts_of, make_posts, unit_streets
from mapsvc.demo.stories import FATES, PUNCTUAL, make_stories
from mapsvc.demo.town import Town, make_town
from mapsvc.demo.walks import walk_year
from mapsvc.demo.year import WINDOW, YEAR, Report, Year
from mapsvc.patrols.rules.values import PatrolData
from mapsvc.patrols.service.forget import forget_tracks
from mapsvc.patrols.service.record import record_patrols
from mapsvc.people.queries import find_user, load_actor, units_by_code
from mapsvc.people.rules.actor import SYSTEM, Actor
from mapsvc.people.rules.passwords import PasswordHash, hash_password
from mapsvc.people.service.units import UnitData
from mapsvc.people.service.users import NewGrant, NewUser, add_user
from mapsvc.storage.files import LocalFiles
from mapsvc.storage.work import Store, Work

PASSWORD = "qinghe-demo-2026"  # noqa: S105  # printed on purpose: the demo is served to this machine only
CASES = 20_000
"""Cases of a year."""
LIVED = 240
"""So many of them, the last ones, are lived through step by step; the others come as a ledger with their past."""
LEAST_WALKS = 30
"""Of a town with few cases."""
WALKS_PER_TRANSACTION = 60
SPOTS_PER_GRID = 60
PICTURES = 8
ANSWERING = ("street", "community", "patch")
"""Levels whose chiefs act for them in the demo's past, and so have accounts."""
CLERKS = ("intake", "dispatcher", "duty_officer")

Progress = Callable[[str, int, int], None]


def build_demo(
    store: Store,
    settings: Settings,
    progress: Progress,
    *,
    cases: int = CASES,
    seed: int | None = None,
    profile: str = SUZHOU.name,
) -> None:
    """Fill an empty, migrated store with a town and its year; fewer `cases` make a quicker build, without figures."""
    catalog = load_catalog(settings)
    progress("town", 0, 0)
    town = make_town(seed, profile)
    import_ground(store, settings, catalog, town, progress)
    draw_ground(settings, town)
    progress("people", 0, 0)
    posts = make_posts(town)
    with store.write() as work:
        put_posts(work, catalog.levels, SYSTEM, posts)
    with store.write() as work:
        unit_ids = _put_units(work, catalog, town)
    snapshots = Snapshots(store, settings, catalog.levels)
    snapshot = snapshots.current(store.clock.now())
    book = make_rulebook(settings, catalog.levels, catalog.categories, load_calendar(settings))
    staff = _add_accounts(store, settings, snapshot, town, posts, unit_ids)
    walkers = {post.area_code: post.person_code for post in posts if (post.level, post.role) == ("grid", "chief")}
    Past(store, settings, snapshots, book, staff, town, progress, walkers).tell(cases)


@dataclass
class Past:
    """The year before now: its last days lived through step by step, the rest as a ledger that was kept."""

    store: Store
    settings: Settings
    snapshots: Snapshots
    book: Rulebook
    staff: Staff
    town: Town
    progress: Progress
    walkers: Mapping[str, str]
    """Who patrols on foot, by the grid in which a walk begins: person_codes."""

    def tell(self, cases: int) -> None:
        """Bring in so many cases in all."""
        if not cases:
            return
        now = self.store.clock.now().astimezone(self.settings.timezone).replace(microsecond=0)
        seed = self.town.profile.seed
        spots = make_spots(self.town, seed, SPOTS_PER_GRID)
        year = Year(self.town, spots, seed, self.book.calendar.is_working_day)
        lived = min(cases, LIVED)
        days = min(max(lived * YEAR / cases, 4.0), WINDOW + 2)
        since = now - timedelta(days=days)
        self._live_through(year.draw(lived, since, now), spots, now)
        if cases > lived:
            self._keep_ledger(year, cases, lived, since, now)
        self._walk(year, cases, now)

    def _live_through(self, reports: Sequence[Report], spots: Spots, now: datetime) -> None:
        self.progress("reports", 0, len(reports))
        punctual = bool(self.town.profile.targets.received)
        stories = make_stories(reports, spots, self.town.profile.seed, PUNCTUAL if punctual else FATES)
        history = History(
            store=self.store,
            snapshots=self.snapshots,
            book=self.book,
            pictures=_prepare_pictures(self.settings),
            staff=self.staff,
            now=now,
            punctual=punctual,
        )
        history.play(stories, lambda done: self.progress("reports", done, len(reports)))

    def _keep_ledger(self, year: Year, cases: int, lived: int, since: datetime, now: datetime) -> None:
        left = cases - lived
        self.progress("ledger", 0, left)
        snapshot = self.snapshots.current(now)
        ledger = Ledger(self.book, year.spots, self._unit_of(year.spots), now, self.town.profile.seed)
        entries = make_entries(self.store, snapshot, self.book, self.town, year, left, since, now)
        ledger.take_in(
            self.store, self.settings, snapshot, entries, lambda done: self.progress("ledger", done, len(entries))
        )

    def _walk(self, year: Year, cases: int, now: datetime) -> None:
        """Record the patrols of the year; of those beyond the retention time only what was walked is left."""
        count = max(LEAST_WALKS, round(self.town.profile.walks * min(1.0, cases / CASES)))
        self.progress("walks", 0, count)
        snapshot = self.snapshots.current(now)
        walks = walk_year(
            self.town, year.effort, self.town.profile.seed, self.book.calendar.is_working_day, self.walkers.__getitem__,
            first=now - timedelta(days=YEAR), until=now, count=count,
        )  # fmt: skip
        for done, patrols in enumerate(batched(walks, WALKS_PER_TRANSACTION), start=1):
            with self.store.write() as work:
                record_patrols(work, SYSTEM, snapshot, patrols)
            self.progress("walks", min(done * WALKS_PER_TRANSACTION, count), count)
        with self.store.write() as work:
            forget_tracks(work, SYSTEM, work.now - timedelta(days=self.settings.track_days))
        self.progress("walks", count, count)

    def _unit_of(self, spots: Spots) -> Callable[[str, int], str]:
        """Return a function that names the unit due for a category at a spot, as the duty table has it."""
        grids = self.town.at("grid")
        streets = [grid.code[:9] for grid in grids]
        parts = {part: unit_streets(self.town, part) for part in {unit.part for unit in UNITS}}
        lines = [(beginning, unit) for unit in UNITS for beginning in unit.categories]
        lines.sort(key=lambda line: -len(line[0]))

        def unit_of(category: str, spot: int) -> str:
            street = streets[int(spots.grid[spot])]
            for beginning, unit in lines:
                if category.startswith(beginning) and (not unit.part or street in parts[unit.part]):
                    return unit.code
            return UNITS[0].code

        return unit_of


def batched(walks: Iterable[PatrolData], size: int) -> Iterator[list[PatrolData]]:
    """Return walks so many at a time."""
    left = iter(walks)
    while some := list(islice(left, size)):
        yield some


def _put_units(work: Work, catalog: Catalog, town: Town) -> dict[str, int]:
    """Write the units with their duties; return the number of each by its code."""
    duties = [
        DutyData(unit.code, category, level="street" if street else "", area_code=street)
        for unit in UNITS
        for category in unit.categories
        for street in unit_streets(town, unit.part) or ("",)
    ]
    put_units(work, catalog.levels, SYSTEM, [UnitData(unit.code, unit.name, unit.phone) for unit in UNITS], duties)
    return {code: unit.id for code, unit in units_by_code(work, [unit.code for unit in UNITS]).items()}


def _add_accounts(
    store: Store,
    settings: Settings,
    snapshot: Snapshot,
    town: Town,
    posts: tuple[PostData, ...],
    unit_ids: dict[str, int],
) -> Staff:
    """Add an account for each role, which can log in, and one for every other chief and unit, which cannot."""
    hashes = {account.name: hash_password(account.name, PASSWORD) for account in ACCOUNTS}
    today = store.clock.now().astimezone(settings.timezone).date()
    with store.write() as work:
        clerks: dict[str, Actor] = {}
        units: dict[int, Actor] = {}
        patrol: list[Actor] = []
        people: dict[str, Actor] = {}
        for account in accounts_of(town):
            actor = _add(work, snapshot, account, hashes[account.name], unit_ids, today)
            people[account.display_name] = actor
            if account.role in CLERKS:
                clerks[account.role] = actor
            elif account.role == "patrol":
                patrol.append(actor)
            elif account.unit:
                units[unit_ids[account.unit]] = actor
        for unit in UNITS:
            if unit_ids[unit.code] not in units:
                account = Account(f"unit-{unit.code.lower()}", f"{unit.name}经办人", "unit_staff", unit=unit.code)
                units[unit_ids[unit.code]] = _add(work, snapshot, account, None, unit_ids, today)
        for number in (2, 3):
            account = Account(
                f"patrol-{number}", f"巡查{number}组", "patrol", area=("district", town.profile.district[0])
            )
            patrol.append(_add(work, snapshot, account, None, unit_ids, today))
        chiefs = _add_chiefs(work, snapshot, posts, people, today)
    return Staff(clerks=clerks, patrol=patrol, chiefs=chiefs, units=units)


def _add_chiefs(
    work: Work, snapshot: Snapshot, posts: tuple[PostData, ...], people: dict[str, Actor], today: date
) -> dict[int, Actor]:
    """Return who acts for each area above the grid; those without an account yet get one."""
    chiefs: dict[int, Actor] = {}
    for post in posts:
        area = snapshot.find_area(post.level, post.area_code)
        if area is None or post.level not in ANSWERING:
            continue
        known = people.get(post.person)
        if known is None:
            who = snapshot.responsible(area.area_id, today)
            assert who is not None, "everybody in post was written a moment ago"
            user = add_user(
                work, SYSTEM, NewUser(f"chief-{post.area_code.lower()}", post.person, person_id=who.person_id)
            )
            known = _load(work, user.id, today)
        chiefs[area.area_id] = known
    return chiefs


def _add(
    work: Work,
    snapshot: Snapshot,
    account: Account,
    password_hash: PasswordHash | None,
    unit_ids: dict[str, int],
    today: date,
) -> Actor:
    area = snapshot.find_area(*account.area) if account.area else None
    person_id = _find_person(snapshot, account, today)
    grants: tuple[NewGrant, ...] = ()
    if person_id is None:
        unit_id = unit_ids[account.unit] if account.unit else None
        grants = (NewGrant(account.role, area_id=area.area_id if area else None, unit_id=unit_id),)
    new = NewUser(account.name, account.display_name, password_hash, person_id=person_id, grants=grants)
    return _load(work, add_user(work, SYSTEM, new).id, today)


def _find_person(snapshot: Snapshot, account: Account, today: date) -> int | None:
    """Return the person whose post gives the account its role; None where the role is granted."""
    if account.post is None:
        return None
    area = snapshot.find_area(*account.post)
    who = snapshot.responsible(area.area_id, today) if area else None
    if who is None:
        return None
    return who.liaison_id if account.role == "liaison" else who.person_id


def _load(work: Work, user_id: int, today: date) -> Actor:
    """Return an account as an actor with all its roles, those of its posts too."""
    actor = load_actor(work, user_id, today)
    assert actor is not None, "the account was added a moment ago"
    if actor.person_id is None:
        return actor
    return Actor(
        user_id=actor.user_id,
        name=actor.name,
        roles=(*actor.roles, *actor_posts(work, actor.person_id, today)),
        person_id=actor.person_id,
    )


def _prepare_pictures(settings: Settings) -> list[tuple[PreparedPhoto, PreparedPhoto]]:
    """Put the pictures on disk once; each case has rows of its own for them."""
    files = LocalFiles(settings.data_dir / "photos")
    nobody = UUID(int=0)

    def prepare(number: int, *, mended: bool) -> PreparedPhoto:
        upload = PhotoUpload(nobody, draw_street(number, mended=mended), kind="after" if mended else "far")
        return prepare_photo(files, settings, upload)

    return [(prepare(number, mended=False), prepare(number, mended=True)) for number in range(PICTURES)]


def built_profile(store: Store) -> Profile | None:
    """Return which town was built in this store; None for a store without one."""
    if built_at(store) is None:
        return None
    with store.read() as work:
        there = {
            name for name, profile in PROFILES.items() if list_areas_of_codes(work, "district", [profile.district[0]])
        }
    return PROFILES[there.pop()] if there else None


def built_at(store: Store) -> datetime | None:
    """Return when the demo was built in this store; None for a store without it."""
    with store.read() as work:
        user = find_user(work, ACCOUNTS[0].name)
    return user.created_at if user else None
