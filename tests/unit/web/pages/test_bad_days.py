"""Bad days of the pages of staff: nothing there, nobody there, far too much of it, names that fit nowhere."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

import pytest
from sqlalchemy import Table, insert, select, update

from mapsvc.areas.models import Area, AreaVersion
from mapsvc.areas.service.writing import bump_revision
from mapsvc.cases.models import Case, CaseArea
from mapsvc.people.models import Person
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.people.service.access import issue_token
from mapsvc.people.service.users import NewUser, add_user
from tests.town import Login, Town

HTML = {"Accept": "text/html"}
SPACE = UUID("5f0d7f6e-2f1c-4b8e-9b52-6f6d1c1b0a13")
PILE = 10_000
CARD = re.compile(r'href="(/cases/2[^"?#]+)["?#]')


def page(town: Town, path: str, who: str = "dispatcher") -> str:
    answer = town.get(path, who, **{})
    html = town.client().get(path, headers=HTML | town.headers(who))
    assert (answer.status_code, html.status_code) == (200, 200), path
    return html.get_data(as_text=True)


@pytest.mark.parametrize("level", ["building", "compound", "resident_group", "unit_grid"])
def test_a_level_without_areas_says_so_and_the_others_are_one_tap_away(town: Town, level: str) -> None:
    html = page(town, f"/areas?level={level}")
    assert "这一层级还没有导入辖区" in html
    assert "level=patch" in html
    assert 'aria-current="page"' not in html.split('class="tabs"')[1].split("</nav>")[0]
    assert town.client().get(f"/areas/{level}/X", headers=HTML | town.headers("dispatcher")).status_code == 404
    assert town.get(f"/api/v1/areas?level={level}", "dispatcher").get_json()["features"] == []


def test_a_level_that_is_none_shows_the_first_one(town: Town) -> None:
    assert "这一层级还没有导入辖区" not in page(town, "/areas?level=nowhere")


@pytest.fixture
def idle(town: Town) -> Town:
    """A town with one more account: a person who holds no post today."""
    with town.store.write() as work:
        person = Person(code="Z", name="无任职", public=False)
        work.session.add(person)
        work.session.flush()
        user = add_user(work, SYSTEM, NewUser("idle", "idle", person_id=person.id))
        logins = {**town.logins, "idle": Login(user.id, issue_token(work, SYSTEM, user.id, "test").secret)}
    object.__setattr__(town, "logins", logins)
    return town


def test_a_chief_without_a_patch_is_told_and_sees_no_cases(idle: Town) -> None:
    case_uuid, _ = idle.report("intake")
    html = page(idle, "/patch", "idle")
    assert "您今天没有任职的片区" in html
    for path in ("/", "/report", "/guide"):
        assert "您今天没有" not in page(idle, path, "idle")
    for path in ("/patch/P0", "/cases", f"/api/v1/cases/{case_uuid}", "/office"):
        assert idle.get(path, "idle").status_code in {403, 404}, path


@pytest.fixture
def pile(town: Town) -> Town:
    """Ten thousand open cases on the very point of one."""
    case_uuid, _ = town.report("intake")
    cases, areas = Case.__table__, CaseArea.__table__
    assert isinstance(cases, Table)
    assert isinstance(areas, Table)
    with town.store.write() as work:
        model = dict(work.session.execute(select(cases).where(cases.c.uuid == case_uuid)).mappings().one())
        lies_in = work.session.execute(select(areas).where(areas.c.case_id == model["id"])).mappings().all()
        numbers = range(int(model["id"]) + 1, int(model["id"]) + PILE)
        copies = [
            {
                **model,
                "id": number,
                "uuid": uuid5(SPACE, str(number)),
                "number": f"{model['number'].split('-')[0]}-{number:06d}",
                "track_code": f"{model['track_code'][:-6]}{number:06d}",
                "content_sha256": f"{number:064x}",
            }
            for number in numbers
        ]
        work.session.execute(insert(cases), copies)
        work.session.execute(insert(areas), [{**one, "case_id": number} for number in numbers for one in lies_in])
    return town


def test_ten_thousand_cases_on_one_point_make_no_longer_pages(pile: Town) -> None:
    for path, who in (
        ("/patch/P0", "chief_0"),
        ("/patch/P0", "dispatcher"),
        ("/cases", "chief_0"),
        ("/cases", "intake"),
    ):
        html = page(pile, path, who)
        assert 10 <= len(set(CARD.findall(html))) <= 120, path
        assert len(html) < 600_000, path
    whole = page(pile, "/patch/P0", "chief_0")
    assert "10000" in whole.replace(",", "").replace("\N{THIN SPACE}", ""), "the number is told, not the first page's"


def test_a_pile_is_walked_to_its_end_by_the_pages_of_the_list(pile: Town) -> None:
    seen: set[str] = set()
    path = "/api/v1/cases?limit=1000"
    while path:
        answer = pile.get(path, "dispatcher").get_json()
        seen |= {feature["properties"]["number"] for feature in answer["features"]}
        path = next((link["href"] for link in answer.get("links", ()) if link["rel"] == "next"), "")
    assert len(seen) == PILE


TWO_TONGUES, LONG = "和平里 Peace Lane مسالمة <b>&amp;", "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


@pytest.mark.parametrize("name", [TWO_TONGUES, LONG, "\u202e倒着的名字", "名" * 200])
def test_a_hard_name_is_shown_whole_and_as_text(town: Town, name: str) -> None:
    with town.store.write() as work:
        area = select(Area.id).where(Area.level == "patch", Area.code == "P0").scalar_subquery()
        work.session.execute(update(AreaVersion).where(AreaVersion.area_id == area).values(name=name))
        bump_revision(work, "borders")
    town.report("intake", description=name)
    for path in ("/areas?level=patch", "/patch/P0", "/cases", "/office"):
        html = page(town, path)
        assert "<b>&amp;" not in html
        if path != "/office":
            assert name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in html, path
