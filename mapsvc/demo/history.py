"""The demo's past, lived through: every report and every step goes through the services, at its own moment."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

from mapsvc.areas.index import Snapshots
from mapsvc.areas.queries.posts import find_due_unit
from mapsvc.cases.rules.deadlines import Span, due_at
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.cases.rules.values import Contact, Intake, Position, Receipt, StepReceipt, StepRequest
from mapsvc.cases.service.intake import open_case
from mapsvc.cases.service.photos import PreparedPhoto, store_photo
from mapsvc.cases.service.steps import take_step
from mapsvc.demo.stories import Story
from mapsvc.people.rules.actor import PUBLIC, Actor
from mapsvc.storage.work import Store, Work

SPACE = UUID("5d9d5a4e-6c0a-4d2c-8f5e-0b8f6d1f2a77")
STORIES_PER_TRANSACTION = 200
OVERSLEPT = timedelta(days=4)
"""Nothing lies untouched for longer than this, whatever its fate."""


@dataclass(frozen=True)
class Staff:
    """Who takes steps in the demo: clerks by role, patrol members, chiefs by area, unit staff by unit."""

    clerks: dict[str, Actor]
    patrol: Sequence[Actor]
    chiefs: dict[int, Actor]
    units: dict[int, Actor]


@dataclass(frozen=True)
class Move:
    """One step to take at a moment; `photo` with a new picture of the mended place."""

    at: datetime
    step: str
    actor: Actor
    reason: str = ""
    photo: bool = False
    unit_id: int | None = None
    condition: str = ""
    until: datetime | None = None


Moves = Generator[Move, StepReceipt, None]


@dataclass
class History:
    """Plays stories in the order of their moments, and of the steps that follow from them."""

    store: Store
    snapshots: Snapshots
    book: Rulebook
    pictures: Sequence[tuple[PreparedPhoto, PreparedPhoto]]
    staff: Staff
    now: datetime
    punctual: bool = False
    """Whether nothing is overdue now: the street signs where a patch has no chief, and what is due by now is done by
    now. Else some things wait too long, as the office shall see."""
    _waiting: list[tuple[datetime, int, Story | tuple[Story, Receipt, Moves, Move]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def play(self, stories: Sequence[Story], progress: Callable[[int], None] = lambda _done: None) -> None:
        """Open every case and take every step whose moment is not after `now`; what is left stays open."""
        for story in stories:
            heapq.heappush(self._waiting, (story.at, next(self._order), story))
        opened = 0
        while self._waiting:
            with self.store.write() as work:
                for _ in range(STORIES_PER_TRANSACTION):
                    if not self._waiting:
                        break
                    at, _, what = heapq.heappop(self._waiting)
                    then = Work(work.session, at, writing=True)
                    if isinstance(what, Story):
                        self._open(then, what)
                        opened += 1
                    else:
                        self._move(then, *what)
            progress(opened)

    def _open(self, work: Work, story: Story) -> None:
        uuid = uuid5(SPACE, f"{story.at.isoformat()} {story.lon} {story.lat}")
        actor = self._reporter(story)
        photos = () if story.channel == "hotline" else (self._photo(work, actor, uuid, mended=False),)
        receipt = open_case(
            work,
            actor,
            self.snapshots.current(work.now),
            self.book,
            Intake(
                uuid=uuid,
                content_sha256=hashlib.sha256(uuid.bytes).hexdigest(),
                category=story.category,
                condition=story.condition,
                channel=story.channel,
                description=story.description,
                place_text=story.place_text,
                position=_position(story),
                observed_at=work.now,
                contact=_contact(story, uuid),
                photos=photos,
            ),
        )
        quick = self.book.workflow_of(
            story.channel,
            self.book.categories.get(story.category),
            self.book.categories.get(story.category).get_condition(story.condition),
        )
        asleep = story.fate == "asleep" and self.now - story.at < OVERSLEPT
        if receipt.unplaced or asleep:
            return
        moves = self._quick(work, story, receipt) if quick == "quick" else self._standard(work, story, receipt)
        self._await(story, receipt, moves, None)

    def _move(self, work: Work, story: Story, receipt: Receipt, moves: Moves, move: Move) -> None:
        step_uuid = uuid5(receipt.uuid, f"{move.step} {move.at.isoformat()}")
        photos = (self._photo(work, move.actor, step_uuid, mended=True),) if move.photo else ()
        taken = take_step(
            work,
            move.actor,
            self.snapshots.current(work.now),
            self.book,
            StepRequest(
                case_uuid=receipt.uuid,
                step_uuid=step_uuid,
                step=move.step,
                content_sha256=hashlib.sha256(step_uuid.bytes).hexdigest(),
                reason=move.reason,
                photos=photos,
                unit_id=move.unit_id,
                condition=move.condition,
                until=move.until,
            ),
        )
        self._await(story, receipt, moves, taken)

    def _await(self, story: Story, receipt: Receipt, moves: Moves, taken: StepReceipt | None) -> None:
        """Ask what comes next and keep it until its moment; what lies in the future is left undone."""
        try:
            move = next(moves) if taken is None else moves.send(taken)
        except StopIteration:
            return
        if self.punctual and receipt.due_at is not None and receipt.due_at <= self.now < move.at:
            move = replace(move, at=self.now)
        if move.at <= self.now:
            heapq.heappush(self._waiting, (move.at, next(self._order), (story, receipt, moves, move)))

    # -- how cases go

    def _standard(self, work: Work, story: Story, receipt: Receipt) -> Moves:
        """The seven steps: filed, dispatched, signed for, mended, checked by another, closed by a third."""
        # Everything that asks the store is asked before the first step: the work ends, the story goes on.
        clerks, opened, unit_id = self.staff.clerks, work.now, self._unit(work, story)
        at = self._wait(story, opened, 0.2 * story.patience)
        if story.fate == "refused":
            yield Move(at, "refuse", clerks["intake"], reason="现场核实未发现所反映的问题")
            return
        yield Move(at, "accept", clerks["intake"], condition=story.condition)
        at = self._wait(story, at, 0.3 * story.patience)
        yield Move(at, "dispatch", clerks["dispatcher"], unit_id=unit_id)
        if story.fate == "returned":
            at = self._wait(story, at, story.patience)
            yield Move(at, "return", self.staff.units[unit_id], reason="不属于本单位管养范围")
            at = self._wait(story, at, 0.5 * story.patience)
            yield Move(at, "redispatch", clerks["dispatcher"], unit_id=unit_id)
        at = self._wait(story, at, 0.6 * story.patience)
        signed = yield Move(at, "unit_sign", self.staff.units[unit_id])
        if story.fate in ("suspended", "cannot"):
            yield from self._set_aside(story, at)
            return
        at = max(at + timedelta(minutes=15), _within_term(story, opened, signed))
        at = yield from self._mended(story, at, self.staff.units[unit_id])
        if story.fate == "reopened":
            at = self._wait(story, at, 12 * story.patience)
            yield Move(at, "reopen", clerks["intake"], reason="回访：反映问题再次出现")
            at = self._wait(story, at, 0.5 * story.patience)
            yield Move(at, "dispatch", clerks["dispatcher"], unit_id=unit_id)
            at = self._wait(story, at, 0.6 * story.patience)
            yield Move(at, "unit_sign", self.staff.units[unit_id])
            at = self._wait(story, at, 3 * story.patience)
            yield from self._mended(story, at, self.staff.units[unit_id])

    def _mended(self, story: Story, at: datetime, handler: Actor) -> Generator[Move, StepReceipt, datetime]:
        """Mended by one, checked by another, closed by a third; returns when it was closed."""
        first, second = self._checkers(story)
        yield Move(at, "fix", handler, reason="已处置完毕，现场恢复", photo=True)
        at = self._wait(story, at, 1.5 * story.patience)
        if story.fate == "failed_check":
            yield Move(at, "check_fail", first, reason="现场仍有残留，未整改到位")
            at = self._wait(story, at, 3 * story.patience)
            yield Move(at, "fix", handler, reason="已返工处置", photo=True)
            at = self._wait(story, at, 1.5 * story.patience)
        yield Move(at, "check_pass", second)
        at = self._wait(story, at, 0.8 * story.patience)
        yield Move(at, "close", self.staff.clerks["duty_officer"])
        return at

    def _set_aside(self, story: Story, at: datetime) -> Moves:
        officer, later = self.staff.clerks["duty_officer"], self._wait(story, at, 4 * story.patience)
        if story.fate == "cannot":
            yield Move(later, "cannot", officer, reason="需纳入明年改造计划，已向反映人说明")
        else:
            until = later + timedelta(days=60)
            yield Move(later, "suspend", officer, reason="待施工季恢复后处置", until=until)

    def _quick(self, work: Work, story: Story, receipt: Receipt) -> Moves:
        """A finding: mended on the spot where that is allowed, else signed for and mended by its chief."""
        finder, opened, chief = self._reporter(story), work.now, self._chief(work, story, receipt)
        rule = self.book.categories.get(story.category).get_condition(story.condition)
        if story.instant and rule.instant_fix and finder.user_id is not None:
            at = opened + timedelta(minutes=4 + 6 * story.patience)
            taken = yield Move(at, "instant_fix", finder, reason="当场已改", photo=True)
        else:
            if chief is None:
                return
            at = self._wait(story, opened, 0.7 * story.patience)
            signed = yield Move(at, "sign", chief)
            at = max(at + timedelta(minutes=10), _within_term(story, opened, signed))
            taken = yield Move(at, "fix", chief, reason="已整改", photo=True)
        if taken.state == "fixed":  # drawn for a check by another person
            checker = next(each for each in self.staff.patrol if each.user_id != finder.user_id)
            yield Move(self._wait(story, at, 2 * story.patience), "check_pass", checker)

    # -- who and when

    def _reporter(self, story: Story) -> Actor:
        if story.channel == "public":
            return PUBLIC
        if story.channel == "hotline":
            return self.staff.clerks["intake"]
        return self.staff.patrol[int(story.patience * 1000) % len(self.staff.patrol)]

    def _checkers(self, story: Story) -> tuple[Actor, Actor]:
        first = int(story.pace * 1000) % len(self.staff.patrol)
        return self.staff.patrol[first], self.staff.patrol[(first + 1) % len(self.staff.patrol)]

    def _chief(self, work: Work, story: Story, receipt: Receipt) -> Actor | None:
        snapshot = self.snapshots.current(work.now)
        area = snapshot.find_area(receipt.area_level, receipt.area_code)
        chief = self.staff.chiefs.get(area.area_id) if area else None
        if chief is None and self.punctual:
            located = snapshot.locate(story.lon, story.lat)
            chief = next(
                (self.staff.chiefs.get(each.area_id) for each in located.areas if each.level == "street"), None
            )
        return chief

    def _unit(self, work: Work, story: Story) -> int:
        located = self.snapshots.current(work.now).locate(story.lon, story.lat)
        due = find_due_unit(work, story.category, located, self.book.local_day(work.now))
        return due.unit_id if due else min(self.staff.units)

    def _wait(self, story: Story, after: datetime, hours: float) -> datetime:
        """Return the moment when so many hours have passed: working hours, or any where the term is urgent.

        What is urgent is seen to by those on call, nights and holidays too, and faster.
        """
        term = self.book.categories.get(story.category).get_condition(story.condition).term
        urgent = term.unit.startswith("urgent")
        span = Span(round(max(hours * (0.25 if urgent else 1), 0.05), 2), "urgent_hour" if urgent else "working_hour")
        return due_at(self.book.calendar, after, span)

    def _photo(self, work: Work, actor: Actor, of: UUID, *, mended: bool) -> UUID:
        """Store one of the pictures (before, mended) under a UUID of its own."""
        uuid = uuid5(of, "mended" if mended else "found")
        picture = self.pictures[of.int % len(self.pictures)][int(mended)]
        store_photo(work, actor, replace(picture, upload=replace(picture.upload, uuid=uuid)))
        return uuid


def _within_term(story: Story, opened: datetime, signed: StepReceipt) -> datetime:
    assert signed.due_at is not None, "a case at work has a deadline"
    return opened + (signed.due_at - opened) * story.pace


def _position(story: Story) -> Position | None:
    if not story.placed:
        return None
    source = "tap" if story.channel == "hotline" else "gps"
    accuracy = None if story.channel == "hotline" else story.accuracy_m
    return Position(story.lon, story.lat, accuracy_m=accuracy, source=source)


def _contact(story: Story, uuid: UUID) -> Contact | None:
    """Return an invented caller for some; the numbers cannot be dialled."""
    if story.channel not in ("public", "hotline") or uuid.int % 3 == 0:
        return None
    return Contact(name="居民", phone=f"000-{uuid.int % 10000:04d}-{uuid.int // 10000 % 10000:04d}")
