"""Borders by their boxes: the same answer on both databases, equal to a plain comparison, found by the index."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update

from mapsvc.areas.models import Border
from mapsvc.storage.boxes import Box, borders_in_box
from mapsvc.storage.work import Store, Work

STEP = 1e-8


def row(number: int, box: Box) -> dict[str, object]:
    return {
        "id": number,
        "lattice_hash": f"{number:064}",
        "geometry": shapely.box(box.west, box.south, box.east, box.north),
        "west": box.west,
        "south": box.south,
        "east": box.east,
        "north": box.north,
        "area_m2": 1.0,
    }


def grid(side: int) -> list[Box]:
    """Squares of a thousandth of a degree, side by side, somewhere in Shenyang."""
    return [
        Box(
            123 + column / 1000,
            41 + line / 1000,
            123 + (column + 1) / 1000,
            41 + (line + 1) / 1000,
        )
        for line in range(side)
        for column in range(side)
    ]


def fill(store: Store, boxes: list[Box]) -> None:
    with store.write() as work:
        work.session.execute(insert(Border), [row(number, box) for number, box in enumerate(boxes, 1)])


def ids(work: Work, box: Box) -> list[int]:
    return sorted(work.session.scalars(borders_in_box(work, box)))


def plainly(boxes: list[Box], box: Box) -> list[int]:
    return [
        number
        for number, other in enumerate(boxes, 1)
        if other.west <= box.east and other.east >= box.west and other.south <= box.north and other.north >= box.south
    ]


@pytest.mark.parametrize(
    "box",
    [
        Box(123.0025, 41.0025, 123.0045, 41.0035),
        Box(123.0025, 41.0025, 123.0025, 41.0025),  # a point
        Box(123.001, 41.001, 123.001, 41.001),  # the corner of four
        Box(122, 40, 124, 42),  # all
        Box(10, 10, 11, 11),  # none
        Box(123.01 + STEP, 41, 123.02, 42),  # a millimetre beside the last column
        Box(123.01, 41, 123.02, 42),  # touching the last column
    ],
)
def test_the_answer_is_that_of_a_plain_comparison(store: Store, box: Box) -> None:
    boxes = grid(10)
    fill(store, boxes)
    with store.read() as work:
        assert ids(work, box) == plainly(boxes, box)


degrees = st.floats(-80, 80).map(lambda value: round(value, 8))
any_box = st.tuples(degrees, degrees, degrees, degrees).map(
    lambda four: Box(min(four[0], four[2]), min(four[1], four[3]), max(four[0], four[2]), max(four[1], four[3]))
)


def test_any_boxes_at_all(store: Store) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(any_box, min_size=1, max_size=8), any_box)
    def check(boxes: list[Box], asked: Box) -> None:
        with store.write() as work:
            work.session.execute(delete(Border))
        fill(store, boxes)
        with store.read() as work:
            assert ids(work, asked) == plainly(boxes, asked)

    check()


def test_the_boxes_follow_changes_and_deletions(store: Store) -> None:
    fill(store, grid(2))
    far = Box(10, 10, 11, 11)
    with store.write() as work:
        work.session.execute(
            update(Border).where(Border.id == 1).values(
                west=10, south=10, east=11, north=11, geometry=shapely.box(10, 10, 11, 11)
            )
        )  # fmt: skip
        work.session.execute(delete(Border).where(Border.id == 2))
    with store.read() as work:
        assert ids(work, far) == [1]
        assert ids(work, Box(122, 40, 124, 42)) == [3, 4]


def test_what_was_rolled_back_is_not_found(store: Store) -> None:
    def fill_and_fail() -> None:
        with store.write() as work:
            work.session.execute(insert(Border), [row(1, grid(1)[0])])
            assert ids(work, Box(122, 40, 124, 42)) == [1]
            raise KeyError

    with pytest.raises(KeyError):
        fill_and_fail()
    with store.read() as work:
        assert ids(work, Box(122, 40, 124, 42)) == []


def test_it_is_a_part_of_other_queries(store: Store) -> None:
    fill(store, grid(3))
    with store.read() as work:
        wanted = select(Border).where(Border.id.in_(borders_in_box(work, Box(123, 41, 123.0005, 41.0005))))
        found = work.session.scalars(wanted).all()
    assert [border.id for border in found] == [1]
    assert found[0].geometry.equals(shapely.box(123, 41, 123.001, 41.001))


def test_the_index_is_used(store: Store) -> None:
    fill(store, grid(60))
    with store.write() as work:
        work.session.execute(text("ANALYZE"))
    with store.read() as work:
        wanted = borders_in_box(work, Box(123.0305, 41.0305, 123.0315, 41.0315))
        compiled = wanted.compile(work.session.get_bind(), compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if work.on_sqlite else "EXPLAIN"
        plan = "\n".join(str(line) for line in work.session.execute(text(f"{explain} {compiled}")))
    expected = "SCAN border_box VIRTUAL TABLE INDEX" if work.on_sqlite else "ix_border_geometry"
    assert expected in plan
    assert "SCAN border\n" not in plan
    assert "Seq Scan on border" not in plan
