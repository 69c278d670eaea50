"""Cities to open in a browser: N grids of one coverage and cases on them, on either store, from a fixed seed.

Grids come by `import_rows`; case rows, far too many for the services, are written straight into their tables.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Table, insert, select

from mapsvc.areas.models import Area
from mapsvc.areas.service.import_areas import import_rows
from mapsvc.areas.service.prepared import ImportOptions
from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import Settings
from mapsvc.cases.models import Case, CaseArea
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.access import issue_token
from mapsvc.people.service.users import NewGrant, NewUser, add_user
from mapsvc.storage import migrate
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.bench.ground import make_areas, make_points
from tests.squares import rows_of, shipped_levels

STATES, SHARES = ("received", "assigned", "in_progress", "fixed", "returned"), (0.1, 0.3, 0.4, 0.15, 0.05)
BATCH = 20_000


@dataclass(frozen=True, eq=False)
class City:
    """What was built: the borders, the cases (longitude, latitude in degrees; state), and the token of an account."""

    shapes: NDArray[np.object_]
    points: NDArray[np.float64]
    states: list[str]
    token: str


def number_of(place: int) -> str:
    """Return the number of a case by its place among the points."""
    return f"20250101-{place + 1:07d}"


def build(settings: Settings, grids: int, cases: int) -> City:
    """Fill the empty store of the settings; cases are open, received within the last year."""
    engine = make_engine(settings.store_url)
    migrate.upgrade(engine)
    store = Store(engine, SystemClock())
    shapes, points = make_areas(grids), make_points(cases)
    codes = [f"G{number:06}" for number in range(grids)]
    rows = rows_of(dict(zip(codes, shapes, strict=True)), names={code: f"网格{code[1:]}" for code in codes})
    import_rows(store, settings, shipped_levels(), SYSTEM, "grid", rows, ImportOptions(allow_gaps=True))
    with store.write() as work:
        user = add_user(work, SYSTEM, NewUser("office", grants=(NewGrant("dispatcher"),)))
        token = issue_token(work, SYSTEM, user.id, "bench").secret
        ids = dict(work.session.execute(select(Area.code, Area.id).where(Area.level == "grid")).tuples().all())
    states = np.random.default_rng(11).choice(STATES, len(points), p=SHARES).tolist()
    _write_cases(store, points, states, _grid_of(shapes, points), [ids[code] for code in codes])
    engine.dispose()
    return City(shapes, points, states, token)


def _grid_of(shapes: NDArray[np.object_], points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the place of the grid that holds each point, -1 for none."""
    tree = shapely.STRtree(shapes)
    of_point, of_shape = tree.query(shapely.points(points), predicate="intersects")
    found = np.full(len(points), -1, np.intp)
    found[of_point] = of_shape
    return found


def _write_cases(
    store: Store, points: NDArray[np.float64], states: list[str], grid: NDArray[np.intp], area_ids: list[int]
) -> None:
    age_s = np.sort(np.random.default_rng(12).integers(3_600, 365 * 86_400, len(points)))[::-1]
    now = store.clock.now()
    for begin in range(0, len(points), BATCH):
        numbers = range(begin, min(begin + BATCH, len(points)))
        cases, areas = [], []
        for n in numbers:
            received = now - timedelta(seconds=int(age_s[n]))
            area = area_ids[grid[n]] if grid[n] >= 0 else None
            cases.append(_case(n, points[n], states[n], received, area))
            if area is not None:
                areas.append({"case_id": n + 1, "level": "grid", "area_id": area})
        with store.write() as work:
            for table, made in ((Case.__table__, cases), (CaseArea.__table__, areas)):
                assert isinstance(table, Table)
                work.session.execute(insert(table), made)


def _case(
    place: int, point: NDArray[np.float64], state: str, received: datetime, area: int | None
) -> dict[str, object]:
    number = place + 1
    return {
        "id": number,
        "uuid": uuid.UUID(int=number + (4 << 76)),
        "number": number_of(place),
        "track_code": f"T{number:011d}",
        "content_sha256": f"{number:064x}",
        "channel": "hotline",
        "category": "E0110",
        "workflow": "standard",
        "description": "垃圾无人清理, 请尽快处理",
        "place_text": f"人民路{number % 300}号附近",
        "lon": float(point[0]),
        "lat": float(point[1]),
        "position_source": "tap",
        "observed_at": received,
        "received_at": received,
        "updated_at": received,
        "state": state,
        "due_at": received + timedelta(days=300),
        "owner_area_id": area,
        "unplaced": area is None,
    }
