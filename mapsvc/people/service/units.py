"""Handling units: imported, changed, ended; never deleted, for cases point to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.people.models import Unit
from mapsvc.people.queries import CHUNK
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.people.service.persons import Upserted
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class UnitData:
    """A unit as a file gives it; None leaves what is known of an old one, and is empty for a new one."""

    code: str
    name: str
    phone: str | None = None
    kind: str | None = None


def upsert_units(work: Work, actor: Actor, units: Sequence[UnitData]) -> Upserted:
    """Add the units that are new and bring the others up to date; one that had ended works again.

    A code may come many times (a table of duties has a line per duty), but with one name only.
    """
    require(actor, "unit.import")
    wanted = _unique(units)
    ids: dict[str, int] = {}
    added = changed = 0
    codes = sorted(wanted)
    for start in range(0, len(codes), CHUNK):
        chunk = codes[start : start + CHUNK]
        known = {row.code: row for row in work.session.scalars(select(Unit).where(Unit.code.in_(chunk)))}
        for code in chunk:
            data = wanted[code]
            row = known.get(code)
            if row is None:
                known[code] = row = Unit(code=code, name=data.name, phone=data.phone or "", kind=data.kind or "")
                work.session.add(row)
                added += 1
            else:
                changed += _bring_up_to_date(row, data)
        work.session.flush()  # gives the new ones their numbers
        ids.update({code: row.id for code, row in known.items()})
    return Upserted(ids, added, changed)


def end_unit(work: Work, actor: Actor, code: str, last_day: date) -> None:
    """End a unit after a local day; its cases stay, nothing new is dispatched to it."""
    require(actor, "unit.import")
    unit = work.session.scalars(select(Unit).where(Unit.code == code)).one_or_none()
    if unit is None:
        raise NotFound("unit_not_found", f"There is no unit {code!r}.")
    unit.ended_on = last_day


def _unique(units: Sequence[UnitData]) -> dict[str, UnitData]:
    wanted: dict[str, UnitData] = {}
    for unit in units:
        if not unit.code.strip() or not unit.name.strip():
            raise InvalidInput("unit_incomplete", f"A unit needs a code and a name: {unit.code!r}.")
        first = wanted.setdefault(unit.code, unit)
        if first.name != unit.name:
            raise InvalidInput(
                "unit_code_twice",
                f"The code {unit.code} stands for {first.name} and for {unit.name}.",
                hint="Give each unit a code of its own.",
                detail={"code": unit.code},
            )
        wanted[unit.code] = UnitData(first.code, first.name, first.phone or unit.phone, first.kind or unit.kind)
    return wanted


def _bring_up_to_date(row: Unit, data: UnitData) -> bool:
    before = (row.name, row.phone, row.kind, row.ended_on)
    row.name = data.name
    row.ended_on = None
    if data.phone is not None:
        row.phone = data.phone
    if data.kind is not None:
        row.kind = data.kind
    return before != (row.name, row.phone, row.kind, row.ended_on)
