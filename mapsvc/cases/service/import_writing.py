"""One batch of an import is written, in bulk: cases, areas, assignments, events, clocks, contacts."""

from __future__ import annotations

import secrets
import uuid as uuids
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert, select, update

from mapsvc.cases.models import Assignment, Case, CaseArea, CaseEvent, Deadline, Reporter
from mapsvc.cases.rules import codes
from mapsvc.cases.rules.marks import fold
from mapsvc.cases.rules.pasts import PastStep
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.service.import_rows import IMPORT_SPACE, ImportOptions, ReadRow, ReadyRow
from mapsvc.people.rules.actor import Actor
from mapsvc.storage.base import Row
from mapsvc.storage.imports import Run, published_runs
from mapsvc.storage.work import Work


class Writer:
    """Writes batches of one run; what was imported before under the same key is left as it is."""

    def __init__(self, run: Run, book: Rulebook, options: ImportOptions, actor: Actor) -> None:
        self.run = run
        self.book = book
        self.options = options
        self.actor = actor
        self._calendar = book.calendar.fingerprint

    def write(self, work: Work, batch: Sequence[ReadyRow | None]) -> Mapping[str, int]:
        """Write one batch and return what became of its rows."""
        ready = [row for row in batch if row is not None]
        here = self._keys_here(work, [row.row.key for row in ready])
        new = [row for row in ready if row.row.key not in here]
        counts = _count(ready)
        counts |= {"bad": len(batch) - len(ready), "already": len(ready) - len(new), "imported": len(new)}
        if new:
            self._insert(work, new)
        return counts

    def _keys_here(self, work: Work, keys: Sequence[str]) -> set[str]:
        """Return the keys that are in the store; rows of a run that was never finished are taken over by this one."""
        work.session.execute(
            update(Case)
            .where(
                Case.import_key.in_(keys),
                Case.import_run_id != self.run.id,
                Case.import_run_id.not_in(published_runs()),
            )
            .values(import_run_id=self.run.id)
            .execution_options(synchronize_session=False)
        )
        return {key for key in work.session.scalars(select(Case.import_key).where(Case.import_key.in_(keys))) if key}

    def _insert(self, work: Work, new: Sequence[ReadyRow]) -> None:
        values = [self._case(work, row) for row in new]
        # Without RETURNING, which SQLite would run row by row; the keys, being unique, bring the ids back.
        work.session.execute(insert(_table(Case)), values)
        keys = [row.row.key for row in new]
        found = work.session.execute(select(Case.import_key, Case.id).where(Case.import_key.in_(keys)))
        ids = dict(found.all())
        made = [(ids[row.row.key], row, case) for row, case in zip(new, values, strict=True)]
        areas = [
            {"case_id": case_id, "level": area.level, "area_id": area.area_id}
            for case_id, row, _ in made
            for area in row.decision.path
        ]
        contacts = [
            {"case_id": case_id, "name": row.row.reporter, "phone": row.row.phone}
            for case_id, row, _ in made
            if row.row.reporter or row.row.phone
        ]
        for rows_of, rows in (
            (CaseArea, areas),
            (Assignment, [self._assignment(work, case_id, row) for case_id, row, _ in made]),
            (CaseEvent, [event for case_id, row, case in made for event in self._events(work, case_id, row, case)]),
            (Deadline, [self._clock(case_id, row, case) for case_id, row, case in made]),
            (Reporter, contacts),
        ):
            if rows:
                work.session.execute(insert(_table(rows_of)), rows)

    def _case(self, work: Work, ready: ReadyRow) -> dict[str, Any]:
        row, decision = ready.row, ready.decision
        state, outcome = _standing(row)
        placed = row.lon == row.lon
        owner, who = decision.owner, decision.responsible
        return {
            "uuid": uuids.uuid5(IMPORT_SPACE, row.key),
            "number": codes.import_number(self.book.local_day(self.run.started_at), self.run.id, row.number),
            "track_code": codes.make_track_code(secrets.token_bytes(codes.RANDOM_BYTES)),
            "import_key": row.key,
            "import_run_id": self.run.id,
            "content_sha256": row.key,
            "channel": row.channel,
            "source_number": row.source_number,
            "source_flag": row.status.flag,
            "historic": not (self.options.live or self.options.own),
            "category": row.category.code,
            "condition": row.condition_code,
            "workflow": row.workflow,
            "description": row.description,
            "place_text": row.place,
            "owner": row.owner,
            "lon": row.lon if placed else None,
            "lat": row.lat if placed else None,
            "accuracy_m": None,
            "position_source": "import" if placed else "",
            "input_datum": self.options.crs if placed else "wgs84",
            "observed_at": row.received,
            "received_at": row.received,
            "updated_at": row.closed or (work.now if self.options.live else _last(row)),
            "closed_at": row.closed,
            "state": state,
            "outcome": outcome,
            "unplaced": decision.unplaced,
            "edge": decision.edge,
            "due_at": ready.due,
            "sign_due_at": None,
            "owner_area_id": owner.area_id if owner else None,
            "owner_person_id": who.person_id if who else None,
            "area_version_id": owner.version_id if owner else None,
            "generation": decision.generation,
            "opened_by_user_id": self.actor.user_id,
            "unit_id": row.unit_id,
            **asdict(fold((step.step, step.at) for step in row.steps)),
            "sides_changed": 0,
            "returns": 0,
            "reworks": sum(step.step == "check_fail" for step in row.steps),
            "extensions": 0,
            "version": 1,
            **asdict(fold((step.step, step.at) for step in row.steps)),
        }

    def _assignment(self, work: Work, case_id: int, ready: ReadyRow) -> dict[str, Any]:
        decision = ready.decision
        owner, who = decision.owner, decision.responsible
        return {
            "case_id": case_id,
            "at": work.now,
            "rule": decision.rule,
            "area_id": owner.area_id if owner else None,
            "area_version_id": owner.version_id if owner else None,
            "generation": decision.generation,
            "person_id": who.person_id if who else None,
            "post_id": who.post_id if who else None,
            "stand_in": who.stand_in if who else "",
            "distance_m": decision.distance_m,
            "certainty": decision.certainty,
            "candidates": [asdict(side) for side in decision.sides],
            "reason": ready.reason,
            "by_user_id": self.actor.user_id,
        }

    def _events(self, work: Work, case_id: int, ready: ReadyRow, case: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the log: the steps that the row tells of at their own moments, or its arrival here alone."""
        row = ready.row
        arrival = (PastStep("open", work.now, "", case["state"]),)
        for sequence, step in enumerate(row.steps or arrival, start=1):
            name = "open" if sequence == 1 else f"{step.step} {sequence}"
            told: dict[str, Any] = {"source": self.options.source, "row": row.number, "run": self.run.id}
            if sequence == 1:
                told["channel"] = row.channel
            elif step.step == "dispatch":
                told["unit"] = row.unit_id
            yield {
                "uuid": uuids.uuid5(IMPORT_SPACE, f"{row.key} {name}"),
                "case_id": case_id,
                "sequence": sequence,
                "at": step.at,
                "step": step.step,
                "from_state": step.from_state,
                "to_state": step.to_state,
                "user_id": self.actor.user_id,
                "role": "",
                "for_person_id": None,
                "reason": "",
                "data": told,
                "content_sha256": "",
            }

    def _clock(self, case_id: int, ready: ReadyRow, case: Mapping[str, Any]) -> dict[str, Any]:
        term = self.book.total_term(ready.row.condition)
        return {
            "case_id": case_id,
            "clock": "total",
            "amount": term.amount,
            "unit": term.unit,
            "starts_at": ready.row.received,
            "due_at": ready.due,
            "calendar": self._calendar,
            "met_at": case["closed_at"],
            "replaced_at": None,
        }


def _standing(row: ReadRow) -> tuple[str, str]:
    """Return the state and the outcome in which a row comes in."""
    if row.steps and row.steps[-1].to_state != "closed" and not row.status.closed:
        return row.steps[-1].to_state, ""
    if not (row.status.closed or row.closed is not None):
        return "received", ""
    if row.steps and row.steps[-1].step == "refuse":
        return "closed", "refused"
    return "closed", "duplicate" if row.status.flag else "solved"


def _last(row: ReadRow) -> datetime:
    return row.steps[-1].at if row.steps else row.received


def _table(rows_of: type[Row]) -> Table:
    """Return the table itself: inserting into it skips the work of the ORM, which is most of the time otherwise."""
    return cast("Table", rows_of.__table__)


def _count(ready: Sequence[ReadyRow]) -> dict[str, int]:
    return {
        "without_position": sum(row.row.lon != row.row.lon for row in ready),
        "inside": sum(row.decision.rule == "inside" for row in ready),
        "nearest": sum(row.decision.rule == "nearest" for row in ready),
        "unplaced": sum(row.decision.unplaced for row in ready),
        "flagged": sum(bool(row.row.status.flag) for row in ready),
    }
