"""What an import changes: which areas are new, changed, only re-noded, unchanged or gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AreaFacts:
    """What makes one version of an area: border (by lattice hash), name, kind, households, parents by level."""

    code: str
    lattice_hash: str
    name: str
    kind: str = ""
    households: int | None = None
    parents: tuple[tuple[str, str], ...] = ()

    def says_the_same(self, other: AreaFacts) -> bool:
        """Whether all but the border is equal."""
        return (self.name, self.kind, self.households, self.parents) == (
            other.name,
            other.kind,
            other.households,
            other.parents,
        )


@dataclass(frozen=True)
class Changes:
    """Codes by what happens to them, each ascending. `technical`: the same ground with other vertices."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    technical: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether the import says what the store says already."""
        return not (self.added or self.changed or self.technical or self.removed)


def compare_areas(
    old: Mapping[str, AreaFacts],
    new: Mapping[str, AreaFacts],
    same_ground: Callable[[str], bool],
) -> Changes:
    """Compare two states of one level by code; `same_ground` is asked only where the hashes differ and nothing else."""
    changed: list[str] = []
    technical: list[str] = []
    unchanged: list[str] = []
    for code in sorted(old.keys() & new.keys()):
        if not old[code].says_the_same(new[code]):
            changed.append(code)
        elif old[code].lattice_hash == new[code].lattice_hash:
            unchanged.append(code)
        elif same_ground(code):
            technical.append(code)
        else:
            changed.append(code)
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(changed),
        technical=tuple(technical),
        unchanged=tuple(unchanged),
        removed=tuple(sorted(old.keys() - new.keys())),
    )
