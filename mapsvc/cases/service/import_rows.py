"""Rows of a table made ready for the store: read, checked, converted, located and decided, a chunk at a time."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.areas.index import Snapshot
from mapsvc.areas.rules.positions import check_position
from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.cells import read_text
from mapsvc.base.tables.rows import CellProblem, RowReader, TableRow
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.assignment import Decision, decide
from mapsvc.cases.rules.deadlines import due_at
from mapsvc.cases.rules.pasts import MILESTONES, REFUSED_WORDS, PastRow, PastStep, read_channel, without_owner
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.tickets import CategoryMap, Status, import_key, read_status, row_hash
from mapsvc.cases.rules.workflow import STANDARD, first_state
from mapsvc.catalog import Category, Condition
from mapsvc.geo.crs import Source, geometries_to_wgs84
from mapsvc.geo.lattice import from_lattice, to_lattice

CHUNK = 2000
NO_UNITS: Mapping[str, int] = MappingProxyType({})
MAX_LISTED = 10_000
IMPORT_SPACE = uuids.UUID("2f6e1d9c-5f2b-4a86-8f0e-7f6d1a0b9c33")
"""Cases of an import have a UUID made from their import key."""


@dataclass(frozen=True)
class ImportOptions:
    """How a table is read. `source` names where the rows come from and is part of what keeps them apart.

    `columns` maps our column names to headers where the guess is not wanted. `live`: the rows are work to be
    done now, with clocks and notices; else they are history, which notifies nobody. `own`: the rows are this office's
    own cases from another program, with their past: they count in figures and go on here, and nobody is told of them.
    """

    source: str
    columns: Mapping[str, str] = field(default_factory=dict)
    crs: str = "wgs84"
    categories: CategoryMap = field(default_factory=CategoryMap)
    sheet: str = ""
    live: bool = False
    own: bool = False


@dataclass(frozen=True)
class ReadRow:
    """A row that can be taken; `lon`, `lat` are WGS 84 degrees, NaN where it has no position."""

    number: int
    key: str
    source_number: str
    category: Category
    condition: Condition
    condition_code: str
    description: str
    place: str
    lon: float
    lat: float
    received: datetime
    closed: datetime | None
    status: Status
    reporter: str
    phone: str
    owner: str
    channel: str = "import"
    workflow: str = STANDARD
    due: datetime | None = None
    unit_id: int | None = None
    steps: tuple[PastStep, ...] = ()
    """The past that the row tells of; empty where it tells of nothing but intake and closing."""


@dataclass(frozen=True)
class ReadyRow:
    """A row with its decision, the sentence of its reasons and its due time: nothing is left but to write it."""

    row: ReadRow
    decision: Decision
    reason: str
    due: datetime


@dataclass
class Notes:
    """What a run through the table found, row by row; lists are capped, counts are not."""

    bad_rows: list[TableRow] = field(default_factory=list)
    problems: dict[int, list[CellProblem]] = field(default_factory=dict)
    without_position: list[int] = field(default_factory=list)
    bad: int = 0
    total: int = 0

    def refuse(self, row: TableRow, problems: list[CellProblem]) -> None:
        """Keep a bad row with its reasons, for the file of bad rows."""
        self.bad += 1
        if len(self.bad_rows) < MAX_LISTED:
            self.bad_rows.append(row)
            self.problems[row.number] = problems


class Preparation:
    """Prepares the rows of one table against one snapshot, in the order of the file.

    Memory stays bounded but for one small number per row (how often its like was seen before).
    """

    def __init__(
        self,
        snapshot: Snapshot,
        book: Rulebook,
        options: ImportOptions,
        source: Source,
        now: datetime,
        units: Mapping[str, int] = NO_UNITS,
    ) -> None:
        """`units` are the handling units by code and by name."""
        self.snapshot = snapshot
        self.book = book
        self.options = options
        self.source = source
        self.now = now
        self.units = units
        self.notes = Notes()
        self._seen: dict[int, int] = {}
        self._decisions: dict[tuple[object, ...], tuple[Decision, str]] = {}
        self._level_names = book.level_names()
        self._categories: dict[str, Category | None] = {}
        self._dues: dict[tuple[datetime, float, str], datetime] = {}

    def rows(self, table: Iterable[TableRow]) -> Iterator[ReadyRow | None]:
        """Yield each row made ready, None for a bad one, so that a resumed import can count them off."""
        rows = iter(table)
        while chunk := list(islice(rows, CHUNK)):
            read = [self._read(row) for row in chunk]
            yield from self._decide(chunk, self._convert(chunk, read))

    def _read(self, row: TableRow) -> ReadRow | None:
        self.notes.total += 1
        reader = RowReader(row)
        zone = self.book.calendar.timezone
        hashed = row_hash(cell if isinstance(cell, str) else read_text(cell) for cell in row.cells)
        short = int(hashed[:15], 16)
        occurrence = self._seen[short] = self._seen.get(short, 0) + 1
        word = reader.text("category")
        category = self._category(word)
        if category is None or category.retired:
            reader.note("category", f"{word!r} is no category in use here, and there is no default")
        condition_code = reader.text("condition", most=100)
        condition = category.find_condition(condition_code) if category else None
        if category is not None and condition is None:
            reader.note("condition", f"{condition_code!r} is no filing condition of {category.code}")
        projected = "x" in row.places and self.source.kind == "epsg" and "lon" not in self.options.columns
        east, north = ("x", "y") if projected else ("lon", "lat")
        lon, lat = reader.number(east), reader.number(north)
        if (lon is None) != (lat is None):
            reader.note(east if lon is None else north, "is empty although the other one is not")
        received = reader.moment("received", zone, required=True)
        if received is not None and received > self.now:
            reader.note("received", "lies in the future")
        closed = reader.moment("closed", zone)
        found: dict[str, Any] = {
            "source_number": reader.text("source_number", most=100),
            "description": reader.text("description", most=4000),
            "place": reader.text("place", most=500),
            "reporter": reader.text("reporter", most=100),
            "phone": reader.phone("phone"),
            "owner": reader.text("owner", most=200),
        }
        status = read_status(reader.text("status", most=200))
        if received is not None and category is not None and condition is not None and not self.options.live:
            found |= self._past(reader, category, condition, received, closed)
            if found["steps"] and status.closed and closed is None:
                reader.note("closed", "is empty although the case is closed and its steps have their times")
        if reader.problems or category is None or condition is None or received is None:
            self.notes.refuse(row, reader.problems)
            return None
        return ReadRow(
            number=row.number,
            key=import_key(self.options.source, hashed, occurrence),
            category=category,
            condition=condition,
            condition_code=condition_code,
            lon=lon if lon is not None and lat is not None else float("nan"),
            lat=lat if lon is not None and lat is not None else float("nan"),
            received=received,
            closed=closed,
            status=status,
            **found,
        )

    def _past(
        self,
        reader: RowReader,
        category: Category,
        condition: Condition,
        received: datetime,
        closed: datetime | None,
    ) -> dict[str, Any]:
        """Read what a ledger tells of the past of a case: channel, unit, due time and milestones."""
        zone = self.book.calendar.timezone
        word = reader.text("channel", most=100)
        channel = read_channel(word)
        if word and not channel:
            reader.note(
                "channel",
                f"{word!r} is no channel; write 群众, 热线, 巡查, 工作人员, or public, hotline, patrol, staff",
            )
        unit = reader.text("unit", most=200)
        if unit and unit not in self.units:
            reader.note("unit", f"there is no unit {unit!r}; write its code or its whole name")
        workflow = self.book.workflow_of(channel, category, condition) if channel else STANDARD
        row = PastRow(
            received=received,
            moments={name: reader.moment(name, zone) for name in MILESTONES},
            closed=closed,
            workflow=workflow,
            first_state=first_state(workflow, unplaced=False),
            instant=bool(reader.row.get("instant")) and reader.flag("instant"),
            refused=reader.text("outcome", most=100) in REFUSED_WORDS,
        )
        if row.tells:
            wrong = row.disorder()
            if wrong:
                reader.note(wrong, "lies before a step that comes before it")
            latest = max(moment for moment in (received, closed, *row.moments.values()) if moment is not None)
            if latest > self.now:
                reader.note("closed" if latest == closed else "received", "tells of a step in the future")
        return {
            "channel": channel or "import",
            "workflow": workflow,
            "due": reader.moment("due", zone),
            "unit_id": self.units.get(unit),
            "steps": row.steps() if row.tells else (),
        }

    def _category(self, word: str) -> Category | None:
        """Return our category for their word; a source has few words and many rows."""
        if word not in self._categories:
            if len(self._categories) > MAX_LISTED:
                self._categories.clear()
            code = self.options.categories.find(word, self.book.categories)
            self._categories[word] = self.book.categories.find(code) if code else None
        return self._categories[word]

    def _convert(self, chunk: Sequence[TableRow], read: Sequence[ReadRow | None]) -> list[ReadRow | None]:
        """Bring positions to WGS 84 and onto the lattice; one that cannot be makes its row a bad one."""
        result = list(read)
        placed = [number for number, row in enumerate(result) if row is not None and not np.isnan(row.lon)]
        if not placed:
            return result
        points = shapely.points([(row.lon, row.lat) for row in result if row is not None and not np.isnan(row.lon)])
        lonlat = self._to_wgs84(points, len(placed))
        for number, (lon, lat) in zip(placed, lonlat.tolist(), strict=True):
            row = result[number]
            assert row is not None
            try:
                check_position(lon, lat, self.snapshot.bounds)
            except InvalidInput as error:
                self.notes.refuse(chunk[number], [CellProblem(chunk[number].number, "lon", str(error))])
                result[number] = None
                continue
            result[number] = replace(row, lon=lon, lat=lat)
        return result

    def _to_wgs84(self, points: NDArray[np.object_], count: int) -> NDArray[np.float64]:
        if self.source.kind == "datum" and self.source.name == "wgs84":
            lonlat = shapely.get_coordinates(points)
        else:
            lonlat = np.full((count, 2), np.nan)
            for number, point in enumerate(points):
                # One by one only where the file is not in WGS 84: a single bad point must not refuse its chunk.
                try:
                    moved = geometries_to_wgs84([point], self.source)
                except InvalidInput:
                    continue
                lonlat[number] = shapely.get_coordinates(moved)[0]
        finite = np.isfinite(lonlat).all(axis=1)
        lonlat[finite] = from_lattice(to_lattice(lonlat[finite]))
        return lonlat

    def _decide(self, chunk: Sequence[TableRow], read: Sequence[ReadRow | None]) -> Iterator[ReadyRow | None]:
        good = [row for row in read if row is not None]
        located = self.snapshot.locate_rows([_or_zero(row.lon) for row in good], [_or_zero(row.lat) for row in good])
        levels = sorted(located)
        columns = np.stack([located[level] for level in levels], axis=1) if levels and good else None
        place = 0
        for row in read:
            if row is None:
                yield None
                continue
            key = tuple(columns[place].tolist()) if columns is not None else ()
            place += 1
            decision, told = self._decision(row, key)
            if decision.unplaced:
                row = replace(row, steps=without_owner(row.steps))
            yield ReadyRow(row, decision, told, self._due(row))

    def _decision(self, row: ReadRow, key: tuple[int, ...]) -> tuple[Decision, str]:
        """Return the decision and its reason; points inside the same areas share theirs."""
        chain = self.book.chain_of(row.category)
        whole = (key, chain, row.category.no_chief)
        if np.isnan(row.lon):
            if len(self.notes.without_position) < MAX_LISTED:
                self.notes.without_position.append(row.number)
            nowhere = Decision("none", None, None, (), (), (), 0.0, 0.0, self.snapshot.generation)
            return nowhere, reason.both(nowhere, self._level_names)
        known = self._decisions.get(whole)
        if known is not None:
            return known
        found = self.snapshot.locate(row.lon, row.lat, answers=chain)
        on = self.book.local_day(self.now)
        decision = decide(found, self.snapshot, chain, on, certain=self.book.certain, office_only=row.category.no_chief)
        told = decision, reason.both(decision, self._level_names)
        if decision.rule == "inside":  # outside, each point has a distance of its own
            self._decisions[whole] = told
        return told

    def _due(self, row: ReadRow) -> datetime:
        if row.due is not None:
            return row.due
        term = self.book.total_term(row.condition)
        key = (row.received, term.amount, term.unit)
        known = self._dues.get(key)
        if known is None:
            if len(self._dues) > 100_000:
                self._dues.clear()
            known = self._dues[key] = due_at(self.book.calendar, row.received, term)
        return known


def _or_zero(value: float) -> float:
    return 0.0 if np.isnan(value) else value
