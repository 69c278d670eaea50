"""The examples in the docstrings of `mapsvc.geo` hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import mapsvc.geo

MODULES = sorted(info.name for info in pkgutil.walk_packages(mapsvc.geo.__path__, "mapsvc.geo."))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_the_main_modules_have_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ("lattice", "measure", "datums", "crs", "coverage_check", "coverage_repair", "geojson", "problems"):
        tests = finder.find(importlib.import_module(f"mapsvc.geo.{name}"))
        assert any(test.examples for test in tests), name
