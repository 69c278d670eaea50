"""Column types mean the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError

from mapsvc.areas.models import Border
from mapsvc.storage.outbox import OutboxRow
from mapsvc.storage.types import Geometry, UtcDateTime
from mapsvc.storage.work import Store

SHAPES = {
    "polygon": shapely.from_wkt("POLYGON ((123.40000001 41.8, 123.5 41.8, 123.5 41.9, 123.40000001 41.8))"),
    "hole": shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2),
    "parts": shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
    "with an SRID of its own": shapely.set_srid(shapely.box(0, 0, 1, 1), 4490),
}


def write(store: Store, geometry: BaseGeometry) -> None:
    west, south, east, north = geometry.bounds
    with store.write() as work:
        work.session.execute(
            insert(Border).values(
                lattice_hash="x", geometry=geometry, west=west, south=south, east=east, north=north, area_m2=1
            )
        )


@pytest.mark.parametrize("name", SHAPES)
def test_a_geometry_comes_back_vertex_for_vertex(store: Store, name: str) -> None:
    write(store, SHAPES[name])
    with store.read() as work:
        found = work.session.scalars(select(Border.geometry)).one()
    assert shapely.to_wkb(found) == shapely.to_wkb(shapely.set_srid(SHAPES[name], 0))
    assert shapely.get_srid(found) == 0


@pytest.mark.postgis
def test_postgis_knows_where_on_earth_it_lies(postgis_store: Store) -> None:
    write(postgis_store, SHAPES["with an SRID of its own"])
    with postgis_store.read() as work:
        found = work.session.execute(text("SELECT ST_SRID(geometry), ST_GeometryType(geometry) FROM border")).one()
    assert tuple(found) == (4326, "ST_Polygon")


def test_a_time_without_zone_is_refused(store: Store) -> None:
    naive = datetime(2026, 11, 23, 9, 0)

    def write_naive() -> None:
        with store.write() as work:
            work.session.execute(insert(OutboxRow).values(kind="x", payload={}, created_at=naive, due_at=naive))

    with pytest.raises(StatementError, match="no time zone"):
        write_naive()


zones = st.timezones()


@given(st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1), timezones=zones))
def test_any_aware_time_survives_both_dialects(moment: datetime) -> None:
    kind = UtcDateTime()
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        stored = kind.process_bind_param(moment, dialect)
        back = kind.process_result_value(stored, dialect)
        assert back == moment.astimezone(UTC)
        assert back is not None
        assert back.tzinfo is UTC


def test_nothing_stays_nothing() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        for kind in (UtcDateTime(), Geometry()):
            assert kind.process_bind_param(None, dialect) is None
            assert kind.process_result_value(None, dialect) is None
