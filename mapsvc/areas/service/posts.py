"""Posts into the store: who answers for which area, with what role, by which document, from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import insert, select

from mapsvc.areas.models import Area, Post
from mapsvc.areas.queries import posts as queries
from mapsvc.areas.rules.posts import POST_ROLES, Term, find_overlap
from mapsvc.areas.service.writing import bump_revision
from mapsvc.base.errors import InvalidInput, NotFound
from mapsvc.base.events import PostsChanged
from mapsvc.catalog import Levels
from mapsvc.people.queries import persons_by_code
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.people.service.persons import PersonData, upsert_persons
from mapsvc.storage.work import Work

CHUNK = 5_000
EVENT_AREAS = 10_000


@dataclass(frozen=True)
class PostData:
    """One post as a file or the demo gives it. Days are local; `valid_to` is the last one held.

    Deputy and liaison are named by code; their names may come along, else the store must know them.
    """

    level: str
    area_code: str
    role: str
    person_code: str
    person: str
    phone: str | None = None
    public: bool | None = None
    deputy_code: str = ""
    deputy: str = ""
    liaison_code: str = ""
    liaison: str = ""
    document: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class PostProblem:
    """Why a post cannot be taken: its place among those given, the field, a sentence."""

    index: int
    column: str
    message: str


@dataclass(frozen=True)
class PostsWritten:
    """What became of posts that were given; `ended` counts those ended to make place for a new chief."""

    added: int
    changed: int
    unchanged: int
    ended: int
    persons_added: int
    persons_changed: int


@dataclass
class _Line:
    """A post as it will be, whether it is stored already or not; the store's posts take part in the checks."""

    area: tuple[str, str]
    role: str
    person_code: str
    begin: date | None
    end: date | None
    index: int | None
    post: Post | None = None

    @property
    def key(self) -> tuple[tuple[str, str], str, str, date | None]:
        return (self.area, self.role, self.person_code, self.begin)


def check_posts(
    work: Work, levels: Levels, posts: Sequence[PostData], *, end_previous: bool = False
) -> tuple[PostProblem, ...]:
    """Return everything that is wrong with posts: unknown places and people, wrong days, two chiefs at once."""
    problems = [problem for n, post in enumerate(posts) for problem in _check_one(levels, n, post)]
    areas = _area_ids(work, posts)
    for n, post in enumerate(posts):
        if post.level in levels and post.area_code and (post.level, post.area_code) not in areas:
            problems.append(PostProblem(n, "area_code", f"there is no {post.level} {post.area_code}"))
    problems += _check_people(work, posts)
    if not problems:
        problems += _check_chiefs(work, posts, areas, end_previous)
    return tuple(sorted(problems, key=lambda problem: problem.index))


def put_posts(
    work: Work, levels: Levels, actor: Actor, posts: Sequence[PostData], *, end_previous: bool = False
) -> PostsWritten:
    """Write posts, all or none: a post is known again by area, role, person and first day.

    With `end_previous` a chief who is still in post ends on the day before a new one begins. Raises
    `InvalidInput` with the code `posts_refused` and all problems in `detail["problems"]`.
    """
    require(actor, "post.import")
    problems = check_posts(work, levels, posts, end_previous=end_previous)
    if problems:
        first = problems[0]
        raise InvalidInput(
            "posts_refused",
            f"{len({problem.index for problem in problems})} posts cannot be taken. The first: {first.message}.",
            hint="Nothing was imported. Correct them and try again.",
            detail={"problems": problems},
        )
    people = upsert_persons(work, actor, _persons(posts))
    areas = _area_ids(work, posts)
    ids = dict(people.ids)
    ids.update({code: person.id for code, person in persons_by_code(work, _helpers(posts)).items()})
    known = {line.key: line.post for line in _stored(work, set(areas.values())) if line.post is not None}
    ended = _end_previous(posts, list(known.values()), areas) if end_previous else 0
    added, changed, unchanged = _merge(work, posts, areas, ids, known)
    if added or changed or ended or people.changed:
        bump_revision(work, "posts")
    if added or changed or ended:
        touched = sorted({areas[post.level, post.area_code] for post in posts})
        for start in range(0, len(touched), EVENT_AREAS):
            work.emit(PostsChanged(touched[start : start + EVENT_AREAS]))
    return PostsWritten(added, changed, unchanged, ended, people.added, people.changed)


def end_post(work: Work, actor: Actor, post_id: int, last_day: date) -> None:
    """End a post after a local day; what was done in it stays."""
    require(actor, "post.import")
    post = work.session.get(Post, post_id)
    if post is None:
        raise NotFound("unknown_post", f"There is no post {post_id}.")
    if post.valid_from is not None and last_day < post.valid_from:
        raise InvalidInput("post_ends_before_it_begins", "A post cannot end before it begins.")
    post.valid_to = last_day
    bump_revision(work, "posts")
    work.emit(PostsChanged([post.area_id]))


# -- checks


def _check_one(levels: Levels, index: int, post: PostData) -> Iterable[PostProblem]:
    level = levels.find(post.level)
    if level is None:
        yield PostProblem(index, "level", f"there is no level {post.level!r}; levels are {', '.join(levels.codes)}")
    elif not level.may_hold_posts:
        yield PostProblem(index, "level", f"nobody holds a post at the level {post.level}")
    if post.role not in POST_ROLES:
        yield PostProblem(index, "role", f"{post.role!r} is no role; roles are {', '.join(POST_ROLES)}")
    if not post.area_code:
        yield PostProblem(index, "area_code", "is empty")
    if not post.person_code:
        yield PostProblem(index, "person_code", "is empty, and there is no phone to know the person by")
    if not post.person:
        yield PostProblem(index, "person", "is empty")
    if post.valid_from and post.valid_to and post.valid_to < post.valid_from:
        yield PostProblem(index, "to", f"the post ends on {post.valid_to}, before it begins on {post.valid_from}")
    if post.person_code and post.person_code in (post.deputy_code, post.liaison_code):
        yield PostProblem(index, "deputy_code", "nobody stands in for himself")


def _check_people(work: Work, posts: Sequence[PostData]) -> list[PostProblem]:
    """Find codes that stand for two names, and deputies and liaisons that nobody knows."""
    problems: list[PostProblem] = []
    names: dict[str, str] = {}
    for n, post in enumerate(posts):
        for column, code, name in _named(post):
            if code and name and names.setdefault(code, name) != name:
                problems.append(PostProblem(n, column, f"{code} stands for {names[code]} and for {name}"))
    unknown = _helpers(posts) - names.keys()
    unknown -= persons_by_code(work, unknown).keys()
    for n, post in enumerate(posts):
        for column, code, name in _named(post):
            if code in unknown and not name:
                problems.append(PostProblem(n, column, f"nobody has the code {code}"))
    return problems


def _named(post: PostData) -> tuple[tuple[str, str, str], ...]:
    return (
        ("person_code", post.person_code, post.person),
        ("deputy_code", post.deputy_code, post.deputy),
        ("liaison_code", post.liaison_code, post.liaison),
    )


def _helpers(posts: Sequence[PostData]) -> set[str]:
    return {code for post in posts for code in (post.deputy_code, post.liaison_code) if code}


def _check_chiefs(
    work: Work, posts: Sequence[PostData], areas: Mapping[tuple[str, str], int], end_previous: bool
) -> list[PostProblem]:
    """Find areas that would have two chiefs on one day, counting those in the store."""
    chiefs = [n for n, post in enumerate(posts) if post.role == "chief"]
    lines: dict[tuple[str, str], dict[tuple[str, date | None], _Line]] = {}
    for line in _stored(work, {areas[posts[n].level, posts[n].area_code] for n in chiefs}):
        if line.role == "chief":
            lines.setdefault(line.area, {})[line.person_code, line.begin] = line
    for n in chiefs:
        post = posts[n]
        area = (post.level, post.area_code)
        new = _Line(area, "chief", post.person_code, post.valid_from, post.valid_to, n)
        lines.setdefault(area, {})[post.person_code, post.valid_from] = new
    problems = []
    for area, found in lines.items():
        if end_previous:
            _shorten(list(found.values()))
        terms = [Term(line.begin, line.end, key) for key, line in enumerate(found.values())]
        overlap = find_overlap(terms)
        if overlap is not None:
            pair = [list(found.values())[term.label] for term in overlap]
            index = max((line.index for line in pair if line.index is not None), default=0)
            who = " and ".join(f"{line.person_code} ({_days(line.begin, line.end)})" for line in pair)
            problems.append(
                PostProblem(index, "person_code", f"{area[0]} {area[1]} would have two chiefs at once: {who}")
            )
    return problems


def _shorten(lines: list[_Line]) -> None:
    """End each stored chief who is in post when a new one begins, on the day before."""
    starts = sorted(line.begin for line in lines if line.index is not None and line.begin is not None)
    for line in lines:
        if line.index is not None:
            continue
        later = [
            day for day in starts if (line.begin is None or day > line.begin) and (line.end is None or day <= line.end)
        ]
        if later:
            line.end = later[0] - timedelta(days=1)


def _days(begin: date | None, end: date | None) -> str:
    return f"{begin or 'always'} to {end or 'open'}"


# -- writing


def _persons(posts: Sequence[PostData]) -> list[PersonData]:
    found = [PersonData(post.person_code, post.person, post.phone or None, post.public) for post in posts]
    found += [PersonData(post.deputy_code, post.deputy) for post in posts if post.deputy_code and post.deputy]
    found += [PersonData(post.liaison_code, post.liaison) for post in posts if post.liaison_code and post.liaison]
    return found


def _area_ids(work: Work, posts: Sequence[PostData]) -> dict[tuple[str, str], int]:
    wanted: dict[str, set[str]] = {}
    for post in posts:
        wanted.setdefault(post.level, set()).add(post.area_code)
    found: dict[tuple[str, str], int] = {}
    for level, codes in wanted.items():
        ordered = sorted(codes)
        for start in range(0, len(ordered), CHUNK):
            chunk = queries.list_areas_of_codes(work, level, ordered[start : start + CHUNK])
            found.update({(level, code): area_id for code, area_id in chunk.items()})
    return found


def _stored(work: Work, area_ids: set[int]) -> list[_Line]:
    """Read the posts of some areas."""
    ordered = sorted(area_ids)
    lines: list[_Line] = []
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        query = select(Post, Area.level, Area.code).join(Area, Area.id == Post.area_id).where(Area.id.in_(chunk))
        rows = work.session.execute(query.order_by(Post.id)).all()
        codes = queries.person_codes(work, {post.person_id for post, _, _ in rows})
        for post, level, code in rows:
            person = codes[post.person_id]
            lines.append(_Line((level, code), post.role, person, post.valid_from, post.valid_to, None, post))
    return lines


def _end_previous(posts: Sequence[PostData], known: Sequence[Post], areas: Mapping[tuple[str, str], int]) -> int:
    """End the chiefs in post on the day before new ones begin; return how many."""
    begins: dict[int, list[date]] = {}
    for new in posts:
        if new.role == "chief" and new.valid_from is not None:
            begins.setdefault(areas[new.level, new.area_code], []).append(new.valid_from)
    ended = 0
    for post in known:
        days = begins.get(post.area_id, ())
        if post.role != "chief" or post.valid_from in days:
            continue
        inside = [day for day in days if post.valid_from is None or day > post.valid_from]
        inside = [day for day in inside if post.valid_to is None or day <= post.valid_to]
        if inside:
            post.valid_to = min(inside) - timedelta(days=1)
            ended += 1
    return ended


def _merge(
    work: Work,
    posts: Sequence[PostData],
    areas: Mapping[tuple[str, str], int],
    people: Mapping[str, int],
    known: Mapping[tuple[tuple[str, str], str, str, date | None], Post],
) -> tuple[int, int, int]:
    fresh: dict[tuple[tuple[str, str], str, str, date | None], dict[str, object]] = {}
    changed = unchanged = 0
    for post in posts:
        key = ((post.level, post.area_code), post.role, post.person_code, post.valid_from)
        facts = {
            "valid_to": post.valid_to,
            "document": post.document,
            "deputy_id": people[post.deputy_code] if post.deputy_code else None,
            "liaison_id": people[post.liaison_code] if post.liaison_code else None,
        }
        row = known.get(key)
        if row is None:
            fixed = {
                "area_id": areas[post.level, post.area_code],
                "person_id": people[post.person_code],
                "role": post.role,
                "valid_from": post.valid_from,
            }
            fresh[key] = {**fixed, **facts}
        elif any(getattr(row, name) != value for name, value in facts.items()):
            for name, value in facts.items():
                setattr(row, name, value)
            changed += 1
        else:
            unchanged += 1
    if fresh:
        work.session.execute(insert(Post), list(fresh.values()))
    return len(fresh), changed, unchanged
