"""Snapshots: all borders, names and posts in force, immutable, so that a look-up needs no SQL.

Which generation is in force is computed from the moment asked for and the effective dates; nothing
switches it. The index of each level that answers by itself lies in a file under `index/` of the data
folder, named by what is in it: whoever needs it first builds it, under a lock, beside its place, and
renames it; all workers map the same file.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from mapsvc.areas.borders import Borders, make_borders
from mapsvc.areas.queries import state as queries
from mapsvc.areas.queries.state import AreaTable, Int32s, Int64s, Revisions
from mapsvc.areas.rules.located import (
    AreaAt,
    Candidate,
    Located,
    LocateRule,
    PostHeld,
    Responsible,
    choose_responsible,
)
from mapsvc.areas.rules.positions import Bounds, check_position
from mapsvc.base.settings import Settings
from mapsvc.catalog import Levels
from mapsvc.storage.work import Store, Work

MOST_REMEMBERED = 200_000
"""Answers kept ready: one for each piece of ground that the answering levels cut out, by chain."""

Key = TypeVar("Key")
Value = TypeVar("Value")

KEPT_BORDERS = 4
"""Border states kept in memory: the present one and a few that were asked for by date."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything a request needs to know about areas, as of one moment; it never changes.

    `key` names its content (for ETags), `revisions` the counters of the store that it was read at.
    `timezone` is that of local days.
    """

    key: str
    generation: int
    revisions: Revisions
    levels: Levels
    borders: Borders
    posts: Mapping[int, tuple[PostHeld, ...]]
    nearest_m: float = 50.0
    certain: float = 0.95
    accuracy_level: float = 0.95
    timezone: tzinfo = UTC
    _known: dict[tuple[tuple[int, ...], tuple[str, ...] | None], Located] = field(default_factory=dict, repr=False)

    @property
    def bounds(self) -> Bounds | None:
        """West, south, east, north of all borders in degrees; None in an empty store."""
        return self.borders.bounds

    @property
    def tables(self) -> Mapping[str, AreaTable]:
        """The areas in force, one table per level."""
        return self.borders.tables

    # -- one point

    def locate(
        self, lon: float, lat: float, accuracy_m: float | None = None, *, answers: Sequence[str] | None = None
    ) -> Located:
        """Say which areas hold a point (degrees, WGS 84) and how surely.

        `answers` is the chain of levels that owns a case (the configured one by default). `accuracy_m` is the
        radius within which the fix lies at the configured level of confidence. Raises `InvalidInput` for a
        position out of range, or that lies in the district only with longitude and latitude exchanged.
        """
        check_position(lon, lat, self.borders.bounds)
        rows = tuple([index.locate_one(lon, lat) for index in self.borders.indexes.values()])
        inside = self._remembered(rows, None if answers is None else tuple(answers))
        if not inside.owner_level:
            return self._locate_outside(lon, lat, accuracy_m, inside, rows, answers)
        if not accuracy_m:
            return inside
        return self._locate_inside(lon, lat, accuracy_m, inside, rows)

    def _remembered(self, rows: tuple[int, ...], answers: tuple[str, ...] | None) -> Located:
        """Return what holds for every point that lies in these rows of the answering levels."""
        found = self._known.get((rows, answers))
        if found is None:
            areas = self._areas(rows)
            present = {area.level for area in areas}
            owner_level = next((level for level in self._chain(answers) if level in present), "")
            found = self._answer(areas, "inside" if owner_level else "none", owner_level)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[rows, answers] = found
        return found

    def _chain(self, answers: Sequence[str] | None) -> list[str]:
        return [level for level in (answers or self.levels.chain()) if level in self.borders.tables]

    def _areas(self, rows: Sequence[int]) -> tuple[AreaAt, ...]:
        hit = [(source, row) for source, row in zip(self.borders.indexes, rows, strict=True) if row >= 0]
        if len(hit) == 1:
            return self.borders.path(*hit[0])
        areas = [area for source, row in hit for area in self.borders.path(source, row)]
        areas.sort(key=lambda area: -self.borders.ranks[area.level])
        return tuple(areas)

    def _with(self, rows: Sequence[int], source: str, row: int) -> tuple[AreaAt, ...]:
        """Return the areas where one answering level has another row."""
        return self._areas([row if name == source else at for name, at in zip(self.borders.indexes, rows, strict=True)])

    def _answer(
        self,
        areas: tuple[AreaAt, ...],
        rule: LocateRule,
        owner_level: str,
        *,
        candidates: tuple[Candidate, ...] = (),
        distance_m: float = 0.0,
        certainty: float | None = None,
    ) -> Located:
        sure = (1.0 if owner_level else 0.0) if certainty is None else certainty
        return Located(areas, candidates, rule, distance_m, sure, self.generation, owner_level)

    def _weigh(self, lon: float, lat: float, accuracy_m: float, source: str) -> list[tuple[int, float]]:
        return self.borders.indexes[source].candidates(lon, lat, accuracy_m, self.accuracy_level)

    def _locate_inside(
        self, lon: float, lat: float, accuracy_m: float, inside: Located, rows: Sequence[int]
    ) -> Located:
        """Weigh the areas within the accuracy radius; the most likely owner answers, never "outside"."""
        source = self.borders.answers[inside.owner_level]
        weighed = self._weigh(lon, lat, accuracy_m, source)
        candidates = self._candidates(weighed, source, inside.owner_level)
        owner = inside.owner
        assert owner is not None
        areas = inside.areas
        certainty = next((c.probability for c in candidates if c.area_id == owner.area_id), 0.0)
        likely = next((c for c in candidates if c.area_id), None)
        if likely is not None and likely.probability > certainty:
            certainty = likely.probability
            areas = self._with(rows, source, self._best_row(weighed, source, inside.owner_level, likely.area_id))
        rule: LocateRule = "inside" if certainty >= self.certain else "edge"
        return self._answer(areas, rule, inside.owner_level, candidates=candidates, certainty=certainty)

    def _locate_outside(
        self,
        lon: float,
        lat: float,
        accuracy_m: float | None,
        none: Located,
        rows: Sequence[int],
        answers: Sequence[str] | None,
    ) -> Located:
        """Outside every area of the chain: the nearest within the set distance, else none."""
        chain = self._chain(answers)
        for source in dict.fromkeys(self.borders.answers[level] for level in chain):
            near = self.borders.indexes[source].nearest(lon, lat, self.nearest_m)
            if near is None:
                continue
            row, distance_m = near
            areas = self._with(rows, source, row)
            owner = next((area for level in chain for area in areas if area.level == level), None)
            if owner is None:
                continue
            candidates: tuple[Candidate, ...] = ()
            certainty = 1.0
            if accuracy_m:
                candidates = self._candidates(self._weigh(lon, lat, accuracy_m, source), source, owner.level)
                certainty = next((c.probability for c in candidates if c.area_id == owner.area_id), 0.0)
            return self._answer(
                areas, "nearest", owner.level, candidates=candidates, distance_m=distance_m, certainty=certainty
            )
        return none

    def _candidates(self, weighed: Sequence[tuple[int, float]], source: str, owner_level: str) -> tuple[Candidate, ...]:
        """Add up the probabilities of the answering level by the owner level, most likely first."""
        above = self.borders.lineage[source][owner_level]
        table = self.borders.tables[owner_level]
        total: dict[int, float] = {}
        for number, probability in weighed:
            row = int(above[number]) if number >= 0 else -1
            total[row] = total.get(row, 0.0) + probability
        found = [
            Candidate(int(table.area_ids[row]), owner_level, table.codes[row], table.names[row], probability)
            if row >= 0
            else Candidate(0, owner_level, "", "", probability)
            for row, probability in total.items()
        ]
        return tuple(sorted(found, key=lambda c: (-c.probability, c.area_id == 0, c.code)))

    def _best_row(self, weighed: Sequence[tuple[int, float]], source: str, owner_level: str, area_id: int) -> int:
        above = self.borders.lineage[source][owner_level]
        table = self.borders.tables[owner_level]
        best = [
            (-probability, number)
            for number, probability in weighed
            if number >= 0 and above[number] >= 0 and int(table.area_ids[above[number]]) == area_id
        ]
        return min(best)[1]

    # -- many points

    def locate_many(self, lon: ArrayLike, lat: ArrayLike) -> dict[str, Int64s]:
        """Return for each level the ids of the areas that hold the points (0: none), by the rule `inside` only."""
        return {
            level: np.where(rows >= 0, self.borders.tables[level].area_ids[rows], 0)
            for level, rows in self.locate_rows(lon, lat).items()
        }

    def locate_rows(self, lon: ArrayLike, lat: ArrayLike) -> dict[str, Int32s]:
        """Return for each level the rows of its table that hold the points, -1 for none."""
        lons = np.ascontiguousarray(lon, dtype=np.float64)
        lats = np.ascontiguousarray(lat, dtype=np.float64)
        found: dict[str, Int32s] = {}
        for source, index in self.borders.indexes.items():
            rows = index.locate(lons, lats)
            for level, above in self.borders.lineage[source].items():
                found[level] = rows if level == source else np.where(rows >= 0, above[rows], np.int32(-1))
        return found

    # -- areas and who answers for them

    def find_area(self, level: str, code: str) -> AreaAt | None:
        """Return the area in force with a code at a level, or None."""
        table = self.borders.tables.get(level)
        if table is None:
            return None
        row = self._row_of_code(table, code)
        return None if row is None else self.borders.area_at(level, row)

    @staticmethod
    def _row_of_code(table: AreaTable, code: str) -> int | None:
        row = bisect_right(table.codes, code) - 1
        return row if row >= 0 and table.codes[row] == code else None

    def find_area_by_id(self, area_id: int) -> AreaAt | None:
        """Return an area in force by its id, or None."""
        found = self.borders.find_row(area_id)
        return None if found is None else self.borders.area_at(*found)

    def responsible(self, area_id: int, on: date) -> Responsible | None:
        """Say who answers for an area on a local day: chief, else acting, else deputy; None: ask one level up."""
        return choose_responsible(self.posts.get(area_id, ()), on)

    def owner_chain(self, located: Located, chain: Sequence[str] | None = None) -> tuple[AreaAt, ...]:
        """Return the areas to ask for an owner, nearest first (the configured chain by default)."""
        by_level = {area.level: area for area in located.areas}
        return tuple(by_level[level] for level in (chain or self.levels.chain()) if level in by_level)


@dataclass(frozen=True)
class _Timeline:
    """What the store said last: its counters and the moments at which borders change."""

    revisions: Revisions
    moments: tuple[datetime, ...]

    def interval(self, moment: datetime) -> int:
        return bisect_right(self.moments, moment)


class Snapshots:
    """The snapshots of one process: cached, and read again when the store's counters or a date say so.

    The counters are asked for at most once in `check_every_s`, and always with `fresh=True`: whoever
    writes what it located (a new case) asks so. The passing of an effective date needs no question.
    """

    def __init__(self, store: Store, settings: Settings, levels: Levels, *, check_every_s: float = 1.0) -> None:
        self.store = store
        self.settings = settings
        self.levels = levels
        self.check_every_s = check_every_s
        self._lock = threading.RLock()
        self._checked_at = float("-inf")
        self._timeline: _Timeline | None = None
        self._borders: OrderedDict[tuple[int, int], Borders] = OrderedDict()
        self._posts: tuple[int, Mapping[int, tuple[PostHeld, ...]]] | None = None
        self._snapshots: OrderedDict[tuple[int, int, int], Snapshot] = OrderedDict()

    def current(self, now: datetime, *, fresh: bool = False) -> Snapshot:
        """Return the snapshot in force now; one object for a whole request."""
        return self._get(now, fresh=fresh)

    def at(self, moment: datetime) -> Snapshot:
        """Return the borders in force at another moment (with all posts: they carry their own dates)."""
        return self._get(moment, fresh=False)

    def _get(self, moment: datetime, *, fresh: bool) -> Snapshot:
        timeline = self._timeline
        due = fresh or timeline is None or time.monotonic() - self._checked_at >= self.check_every_s
        # Who finds the question already under way goes on with what is known, unless he must not.
        if due and self._lock.acquire(blocking=fresh or timeline is None):
            try:
                timeline = self._check(timeline, fresh=fresh)
            finally:
                self._lock.release()
        assert timeline is not None
        return self._find(timeline, moment) or self._load(moment)

    def _check(self, seen: _Timeline | None, *, fresh: bool) -> _Timeline:
        known = self._timeline
        if known is not None and known is not seen and not fresh:
            return known
        with self.store.read() as work:
            revisions = queries.get_revisions(work)
            if known is None or known.revisions.borders != revisions.borders:
                known = _Timeline(revisions, queries.list_effective_moments(work))
            elif known.revisions != revisions:
                known = _Timeline(revisions, known.moments)
        self._timeline = known
        self._checked_at = time.monotonic()
        return known

    def _find(self, timeline: _Timeline, moment: datetime) -> Snapshot | None:
        revisions = timeline.revisions
        return self._snapshots.get((revisions.borders, timeline.interval(moment), revisions.posts))

    def _load(self, moment: datetime) -> Snapshot:
        with self._lock:
            timeline = self._timeline
            assert timeline is not None
            found = self._find(timeline, moment)
            if found is not None:
                return found
            with self.store.read() as work:
                # One transaction: counters, dates, areas and posts are of one moment of the store.
                revisions = queries.get_revisions(work)
                if revisions != timeline.revisions:
                    timeline = _Timeline(revisions, queries.list_effective_moments(work))
                snapshot = self._read(work, timeline, moment)
            self._timeline = timeline
            _keep(self._snapshots, (revisions.borders, timeline.interval(moment), revisions.posts), snapshot)
            return snapshot

    def _read(self, work: Work, timeline: _Timeline, moment: datetime) -> Snapshot:
        revisions, interval = timeline.revisions, timeline.interval(moment)
        borders = self._borders.get((revisions.borders, interval))
        if borders is None:
            state = queries.load_borders_state(work, moment)
            bounds = queries.load_bounds(work, moment)
            borders = make_borders(work, state, self.levels, self.settings.data_dir / "index", bounds)
            _keep(self._borders, (revisions.borders, interval), borders)
        if self._posts is None or self._posts[0] != revisions.posts:
            self._posts = (revisions.posts, queries.load_posts(work))
        return Snapshot(
            key=f"{borders.generation}-{revisions.borders}-{interval}-{revisions.posts}",
            generation=borders.generation,
            revisions=revisions,
            levels=self.levels,
            borders=borders,
            posts=self._posts[1],
            nearest_m=self.settings.nearest_m,
            certain=self.settings.certain,
            accuracy_level=self.settings.accuracy_level,
            timezone=self.settings.timezone,
        )


def _keep(cache: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > KEPT_BORDERS:
        cache.popitem(last=False)
