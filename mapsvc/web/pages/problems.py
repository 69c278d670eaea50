"""Errors in plain words: by their stable code where there are some, else by their status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mapsvc.base.errors import MapsvcError
from mapsvc.web.errors import problem_of
from mapsvc.web.present.caseview import step_title
from mapsvc.web.present.speech import Speech


@dataclass(frozen=True)
class Told:
    """What a page says of an error: a title, what happened and what was kept, what to do."""

    title: str
    what: str
    hint: str


def problem_words(words: Speech, status: int, code: str) -> Told:
    """Return the words for a status and a code; a status without its own words is told like its family."""
    known = status if words.find(f"error.title_{status}") else (500 if status >= 500 else 400)
    what = words.find(f"code.{code}") or words.t(f"error.what_{known}")
    return Told(words.t(f"error.title_{known}"), what, words.t(f"error.hint_{known}"))


def _first_was(words: Speech, error: MapsvcError) -> str:
    """Return who took which step before, where the refusal tells it."""
    by, at, step = (error.detail.get(name) for name in ("by", "at", "step"))
    if not (by and at and step):
        return ""
    when = words.when(datetime.fromisoformat(at))
    return words.t("error.first_was", by=by, when=when, step=step_title(words, step))


def one_line(words: Speech, error: MapsvcError) -> str:
    """Return one line for a form that was refused; the message of the rule itself where no words are kept for it."""
    found = words.find(f"code.{error.code}")
    if found:
        return f"{found} {_first_was(words, error)}".strip()
    return error.message if words.language == "en" else problem_words(words, problem_of(error).status, error.code).what
