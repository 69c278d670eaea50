"""Persons, as imports of posts bring them: many at once, known ones brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from mapsvc.base.errors import InvalidInput
from mapsvc.people.models import Person
from mapsvc.people.queries import CHUNK
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Work


@dataclass(frozen=True)
class PersonData:
    """A person as a file gives it; None leaves what is known of an old one, and is empty for a new one."""

    code: str
    name: str
    phone: str | None = None
    public: bool | None = None


@dataclass(frozen=True)
class Upserted:
    """The number of every row by its code, and how many were new or changed."""

    ids: dict[str, int]
    added: int
    changed: int


def upsert_persons(work: Work, actor: Actor, persons: Sequence[PersonData]) -> Upserted:
    """Add the persons that are new and bring the others up to date, in one query per `CHUNK` codes.

    The same code twice with different names raises `InvalidInput`: one of them would be lost.
    """
    require(actor, "post.import")
    wanted = _unique(persons)
    ids: dict[str, int] = {}
    added = changed = 0
    codes = sorted(wanted)
    for start in range(0, len(codes), CHUNK):
        chunk = codes[start : start + CHUNK]
        known = {row.code: row for row in work.session.scalars(select(Person).where(Person.code.in_(chunk)))}
        for code in chunk:
            data = wanted[code]
            row = known.get(code)
            if row is None:
                known[code] = row = Person(code=code, name=data.name, phone=data.phone or "", public=bool(data.public))
                work.session.add(row)
                added += 1
            else:
                changed += _bring_up_to_date(row, data)
        work.session.flush()  # gives the new ones their numbers
        ids.update({code: row.id for code, row in known.items()})
    return Upserted(ids, added, changed)


def _unique(persons: Sequence[PersonData]) -> dict[str, PersonData]:
    wanted: dict[str, PersonData] = {}
    for person in persons:
        if not person.code.strip() or not person.name.strip():
            raise InvalidInput("person_incomplete", f"A person needs a code and a name: {person.code!r}.")
        first = wanted.setdefault(person.code, person)
        if first.name != person.name:
            raise InvalidInput(
                "person_code_twice",
                f"The code {person.code} stands for {first.name} and for {person.name}.",
                hint="Give each person a code of their own.",
                detail={"code": person.code},
            )
        if (first.phone or None, first.public) != (person.phone or None, person.public):
            wanted[person.code] = PersonData(
                first.code,
                first.name,
                first.phone or person.phone,
                first.public if first.public is not None else person.public,
            )
    return wanted


def _bring_up_to_date(row: Person, data: PersonData) -> bool:
    before = (row.name, row.phone, row.public)
    row.name = data.name
    if data.phone is not None:
        row.phone = data.phone
    if data.public is not None:
        row.public = data.public
    return before != (row.name, row.phone, row.public)
