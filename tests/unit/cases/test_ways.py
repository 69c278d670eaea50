"""The ways of the work list: whichever is taken the answer is the same, and none reads the whole table of cases."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from mapsvc.cases.models import Case
from mapsvc.cases.queries import ways, worklist
from mapsvc.cases.queries.counters import count_open_by_area, counters
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import SORTS, list_cases
from mapsvc.cases.rules.cuts import Cut
from mapsvc.cases.rules.workflow import OPEN_STATES
from mapsvc.people.rules.actor import Actor, RoleHeld
from mapsvc.storage.imports import ImportRun
from mapsvc.storage.work import Work

from .conftest import CENTRES, District
from .plain_list import PlainList

TEXTS = ("路边垃圾", "垃圾", "井盖 50%", 'say "hi"', "O'Brien_街", "", "Äöü STRASSE", "油烟🙂扰民", "圾垃", "a", "x\ny")
HIDDEN = frozenset({8, 21, 34, 55})
"""Cases of the import that is not published."""
ORDERED_SCANS = ("ix_case_file_open", "ix_case_file_closed", "ix_case_file_received_at")
"""Indexes that are gone through in the order of a list, until a page is full."""
SMALL_SCANS = ("ix_case_file_unplaced", "ix_case_file_edge")
"""Partial indexes of exactly the few cases that are asked for: going through all of one reads nothing else."""


@pytest.fixture
def crowd(district: District) -> District:
    """Sixty cases of every state, with and without due time, some equal in all that lists sort by.

    Some came by an import that is not published yet, some by one that is, some were opened by those who ask.
    """
    dice = random.Random(5)
    grids = list(CENTRES)
    for number in range(60):
        at = CENTRES[grids[number % len(grids)]] if number % 9 else (118.3, 30.2)
        district.open(at=at, description=TEXTS[number % len(TEXTS)], place_text=TEXTS[number * 7 % len(TEXTS)])
    now = district.clock.now()
    with district.store.write() as work:
        runs = [ImportRun(kind="cases", file_name="x", sha256=str(n), started_at=now) for n in range(2)]
        runs[0].published_at = now
        work.session.add_all(runs)
        work.session.flush()  # the ids of the runs
        users = [None, *(actor.user_id for actor in actors(district))]
        for number, case in enumerate(work.session.scalars(select(Case).order_by(Case.id))):
            case.import_run_id = runs[1].id if case.id in HIDDEN else runs[0].id if number % 5 == 0 else None
            case.opened_by_user_id = dice.choice(users)
            case.checked_by_user_id = dice.choice(users)
            case.source_number = f"12345-{number}"
            case.state = dice.choice([*OPEN_STATES, "closed", "closed", "closed"])
            case.outcome = dice.choice(["solved", "cannot"]) if case.state == "closed" else ""
            case.closed_at = now - timedelta(hours=dice.randrange(9)) if case.state == "closed" else None
            case.fixed_at = now - timedelta(hours=dice.randrange(9)) if case.state in {"closed", "fixed"} else None
            case.sign_due_at = now + timedelta(hours=dice.randrange(-2, 3))
            case.due_at = dice.choice([None, now, *(now + timedelta(hours=dice.randrange(-3, 3)) for _ in "123")])
            case.received_at = now - timedelta(hours=dice.randrange(4))
            case.updated_at = case.received_at + timedelta(hours=1)
            case.historic = dice.random() < 0.2
            case.edge = dice.random() < 0.2
            case.unit_id = dice.choice([None, *district.units.values()])
            case.whistle = dice.choice(["", "", "asked", "blown"])
            case.sides_changed = dice.randrange(2)
            case.channel = dice.choice(["public", "api"])
            case.handover_area_id = dice.choice([None, district.areas["P2"]])
            if number % 10 == 3:
                case.category = "E0207"
    return district


def actors(district: District) -> list[Actor]:
    return [
        district.desk("dispatcher"), district.chief("S1"), district.staff("U1"), district.chief("P2"),
        district.chief("G3"), district.patrol("P1"), district.liaison("P1"), district.desk("admin"),
        district.actor("dispatcher", RoleHeld("patrol")),
    ]  # fmt: skip


def every_filter(district: District) -> list[CaseFilters]:
    now, hour = district.clock.now(), timedelta(hours=1)
    alone = [
        CaseFilters(), CaseFilters(area_id=district.areas["S1"]), CaseFilters(area_id=district.areas["G3"]),
        CaseFilters(states=("closed",)), CaseFilters(states=("assigned", "fixed")),
        CaseFilters(states=("closed", "received")), CaseFilters(outcome="cannot"), CaseFilters(category="E01"),
        CaseFilters(category="E0207"), CaseFilters(category="E9"), CaseFilters(channel="api"),
        CaseFilters(unit_id=district.units["U1"]), CaseFilters(person_id=district.people["P2"]),
        CaseFilters(open_only=True), CaseFilters(overdue=True), CaseFilters(due_before=now + 2 * hour),
        CaseFilters(sign_due=True), CaseFilters(checked=False), CaseFilters(checked=True), CaseFilters(handed=True),
        CaseFilters(handed=True, area_id=district.areas["P2"]), CaseFilters(unplaced=True), CaseFilters(edge=True),
        CaseFilters(owner_area_id=district.areas["P1"]), CaseFilters(other_owner_than=district.areas["P1"]),
        CaseFilters(dispatched=True), CaseFilters(dispatched=False, open_only=True), CaseFilters(may_change_side=True),
        CaseFilters(whistle="asked"), CaseFilters(mine=True), CaseFilters(include_historic=False),
        CaseFilters(bbox=(118.1, 30.1, 118.21, 30.21)),
        CaseFilters(bbox=(170.0, -80.0, -170.0, 80.0)), CaseFilters(bbox=(118.15, -80.0, -170.0, 80.0)),
        CaseFilters(since=now - 2 * hour), CaseFilters(received_since=now - hour),
        CaseFilters(closed_since=now - 4 * hour),
    ]  # fmt: skip
    words = ["垃圾", "圾", "垃", "路边垃", "边垃圾", "井盖 50%", "%", "_", '"', "O'B", "ä", "Äö", "STRASSE", "strasse",
             "🙂", "烟🙂", "🙂扰民", "x\ny", "没有", "垃圾\n", " a ", "12345-7"]  # fmt: skip
    texts = [CaseFilters(text=word) for word in words]
    pairs = [
        CaseFilters(area_id=district.areas["S1"], text="垃圾", states=("closed",)),
        CaseFilters(unit_id=district.units["U2"], channel="api", open_only=True, include_historic=False),
        CaseFilters(category="E01", edge=True, bbox=(118.0, 30.0, 118.2, 30.2)),
    ]
    spans = [
        Cut(population, now - 3 * hour, now + hour, now, part, only)
        for population, part, only in (
            ("received", "closed", None), ("due", "on_time", True), ("due", "on_time", False), ("mended", "", None),
        )
    ]  # fmt: skip
    cuts = [CaseFilters(cut=cut) for cut in spans] + [CaseFilters(cut=spans[1], text="垃圾")]
    return [replace(one, sort=sort) for one in (*alone, *texts, *pairs, *cuts) for sort in SORTS]


def asked_of_all(district: District) -> Iterator[tuple[Actor, CaseFilters]]:
    """Every filter by a desk, a street and a unit, and every third of them by each of the others, in turn."""
    everyone, every = actors(district), every_filter(district)
    yield from itertools.product(everyone[:3], every)
    for place, actor in enumerate(everyone[3:]):
        yield from ((actor, filters) for filters in every[place % 3 :: 3])


def page_through(work: Work, actor: Actor, filters: CaseFilters, limit: int) -> tuple[list[int], int]:
    found: list[int] = []
    cursor, count = None, 0
    for turn in itertools.count():
        page = list_cases(work, actor, filters, cursor, limit)
        found += [row.id for row in page.rows]
        count = page.count if turn == 0 else count
        cursor = page.cursor
        if cursor is None:
            return found, count
    raise AssertionError


def test_every_way_gives_the_same_list(crowd: District) -> None:
    with crowd.store.read() as work:
        plain, found = PlainList(work), 0
        for actor, filters in asked_of_all(crowd):
            expected = plain.ids(actor, filters)
            assert page_through(work, actor, filters, 200) == (expected, len(expected)), (actor.name, filters)
            found += len(expected)
        assert found > 4000, "the filters find something"
        assert not HIDDEN & set(plain.ids(crowd.desk("dispatcher"), CaseFilters()))


def test_wide_ways_give_the_same_list(crowd: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "BOUND", 0)
    monkeypatch.setattr(ways, "WORDS_BOUND", 0)
    monkeypatch.setattr(ways.Way, "__init__", _bound_to_nothing(ways.Way.__init__))
    monkeypatch.setattr(worklist, "WIDE_COUNT_CAP", 0)
    with crowd.store.read() as work:
        plain = PlainList(work)
        for actor, filters in itertools.islice(asked_of_all(crowd), 0, None, 3):
            assert page_through(work, actor, filters, 40)[0] == plain.ids(actor, filters), (actor.name, filters)


def _bound_to_nothing(make: Any) -> Any:
    """Return a constructor of ways that are wide however few cases they hold."""

    def made(self: ways.Way, ids: ways.Statement, bound: int = 0, scope: bool = False) -> None:
        make(self, ids, min(bound, 0), scope)

    return made


def test_small_pages_neither_repeat_nor_skip(crowd: District) -> None:
    with crowd.store.read() as work:
        plain = PlainList(work)
        for actor, filters in itertools.product(actors(crowd)[:3], every_filter(crowd)[::5]):
            assert page_through(work, actor, filters, 3)[0] == plain.ids(actor, filters), (actor.name, filters)


@pytest.fixture
def plans(crowd: District) -> Iterator[list[tuple[str, str]]]:
    """What the database means to do for each statement; small tables are no excuse on PostgreSQL."""
    seen: list[tuple[str, str]] = []
    sqlite = crowd.store.engine.dialect.name == "sqlite"

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.lstrip().startswith(("SELECT", "WITH")):
            return
        cursor = connection.connection.cursor()
        if not sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement, parameters)
        seen.extend((str(row[-1]).strip(), statement) for row in cursor.fetchall())

    event.listen(crowd.store.engine, "before_cursor_execute", explain)
    yield seen
    event.remove(crowd.store.engine, "before_cursor_execute", explain)


def reads_all(line: str, statement: str = "") -> bool:
    """Whether a line of a plan means that every row of the table of cases is read; by `0 = 1` none is."""
    if "WHERE 0 = 1" in statement:
        return False
    if "Seq Scan on case_" in line:
        return True
    if "ix_case_file_import_run_id" in line:  # as good as all: every case is of no run or of some
        return True
    return line.startswith("SCAN case_file") and not any(name in line for name in (*ORDERED_SCANS, *SMALL_SCANS))


def test_no_list_reads_the_whole_table(crowd: District, plans: list[tuple[str, str]]) -> None:
    with crowd.store.read() as work:
        for actor, filters in asked_of_all(crowd):
            list_cases(work, actor, filters, limit=5)
        for actor in actors(crowd):
            counters(work, actor, crowd.book)
            counters(work, actor, crowd.book, crowd.areas["P2"])
            count_open_by_area(work, actor, "patch")
    assert len(plans) > 1000
    assert [(line, statement) for line, statement in plans if reads_all(line, statement)] == []


def test_a_whole_scan_would_be_noticed(crowd: District, plans: list[tuple[str, str]]) -> None:
    with crowd.store.read() as work:
        work.session.execute(text("SELECT id, description FROM case_file WHERE description = 'x'")).all()
    assert [line for line, _ in plans if reads_all(line)]


def test_words_follow_a_changed_text(district: District) -> None:
    case = district.open(description="楼道堆放杂物")
    desk = district.desk("intake")

    def found(words: str) -> list[str]:
        with district.store.read() as work:
            return [row.number for row in list_cases(work, desk, CaseFilters(text=words)).rows]

    assert (found("杂物"), found("电动")) == ([case.number], [])
    with district.store.write() as work:
        work.session.scalars(select(Case)).one().description = "电动车充电"
    assert (found("杂物"), found("电动")) == ([], [case.number])


def test_boxes_follow_a_moved_pin(district: District) -> None:
    case = district.open(at=CENTRES["G1"])
    desk = district.desk("intake")
    lon, lat = CENTRES["G8"]
    there = CaseFilters(bbox=(lon - 1e-5, lat - 1e-5, lon + 1e-5, lat + 1e-5))

    def found() -> list[str]:
        with district.store.read() as work:
            return [row.number for row in list_cases(work, desk, there).rows]

    assert found() == []
    for moved_lon, expected in ((lon, [case.number]), (None, [])):
        with district.store.write() as work:
            row = work.session.scalars(select(Case)).one()
            row.lon, row.lat = moved_lon, lat
        assert found() == expected
