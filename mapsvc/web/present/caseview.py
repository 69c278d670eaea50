"""One case in the words of the screen: its stages, history, reasons and clocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from mapsvc.cases.queries.views import CaseView, DeadlineView, EventView, PhotoView
from mapsvc.cases.rules.calendar import Calendar
from mapsvc.cases.rules.workflow import QUICK, STEP_NAMES
from mapsvc.web.present.speech import Speech

STANDARD_STAGES = ("collect", "file", "dispatch", "handle", "feedback", "check", "close")
QUICK_STAGES = ("found", "sign", "handle", "check", "close")
_STANDARD_AT = {"received": 1, "assigned": 2, "returned": 2, "in_progress": 3, "suspended": 3, "fixed": 5, "closed": 7}
_QUICK_AT = {"received": 1, "assigned": 1, "returned": 1, "in_progress": 2, "suspended": 2, "fixed": 3, "closed": 5}
"""Which stage is under way in a state: those before it are done."""


_PHOTO_ORDER = {"far": 0, "near": 1, "before": 2, "reference": 3, "": 4, "after": 5}
MOST_DAYS = 6
"""A longer term says its first days and its last."""


@dataclass(frozen=True)
class Stage:
    """One stage of the workflow: `done`, `now` or `later`."""

    text: str
    kind: str


@dataclass(frozen=True)
class EventLine:
    """One line of the history."""

    at: datetime
    title: str
    by: str
    text: str


@dataclass(frozen=True)
class SideLine:
    """One possible area with its probability."""

    name: str
    probability: float
    share: str


@dataclass(frozen=True)
class AssignmentLine:
    """One assignment with its reason."""

    at: datetime
    reason: str
    sides: tuple[SideLine, ...]


@dataclass(frozen=True)
class ClockLine:
    """One clock with the arithmetic of its term."""

    name: str
    verdict: str
    sum: str
    late: bool
    days: str = ""


def stages_of(words: Speech, view: CaseView) -> tuple[Stage, ...]:
    """Return the stages with the standard's names; a fixed case that was checked waits for its closing."""
    quick = view.row.workflow == QUICK
    names = QUICK_STAGES if quick else STANDARD_STAGES
    at = (_QUICK_AT if quick else _STANDARD_AT)[view.row.state]
    if view.row.state == "fixed" and view.checked:
        at += 1
    kinds = ["done" if n < at else "now" if n == at else "later" for n in range(len(names))]
    return tuple(Stage(words.t(f"stage.{name}"), kind) for name, kind in zip(names, kinds, strict=True))


def step_title(words: Speech, step: str) -> str:
    """Return the name of a step."""
    zh, en = STEP_NAMES.get(step, (step, step))
    return zh if words.language == "zh" else en[:1].upper() + en[1:]


def button_title(words: Speech, step: str) -> str:
    """Return what the button of a step says: plainer than its name in the history where there is a plainer word."""
    return words.find(f"do.{step}") or step_title(words, step)


def events_of(words: Speech, view: CaseView) -> tuple[EventLine, ...]:
    """Return the history, the newest first."""
    return tuple(_event(words, event) for event in reversed(view.events))


def _event(words: Speech, event: EventView) -> EventLine:
    role = words.find(f"role.{event.role}") or ""
    data = dict(event.data)
    if not event.by and event.step == "open" and data.get("channel") in {"public", "open311"}:
        role = words.t("role.reporter")
    by = f"{event.by} {role}".strip() if event.by else role or words.t("role.system")
    if event.on_behalf_of:
        by = words.t("case.on_behalf", by=by, person=event.on_behalf_of)
    said = [own_words(words.language, event.reason) if event.role == "system" else event.reason]
    if data.get("undone"):
        said.append(step_title(words, data["undone"]))
    if data.get("result"):
        said.append(words.find(f"result.{data['result']}") or data["result"])
    said.extend(data[key] for key in ("unit_name", "unit", "area_name") if data.get(key) and not data[key].isdigit())
    if "from_owner" in data:
        nobody = words.t("case.no_owner")
        said.append(f"{data['from_owner'] or nobody} → {data['owner'] or nobody}")
    if event.from_state and event.from_state != event.to_state:
        said.append(f"{words.state_name(event.from_state)} → {words.state_name(event.to_state)}")
    return EventLine(event.at, step_title(words, event.step), by, " · ".join(part for part in said if part))


_BOTH_TONGUES = re.compile(r"(?P<zh>[^/]*[一-鿿][^/]*) / (?P<en>[ -.0-9;-~]+)(?P<rest>: .*)?", re.DOTALL)


def own_words(language: str, reason: str) -> str:
    """Return a reason that the program wrote in one tongue: it is kept in both, as `中文 / English: names`."""
    found = _BOTH_TONGUES.fullmatch(reason)
    return f"{found[language]}{found['rest'] or ''}" if found else reason


def assignments_of(words: Speech, view: CaseView) -> tuple[AssignmentLine, ...]:
    """Return the assignments, the present one first."""
    found = []
    for one in reversed(view.assignments):
        sides = tuple(
            SideLine(side.name or words.t("case.outside"), round(side.probability, 4), words.share(side.probability))
            for side in one.sides
        )
        reason = one.reason_zh if words.language == "zh" else one.reason_en
        found.append(AssignmentLine(one.at, reason, sides))
    return tuple(found)


def clocks_of(words: Speech, view: CaseView, calendar: Calendar) -> tuple[ClockLine, ...]:
    """Return the clocks that count, each with its arithmetic; replaced ones stay in the history."""
    return tuple(_clock(words, view, clock, calendar) for clock in view.deadlines if clock.replaced_at is None)


def _clock(words: Speech, view: CaseView, clock: DeadlineView, calendar: Calendar) -> ClockLine:
    late = False
    if clock.met_at is not None:
        late = clock.met_at > clock.due_at
        verdict = words.t("clock.met_late" if late else "clock.met", when=words.when(clock.met_at))
    else:
        due = words.times.due(clock.due_at, state=view.row.state)
        late, verdict = due is not None and due.kind == "late", due.text if due else ""
    term = f"{clock.amount:g}{words.t('unit_of_time.' + clock.unit)}"
    text = words.t("clock.sum", start=words.when(clock.starts_at), term=term, due=words.when(clock.due_at))
    if clock.calendar:
        text = f"{text} · {words.t('clock.calendar', calendar=clock.calendar)}"
    return ClockLine(words.t(f"clock.{clock.clock}"), verdict, text, late, _days(words, clock, calendar))


def _days(words: Speech, clock: DeadlineView, calendar: Calendar) -> str:
    """Return 周二 14:00 以后 4 小时 + 周三 2 小时: the days over which a term in working hours runs.

    By another calendar than the one it was computed with the sum would not come out: then nothing is said.
    """
    if not clock.unit.startswith("working") or clock.calendar != calendar.fingerprint:
        return ""
    days = calendar.days_between(clock.starts_at, clock.due_at)
    parts = [
        words.t(
            "clock.day",
            day=words.times.weekday(day),
            hours=f"{spent.total_seconds() / 3600:.2f}".rstrip("0").rstrip("."),
        )
        for day, spent in days
    ]
    if len(parts) > MOST_DAYS:
        parts = [*parts[:2], words.t("clock.days_more", count=len(parts) - 3), parts[-1]]
    return " + ".join(parts)


def photos_of(view: CaseView) -> tuple[PhotoView, ...]:
    """Return the photos as they are looked at: far, near, then the others, what shows the repair last."""
    return tuple(sorted(view.photos, key=lambda photo: _PHOTO_ORDER.get(photo.kind, len(_PHOTO_ORDER) - 1)))


def notices_of(words: Speech, view: CaseView) -> tuple[str, ...]:
    """Return the notices for which there are words; a flag that is shown already is not said twice."""
    return tuple(text for name in view.notices if (text := words.find(f"notice.{name}")))
