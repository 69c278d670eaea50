"""Events: facts that lower packages tell higher ones, by the outbox and never by a call."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """A fact, past tense; its fields are JSON values only (numbers, texts, lists, None)."""

    kind: ClassVar[str] = ""

    def payload(self) -> dict[str, Any]:
        """Return the fields as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class CaseOpened(Event):
    """A report was acknowledged and written."""

    kind: ClassVar[str] = "case_opened"
    case_id: int
    emergency: bool = False


@dataclass(frozen=True)
class CaseAssigned(Event):
    """A case came to another owner, or to none."""

    kind: ClassVar[str] = "case_assigned"
    case_id: int
    assignment_id: int


@dataclass(frozen=True)
class CaseStepTaken(Event):
    """One step of the workflow was taken."""

    kind: ClassVar[str] = "case_step_taken"
    case_id: int
    event_id: int
    step: str


@dataclass(frozen=True)
class BordersPublished(Event):
    """A generation of borders was published; it is in force from `effective_from` (None: always)."""

    kind: ClassVar[str] = "borders_published"
    generation: int
    effective_from: str | None


@dataclass(frozen=True)
class BordersTookEffect(Event):
    """A generation of borders came into force: emitted when it is published, due at its effective date."""

    kind: ClassVar[str] = "borders_took_effect"
    generation: int


@dataclass(frozen=True)
class PostsChanged(Event):
    """Posts were imported or ended."""

    kind: ClassVar[str] = "posts_changed"
    area_ids: list[int]
