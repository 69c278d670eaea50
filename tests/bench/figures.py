"""Heat and rates over a million cases by HTTP, beside one GROUP BY of the same store: `python -m tests.bench.figures`.

Run as `python -m tests.bench.figures [FOLDER [CASES]]`; FOLDER keeps the store of `tests.bench.worklist`. The target is
300 ms for a heat map and for a map of fix rates. Each answer is measured for a question that nobody asked before, since
repeated ones come from memory; the first request of a process also reads all cases into columns, and is told apart.
"""

from __future__ import annotations

import itertools
import secrets
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import case, func, select

from mapsvc.cases.models import Case, CaseArea
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.access import issue_token
from mapsvc.people.service.users import NewGrant, NewUser, add_user
from mapsvc.storage.work import Store
from tests.bench.http import serving
from tests.bench.worklist import NOW, opened

PEER_ROUNDS = 3
TARGET_MS = 300.0
WINDOWS = ("2025-10", "2025-09", "2025-08", "2025-07", "2025-06", "2025-05", "2025-04", "2025-03", "2025-02")
"""Months that nobody asked for yet: one for each round."""


def main() -> None:
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = (chosen or Path(name)) / "sqlite"
        with opened(folder, None, count) as (store, _, town):
            token = make_token(store)
            peer = median_ms(lambda _: rates_in_sql(store), PEER_ROUNDS)
            with serving(folder, workers=1, threads=1) as url:
                measure(lambda path: fetch(url + path, token), peer, town.categories)


def make_token(store: Store) -> str:
    with store.write() as work:
        user = add_user(work, SYSTEM, NewUser(f"bench-{secrets.token_hex(4)}", grants=(NewGrant("dispatcher"),)))
        return str(issue_token(work, SYSTEM, user.id, "bench").secret)


def fetch(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return len(answer.read())


def rates_in_sql(store: Store) -> None:
    """What fell due in a month and was closed in time, for each grid: the peer."""
    begin = NOW - timedelta(days=400)
    in_time = func.sum(case((Case.closed_at <= Case.due_at, 1), else_=0))
    statement = (
        select(CaseArea.area_id, func.count(), in_time)
        .join(Case, Case.id == CaseArea.case_id)
        .where(CaseArea.level == "grid", Case.due_at >= begin, Case.due_at < begin + timedelta(days=30))
        .group_by(CaseArea.area_id)
    )
    with store.read() as work:
        assert work.session.execute(statement).all()


def measure(get: Callable[[str], int], peer: float, categories: tuple[str, ...]) -> None:
    begun = time.perf_counter()
    get("/tiles/heat.json")
    print(f"the first request of a process, which reads all cases: {time.perf_counter() - begun:.1f} s")
    print(f"peer: on time by grid in one GROUP BY: {peer:.0f} ms")
    get(f"/insight?level=grid&window={WINDOWS[0]}&show=limits")
    rounds = len(WINDOWS)
    ways: dict[str, Iterator[str]] = {
        "heat tile, all cases, a new width": (f"/tiles/heat/12/3347/1684.png?width_m={100 + n}" for n in range(rounds)),
        "heat tile, a new category": (f"/tiles/heat/12/3347/1684.png?category={code}" for code in categories),
        "heat tile, a known question": itertools.repeat("/tiles/heat/13/6694/3369.png"),
        "legend of the heat, a new width": (f"/tiles/heat.json?width_m={200 + n}" for n in range(rounds)),
        "page of on time by grid, a new month": (f"/insight?level=grid&rate=on_time&window={w}" for w in WINDOWS),
        "page of fix rates by patch, a new month": (f"/insight?level=patch&rate=mended&window={w}" for w in WINDOWS),
        "twelve months for the slider": (
            f"/insight/frames?level=grid&rate=on_time&category={code[:4]}" for code in categories
        ),
    }
    slow = []
    for name, paths in ways.items():
        took = median_ms(lambda _, paths=paths: get(next(paths)), rounds)  # type: ignore[misc]  # bound at once
        slow += [name] if took > TARGET_MS else []
        print(f"  {name:42} {took:8.1f} ms   {peer / took:6.1f} x the peer's speed", flush=True)
    print(f"over {TARGET_MS:.0f} ms: {', '.join(slow) or 'none'}")


def median_ms(once: Callable[[int], object], rounds: int) -> float:
    took = []
    for turn in range(rounds):
        begun = time.perf_counter()
        once(turn)
        took.append(time.perf_counter() - begun)
    return float(np.median(took)) * 1e3


if __name__ == "__main__":
    main()
