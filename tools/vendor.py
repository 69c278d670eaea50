"""Fill static/vendor from node_modules: the dist files that pages load, and one sprite of the icons in use.

Run by `make` after `npm ci`. Which files and icons are taken is written in package.json under
"vendor", so that a change there (and only there) makes them anew.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ICON = re.compile(r"<svg[^>]*>(?P<inner>.*)</svg>", re.DOTALL)
UNSEEN = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>|<!--.*?-->', re.DOTALL)


def copy_files(modules: Path, target: Path, files: dict[str, str]) -> list[str]:
    """Copy each file of a package to its place; a folder is copied whole. Returns what is missing."""
    missing = []
    for source, place in files.items():
        start, end = modules / source, target / place
        if start.is_dir():
            shutil.copytree(start, end, dirs_exist_ok=True)
        elif start.is_file():
            end.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(start, end)
        else:
            missing.append(source)
    return missing


def sprite(modules: Path, icons: list[str]) -> tuple[str, list[str]]:
    """Return one SVG with a symbol per icon (`#name`), and the names for which there is no icon."""
    symbols, missing = [], []
    for name in sorted(icons):
        path = modules / "@tabler/icons/icons/outline" / f"{name}.svg"
        found = ICON.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        if found is None:
            missing.append(name)
            continue
        inner = " ".join(UNSEEN.sub("", found["inner"]).split())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n", missing


def main() -> int:
    """Make static/vendor anew; the exit status is 1 when something named is not in node_modules."""
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["vendor"]
    modules, target = ROOT / "node_modules", ROOT / "static/vendor"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    missing = copy_files(modules, target, wanted["files"])
    text, unknown = sprite(modules, wanted["icons"])
    (target / "icons.svg").write_text(text, encoding="utf-8")
    for name in missing + unknown:
        print(f"{name} is named in package.json but not in node_modules; run npm ci", file=sys.stderr)
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
