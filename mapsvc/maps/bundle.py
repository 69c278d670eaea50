"""Puts modules of `static/js` together into one script, for a file that has nowhere to import from.

Browsers refuse imports between files that were opened from a disk. The modules of the pages are kept so plain (named
exports, imports by relative address, no cycles) that each can become a function; whatever is less plain is refused
here, so that a file that cannot run is never written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapsvc.base.errors import Misconfigured

_IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*\"([^\"]+)\";[ \t]*$", re.MULTILINE)
_EXPORT_FROM = re.compile(r"^export\s*\{([^}]*)\}\s*from\s*\"([^\"]+)\";[ \t]*$", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function\*?|class|const)\s*(\w+))", re.MULTILINE)
_LEFT = re.compile(r"^\s*(?:import|export)\b(?!\()|\bimport\(", re.MULTILINE)


@dataclass
class _Bundle:
    folder: Path
    instead: Mapping[str, str]
    names: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def take(self, path: str) -> str:
        """Take a module in, after all that it imports; return the name that holds its exports."""
        path = self.instead.get(path, path)
        if path in self.open:
            raise _refused(path, f"imports itself by way of {', '.join(self.open)}")
        if path not in self.names:
            self.open.append(path)
            text = self._rewrite(path)
            self.open.pop()
            self.names[path] = f"m{len(self.names)}"
            self.texts.append(f"// {path}\nconst {self.names[path]} = (() => {{\n{text}\n}})();")
        return self.names[path]

    def _rewrite(self, path: str) -> str:
        source = self.folder / path
        if not source.is_file():
            raise _refused(path, "is not there")
        text = source.read_text(encoding="utf-8")
        exported: dict[str, str] = {}

        def imported(match: re.Match[str]) -> str:
            module = self.take(_beside(path, match[2]))
            return f"const {{ {', '.join(f'{a}: {b}' if a != b else a for a, b in _pairs(match[1]))} }} = {module};"

        def handed_on(match: re.Match[str]) -> str:
            module = self.take(_beside(path, match[2]))
            exported.update({outside: f"{module}.{inside}" for inside, outside in _pairs(match[1])})
            return ""

        text = _EXPORT_FROM.sub(handed_on, _IMPORT.sub(imported, text))
        exported.update({name: name for name in _EXPORT.findall(text)})
        text = _EXPORT.sub("", text)
        left = _LEFT.search(text)
        if left is not None:
            raise _refused(path, f"has an import or export that is not understood: {left[0].strip()}")
        members = ", ".join(f"{outside}: {inside}" for outside, inside in exported.items())
        return f"{text.rstrip()}\nreturn {{ {members} }};"


def bundle(folder: Path, entry: str, name: str, instead: Mapping[str, str] | None = None) -> str:
    """Return a script that makes the exports of the module `entry` known under `name`.

    Paths are relative to `folder`; `instead` puts other modules in the place of some. Raises `Misconfigured`
    (`bad_module`) for a module that is missing, imports itself, or is not plain enough.
    """
    made = _Bundle(folder, instead or {})
    last = made.take(entry)
    return "\n".join([*made.texts, f"const {name} = {last};"])


def _beside(path: str, address: str) -> str:
    if not address.startswith("."):
        raise _refused(path, f"imports {address!r}, which is no relative address")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), address))


def _pairs(names: str) -> list[tuple[str, str]]:
    """Return the names in braces: as they are called there, and here."""
    found = []
    for one in names.split(","):
        words = one.split()
        if words:
            found.append((words[0], words[-1]))
    return found


def _refused(path: str, why: str) -> Misconfigured:
    return Misconfigured("bad_module", f"static/js: {path} {why}.", hint="Put the module right, or install again.")
