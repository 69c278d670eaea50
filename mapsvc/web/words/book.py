"""Finds the words of a screen by key and tongue."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Book:
    """All words of both tongues, by dotted key."""

    texts: Mapping[str, Mapping[str, str]]

    def text(self, language: str, key: str, **values: object) -> str:
        """Return the words under `key` with `{named}` values filled in; an unknown key is a fault of ours."""
        words = self.texts[language][key]
        return words.format(**values) if values else words

    def find(self, language: str, key: str) -> str | None:
        """Return the words under `key` as they stand, or None: for keys made of data such as an error's code."""
        return self.texts[language].get(key)

    def under(self, language: str, prefix: str) -> dict[str, str]:
        """Return the words whose keys begin with `prefix.`, by the rest of the key; what scripts are given."""
        start = prefix + "."
        return {key[len(start) :]: words for key, words in self.texts[language].items() if key.startswith(start)}


def flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested tables of texts as one table with dotted keys."""
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, str):
            flat[prefix + key] = value
        else:
            flat.update(flatten(value, f"{prefix}{key}."))
    return flat


@cache
def load_book() -> Book:
    """Read the word files of the package; once per process, at the first page."""
    folder = files("mapsvc.web.words")
    return Book(
        MappingProxyType(
            {
                language: MappingProxyType(flatten(tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))))
                for language in LANGUAGES
            }
        )
    )
