"""An area as pages show it: who answers, who else belongs to its team, how its cases stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mapsvc.areas.queries.posts import TeamMember
from mapsvc.areas.rules.located import AreaAt, Responsible
from mapsvc.web.present.counts import Count
from mapsvc.web.present.speech import Speech


@dataclass(frozen=True)
class Member:
    """One line of a team; the phone is dialled by a tap."""

    name: str
    role: str
    phone: str
    note: str


@dataclass(frozen=True)
class AreaPage:
    """What the page and the card of an area read."""

    level: str
    code: str
    name: str
    heading: str
    path: tuple[AreaAt, ...]
    team: tuple[Member, ...]
    counts: tuple[Count, ...]
    households: int | None
    vacant: bool
    answering: str
    shows_people: bool
    report_url: str = ""
    settle: Count | None = None
    transfer: Count | None = None


def team_of(words: Speech, level: str, members: Sequence[TeamMember], *, staff: bool) -> tuple[Member, ...]:
    """Return the team, chief first; without an account only names that are posted up (公示), and no phones."""
    names = {member.person_id: member.name for member in members}
    found = []
    for member in members:
        if not (staff or member.public):
            continue
        found.append(
            Member(
                name=member.name,
                role=capacity_name(words, level, member.capacity),
                phone=member.phone if staff else "",
                note=_note(words, member, names),
            )
        )
    return tuple(found)


def capacity_name(words: Speech, level: str, capacity: str) -> str:
    """Return what somebody of the team is called, such as 片区长 or 代理片区长."""
    title = words.chief_title(level)
    if capacity == "chief":
        return title
    if capacity == "acting":
        return f"{words.t('post.acting')}{title}" if words.language == "zh" else f"{words.t('post.acting')} {title}"
    if capacity in {"stand_in", "liaison"}:
        return words.t(f"post.{capacity}", name="").strip(": ")
    return words.t(f"post.{capacity}")


def _note(words: Speech, member: TeamMember, names: dict[int, str]) -> str:
    """Return for whom a stand-in or liaison acts, or the document by which a post is held."""
    if member.for_person_id is not None:
        return f"→ {names.get(member.for_person_id, '')}"
    return member.document


def heading_of(words: Speech, level: str, name: str, responsible: Responsible | None, *, staff: bool) -> str:
    """Return 07片区 · 片区长 张敏; without the person where the name is not for the one who looks."""
    title = words.chief_title(level)
    if responsible is None:
        return words.t("area.heading_vacant", name=name, title=title)
    if not (staff or responsible.public):
        return words.t("area.heading_plain", name=name)
    if responsible.stand_in == "acting":
        title = capacity_name(words, level, "acting")
    return words.t("area.heading", name=name, title=title, chief=responsible.name)
