"""Errors in words: every code that can reach a page is said in both tongues, and none that is never raised."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mapsvc.base import errors
from mapsvc.base.errors import Conflict, InvalidInput, Misconfigured
from mapsvc.base.paths import PACKAGE, data_dir
from mapsvc.base.settings import load_settings
from mapsvc.cases.rules.guards import GUARDS, NEEDS
from mapsvc.catalog import load_categories, load_levels
from mapsvc.web import limits
from mapsvc.web.errors import HTTP_ERRORS
from mapsvc.web.pages.problems import one_line, problem_words
from mapsvc.web.present.speech import Speech
from mapsvc.web.present.times import Times
from mapsvc.web.words.book import LANGUAGES, load_book

CLASSES = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.MapsvcError) and not issubclass(value, Misconfigured)
}
REACHABLE = ("catalog.py", "cases", "people/rules/permissions.py", "people/service/access.py", "web")
OF_THE_STORE = {"store_locked", "disk_full"}
"""Raised below, and so often the reader's business that they have words; the others are told by their status."""


def modules() -> Iterator[Path]:
    for name in REACHABLE:
        path = PACKAGE / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def codes_raised(tree: ast.Module) -> set[str]:
    """Return the codes given to an error's class, or to a function of the module that passes one on."""
    found, passing = set(), dict[str, int]()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        names = [argument.arg for argument in function.args.args]
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call) and called(node) in CLASSES):
            if isinstance(call.args[0], ast.Name) and call.args[0].id in names:
                passing[function.name] = names.index(call.args[0].id)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        place = 0 if called(call) in CLASSES else passing.get(called(call))
        if place is not None and place < len(call.args) and isinstance(call.args[place], ast.Constant):
            found.add(str(call.args[place].value))  # type: ignore[attr-defined]  # a constant, as was just asked
    return found


def raised() -> set[str]:
    found = {code for path in modules() for code in codes_raised(ast.parse(path.read_text("utf-8")))}
    tables = {guard[2] for guard in GUARDS.values()} | {code for code, _ in NEEDS.values()}
    tables |= {value.code for value in vars(limits).values() if isinstance(value, limits.Refusal)}
    return found | tables | {code for code, _, _ in HTTP_ERRORS.values()} | {"internal_error"} | OF_THE_STORE


def speech(language: str) -> Speech:
    book, data = load_book(), data_dir()
    now = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    times = Times(book, language, load_settings({}).timezone, now)
    return Speech(book, language, times, load_levels(data / "levels.toml"), load_categories(data / "categories.toml"))


def test_the_search_finds_codes_however_they_are_raised() -> None:
    assert {"somebody_was_first", "step_not_allowed", "not_a_photo", "photo_too_many_pixels", "needs_photo"} <= raised()
    assert {"broken_photo", "needs_proof", "csrf_failed", "too_many_reports", "category_retired"} <= raised()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_that_can_reach_a_page_has_words(language: str) -> None:
    assert raised() - set(load_book().under(language, "code")) == set()


def test_no_words_are_kept_for_a_code_that_is_never_raised() -> None:
    assert set(load_book().under("zh", "code")) - raised() == set()


def test_a_refused_form_says_in_ones_own_tongue_who_was_first() -> None:
    detail = {"by": "张敏", "at": "2026-11-23T00:30:00+00:00", "step": "sign"}
    error = Conflict("somebody_was_first", "Somebody else was first.", detail=detail)
    assert (
        one_line(speech("zh"), error)
        == "有人先办了这一步, 请查看最新情况后再办。 张敏已于 11月23日 周一 08:30 办理: 签收。"
    )
    assert "张敏 took it on" in one_line(speech("en"), error)
    assert one_line(speech("zh"), Conflict("somebody_was_first", "x", detail={**detail, "by": ""})).endswith("再办。")


def test_a_code_without_words_is_told_by_its_status() -> None:
    told = problem_words(speech("zh"), 503, "store_damaged")
    assert told.what.startswith("数据库忙或不可用")
    assert one_line(speech("en"), InvalidInput("of_a_plug_in", "Said by a rule.")) == "Said by a rule."
    assert one_line(speech("zh"), InvalidInput("of_a_plug_in", "Said by a rule.")) == "提交的内容无法识别, 没有保存。"
