"""The words of screens: both tongues whole, every key that templates and pages ask for is there, and every icon."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest

from mapsvc.base.paths import PACKAGE, static_dir
from mapsvc.cases.rules.values import OUTCOMES, STATES
from mapsvc.cases.rules.workflow import WORKFLOWS
from mapsvc.people.rules.actor import ROLES
from mapsvc.web.present.categories import ICONS
from mapsvc.web.present.counts import LISTS
from mapsvc.web.words.book import LANGUAGES, flatten, load_book

ROOT = PACKAGE.parent
TEMPLATES = sorted((PACKAGE / "web" / "templates").rglob("*.html"))
PYTHON = sorted((PACKAGE / "web" / "pages").glob("*.py")) + sorted((PACKAGE / "web" / "present").glob("*.py"))
SCRIPTS = sorted((static_dir() / "js").rglob("*.js"))
ASKED = re.compile(r"""\b(?:t|say|text|_say|words\.t|say\.t)\(\s*f?["']([a-z_]+(?:\.[a-z0-9_]+)+)["']""")
HAN = re.compile(r"[\u4e00-\u9fff]")
FIELDS = string.Formatter()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in FIELDS.parse(text) if name}


def test_both_tongues_have_the_same_keys() -> None:
    book = load_book()
    assert set(book.texts["zh"]) == set(book.texts["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    texts = load_book().texts[language]
    assert {key for key, text in texts.items() if not text.strip()} == {"error.hint_500"}


def test_nothing_is_left_untranslated() -> None:
    texts = load_book().texts["en"]
    own_name = {"frame.other_language", "frame.switch_language", "guide.other"}
    assert {key for key, text in texts.items() if HAN.search(text)} == own_name
    chinese = load_book().texts["zh"]
    bare = {key for key, text in chinese.items() if not HAN.search(re.sub(r"\{\w+\}", "", text))}
    letters = {key for key in bare if re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", chinese[key]))}
    assert letters == {*own_name, "channel.open311"}


def test_values_that_are_filled_in_are_the_same_in_both_tongues() -> None:
    zh, en = load_book().texts["zh"], load_book().texts["en"]
    # A date in Chinese says the month by number, in English by name.
    different = {key for key in zh if fields(zh[key]) != fields(en[key]) and not key.startswith("date.")}
    assert not different


def test_every_key_that_is_asked_for_is_there() -> None:
    known = load_book().texts["zh"]
    asked = {(path.name, key) for path in [*TEMPLATES, *PYTHON] for key in ASKED.findall(path.read_text("utf-8"))}
    assert len(asked) > 150
    assert not {(name, key) for name, key in asked if key not in known and not key.endswith("_")}


def test_every_key_that_scripts_ask_for_is_given_to_them() -> None:
    given = load_book().under("zh", "script")
    asked = {key for path in SCRIPTS for key in re.findall(r'\bsay\(\s*"([a-z_.]+)"', path.read_text("utf-8"))}
    assert len(asked) > 10
    assert asked <= set(given)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [("state", STATES), ("outcome", OUTCOMES), ("role", ROLES), ("workflow", WORKFLOWS), ("count", tuple(LISTS))],
)
def test_every_name_of_the_rules_has_words(prefix: str, names: tuple[str, ...]) -> None:
    for language in LANGUAGES:
        assert set(names) <= set(load_book().under(language, prefix))


def icons_used() -> set[str]:
    used = {name for path in TEMPLATES for name in re.findall(r'icon\("([a-z0-9-]+)"', path.read_text("utf-8"))}
    pages = "".join(path.read_text("utf-8") for path in PYTHON)
    for name in json.loads((ROOT / "package.json").read_text("utf-8"))["vendor"]["icons"]:
        if f'"{name}"' in pages:
            used.add(name)
    return used | set(ICONS.values())


def test_icons_in_use_are_those_that_are_collected() -> None:
    named = json.loads((ROOT / "package.json").read_text("utf-8"))["vendor"]["icons"]
    assert icons_used() == set(named)


def test_lock_file_names_no_registry() -> None:
    text = (ROOT / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text
    assert "registry" not in text


def test_tables_become_dotted_keys() -> None:
    assert flatten({"a": {"b": "x", "c": {"d": "y"}}, "e": "z"}) == {"a.b": "x", "a.c.d": "y", "e": "z"}


def test_no_template_writes_style_or_script_inline() -> None:
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert not re.search(r'\sstyle="|\son\w+="', text), path.name
        for tag in re.findall(r"<script[^>]*>", text):
            assert "src=" in tag or "nonce=" in tag or "application/json" in tag, f"{path.name}: {tag}"


def test_no_stylesheet_or_script_names_another_host() -> None:
    own = [path for path in static_dir().rglob("*") if path.suffix in {".css", ".js"} and "vendor" not in path.parts]
    assert len(own) > 30
    for path in own:
        assert not re.search(
            r"(https?:)?//[a-z0-9-]+\.[a-z]", re.sub(r"^\s*//.*$", "", path.read_text("utf-8"), flags=re.M)
        ), path.name


def test_scripts_stay_small() -> None:
    assert {path.name for path in SCRIPTS if len(path.read_text("utf-8").splitlines()) > 200} == set()


def test_every_module_that_is_imported_is_there() -> None:
    for path in SCRIPTS:
        for name in re.findall(r'from "(\.[^"]+)"', path.read_text("utf-8")):
            assert (path.parent / name).resolve().is_file(), f"{path.name} imports {name}"
    assert Path(static_dir() / "img" / "signs.svg").is_file()
