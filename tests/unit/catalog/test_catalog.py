"""Levels, categories and layers: what is shipped, how they are looked up, and every mistake told with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base import paths
from mapsvc.base.errors import InvalidInput, Misconfigured
from mapsvc.base.settings import Settings, load_settings
from mapsvc.catalog import (
    TERM_UNITS,
    Catalog,
    Categories,
    Levels,
    Term,
    load_catalog,
    load_categories,
    load_layers,
    load_levels,
)
from mapsvc.people.rules.actor import ROLES

SHIPPED_CODES = (
    "C0101 C0102 C0103 C0104 C0106 C0110 C0111 C0114 C0118 C0123 C0125 C0126 C0127 C0128 C0129 C0130 C0131 C0137 "
    "C0138 C0139 C0140 C0145 C0146 C0149 C0150 C0151 C0152 C0154 C0157 C0201 C0204 C0206 C0207 C0208 C0209 C0211 "
    "C0212 C0217 C0219 C0220 C0221 C0224 C0225 C0230 C0301 C0302 C0303 C0304 C0305 C0306 C0307 C0308 C0401 C0402 "
    "C0403 C0404 C0405 C0406 C0407 C0408 C0410 C0503 C0504 C0506 C0507 C0508 E0101 E0103 E0104 E0107 E0108 E0110 "
    "E0111 E0112 E0113 E0114 E0117 E0118 E0119 E0120 E0121 E0122 E0125 E0126 E0128 E0129 E0130 E0131 E0132 E0133 "
    "E0135 E0136 E0137 E0138 E0201 E0202 E0203 E0204 E0205 E0206 E0207 E0301 E0302 E0303 E0304 E0305 E0306 E0307 "
    "E0308 E0309 E0310 E0311 E0312 E0401 E0402 E0404 E0405 E0406 E0408 E0409 E0410 E0501 E0502 E0503 E0504 E0505 "
    "E0506 E0507 E0508 E0696 E0697 E0698 E0699"
)
"""Codes are retired, never deleted: this list may grow, and no line may go from it."""


@pytest.fixture(scope="module")
def levels() -> Levels:
    return load_levels(paths.data_dir() / "levels.toml")


@pytest.fixture(scope="module")
def categories(levels: Levels) -> Categories:
    return load_categories(paths.data_dir() / "categories.toml", levels)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def refused(load: Callable[[Path], object], path: Path) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        load(path)
    assert caught.value.code == "bad_configuration_file"
    assert str(path) in caught.value.message
    assert caught.value.detail["file"] == str(path)
    return caught.value


# What is shipped.


def test_the_shipped_levels_are_those_of_the_design(levels: Levels) -> None:
    assert levels.codes == (
        "district",
        "street",
        "community",
        "patch",
        "grid",
        "resident_group",
        "compound",
        "building",
        "unit_grid",
    )
    assert [level.zh for level in levels][:5] == ["区", "街道", "社区", "片区", "网格"]
    assert {level.code for level in levels if level.legal} == {"district", "street", "community"}
    assert {level.code for level in levels if not level.may_hold_posts} == {"unit_grid"}
    assert levels.get("grid").nests_in == ("community", "patch")
    assert levels.get("patch").nests_in == ("district",)
    assert [kind.zh for kind in levels.get("grid").kinds] == ["综合", "专属"]
    assert levels.get("patch").chief() == "片区长"
    assert levels.get("patch").chief("en") == "area chief"


def test_two_trees_meet_in_the_grid(levels: Levels) -> None:
    assert levels.above("grid") == ("district", "street", "community", "patch")
    assert levels.above("building") == ("district", "street", "community", "patch", "grid", "compound")
    assert levels.above("district") == ()
    assert levels.directly_below("district") == ("street", "patch")
    assert levels.directly_below("building") == ()


def test_finest_first_puts_every_level_before_those_it_lies_in(levels: Levels) -> None:
    order = [level.code for level in levels.finest_first()]
    for level in levels:
        assert all(order.index(level.code) < order.index(above) for above in levels.above(level.code))


def test_the_default_chain_is_that_of_the_design(levels: Levels) -> None:
    assert levels.chain() == ("patch", "community", "street", "district")
    assert levels.chain("grid_first")[0] == "grid"
    with pytest.raises(InvalidInput, match="nonsense"):
        levels.chain("nonsense")


def test_looking_up_a_level(levels: Levels) -> None:
    assert "grid" in levels
    assert "village" not in levels
    assert levels.find("village") is None
    assert levels.get("street").title() == "街道"
    assert levels.get("street").title("en") == "street"
    with pytest.raises(InvalidInput) as caught:
        levels.get("village")
    assert caught.value.code == "unknown_level"
    assert "community" in caught.value.hint
    assert levels.get("grid").find_kind("dedicated") == levels.get("grid").kinds[1]
    assert levels.get("grid").find_kind("nonsense") is None


def test_no_shipped_code_has_gone(categories: Categories) -> None:
    assert set(SHIPPED_CODES.split()) <= {category.code for category in categories}


def test_every_category_is_complete_in_both_tongues(categories: Categories) -> None:
    for category in categories:
        assert re.search(r"[\u4e00-\u9fff]", category.zh), category
        assert re.fullmatch(r"[ -~]+", category.en), category
        for condition in category.conditions:
            assert re.search(r"[\u4e00-\u9fff]", condition.zh), category
            assert re.fullmatch(r"[ -~]+", condition.en), category
            assert condition.term.unit in TERM_UNITS
    names = [category.zh for category in categories]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("code", "terms"),
    [
        ("E0101", [(2, "urgent_day"), (15, "working_day")]),
        ("E0110", [(4, "working_hour")]),
        ("E0112", [(2, "working_hour")]),
        ("E0128", [(2, "urgent_hour")]),
        ("E0122", [(1, "urgent_hour"), (3, "working_day")]),
        ("E0501", [(1, "urgent_hour"), (5, "working_day")]),
        ("E0409", [(3, "urgent_hour")]),
    ],
)
def test_terms_of_the_published_list(categories: Categories, code: str, terms: list[tuple[float, str]]) -> None:
    conditions = categories.get(code).conditions
    assert [(condition.term.amount, condition.term.unit) for condition in conditions] == terms
    assert {condition.basis for condition in conditions} == {"list"}


def test_what_is_ours_is_marked(categories: Categories) -> None:
    for category in categories:
        if category.is_component or category.local:
            assert {condition.basis for condition in category.conditions} == {"ours"}, category
    assert [category.code for category in categories if category.local] == ["E0696", "E0697", "E0698", "E0699"]
    assert "not the standard's text" in categories.edition


def test_gas_cables_and_unlawful_building_are_never_fixed_on_the_spot(categories: Categories) -> None:
    for code in ("E0101", "E0502", "E0501", "E0505", "E0508", "C0111", "C0149"):
        assert not any(condition.instant_fix for condition in categories.get(code).conditions), code
    for code in ("E0501", "E0502", "E0505", "E0508"):
        assert categories.get(code).emergency, code
        assert categories.get(code).conditions[0].emergency, code
    for category in categories:
        assert not any(condition.instant_fix and condition.emergency for condition in category.conditions)


def test_what_no_chief_may_own_goes_to_an_office(levels: Levels, categories: Categories) -> None:
    barred = [category for category in categories if category.no_chief]
    assert "E0101" in {category.code for category in barred}
    for category in barred:
        assert all(levels.get(code).office for code in levels.chain(category.chain)), category


def test_tiles_are_the_six_of_the_public_page(categories: Categories) -> None:
    assert [tile.zh for tile in categories.tiles] == ["垃圾", "路面井盖", "乱停占道", "噪音油烟", "小区物业", "其他"]
    assert all(tile.title("en").isascii() for tile in categories.tiles)
    assert sum(len(categories.of_tile(tile.code)) for tile in categories.tiles) == len(categories.in_use)
    assert all(tile.category in categories for tile in categories.tiles)


def test_majors_hold_all_categories(categories: Categories) -> None:
    assert [major.zh for major in categories.majors if major.code.startswith("E")][3:5] == ["街面秩序", "突发事件"]
    assert sum(len(categories.of_major(major.code)) for major in categories.majors) == len(categories.in_use)


def test_looking_up_categories_and_conditions(categories: Categories) -> None:
    rubbish = categories.get("E0110")
    assert (rubbish.title(), rubbish.title("en")) == ("暴露垃圾", "Exposed rubbish")
    assert rubbish.get_condition("") is rubbish.conditions[0]
    assert rubbish.find_condition("9") is None
    assert categories.find("E9999") is None
    with pytest.raises(InvalidInput) as unknown:
        categories.get("E9999")
    assert unknown.value.code == "unknown_category"
    with pytest.raises(InvalidInput) as condition:
        rubbish.get_condition("9")
    assert condition.value.code == "unknown_condition"
    assert categories.stages == {"sign": Term(2, "working_hour"), "check": Term(1, "working_day")}


def test_the_whole_catalog_of_a_fresh_installation(settings: Settings) -> None:
    catalog = load_catalog(settings)
    assert catalog.answers() == ("patch", "community", "street", "district")
    assert catalog.answers("E0110") == catalog.answers()
    assert catalog.answers("E0101") == ("street", "district")
    assert isinstance(catalog, Catalog)


def test_settings_name_other_files(tmp_path: Path) -> None:
    write(tmp_path, "levels.toml", LEVELS)
    write(tmp_path, "categories.toml", CATEGORIES)
    write(tmp_path, "layers/none.txt", "")
    settings = load_settings(
        {
            "MAPSVC_LEVELS_FILE": str(tmp_path / "levels.toml"),
            "MAPSVC_CATEGORIES_FILE": str(tmp_path / "categories.toml"),
            "MAPSVC_LAYERS_DIR": str(tmp_path / "layers"),
        }
    )
    catalog = load_catalog(settings)
    assert catalog.levels.codes == ("city", "ward")
    assert [category.code for category in catalog.categories] == ["E0101", "E0102"]
    assert catalog.layers.all == ()


# Mistakes in levels.

LEVELS = """\
[[level]]
code = "city"
zh = "市"
en = "city"
office = true
chief = { zh = "市长", en = "mayor" }

[[level]]
code = "ward"
zh = "坊"
en = "ward"
nests_in = ["city"]
coverage = true
chief = { zh = "坊长", en = "head" }

[chains]
default = ["ward", "city"]
office = ["city"]
"""


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ('nests_in = ["city"]', 'nests_in = ["town"]', 'nests_in = ["town"]', "'town'"),
        ('nests_in = ["city"]', 'nests_in = ["ward"]', 'nests_in = ["ward"]', "stand above"),
        ("office = true", 'nests_in = ["ward"]', 'nests_in = ["ward"]', "stand above"),
        ('code = "ward"', 'code = "city"', 'code = "city"\nzh = "坊"', "twice"),
        ('code = "ward"', 'code = "Ward"', 'code = "Ward"', "lower-case"),
        ("coverage = true", "coverage = 1", "coverage = 1", "true or false"),
        ("coverage = true", "covers = true", "covers = true", "no key 'covers'"),
        ('zh = "坊"\n', 'zh = ""\n', 'zh = ""\n', "empty"),
        ('zh = "坊"\n', "", '[[level]]\ncode = "ward"', "zh is missing"),
        ('zh = "坊"\n', "zh = 3\n", "zh = 3\n", "text"),
        ('nests_in = ["city"]', 'nests_in = ["city", "city"]', "nests_in", "twice"),
        ('nests_in = ["city"]', 'nests_in = "city"', "nests_in", "list of texts"),
        ('default = ["ward", "city"]', 'default = ["ward", "moon"]', 'default = ["ward", "moon"]', "moon"),
        ('default = ["ward", "city"]', "default = []", "default = []", "no owner"),
        ('default = ["ward", "city"]', 'other = ["ward"]', "[chains]", "default"),
        ('chief = { zh = "坊长", en = "head" }', "", 'default = ["ward"', "nobody holds a post"),
        ("[chains]", "[colours]\nred = 1\n\n[chains]", "[colours]", "colours"),
        ('chief = { zh = "坊长", en = "head" }', 'chief = "head"', 'chief = "head"', "table"),
        (
            'chief = { zh = "坊长", en = "head" }',
            'kinds = [\n  { code = "a", zh = "甲" },\n]',
            "{ code",
            "en is missing",
        ),
    ],
)
def test_a_mistake_in_levels_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str, words: str) -> None:
    text = LEVELS.replace(old, new, 1)
    error = refused(load_levels, write(tmp_path, "levels.toml", text))
    assert error.detail["line"] == line_of(text, at), error.message
    assert f"line {error.detail['line']}" in error.message
    assert words in error.message + error.hint


def test_files_that_are_no_toml(tmp_path: Path) -> None:
    assert refused(load_levels, write(tmp_path, "a.toml", LEVELS + "\nbroken = [1,\n")).detail["line"] >= 19
    assert refused(load_levels, write(tmp_path, "b.toml", "x = 1\nx = = 2\n")).detail["line"] == 2
    gbk = tmp_path / "gbk.toml"
    gbk.write_bytes(b'code = "a"\nzh = "' + "市区".encode("gbk") + b'"\n')
    assert refused(load_levels, gbk).detail["line"] == 2
    with pytest.raises(Misconfigured) as missing:
        load_levels(tmp_path / "none.toml")
    assert missing.value.code == "configuration_file_missing"
    with pytest.raises(Misconfigured):
        load_levels(write(tmp_path, "empty.toml", ""))


def test_a_mark_at_the_beginning_is_no_mistake(tmp_path: Path) -> None:
    assert load_levels(write(tmp_path, "levels.toml", "\ufeff" + LEVELS)).codes == ("city", "ward")


# Mistakes in categories.

CATEGORIES = """\
edition = "a test"

[stages]
sign = "2 working_hour"
check = "1 working_day"

[[tile]]
code = "other"
zh = "其他"
en = "other"
category = "E0102"

[[major]]
code = "E01"
zh = "市容环境"
en = "appearance"

[[category]]
code = "E0102"
zh = "垃圾"
en = "rubbish"
tile = "other"
conditions = [
    { code = "1", zh = "少", en = "little", term = "4 working_hour", instant_fix = true },
    { code = "2", zh = "多", en = "much", term = "1.5 urgent_day" },
]

[[category]]
code = "E0101"
zh = "搭建"
en = "building"
tile = "other"
no_chief = true
chain = "office"
retired = true
conditions = [
    { code = "1", zh = "一般", en = "ordinary", term = "2 urgent_hour" },
]
"""


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ('term = "1.5 urgent_day"', 'term = "1.5 days"', '{ code = "2"', "days"),
        ('term = "1.5 urgent_day"', 'term = "0 urgent_day"', '{ code = "2"', "above 0"),
        ('term = "1.5 urgent_day"', 'term = "nan urgent_day"', '{ code = "2"', "above 0"),
        ('term = "1.5 urgent_day"', 'term = "soon"', '{ code = "2"', "no term"),
        ('term = "1.5 urgent_day"', 'term = "1 urgent_day now"', '{ code = "2"', "no term"),
        ('{ code = "2"', '{ code = "1"', '{ code = "1", zh = "多"', "twice"),
        ("instant_fix = true", "instant_fix = true, emergency = true", '{ code = "1", zh = "少"', "emergency"),
        ("instant_fix = true", "instantly = true", '{ code = "1", zh = "少"', "instantly"),
        ('code = "E0101"', 'code = "E0102"', 'code = "E0102"\nzh = "搭建"', "twice"),
        ('code = "E0101"', 'code = "E101"', 'code = "E101"', "look like"),
        ('code = "E0101"', 'code = "E0901"', 'code = "E0901"', "E09"),
        ('code = "E01"\n', 'code = "X01"\n', 'code = "X01"', "major"),
        ('tile = "other"\nno_chief', 'tile = "moon"\nno_chief', 'tile = "moon"', "moon"),
        ('chain = "office"', 'chain = "default"', 'chain = "default"', "ward"),
        ('chain = "office"', 'chain = "moon"', 'chain = "moon"', "moon"),
        ('chain = "office"', 'workflow = "slow"', 'workflow = "slow"', "quick, standard"),
        ('category = "E0102"', 'category = "E0101"', 'category = "E0101"', "not in use"),
        ('category = "E0102"', 'category = "E0199"', 'category = "E0199"', "not in use"),
        ('check = "1 working_day"\n', "", "[stages]", "check is missing"),
        ('check = "1 working_day"\n', 'check = "1 working_day"\nlunch = "1 working_hour"\n', "lunch", "lunch"),
        ('edition = "a test"\n', "", "", "edition is missing"),
    ],
)
def test_a_mistake_in_categories_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str, words: str) -> None:
    levels = load_levels(write(tmp_path, "levels.toml", LEVELS))
    text = CATEGORIES.replace(old, new, 1)
    assert text != CATEGORIES
    error = refused(lambda path: load_categories(path, levels), write(tmp_path, "categories.toml", text))
    assert error.detail["line"] == line_of(text, at), error.message
    assert words in error.message + error.hint


def test_a_category_without_a_condition_has_no_term(tmp_path: Path) -> None:
    text = re.sub(r'conditions = \[\n    \{ code = "1", zh = "一般".*\n\]', "conditions = []", CATEGORIES)
    assert "no filing condition" in refused(load_categories, write(tmp_path, "c.toml", text)).message


def test_a_retired_category_stays_but_takes_no_new_case(tmp_path: Path) -> None:
    categories = load_categories(write(tmp_path, "categories.toml", CATEGORIES))
    assert categories.get("E0101").zh == "搭建"
    assert [category.code for category in categories.in_use] == ["E0102"]
    assert categories.of_tile("other") == categories.in_use
    assert categories.get_in_use("E0102").conditions[1].term == Term(1.5, "urgent_day")
    with pytest.raises(InvalidInput) as caught:
        categories.get_in_use("E0101")
    assert caught.value.code == "category_retired"


def test_flags_of_a_category_hold_for_its_conditions_unless_they_say_otherwise(tmp_path: Path) -> None:
    text = CATEGORIES.replace("no_chief = true", "no_chief = true\nemergency = true", 1).replace(
        "instant_fix = true", "instant_fix = false"
    )
    categories = load_categories(write(tmp_path, "categories.toml", text))
    assert categories.get("E0101").conditions[0].emergency
    assert not categories.get("E0102").conditions[0].instant_fix


@given(amount=st.floats(0.25, 900).map(lambda value: round(value, 2)), unit=st.sampled_from(TERM_UNITS))
def test_any_term_is_read_as_written(tmp_path_factory: pytest.TempPathFactory, amount: float, unit: str) -> None:
    folder = tmp_path_factory.mktemp("terms")
    text = CATEGORIES.replace("1.5 urgent_day", f"{amount} {unit}")
    found = load_categories(write(folder, "categories.toml", text))
    assert found.get("E0102").conditions[1].term == Term(amount, unit)


# Layers.

LAYER = """\
source = "areas"
level = "ward"
zooms = [10, 14]
audience = "public"
order = 20

[legend]
zh = "坊"
en = "wards"

[style]
color = "#336699"
weight = 2
dash = "4 2"

[label]
field = "name"
from_zoom = 12
"""


def test_a_layer_is_read(tmp_path: Path) -> None:
    levels = load_levels(write(tmp_path, "levels.toml", LEVELS))
    write(tmp_path, "layers/wards.toml", LAYER)
    write(
        tmp_path,
        "layers/cases.toml",
        'source = "cases"\nzooms = [0, 22]\naudience = ["intake", "leader"]\norder = 10\n'
        '[legend]\nzh = "案件"\nen = "cases"\n[style]\ncolor = "red"\nby = "state"\n',
    )
    layers = load_layers(tmp_path / "layers", levels)
    assert [layer.code for layer in layers] == ["cases", "wards"]
    wards = layers.find("wards")
    assert wards is not None
    assert (wards.level, wards.zooms, wards.label.from_zoom, wards.style.weight) == ("ward", (10, 14), 12, 2.0)
    assert (wards.legend(), wards.legend("en")) == ("坊", "wards")
    assert layers.find("moon") is None


GROUND = """\
source = "ground"
ground = "roads"
zooms = [10, 22]
audience = "public"
order = 4

[legend]
zh = "道路"
en = "Street"

[style]
color = "#ffffff"
casing = "#cccccc"

[[kind]]
values = ["主干路", "primary"]
zh = "主干路"
en = "Main street"
color = "#ffeeaa"
weight = 9

[[kind]]
values = ["支路"]
zh = "支路"
en = "Local street"
color = "#ffffff"
from_zoom = 14
"""


def test_a_layer_of_the_ground_is_read(tmp_path: Path) -> None:
    write(tmp_path, "roads.toml", GROUND)
    [roads] = load_layers(tmp_path)
    assert (roads.source, roads.ground, roads.style.casing) == ("ground", "roads", "#cccccc")
    main, local = roads.kinds
    assert (main.values, main.legend(), main.legend("en")) == (("主干路", "primary"), "主干路", "Main street")
    assert (main.style.weight, main.from_zoom, local.from_zoom) == (9.0, 0, 14)


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('ground = "roads"\n', "", ""),
        ('source = "ground"', 'source = "areas"\nlevel = "ward"', "ground"),
        ('values = ["支路"]', "values = []", "values = []"),
        ('values = ["支路"]', 'values = ["支路", "primary"]', 'values = ["支路"'),
        ('values = ["支路"]', 'values = "支路"', 'values = "'),
        ("from_zoom = 14", 'from_zoom = "14"', "from_zoom"),
        ("weight = 9", "weigth = 9", "weigth"),
        ("weight = 9", "opacity = 9", "opacity"),
        ('zh = "主干路"\n', "", "[[kind]]"),
    ],
)
def test_a_mistake_in_a_layer_of_the_ground_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str) -> None:
    levels = load_levels(write(tmp_path, "levels.toml", LEVELS))
    text = GROUND.replace(old, new, 1)
    path = write(tmp_path, "layers/roads.toml", text)
    error = refused(lambda _path: load_layers(path.parent, levels), path)
    assert error.detail["line"] == line_of(text, at), error.message


def test_only_the_ground_has_kinds(tmp_path: Path) -> None:
    kind = '[[kind]]\nvalues = ["a"]\nzh = "a"\nen = "a"\ncolor = "red"\n'
    path = write(tmp_path, "wards.toml", LAYER + kind)
    error = refused(lambda _path: load_layers(tmp_path), path)
    assert error.detail["line"] == line_of(LAYER + kind, "[[kind]]")


def test_who_sees_a_layer(tmp_path: Path) -> None:
    for code, audience in (("a", '"public"'), ("b", '"staff"'), ("c", '["leader"]')):
        write(tmp_path, f"{code}.toml", LAYER.replace('"public"', audience))
    layers = load_layers(tmp_path)

    def seen(*roles: str, logged_in: bool) -> list[str]:
        return [layer.code for layer in layers if layer.is_for(frozenset(roles), logged_in=logged_in)]

    assert seen(logged_in=False) == ["a"]
    assert seen("leader", logged_in=False) == ["a"]
    assert seen(logged_in=True) == ["a", "b"]
    assert seen("patrol", "leader", logged_in=True) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('source = "areas"', 'source = "moon"', "source"),
        ('level = "ward"', 'level = "moon"', "level"),
        ('level = "ward"\n', "", ""),
        ('source = "areas"', 'source = "cases"', "level"),
        ("zooms = [10, 14]", "zooms = [14, 10]", "zooms"),
        ("zooms = [10, 14]", "zooms = [10, 23]", "zooms"),
        ("zooms = [10, 14]", "zooms = 10", "zooms"),
        ('audience = "public"', 'audience = "friends"', "audience"),
        ('audience = "public"', "audience = []", "audience"),
        ("order = 20", 'order = "20"', "order"),
        ("weight = 2", 'weight = "thick"', "weight"),
        ("weight = 2", "opacity = 2", "opacity"),
        ("weight = 2", "wieght = 2", "wieght"),
        ("from_zoom = 12", "from_zoom = 1.5", "from_zoom"),
        ('zh = "坊"\n', "", "[legend]"),
    ],
)
def test_a_mistake_in_a_layer_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str) -> None:
    levels = load_levels(write(tmp_path, "levels.toml", LEVELS))
    text = LAYER.replace(old, new, 1)
    path = write(tmp_path, "layers/wards.toml", text)
    error = refused(lambda _path: load_layers(path.parent, levels), path)
    assert error.detail["line"] == line_of(text, at), error.message


def test_the_shipped_layers_name_levels_and_roles_that_exist(settings: Settings) -> None:
    for layer in load_catalog(settings).layers:
        assert set(layer.audience) <= {"public", "staff", *ROLES}, layer.code
