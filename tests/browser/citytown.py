"""A small town for the city map: ten thousand cases on one point, names that are hard to draw, and no ground."""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy import Table, insert, select, update

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Case, CaseArea
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests import town as towns

PILE = 10_000
"""Cases on one point: a square on which every report of a hotline is put that says no more than its name."""

SIZE = 21
"""Grids from west to east and from south to north: so many that they come by tiles."""

TWO_TONGUES = "和平里 Peace Lane مسالمة"
LONG_WORD = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
SPACE = UUID("5f0d7f6e-2f1c-4b8e-9b52-6f6d1c1b0a12")


def build(settings: Settings) -> towns.Town:
    """Build the town in an empty data folder: a pile in grid G0000, two cases 8 m apart in G0102, one in G0303."""
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    store = Store(engine, SystemClock())
    town = towns.build(store, settings, SystemClock(), size=SIZE)  # type: ignore[arg-type]  # the real clock, as the server's
    lon, lat = towns.squares.middle(2, 1)
    for step in (0.0, 0.0001):
        town.report(column=2, row=1, position={"lon": lon + step, "lat": lat, "source": "tap"})
    town.report(column=3, row=3)
    case_uuid, _ = town.report(column=0)
    _pile(store, case_uuid)
    with store.write() as work:
        for code, name in (("P0", TWO_TONGUES), ("P1", LONG_WORD)):
            area = select(Area.id).where(Area.level == "patch", Area.code == code).scalar_subquery()
            work.session.execute(update(AreaVersion).where(AreaVersion.area_id == area).values(name=name))
    town.close()
    engine.dispose()
    return town


def _pile(store: Store, first: UUID) -> None:
    """Write the case once more and once more, until there are `PILE` of it."""
    cases, areas = Case.__table__, CaseArea.__table__
    assert isinstance(cases, Table)
    assert isinstance(areas, Table)
    with store.write() as work:
        model = dict(work.session.execute(select(cases).where(cases.c.uuid == first)).mappings().one())
        lies_in = work.session.execute(select(areas).where(areas.c.case_id == model["id"])).mappings().all()
        copies, places = [], []
        for n in range(1, PILE):
            number = int(model["id"]) + n
            own = {
                "id": number,
                "uuid": uuid5(SPACE, str(n)),
                "number": f"{model['number'].split('-')[0]}-{number:06d}",
                "track_code": f"{model['track_code'][:-6]}{n:06d}",
                "content_sha256": f"{n:064x}",
            }
            copies.append({**model, **own})
            places += [{**place, "case_id": number} for place in lies_in]
        work.session.execute(insert(cases), copies)
        work.session.execute(insert(areas), places)
