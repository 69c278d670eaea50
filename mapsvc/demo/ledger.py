"""The year before the demo's own days, as the district office kept it: a table with its milestones, imported."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mapsvc.areas.index import Snapshot
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.deadlines import Span, due_at
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.workflow import QUICK
from mapsvc.cases.service.import_cases import CasesReport, import_cases
from mapsvc.cases.service.import_rows import ImportOptions
from mapsvc.demo.places import Spots
from mapsvc.demo.year import Report
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store

SOURCE = "台账"
MOMENT = "%Y-%m-%d %H:%M:%S"
MILESTONES = ("立案时间", "派遣时间", "签收时间", "处置完成时间", "返工时间", "返工完成时间", "核查时间")
HEADER = (
    "工单编号", "渠道", "类别", "立案条件", "内容", "地址", "经度", "纬度", "受理时间", "办结时限", *MILESTONES,
    "即查即改", "办结时间", "状态", "处理结果", "处置单位",
)  # fmt: skip
CHANNEL_WORDS = {"patrol": "巡查", "public": "群众", "hotline": "12345热线", "staff": "工作人员"}

LATE, REWORKED, REFUSED, CHECKED = 0.055, 0.045, 0.035, 0.08
TERMS = ((15, 0.5), (30, 0.35), (60, 0.15))
"""Terms in working days that the hotline gives to what cannot be settled at once, with their shares."""


@dataclass(frozen=True)
class Entry:
    """A report with what the ledger is to say of it.

    `instant`: found and mended on the spot, or not; None leaves it to the years' usual share. `open_`: still within
    its time now. `punctual`: closed in time.
    """

    report: Report
    instant: bool | None = None
    open_: bool = False
    punctual: bool = False


class Ledger:
    """Writes the rows of a ledger as of `now` (aware, local) and imports them."""

    def __init__(
        self, book: Rulebook, spots: Spots, units: Callable[[str, int], str], now: datetime, seed: int
    ) -> None:
        """`units` names the handling unit for a category and the row of a spot."""
        self.book = book
        self.spots = spots
        self.now = now
        self._units = units
        self._rng = np.random.default_rng(seed + 5)

    def take_in(
        self,
        store: Store,
        settings: Settings,
        snapshot: Snapshot,
        entries: Sequence[Entry],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> CasesReport | None:
        """Write the table and import it, as an operator would with an old workbook; None for no rows."""
        if not entries:
            return None
        with TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.csv"
            self.write(path, entries)
            options = ImportOptions(source=SOURCE, own=True)
            return import_cases(store, settings, snapshot, self.book, SYSTEM, path, options, progress=progress)

    def write(self, path: Path, entries: Iterable[Entry]) -> None:
        """Write the table."""
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.DictWriter(file, HEADER, restval="")
            out.writeheader()
            for number, entry in enumerate(sorted(entries, key=lambda each: each.report.at), start=1):
                out.writerow({"工单编号": f"TZ{number:06d}", **self._row(entry)})

    def _row(self, entry: Entry) -> dict[str, str]:
        report, spot = entry.report, entry.report.spot
        category = self.book.categories.get(report.category)
        condition = category.get_condition(report.condition)
        workflow = self.book.workflow_of(report.channel, category, condition)
        term = self.book.total_term(condition)
        due = due_at(self.book.calendar, report.at, term)
        if entry.open_ and due <= self.now:
            term = self._longer(report.at)
            due = due_at(self.book.calendar, report.at, term)
        told = {
            "渠道": CHANNEL_WORDS[report.channel],
            "类别": report.category,
            "立案条件": report.condition,
            "内容": report.words,
            "地址": self.spots.texts[spot],
            "经度": f"{self.spots.lon[spot]:.7f}",
            "纬度": f"{self.spots.lat[spot]:.7f}",
            "受理时间": report.at.strftime(MOMENT),
            "办结时限": self._local(due),
        }
        moments = self._quick(entry, due) if workflow == QUICK else self._standard(entry, due, term)
        if entry.punctual:
            moments = self._done_by_now(report.at, moments)
        if workflow == QUICK and "签收时间" not in moments and "处置完成时间" in moments:
            told["即查即改"] = "是"
        if workflow != QUICK and len(moments) > 1:
            told["处置单位"] = self._units(report.category, spot)
        if list(moments) == ["办结时间"]:
            told["处理结果"] = "不予立案"
        past = {name: self._local(at) for name, at in moments.items() if at <= self.now}
        return told | past | {"状态": "已办结" if "办结时间" in past else "处置中"}

    def _done_by_now(self, received: datetime, moments: dict[str, datetime]) -> dict[str, datetime]:
        """Return the moments drawn nearer to each other where the last would still be to come."""
        last = max(moments.values())
        if last <= self.now:
            return moments
        pace = (self.now - received) * 0.97 / (last - received)
        return {name: received + (at - received) * pace for name, at in moments.items()}

    def _longer(self, received: datetime) -> Span:
        """Return a term of the hotline that has not run out yet."""
        days = np.array([days for days, _ in TERMS])
        shares = np.array([share for _, share in TERMS])
        fitting = [
            bool(due_at(self.book.calendar, received, Span(float(each), "working_day")) > self.now) for each in days
        ]
        weights = np.where(fitting, shares, 0.0)
        if weights.sum() == 0:
            return Span(float(days[-1]) + 15, "working_day")
        return Span(float(self._rng.choice(days, p=weights / weights.sum())), "working_day")

    def _standard(self, entry: Entry, due: datetime, term: Span) -> dict[str, datetime]:
        """Return the moments of the seven steps, in their order; those still to come are left out by the caller."""
        rng = self._rng
        if entry.open_:
            return self._under_way(entry.report.at)
        if rng.random() < REFUSED:
            return {"办结时间": self._after(entry.report.at, due, term, 0.15)}
        late = not entry.punctual and rng.random() < LATE
        pace = float(rng.uniform(1.05, 1.8)) if late else 0.1 + 0.85 * float(rng.beta(2.0, 3.2))
        shares = [0.06, 0.12, 0.2, 0.74, 0.93, 1.0]
        names = ["立案时间", "派遣时间", "签收时间", "处置完成时间", "核查时间", "办结时间"]
        if rng.random() < REWORKED:
            shares[4:4] = [0.8, 0.88]
            names[4:4] = ["返工时间", "返工完成时间"]
        at, found = entry.report.at, {}
        for name, share in zip(names, shares, strict=True):
            at = max(at + timedelta(minutes=1), self._after(entry.report.at, due, term, share * pace))
            found[name] = at
        return found

    def _under_way(self, received: datetime) -> dict[str, datetime]:
        """Return how far an open case has come: the longer ago it came in, the further."""
        reached = int(self._rng.integers(1, 5))
        gap = (self.now - received) * 0.9 / 5
        names = ("立案时间", "派遣时间", "签收时间", "处置完成时间")[:reached]
        return {name: received + gap * (place + float(self._rng.random())) for place, name in enumerate(names)}

    def _quick(self, entry: Entry, due: datetime) -> dict[str, datetime]:
        rng, at = self._rng, entry.report.at
        if entry.instant if entry.instant is not None else rng.random() < 0.72 and self._may_be_instant(entry.report):
            mended = at + timedelta(minutes=float(rng.uniform(4, 18)))
            return {"处置完成时间": mended, **self._closing(mended)}
        late = not entry.punctual and rng.random() < LATE
        pace = float(rng.uniform(1.05, 1.8)) if late else 0.1 + 0.8 * float(rng.beta(2.0, 3.2))
        signed, mended = at + (due - at) * pace * 0.2, at + (due - at) * pace
        return {"签收时间": signed, "处置完成时间": mended, **self._closing(mended)}

    def _may_be_instant(self, report: Report) -> bool:
        return self.book.categories.get(report.category).get_condition(report.condition).instant_fix

    def _closing(self, mended: datetime) -> dict[str, datetime]:
        if self._rng.random() < CHECKED:
            checked = mended + timedelta(minutes=float(self._rng.uniform(20, 90)))
            return {"核查时间": checked, "办结时间": checked + timedelta(minutes=2)}
        return {"办结时间": mended + timedelta(minutes=1)}

    def _after(self, received: datetime, due: datetime, term: Span, share: float) -> datetime:
        """Return when so much of the term has passed: by the clock where it is urgent, else in working time."""
        if term.unit.startswith("urgent"):
            return received + (due - received) * share
        hours = term.amount * (8 if term.unit == "working_day" else 1) * share
        return due_at(self.book.calendar, received, Span(max(round(hours, 2), 0.02), "working_hour"))

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(self.book.calendar.timezone).strftime(MOMENT)


def with_recurrences(reports: Sequence[Report], rng: np.random.Generator, share: float = 0.035) -> list[Report]:
    """Return the reports with some of them at the place, and in the category, of another one 1 to 6 days before."""
    found = list(reports)
    for place in rng.choice(len(found), size=int(share * len(found)), replace=False).tolist():
        later = found[place]
        for before in reversed(found[max(place - 400, 0) : place]):
            gap = later.at - before.at
            if gap > timedelta(days=6):
                break
            if gap >= timedelta(days=1) and before.channel == later.channel:
                found[place] = Report(later.at, before.spot, before.category, later.channel, before.words)
                break
    return found
