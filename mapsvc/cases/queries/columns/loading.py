"""Reading cases from the store into columns: all of them, those of an import, or some by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Integer, and_, cast, func, select
from sqlalchemy import true as sql_true

from mapsvc.areas.models import Area
from mapsvc.cases.models import Case, CaseArea
from mapsvc.cases.queries.columns.table import CODED, NONE_ID, NONE_SECONDS
from mapsvc.geo.tiles.mercator import morton, to_unit
from mapsvc.storage.work import Work

CHUNK = 20_000
"""Cases read at once: some 20 MB of Python's values, whatever the size of the store."""

IDS_AT_ONCE = 500

MOMENTS = ("received_at", "due_at", "closed_at", "updated_at", "fixed_at")

_TYPES: Mapping[str, Any] = {
    "id": np.int64,
    "version": np.int32,
    "lon": np.float64,
    "lat": np.float64,
    "received_at": np.int64,
    "due_at": np.int64,
    "closed_at": np.int64,
    "updated_at": np.int64,
    "fixed_at": np.int64,
    "owner_area_id": np.int32,
    "handover_area_id": np.int32,
    "unit_id": np.int32,
    "opened_by": np.int32,
    "reworks": np.int16,
    "extensions": np.int16,
    "historic": np.bool_,
    "unplaced": np.bool_,
    "edge": np.bool_,
    "on_time": np.bool_,
    "filed": np.bool_,
    "dispatched": np.bool_,
    "instant_fix": np.bool_,
}
_MISSING: Mapping[str, Any] = {
    "lon": np.nan,
    "lat": np.nan,
    "due_at": NONE_SECONDS,
    "closed_at": NONE_SECONDS,
    "fixed_at": NONE_SECONDS,
    "on_time": False,
    "owner_area_id": NONE_ID,
    "handover_area_id": NONE_ID,
    "unit_id": NONE_ID,
    "opened_by": NONE_ID,
}


@dataclass(frozen=True, eq=False)
class Rows:
    """Cases as columns, by id, before they are put in order: what `table.ROW_COLUMNS` names, and areas by level."""

    columns: Mapping[str, NDArray[Any]]
    areas: Mapping[str, NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.columns["id"])


class Vocabulary:
    """Numbers for the values of the coded columns; a new value gets the next number, none is ever taken away."""

    def __init__(self, names: Mapping[str, Sequence[str]] | None = None) -> None:
        self._numbers: dict[str, dict[str, int]] = {
            column: {name: number for number, name in enumerate((names or {}).get(column, ()))} for column in CODED
        }

    def encode(self, column: str, values: Sequence[str]) -> NDArray[np.int16]:
        """Return the numbers of values."""
        numbers = self._numbers[column]
        for value in set(values) - numbers.keys():
            numbers[value] = len(numbers)
        return np.fromiter(map(numbers.__getitem__, values), np.int16, len(values))

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return the values of each coded column by their number."""
        return {column: tuple(numbers) for column, numbers in self._numbers.items()}


def list_area_levels(work: Work) -> tuple[str, ...]:
    """Return all levels that areas of the store have, whatever the configuration knows."""
    return tuple(sorted(work.session.scalars(select(Area.level).distinct())))


@dataclass(frozen=True)
class Source:
    """Where rows are read from: a work, what is known of values and levels, and the imports that are published.

    Whether a row is published is judged here and not in SQL: an `OR` in the condition leads SQLite to another index
    and to reading the whole store for every chunk.
    """

    work: Work
    vocabulary: Vocabulary
    levels: tuple[str, ...]
    runs: frozenset[int]

    def shows(self, import_run_id: int | None) -> bool:
        """Whether a row of this import may be seen."""
        return import_run_id is None or import_run_id in self.runs


def iter_rows(source: Source, condition: ColumnElement[bool] | None = None, *, chunk: int = CHUNK) -> Iterator[Rows]:
    """Yield the published cases that satisfy a condition, ascending by id, `chunk` at once; two queries each."""
    wanted = sql_true() if condition is None else condition
    selected = [*_selected(source.work), Case.import_run_id]
    last = 0
    while True:
        statement = select(*selected).where(wanted, Case.id > last).order_by(Case.id).limit(chunk)
        found = source.work.session.connection().execute(statement).all()
        shown = [row for row in found if source.shows(row[-1])]
        if shown:
            yield _as_rows(source, shown)
        if len(found) < chunk:
            return
        last = found[-1][0]


def iter_rows_by_id(source: Source, ids: NDArray[np.int64]) -> Iterator[Rows]:
    """Yield the published cases among `ids`."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = np.sort(ids[start : start + IDS_AT_ONCE]).tolist()
        yield from iter_rows(source, Case.id.in_(some), chunk=IDS_AT_ONCE + 1)


def _selected(work: Work) -> list[ColumnElement[Any]]:
    """Return what is read of a case, by the names of the columns; the id first."""
    plain = ("id", "version", "lon", "lat", *CODED, "owner_area_id", "handover_area_id", "unit_id")
    chosen: list[ColumnElement[Any]] = [getattr(Case, name) for name in plain]
    chosen[plain.index("check_result")] = func.coalesce(Case.check_result, "").label("check_result")
    chosen += [_seconds(work, getattr(Case, name)).label(name) for name in MOMENTS]
    chosen.append(Case.opened_by_user_id.label("opened_by"))
    chosen += [getattr(Case, name) for name in ("reworks", "extensions", "historic", "unplaced", "edge")]
    chosen.append(and_(Case.state == "closed", Case.closed_at <= Case.due_at).label("on_time"))
    marks = {"filed": Case.filed_at, "dispatched": Case.dispatched_at, "instant_fix": Case.instant_at}
    chosen += [moment.is_not(None).label(name) for name, moment in marks.items()]
    return chosen


def _seconds(work: Work, moment: Any) -> ColumnElement[Any]:
    """Return a moment as unix seconds, rounded down; by the database, since Python's datetimes would cost most."""
    if work.on_sqlite:
        # Without the fraction of the second: strftime rounds the last half millisecond of a second up.
        return cast(func.strftime("%s", func.substr(moment, 1, 19)), Integer)
    return cast(func.floor(func.extract("epoch", moment)), BigInteger)


def _as_rows(source: Source, found: Sequence[Any]) -> Rows:
    names = [element.name for element in _selected(source.work)]
    columns: dict[str, NDArray[Any]] = {}
    for name, values in zip([*names, ""], zip(*found, strict=True), strict=True):
        if name in CODED:
            columns[name] = source.vocabulary.encode(name, values)
        elif name:
            columns[name] = _array(name, values)
    columns["x"], columns["y"] = to_unit(columns["lon"], columns["lat"])
    columns["morton"] = morton(columns["x"], columns["y"])
    return Rows(columns, _areas(source.work, columns["id"], source.levels))


def _array(name: str, values: Sequence[Any]) -> NDArray[Any]:
    missing = _MISSING.get(name)
    if missing is None:
        return np.array(values, dtype=_TYPES[name])
    return np.fromiter((missing if value is None else value for value in values), _TYPES[name], len(values))


def _areas(work: Work, ids: NDArray[np.int64], levels: Sequence[str]) -> dict[str, NDArray[np.int32]]:
    statement = select(CaseArea.case_id, CaseArea.level, CaseArea.area_id).where(_among(CaseArea.case_id, ids))
    found = work.session.connection().execute(statement).all()
    areas = {level: np.full(len(ids), NONE_ID, np.int32) for level in levels}
    if not found:
        return areas
    case_ids, names, area_ids = zip(*found, strict=True)
    numbers = {level: number for number, level in enumerate(dict.fromkeys((*levels, *names)))}
    of = np.fromiter(map(numbers.__getitem__, names), np.int16, len(names))
    cases, values = np.array(case_ids, np.int64), np.array(area_ids, np.int32)
    rows = np.minimum(np.searchsorted(ids, cases), len(ids) - 1)
    there = ids[rows] == cases
    for level, number in numbers.items():
        column = areas.setdefault(level, np.full(len(ids), NONE_ID, np.int32))
        mine = there & (of == number)
        column[rows[mine]] = values[mine]
    return areas


def _among(column: Any, ids: NDArray[np.int64]) -> ColumnElement[bool]:
    """Return the condition that a column is one of `ids` (ascending): a range where they lie close together."""
    first, last = int(ids[0]), int(ids[-1])
    if last - first < 4 * len(ids):
        between: ColumnElement[bool] = column.between(first, last)
        return between
    if len(ids) <= IDS_AT_ONCE:
        among: ColumnElement[bool] = column.in_(ids.tolist())
        return among
    wide: ColumnElement[bool] = column.between(first, last)
    return wide
