"""The guide says what the program does: its links, names, commands, codes, tables and examples are checked."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import click
import pytest
from flask import Flask

from mapsvc.app import create_app
from mapsvc.areas.service import duties, import_posts
from mapsvc.base import events, paths
from mapsvc.base.settings import PREFIX, SETTINGS, Settings
from mapsvc.base.tables.columns import fold
from mapsvc.cases.rules.calendar import calendar_from_document
from mapsvc.cases.rules.workflow import STATE_NAMES, STEP_NAMES, TABLE
from mapsvc.catalog import load_catalog, load_categories, load_layers, load_levels
from mapsvc.cli.cases import get_rulebook, read_category_map
from mapsvc.cli.main import NOUNS, cli
from mapsvc.jobs.chores import make_chores
from mapsvc.jobs.handlers import make_handlers
from mapsvc.people.rules.actor import ROLES
from mapsvc.people.rules.permissions import PERMISSIONS
from mapsvc.storage.work import Store
from mapsvc.web.api.bodies import CaseBody, StepBody
from mapsvc.web.errors import HTTP_ERRORS, STATUS
from tools.reference import Tongue, load_chinese, reference, write_reference

from .commandlines import Fence, iter_mapsvc_lines, parse, read_fences, read_spans, touch_files, without_comments

ROOT = Path(__file__).resolve().parents[3]
GUIDE = paths.guide_dir()
PAGES = sorted(GUIDE.glob("*.md"))
WRITTEN = [page for page in PAGES if page.stem != "reference"]
CHINESE = [page for page in sorted((GUIDE / "zh").glob("*.md")) if page.stem != "reference"]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE_ROW = re.compile(r"^\| (\d{3}) \| (.+?) \|", re.MULTILINE)
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "mapsvc").rglob("*.py")))

by_name = pytest.mark.parametrize(
    "file", [*WRITTEN, *CHINESE, *READMES], ids=lambda file: str(file.relative_to(ROOT)).removeprefix("mapsvc/guide/")
)


@pytest.fixture(scope="module")
def page_text() -> str:
    return (GUIDE / "reference.md").read_text(encoding="utf-8")


@pytest.fixture
def app(sqlite_store: Store, settings: Settings) -> Flask:
    return create_app(settings)


def _headings(text: str, section: str) -> Counter[str]:
    """Return the headings of the third order within a section of the second order, counted."""
    (part,) = [one for one in re.split(r"^## ", text, flags=re.MULTILINE) if one.split("\n", 1)[0].startswith(section)]
    return Counter(re.findall(r"^### (.+)$", part, re.MULTILINE))


def _fence(page: str, language: str, word: str) -> Fence:
    """Return the one code block of a page in a language that holds a word."""
    (found,) = [one for one in read_fences(GUIDE / page) if one.language == language and word in one.text]
    return found


def _rows(page: str, first: str) -> list[list[str]]:
    """Return the cells of the table whose head begins with `first`, without that head."""
    text = (GUIDE / page).read_text(encoding="utf-8")
    lines = text[text.index(f"\n| {first} |") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


# -- links and pages


@by_name
def test_every_link_leads_somewhere(file: Path) -> None:
    targets = [target for target in LINK.findall(file.read_text(encoding="utf-8")) if "://" not in target]
    missing = [target for target in targets if not (file.parent / target.split("#")[0]).exists()]
    assert missing == []


def test_the_front_page_leads_to_every_page() -> None:
    named = set(LINK.findall((GUIDE / "index.md").read_text(encoding="utf-8")))
    assert named == {page.name for page in PAGES if page.stem != "index"}


@pytest.mark.parametrize("file", [*WRITTEN, *CHINESE], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_page_can_be_read_at_a_sitting(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert len(lines) <= 200


def test_both_readmes_have_the_same_commands_but_for_remarks() -> None:
    english, chinese = (
        [(fence.language, without_comments(fence.text)) for fence in read_fences(readme)] for readme in READMES
    )
    assert english == chinese


def test_a_district_is_put_in_by_five_lines() -> None:
    (own,) = [fence for fence in read_fences(READMES[0]) if "mapsvc areas import" in fence.text]
    assert len(own.text.splitlines()) == 5


# -- the reference


def test_the_reference_is_fresh(page_text: str) -> None:
    assert page_text == reference(), "run `python -m tools.reference`"


def test_the_reference_in_chinese_is_fresh_and_nothing_in_its_dictionary_is_stale() -> None:
    chinese = Tongue("zh")
    fresh = write_reference(chinese)
    assert (GUIDE / "zh" / "reference.md").read_text(encoding="utf-8") == fresh, "run `python -m tools.reference`"
    stale = set(load_chinese()) - chinese.used
    assert stale == set(), "the program says these differently now: mend tools/reference_zh.toml"


def test_a_sentence_without_chinese_stays_english_and_is_listed() -> None:
    chinese = Tongue("zh")
    assert chinese.say("Print JSON.") == "以 JSON 打印。"
    assert chinese.say("Something quite new.") == "Something quite new."
    assert chinese.words("guard", ("edge", "quite_new")) == "案件在交界处、quite_new"
    assert chinese.missing == ["Something quite new.", "guard quite_new"]
    assert chinese.join("Something quite new.", "默认值：空。", "完。") == "Something quite new. 默认值：空。完。"


def test_every_setting_has_its_heading(page_text: str) -> None:
    assert _headings(page_text, "Settings") == Counter(PREFIX + setting.name for setting in SETTINGS)


def test_every_command_has_its_heading_and_every_option_its_line(page_text: str) -> None:
    names: list[str] = []
    for noun in NOUNS:
        command = cli.get_command(click.Context(cli), noun)
        assert command is not None
        names.append(f"mapsvc {noun}")
        below = command.commands if isinstance(command, click.Group) else {}
        names += [f"mapsvc {noun} {name}" for name in below]
        for each in below.values() if below else [command]:
            for option in each.params:
                if isinstance(option, click.Option) and not option.hidden:
                    assert f"- `{max(option.opts, key=len)}" in page_text
    assert _headings(page_text, "Commands") == Counter(names)


def test_every_route_has_its_heading(page_text: str, app: Flask) -> None:
    headings = _headings(page_text, "Routes")
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert f"{' '.join(sorted(methods))} {rule.rule}" in headings
    assert headings.total() == len(list(app.url_map.iter_rules()))


def test_every_permission_has_its_heading(page_text: str) -> None:
    assert _headings(page_text, "Permissions") == Counter(list(PERMISSIONS))


def test_every_step_of_the_workflow_has_its_heading(page_text: str) -> None:
    told = _headings(page_text, "Steps of a case")
    assert told == Counter(f"{rule.name} {rule.zh} ({', '.join(rule.workflows)})" for rule in TABLE)


def test_every_event_has_its_heading(page_text: str) -> None:
    ours = [kind for kind in events.Event.__subclasses__() if kind.__module__ == events.__name__]
    assert _headings(page_text, "Events") == Counter(kind.kind for kind in ours)


def test_every_job_and_chore_has_its_heading(page_text: str, settings: Settings) -> None:
    jobs = [f"Job {kind}" for kind in make_handlers(settings)]
    chores = [f"Chore {chore.name}" for chore in make_chores(settings).chores]
    assert _headings(page_text, "Jobs") == Counter([*jobs, *chores])


def test_every_layer_has_its_heading(page_text: str) -> None:
    assert _headings(page_text, "Layers") == Counter(path.stem for path in paths.layers_dir().glob("*.toml"))


# -- names


@by_name
def test_every_setting_that_is_named_exists(file: Path) -> None:
    named = set(re.findall(r"MAPSVC_[A-Z][A-Z_]*", file.read_text(encoding="utf-8")))
    assert named <= {PREFIX + setting.name for setting in SETTINGS}


@by_name
def test_every_command_line_is_understood(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shells = [fence.text for fence in read_fences(file) if not fence.language]
    for words in [words for text in shells for words in iter_mapsvc_lines(text)]:
        touch_files(words)
        parse(words, whole=True)
    for words in read_spans(file):
        touch_files(words)
        parse(words, whole=False)


def test_the_pages_hold_command_lines() -> None:
    """So that the test above cannot pass for want of any."""
    shells = [fence.text for page in [*WRITTEN, *READMES] for fence in read_fences(page) if not fence.language]
    assert len([words for text in shells for words in iter_mapsvc_lines(text)]) > 40
    assert len([words for page in WRITTEN for words in read_spans(page)]) > 15


def test_a_command_line_is_found_behind_other_things() -> None:
    text = "A=1 mapsvc a --x=1 && pip i || B=2 C=3 mapsvc b 'c d' # mapsvc no\nexport T=$(mapsvc e \\\n  f) & mapsvc g"
    assert list(iter_mapsvc_lines(text)) == [["a", "--x=1"], ["b", "c d"], ["e", "f"], ["g"]]


@pytest.mark.parametrize(
    "words",
    [["nothing"], ["users", "nothing"], ["users", "add", "x", "--role", "boss"], ["serve", "--prot", "1"], ["locate"]],
)
def test_a_wrong_command_line_is_not_understood(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(words, whole=True)


# -- errors


def _statuses(code: str) -> set[int]:
    """Return the statuses under which the source raises a code; empty where no class stands beside it."""
    classes = {kind.__name__: status for kind, status in STATUS.items()}
    found = re.findall(rf'\b({"|".join(classes)})[(,]\s*"{code}"', SOURCE)
    own = {status for status, (name, _, _) in HTTP_ERRORS.items() if name == code}
    return {classes[name] for name in found} | own


def test_every_error_code_that_programs_are_told_of_exists_with_its_status() -> None:
    rows = CODE_ROW.findall((GUIDE / "programs.md").read_text(encoding="utf-8"))
    assert len(rows) >= 10
    for status, cell in rows:
        for code in re.findall(r"`([a-z_]+)`", cell):
            assert f'"{code}"' in SOURCE, code
            statuses = _statuses(code)
            assert not statuses or int(status) in statuses, code


def test_every_error_code_that_operators_are_told_of_exists() -> None:
    codes = [code for row in _rows("operate.md", "code") for code in re.findall(r"`([a-z_]+)`", row[0])]
    assert len(codes) >= 7
    assert [code for code in codes if f'"{code}"' not in SOURCE] == []


# -- tables and examples


@pytest.mark.parametrize(("page", "first"), [("people.md", "role | 中文"), ("zh/people.md", "角色 | 名称")])
def test_every_role_stands_in_the_table_of_roles(page: str, first: str) -> None:
    told = {row[0]: row[1] for row in _rows(page, first)}
    assert told == {role: chinese for role, (chinese, _) in ROLES.items()}


@pytest.mark.parametrize(("page", "first"), [("people.md", "column"), ("zh/people.md", "列")])
def test_the_columns_of_posts_are_those_that_are_read(page: str, first: str) -> None:
    columns = {column.name: {fold(name) for name in column.synonyms} for column in import_posts.COLUMNS}
    told: set[str] = set()
    for names, synonyms, _ in _rows(page, first):
        own = [name.strip() for name in names.split(",")]
        told.update(own)
        known = set().union(*(columns[name] for name in own))
        assert {fold(word) for word in re.split(r"[,;]\s*|[、；]", synonyms)} <= known, names
    assert told == set(columns)


@pytest.mark.parametrize(
    ("page", "start", "end"),
    [("people.md", "A line for each duty:", ". "), ("zh/people.md", "每项处置责任一行：", "。")],
)
def test_the_columns_of_units_are_those_that_are_read(page: str, start: str, end: str) -> None:
    text = (GUIDE / page).read_text(encoding="utf-8")
    found = text[text.index(start) :].split(end)[0].removeprefix(start)
    told = dict(part.split() for part in re.split("[,、]", found))
    assert set(told) == {column.name for column in duties.COLUMNS}
    for column in duties.COLUMNS:
        assert told[column.name] in column.synonyms


def test_the_diagram_of_states_uses_the_words_of_the_workflow() -> None:
    diagram = _fence("cases.md", "text", "received").text
    known = {zh for zh, _ in [*STATE_NAMES.values(), *STEP_NAMES.values()]}
    used = set(re.findall(r"[一-鿿]+", diagram))
    assert used <= known
    assert {state for state in STATE_NAMES if state in diagram} == set(STATE_NAMES) - {"suspended"}


def test_the_count_of_categories_without_a_chief_is_right() -> None:
    categories = load_categories(paths.data_dir() / "categories.toml")
    assert sum(category.no_chief for category in categories) == 11
    assert "Eleven categories may not be given" in (GUIDE / "cases.md").read_text(encoding="utf-8")
    assert "有十一类问题不得以" in (GUIDE / "zh" / "cases.md").read_text(encoding="utf-8")


def test_the_layer_of_the_example_is_taken(tmp_path: Path) -> None:
    (tmp_path / "compound.toml").write_text(_fence("maps.md", "toml", "compound").text, encoding="utf-8")
    (layer,) = load_layers(tmp_path, load_levels(paths.data_dir() / "levels.toml"))
    assert (layer.code, layer.level, layer.audience) == ("compound", "compound", ("staff",))


def test_the_calendar_of_the_example_is_taken(settings: Settings) -> None:
    document = tomllib.loads(_fence("cases.md", "toml", "hours").text)
    calendar = calendar_from_document(document, settings.timezone)
    assert calendar.warnings(2027) == ()


def test_the_words_of_the_example_are_taken(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "words.toml"
    file.write_text(_fence("cases.md", "toml", "[words]").text, encoding="utf-8")
    found = read_category_map(file, "", get_rulebook(settings))
    assert found.find("暴露垃圾清运", load_catalog(settings).categories) == "E0110"


def test_the_bodies_of_the_examples_are_taken() -> None:
    report = CaseBody.model_validate_json(_fence("programs.md", "json", "category").text)
    assert report.position is not None
    steps = re.findall(r"-d '(\{\"step\".*?\})'", (GUIDE / "programs.md").read_text(encoding="utf-8"))
    assert [StepBody.model_validate_json(step).step for step in steps] == ["accept"]


def test_the_program_of_the_example_is_python() -> None:
    ast.parse(_fence("programs.md", "python", "numpy").text)


def test_the_addresses_of_the_examples_are_routes(app: Flask) -> None:
    uuid = "00000000-0000-4000-8000-000000000000"
    text = (GUIDE / "programs.md").read_text(encoding="utf-8")
    found = re.findall(r"127\.0\.0\.1:8000(/[^\s'\"?)]*)", text) + re.findall(r"`(?:[A-Z]+ )?(/api/[^`?]*)", text)
    rules = app.url_map.bind("127.0.0.1")
    assert len(found) > 10
    for address in found:
        path = re.sub(r"\$[A-Z_0-9]+|<uuid>", uuid, address)
        assert rules.allowed_methods(path), address


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_page_is_shown(file: Path, app: Flask) -> None:
    answer = app.test_client().get("/guide" if file.stem == "index" else f"/guide/{file.stem}")
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
