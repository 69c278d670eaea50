"""A number and its list agree: every cut finds the same cases in SQL and over the columns, on both stores."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.models import Case
from mapsvc.cases.queries.columns.cuts import part_mask, population_mask
from mapsvc.cases.queries.columns.memory import ColumnsMemory
from mapsvc.cases.queries.cuts import in_cut
from mapsvc.cases.queries.views import CaseFilters
from mapsvc.cases.queries.worklist import list_cases
from mapsvc.cases.rules.cuts import PARTS, POPULATIONS, Cut, light_of
from mapsvc.cases.rules.values import CHANNELS, OUTCOMES, STATES

from .conftest import START, District

SINCE, UNTIL, AS_OF = START - timedelta(days=10), START + timedelta(days=5), START + timedelta(hours=3)


def scatter(district: District, count: int = 70) -> None:
    """Open cases, then let their rows look like anything that may happen to a case, with fractions of seconds."""
    rng = random.Random(11)
    receipts = [district.open() for _ in range(count)]

    def moment(chance: float = 1.0):
        if rng.random() > chance:
            return None
        return START + timedelta(seconds=rng.randint(-20 * 86_400, 3 * 3600), microseconds=rng.choice((0, 1, 999_999)))

    with district.store.write() as work:
        for receipt in receipts:
            state = rng.choice(STATES)
            due = moment()
            closed = moment() if state == "closed" else None
            if closed and rng.random() < 0.3:  # within the same second, on either side of the deadline
                closed = due + timedelta(microseconds=rng.choice((-1, 0, 1)))
            values = {
                "state": state, "closed_at": closed, "outcome": rng.choice(OUTCOMES) if closed else "",
                "due_at": due, "received_at": moment(), "channel": rng.choice(CHANNELS),
                "workflow": rng.choice(("quick", "standard")), "reworks": rng.choice((0, 0, 1)),
                "extensions": rng.choice((0, 1)), "historic": rng.random() < 0.2, "filed_at": moment(0.5),
                "dispatched_at": moment(0.5), "fixed_at": moment(0.5), "instant_at": moment(0.5),
                "check_result": rng.choice((None, "passed", "failed")),
                "category": rng.choice(("E0110", "E0201", "C0103")), "condition": rng.choice(("", "1", "2")),
            }  # fmt: skip
            work.session.execute(update(Case).where(Case.uuid == receipt.uuid).values(**values))


def test_sql_and_columns_find_the_same(district: District) -> None:
    scatter(district)
    columns = ColumnsMemory(district.store).current(fresh=True)
    light = light_of(district.book.categories)
    seen = set()
    with district.store.read() as work:
        for population in POPULATIONS:
            for part in (*PARTS, ""):
                for only in (True, False) if part else (None,):
                    some = tuple(columns.id[::7].tolist()) if part == "recurred" else ()
                    cut = Cut(population, SINCE, UNTIL, AS_OF, part, only, light, some)
                    in_sql = set(work.session.scalars(select(Case.id).where(in_cut(cut))))
                    mask = population_mask(columns, cut)
                    if part:
                        mask = mask & (part_mask(columns, cut) == only)
                    assert in_sql == set(columns.id[mask].tolist()), (population, part, only)
                    if in_sql:
                        seen.add((population, part))
    assert {population for population, _ in seen} == set(POPULATIONS)
    assert {part for _, part in seen} >= set(PARTS), "each part was seen to find something"


def test_the_list_of_a_number_has_its_rows_and_marks_those_that_count(district: District) -> None:
    scatter(district)
    cut = Cut("due", SINCE, UNTIL, AS_OF, "on_time")
    columns = ColumnsMemory(district.store).current(fresh=True)
    members = population_mask(columns, cut)
    with district.store.read() as work:
        page = list_cases(work, district.desk("duty_officer"), CaseFilters(cut=cut), limit=200)
    assert page.count == len(page.rows) == members.sum()
    assert {row.id for row in page.rows if row.marked} == set(columns.id[members & part_mask(columns, cut)].tolist())
    assert 0 < sum(row.marked for row in page.rows) < len(page.rows)


def test_nothing_after_the_moment_of_the_figure_counts(district: District) -> None:
    scatter(district)
    early = START - timedelta(days=5)
    cut = Cut("received", SINCE, UNTIL, early)
    with district.store.read() as work:
        found = work.session.scalars(select(Case.received_at).where(in_cut(cut))).all()
    assert found
    assert max(found) < early


def test_a_cut_that_nobody_knows_is_refused() -> None:
    for population, part in (("everything", ""), ("due", "pretty")):
        with pytest.raises(InvalidInput):
            Cut(population, SINCE, UNTIL, AS_OF, part)
