"""What passes between the stages of an import of borders: requests, prepared areas, the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapsvc.areas.rules.changes import Changes
from mapsvc.areas.rules.trees import TreeDecision

Geometries = NDArray[np.object_]

MENDABLE = ("self_intersection", "broken_ring")
"""Faults of a polygon that a repair can mend."""

SHAPEFILE_NAME = 10
"""Letters in the name of a shapefile's column."""


def parent_column(level: str) -> str:
    """Return the column in which an export writes the codes of the parents at a level."""
    return f"in_{level}"


Progress = Callable[[str, int, int], None]
"""Called as (stage, done, total); a total of 0 means "not known"."""


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class MadeLevel:
    """A level whose areas are made as unions of the imported ones, by a field that holds their code."""

    level: str
    code_field: str
    name_field: str | None = None


@dataclass(frozen=True)
class BorderFile:
    """A file of borders and how its columns are to be read; `parent_fields` maps a level to a column."""

    path: Path
    layer: str | None = None
    code_field: str | None = None
    name_field: str | None = None
    kind_field: str | None = None
    households_field: str | None = None
    parent_fields: Mapping[str, str] = field(default_factory=dict)
    made_levels: tuple[MadeLevel, ...] = ()
    crs: str | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class ImportOptions:
    """How an import goes about it. Widths in metres: vertices nearer than `snapping_m` are joined, gaps
    narrower than `gap_m` are given to a neighbour; both only with `repair`. `merge`: rows of one code are parts of
    one area."""

    repair: bool = False
    snapping_m: float = 0.1
    gap_m: float = 0.5
    merge: bool = False
    skip_refused: bool = False
    allow_gaps: bool = False
    dry_run: bool = False
    effective_on: date | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class MadeColumn:
    """For each imported area the code and name of the area of a level above that is made from it."""

    level: str
    codes: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class BorderRows:
    """Areas of one level as they come in, a column each; geometry in WGS 84 degrees, longitude first.

    `rows` are the numbers by which a person finds them in the source (1 for the first). `parents` holds
    for a level the codes of the parents as the source states them. `datum_stated` tells that a person
    named the datum, `source` describes it. `exported` holds the parents that an export of ours wrote beside the
    areas: nobody stated them for this import, so they count only where the border is the one that was exported.
    """

    rows: tuple[int, ...]
    codes: tuple[str, ...]
    names: tuple[str, ...]
    geometries: Geometries
    kinds: tuple[str, ...] = ()
    households: tuple[int | None, ...] = ()
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    made: tuple[MadeColumn, ...] = ()
    source: str = "wgs84"
    datum_stated: bool = True
    exported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, keep: Sequence[int]) -> BorderRows:
        """Return some of the rows, in the order given."""

        def pick(values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(values[i] for i in keep) if values else ()

        return BorderRows(
            rows=pick(self.rows),
            codes=pick(self.codes),
            names=pick(self.names),
            geometries=self.geometries[np.asarray(keep, dtype=np.int64)],
            kinds=pick(self.kinds),
            households=pick(self.households),
            parents={level: pick(codes) for level, codes in self.parents.items()},
            made=tuple(MadeColumn(m.level, pick(m.codes), pick(m.names)) for m in self.made),
            source=self.source,
            datum_stated=self.datum_stated,
            exported={level: pick(codes) for level, codes in self.exported.items()},
        )


@dataclass(frozen=True)
class RefusedRow:
    """One row that cannot be an area; `code` is stable, `area_code` is what the row calls itself."""

    row: int
    area_code: str
    code: str
    message: str


@dataclass(frozen=True)
class Remark:
    """Something found in the borders, with its place (degrees), size and the areas concerned."""

    kind: str
    codes: tuple[str, ...]
    lon: float | None
    lat: float | None
    message: str
    blocking: bool = False


@dataclass(frozen=True)
class ParentMismatch:
    """A child whose named parent is not the one it lies in most; `share` is of the child, in `by_overlap`."""

    code: str
    level: str
    by_field: str
    by_overlap: str
    share: float


@dataclass(frozen=True, eq=False)
class PreparedLevel:
    """The areas of one level ready to be stored, in ascending order of code; on the lattice."""

    level: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    households: tuple[int | None, ...]
    geometries: Geometries
    hashes: tuple[str, ...]
    parents: Mapping[str, tuple[str, ...]]
    """For each level above the code of the parent, empty for none."""

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class LevelReport:
    """What an import did to one level."""

    level: str
    changes: Changes


@dataclass(frozen=True)
class ImportReport:
    """What an import read, repaired, refused, found and changed. `generation` is None when nothing was published."""

    level: str
    source: str
    read: int
    accepted: int
    repaired: tuple[str, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    remarks: tuple[Remark, ...] = ()
    mismatches: tuple[ParentMismatch, ...] = ()
    warnings: tuple[str, ...] = ()
    levels: tuple[LevelReport, ...] = ()
    trees: TreeDecision | None = None
    effective_from: datetime | None = None
    generation: int | None = None
    dry_run: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether the store says all this already."""
        return all(level.changes.is_nothing for level in self.levels)
