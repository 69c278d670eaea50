"""How the cell index lies in memory: the words shared by building, asking and the file.

The ground is cut into `nx` x `ny` cells of `2**shift_x` x `2**shift_y` lattice steps. The table holds
one int32 for each cell, row by row from the south-west, and one more, which is 0, for points off the
grid. A value >= 0 is an *owner*: 0 for nobody, else the area's number + 1. A value < 0 says that borders touch the
cell: its complement is the position in `words` of a record, which is one of two kinds.

A *leaf* holds every edge that touches its box: `[count, owner of R, R east, R north]`, then for each edge
`[A east, A north, B east, B north, owner, owner]` in steps from R. R, the reference point, is a point of the lattice
in the box that lies on the line of none of these edges; A and B are in the order that has R to the left.
R itself is told in steps from the south-west corner of the top cell.

A *split* record `[-1, child shift_x, child shift_y]` is followed by 4 x 4 values like those of the table, for the
subcells of a crowded cell; it may nest.

Along a path from R to a point Q the owners go A, B, C; (A^B)^(B^C) = A^C, so the owner of Q is that of R
XOR both owners of every edge crossed, in any order, without looking at any polygon. All arithmetic is of 64-bit
integers without rounding, because no edge is longer than `LONGEST_EDGE` and no cell wider than `2**MAX_SHIFT`:
every product stays below 2**62 and every sum of two below 2**63.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_EDGE = 2_000_000_000
"""Lattice steps, 20 degrees: the longest edge east-west or north-south that 64-bit arithmetic takes."""

MAX_SHIFT = 27
MIN_SHIFT = 10
MIN_CHILD_SHIFT = 6

LEAF_HEAD = 4
EDGE_WORDS = 6
SPLIT_HEAD = 3
SPLIT_BITS = 2
SPLIT_CELLS = 1 << (2 * SPLIT_BITS)

LINE_WORDS = 16
"""Words of a cache line; so many zeros stand behind the last record, because a line is touched ahead of its use."""

Words = NDArray[np.int32]


@dataclass(frozen=True)
class Grid:
    """The cells: south-west corner in lattice steps, size of a cell as powers of two, and their number."""

    west: int
    south: int
    shift_x: int
    shift_y: int
    nx: int
    ny: int

    @property
    def cells(self) -> int:
        """How many cells there are, without the one for points off the grid."""
        return self.nx * self.ny


@dataclass(frozen=True)
class Cells:
    """The whole index: the grid, its table, its records and the number of areas. Arrays are read-only."""

    grid: Grid
    areas: int
    table: Words
    words: Words

    @property
    def nbytes(self) -> int:
        """Bytes of the two arrays."""
        return self.table.nbytes + self.words.nbytes
