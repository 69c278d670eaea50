"""Who answers for which area: teams, roles that follow from posts, areas without a chief, duties of units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import shapely
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from mapsvc.areas.models import Area, AreaVersion, Border, Duty, Generation, Post
from mapsvc.areas.queries.state import in_force
from mapsvc.areas.rules.duties import DutyHeld, UnitDue, find_unit_due
from mapsvc.areas.rules.located import Located
from mapsvc.areas.rules.posts import PostLine, roles_from_posts
from mapsvc.people.models import Person, Unit
from mapsvc.people.rules.actor import RoleHeld
from mapsvc.storage.boxes import Box, borders_in_box
from mapsvc.storage.work import Work

CHUNK = 5_000


def _held(on: date) -> ColumnElement[bool]:
    return and_(
        or_(Post.valid_from.is_(None), Post.valid_from <= on),
        or_(Post.valid_to.is_(None), Post.valid_to >= on),
    )


def actor_posts(work: Work, person_id: int, on_date: date) -> tuple[RoleHeld, ...]:
    """Return the roles that follow from a person's posts on a day; see `rules.posts.roles_from_posts`."""
    mine = or_(Post.person_id == person_id, Post.deputy_id == person_id, Post.liaison_id == person_id)
    query = select(Post, Area.level).join(Area, Area.id == Post.area_id).where(mine, _held(on_date)).order_by(Post.id)
    lines: list[PostLine] = []
    for post, level in work.session.execute(query):
        for capacity, holder in (("holder", post.person_id), ("deputy", post.deputy_id), ("liaison", post.liaison_id)):
            if holder == person_id:
                lines.append(PostLine(level, post.area_id, post.role, post.person_id, capacity))
    return roles_from_posts(lines)


@dataclass(frozen=True)
class TeamMember:
    """One person of an area's team. `capacity`: chief, acting, deputy, member, stand_in (AB岗) or liaison (联络员)."""

    person_id: int
    name: str
    phone: str
    public: bool
    capacity: str
    document: str
    valid_from: date | None
    valid_to: date | None
    for_person_id: int | None = None


_CAPACITIES = ("chief", "acting", "deputy", "stand_in", "liaison", "member")


def list_team(work: Work, area_id: int, on: date) -> tuple[TeamMember, ...]:
    """Return everybody with a part in an area on a day: chief first, members last."""
    person, deputy, liaison = aliased(Person), aliased(Person), aliased(Person)
    query = (
        select(Post, person, deputy, liaison)
        .join(person, person.id == Post.person_id)
        .outerjoin(deputy, deputy.id == Post.deputy_id)
        .outerjoin(liaison, liaison.id == Post.liaison_id)
        .where(Post.area_id == area_id, _held(on))
        .order_by(Post.id)
    )
    found: list[TeamMember] = []
    for post, holder, stand_in, helper in work.session.execute(query):
        found.append(_member(post, holder, post.role, None))
        if stand_in is not None:
            found.append(_member(post, stand_in, "stand_in", holder.id))
        if helper is not None:
            found.append(_member(post, helper, "liaison", holder.id))
    return tuple(sorted(found, key=lambda member: _CAPACITIES.index(member.capacity)))


def _member(post: Post, person: Person, capacity: str, for_person_id: int | None) -> TeamMember:
    return TeamMember(
        person.id,
        person.name,
        person.phone,
        person.public,
        capacity,
        post.document,
        post.valid_from,
        post.valid_to,
        for_person_id,
    )


@dataclass(frozen=True)
class AreaWithoutChief:
    """An area that has no chief on a day: a standing warning. `since` is the first day without one, None: never had.

    `stand_in` says who answers meanwhile: `acting`, `deputy`, or empty when its cases go one level up.
    """

    area_id: int
    level: str
    code: str
    name: str
    since: date | None
    stand_in: str


def areas_without_chief(
    work: Work, levels: Sequence[str], on: date, moment: datetime, *, within: Sequence[int] | None = None
) -> tuple[AreaWithoutChief, ...]:
    """List the areas in force at `moment`, at the levels named, that have no chief on a day.

    `within` keeps to areas by id (those that an actor may see). In the order of level and code.
    """
    chief = select(Post.area_id).where(Post.role == "chief", _held(on))
    query = (
        select(Area.id, Area.level, Area.code, AreaVersion.name)
        .join(AreaVersion, AreaVersion.area_id == Area.id)
        .where(Area.level.in_(list(levels)), in_force(moment), Area.id.not_in(chief))
        .order_by(Area.level, Area.code)
    )
    if within is not None:
        query = query.where(Area.id.in_(list(within)))
    rows = work.session.execute(query).all()
    ids = {row[0] for row in rows}
    last = select(Post.area_id, func.max(Post.valid_to)).where(Post.role == "chief", Post.valid_to < on)
    ended: dict[int, date] = {
        area: day for area, day in work.session.execute(last.group_by(Post.area_id)) if area in ids and day is not None
    }
    others = select(Post.area_id, Post.role).where(Post.role.in_(("acting", "deputy")), _held(on))
    roles: dict[int, set[str]] = {}
    for area_id, role in work.session.execute(others):
        roles.setdefault(area_id, set()).add(role)
    return tuple(
        AreaWithoutChief(
            area_id,
            level,
            code,
            name,
            ended[area_id] + timedelta(days=1) if area_id in ended else None,
            next((role for role in ("acting", "deputy") if role in roles.get(area_id, ())), ""),
        )
        for area_id, level, code, name in rows
    )


def list_area_ids_of_person(
    work: Work, person_id: int, on: date, roles: Sequence[str] = ("chief", "acting")
) -> tuple[int, ...]:
    """Return the areas in which a person holds one of some roles on a day, in the order of the posts."""
    query = select(Post.area_id).where(Post.person_id == person_id, Post.role.in_(list(roles)), _held(on))
    return tuple(dict.fromkeys(work.session.scalars(query.order_by(Post.id))))


def list_duties(work: Work) -> tuple[DutyHeld, ...]:
    """Return the whole duty table, past and future lines too; units that ended are left out of force by their day."""
    query = select(Duty, Unit).join(Unit, Unit.id == Duty.unit_id).order_by(Duty.id)
    return tuple(_duty(duty, unit) for duty, unit in work.session.execute(query))


def _duty(duty: Duty, unit: Unit) -> DutyHeld:
    ends = [day for day in (duty.valid_to, unit.ended_on) if day is not None]
    return DutyHeld(
        duty_id=duty.id,
        unit_id=unit.id,
        unit_code=unit.code,
        unit_name=unit.name,
        category=duty.category,
        level=duty.level,
        area_id=duty.area_id,
        owner=duty.owner,
        in_polygon=duty.border_id is not None,
        valid_from=duty.valid_from,
        valid_to=min(ends) if ends else None,
    )


def find_due_unit(
    work: Work,
    category: str,
    located: Located | None,
    on: date,
    *,
    lon: float | None = None,
    lat: float | None = None,
    owner: str = "",
) -> UnitDue | None:
    """Choose the unit due for a category at a place on a day; reads only the lines of that category."""
    beginnings = [category[:n] for n in range(len(category) + 1)]
    query = select(Duty, Unit).join(Unit, Unit.id == Duty.unit_id).where(Duty.category.in_(beginnings))
    rows = work.session.execute(query.order_by(Duty.id)).all()
    duties = [_duty(duty, unit) for duty, unit in rows]
    borders = {duty.border_id: duty.id for duty, _ in rows if duty.border_id is not None}
    polygons: frozenset[int] = frozenset()
    if borders and lon is not None and lat is not None:
        near = select(Border.id, Border.geometry).where(
            Border.id.in_(list(borders)), Border.id.in_(borders_in_box(work, Box(lon, lat, lon, lat)))
        )
        point = shapely.Point(lon, lat)
        holding = {border_id for border_id, geometry in work.session.execute(near) if geometry.intersects(point)}
        polygons = frozenset(duty.id for duty, _ in rows if duty.border_id in holding)
    return find_unit_due(duties, category, located, on, owner=owner, polygons=polygons)


def list_areas_of_codes(work: Work, level: str, codes: Sequence[str]) -> dict[str, int]:
    """Return the ids of areas of a level by code, for those that a published generation knows."""
    published = select(Generation.number).where(Generation.published_at.is_not(None))
    query = (
        select(Area.code, Area.id)
        .join(AreaVersion, AreaVersion.area_id == Area.id)
        .where(Area.level == level, Area.code.in_(list(codes)), AreaVersion.generation.in_(published))
        .distinct()
    )
    return dict(work.session.execute(query).all())


def list_phones(work: Work, person_ids: Iterable[int]) -> dict[int, str]:
    """Return the telephone numbers of persons by id, for dial links; those without one are left out."""
    wanted = sorted(set(person_ids))[:CHUNK]
    rows = work.session.execute(select(Person.id, Person.phone).where(Person.id.in_(wanted), Person.phone != ""))
    return {row[0]: row[1] for row in rows}


def person_codes(work: Work, person_ids: Iterable[int]) -> dict[int, str]:
    """Return the codes of persons by id."""
    ordered = sorted(set(person_ids))
    found: dict[int, str] = {}
    for start in range(0, len(ordered), CHUNK):
        query = select(Person.id, Person.code).where(Person.id.in_(ordered[start : start + CHUNK]))
        found.update(dict(work.session.execute(query).all()))
    return found
