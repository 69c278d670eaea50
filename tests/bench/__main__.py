"""`make bench`: every measurement, each against its peer in the same run, each in a process of its own.

Figures of a shared machine move by a factor of two; quote the ratios. Nothing here is a test.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = ("locate", "coverage", "storage", "cases", "http", "tiles", "worklist", "figures", "pages")


def main() -> int:
    """Run the parts named, or all; the exit status is 1 if one of them could not be measured."""
    wanted = sys.argv[1:] or PARTS
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        print(f"There is no {', '.join(unknown)}; there are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    failed = 0
    for part in wanted:
        print(f"\n==== {part} ====", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"tests.bench.{part}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
