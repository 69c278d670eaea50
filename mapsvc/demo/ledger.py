"""The year before the demo's own three months, as the district office kept it: a table, imported as history."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mapsvc.areas.index import Snapshot
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.service.import_cases import CasesReport, import_cases
from mapsvc.cases.service.import_rows import ImportOptions
from mapsvc.demo.stories import DAYS, make_stories
from mapsvc.demo.town import Town
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

SOURCE = "青禾区台账"
HEADER = ("工单编号", "类别", "内容", "地址", "经度", "纬度", "受理时间", "办结时间", "状态")
MOMENT = "%Y-%m-%d %H:%M:%S"
STILL_OPEN = 0.01


def import_ledger(
    store: Store, settings: Settings, snapshot: Snapshot, book: Rulebook, town: Town, count: int, seed: int
) -> CasesReport | None:
    """Write the table and import it, as an operator would with an old spreadsheet; None for no rows."""
    if count == 0:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.csv"
        before = store.clock.now().astimezone(settings.timezone) - timedelta(days=DAYS)
        write_ledger(path, town, count, before, seed)
        return import_cases(store, settings, snapshot, book, SYSTEM, path, ImportOptions(source=SOURCE))


def write_ledger(path: Path, town: Town, count: int, before: datetime, seed: int) -> None:
    """Write the table: reports of the months before a moment, most of them dealt with within days."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for number, story in enumerate(make_stories(town, count, before, seed + 1), start=1):
            closed = story.at + timedelta(days=float(rng.gamma(1.5, 1.6)))
            done = bool(rng.random() >= STILL_OPEN)
            out.writerow(
                (
                    f"TZ{number:06d}",
                    story.category,
                    story.description,
                    story.place_text,
                    f"{story.lon:.7f}",
                    f"{story.lat:.7f}",
                    story.at.strftime(MOMENT),
                    closed.strftime(MOMENT) if done else "",
                    "已办结" if done else "处置中",
                )
            )
