"""Everything that a page says, in one tongue: words, names of states, levels and categories, moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mapsvc.catalog import Categories, Levels
from mapsvc.web.present.times import DueText, Times
from mapsvc.web.words.book import Book


class Standing(Protocol):
    """What is needed of a row to say how it stands."""

    @property
    def state(self) -> str: ...
    @property
    def overdue(self) -> bool: ...
    @property
    def unplaced(self) -> bool: ...
    @property
    def edge(self) -> bool: ...


class Due(Protocol):
    """What is needed of a row to say when it falls due."""

    @property
    def state(self) -> str: ...
    @property
    def due_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Speech:
    """One tongue, and the catalogues whose names it says."""

    book: Book
    language: str
    times: Times
    levels: Levels
    categories: Categories

    def t(self, key: str, **values: object) -> str:
        """Return the words under a key."""
        return self.book.text(self.language, key, **values)

    def find(self, key: str) -> str | None:
        """Return the words under a key made of data, or None."""
        return self.book.find(self.language, key)

    def when(self, moment: datetime) -> str:
        """Return a moment as 11月22日 周日 14:05."""
        return self.times.when(moment)

    def clock(self, moment: datetime) -> str:
        """Return 08:06 for a moment of today, with its day for another."""
        return self.times.clock(moment)

    def due_text(self, row: Due) -> DueText | None:
        """Return how urgent a row is."""
        return self.times.due(row.due_at, state=row.state)

    def state_name(self, state: str) -> str:
        """Return the name of a state on screens."""
        return self.t(f"state.{state}")

    def state_words(self, row: Standing) -> str:
        """Return the state with its flags, for those who cannot see the sign."""
        flags = [self.t(f"flag.{flag}") for flag in ("overdue", "unplaced", "edge") if getattr(row, flag)]
        return " · ".join([self.state_name(row.state), *flags])

    def category_name(self, code: str, condition: str = "") -> str:
        """Return 雨水井盖 缺失: the minor class, and the condition where it says more."""
        category = self.categories.find(code)
        if category is None:
            return code
        found = category.find_condition(condition) if condition else None
        name = category.title(self.language)
        more = found.title(self.language) if found else ""
        same = more.casefold() == name.casefold()
        if len(category.conditions) == 1:  # the only one tells nothing that the name does not: "broken surface"
            same = set(more.casefold().split()) <= set(name.casefold().split())
        return f"{name} · {more}" if more and not same else name

    def level_name(self, level: str) -> str:
        """Return the name of a level."""
        found = self.levels.find(level)
        return found.title(self.language) if found else level

    def chief_title(self, level: str) -> str:
        """Return what the one who answers at a level is called, such as 片区长."""
        found = self.levels.find(level)
        return found.chief(self.language) if found and found.chief(self.language) else self.t("post.chief")

    def share(self, probability: float) -> str:
        """Return a probability as whole per cent; never 0 % or 100 % unless it is exactly so."""
        per_cent = round(probability * 100)
        if 0 < probability < 1:
            per_cent = min(99, max(1, per_cent))
        return f"{per_cent} %"
