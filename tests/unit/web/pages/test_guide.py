"""The guide is shown in the tongue chosen, keeps it from page to page, and says where it has to fall back."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mapsvc.web.pages import handbook
from tests.town import Town

ENGLISH = """# Cases

See [people](people.md#log-in), [Patrols](patrols.md).

## Bring them in

## Again

## Again
"""
CHINESE = """# 案件

见[人员](people.md#log-in)，
和[巡查](patrols.md)。

## 导入

## 再来

## 再来
"""


def page(town: Town, path: str, **headers: str) -> tuple[int, str]:
    answer = town.client().get(path, headers={"Accept": "text/html", **headers})
    return answer.status_code, answer.get_data(as_text=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A guide of three pages, of which one is English only."""
    (tmp_path / "zh").mkdir()
    (tmp_path / "index.md").write_text("# The guide\n\n- [Patrols](patrols.md)\n- [Cases](cases.md)\n", "utf-8")
    (tmp_path / "zh" / "index.md").write_text("# 使用指南\n\n- [巡查](patrols.md)\n- [案件](cases.md)\n", "utf-8")
    (tmp_path / "cases.md").write_text(ENGLISH, "utf-8")
    (tmp_path / "zh" / "cases.md").write_text(CHINESE, "utf-8")
    (tmp_path / "patrols.md").write_text("# Patrols\n\nWalked.\n", "utf-8")
    (tmp_path / "zh" / "secret.md").write_text("# 没有英文的页\n", "utf-8")
    monkeypatch.setattr(handbook, "guide_dir", lambda: tmp_path)
    return tmp_path


def _article(html: str) -> str:
    found = re.search(r"<article>.*</article>", html, re.DOTALL)
    assert found
    return found[0]


def _contents(html: str) -> list[tuple[str, str]]:
    found = re.search(r'<nav id="contents".*?</nav>', html, re.DOTALL)
    assert found
    return re.findall(r'<li><a href="([^"]*)"[^>]*>([^<]*)</a>', found[0])


def test_a_page_is_shown_in_the_tongue_chosen_with_a_link_to_the_other(town: Town, folder: Path) -> None:
    status, html = page(town, "/guide/cases", **{"Accept-Language": "zh-CN"})
    assert status == 200
    assert '<div lang="zh-CN"><h1 id="cases">案件</h1>' in html
    assert '<a href="/guide/cases?lang=en" hreflang="en" lang="en">' in _article(html)
    status, html = page(town, "/guide/cases", **{"Accept-Language": "en"})
    assert '<div lang="en"><h1 id="cases">Cases</h1>' in html
    assert '<a href="/guide/cases?lang=zh" hreflang="zh-CN" lang="zh-CN">' in _article(html)


def test_a_page_without_chinese_falls_back_to_english_and_says_so(town: Town, folder: Path) -> None:
    html = _article(page(town, "/guide/patrols", **{"Accept-Language": "zh-CN"})[1])
    assert "这一页还没有中文" in html
    assert '<div lang="en"><h1 id="patrols">Patrols</h1>' in html
    assert "hreflang" not in html
    assert "这一页还没有中文" not in _article(page(town, "/guide/cases", **{"Accept-Language": "zh-CN"})[1])
    assert "not yet in English" not in _article(page(town, "/guide/patrols", **{"Accept-Language": "en"})[1])


def test_contents_stand_in_the_order_of_the_front_page_in_the_tongue_of_the_reader(town: Town, folder: Path) -> None:
    html = page(town, "/guide", **{"Accept-Language": "zh-CN"})[1]
    assert _contents(html) == [("/guide", "使用指南"), ("/guide/patrols", "Patrols"), ("/guide/cases", "案件")]


def test_links_between_pages_keep_the_tongue_that_the_address_asks_for(town: Town, folder: Path) -> None:
    html = page(town, "/guide/cases?lang=zh", **{"Accept-Language": "en"})[1]
    assert 'href="/guide/people?lang=zh#log-in"' in html
    assert _contents(html)[1:] == [("/guide/patrols?lang=zh", "Patrols"), ("/guide/cases?lang=zh", "案件")]
    client = town.client()
    assert client.get("/guide/index.md?lang=en").location == "/guide?lang=en"
    html = client.get("/guide/cases").text  # the choice was kept
    assert 'href="/guide/people#log-in"' in html
    assert '<h1 id="cases">Cases</h1>' in html


def test_anchors_are_the_same_in_both_tongues(town: Town, folder: Path) -> None:
    for tongue in ("zh-CN", "en"):
        html = _article(page(town, "/guide/cases", **{"Accept-Language": tongue})[1])
        assert re.findall(r'<h\d id="([^"]*)"', html) == ["cases", "bring-them-in", "again", "again-1"]


def test_chinese_lines_join_without_a_space() -> None:
    assert handbook.render_markdown("一，\n二 `a`\n三\n**四**\nfive\n") == (
        "<p>一，二 <code>a</code>\n三<strong>四</strong>\nfive</p>\n"
    )


def test_what_may_scroll_can_be_reached_by_keys() -> None:
    html = handbook.render_markdown("| a |\n|---|\n| b |\n\n```\nmapsvc\n```\n\n`<pre>`\n")
    assert '<table tabindex="0">' in html
    assert html.count('<pre tabindex="0">') == 1


@pytest.mark.parametrize("name", ["secret", "zh", "zh.index", "..%2Fzh%2Findex", "INDEX", "cases.zh", "a" * 3000, ""])
def test_what_is_no_page_is_not_found(town: Town, folder: Path, name: str) -> None:
    assert page(town, f"/guide/{name}")[0] == 404


@pytest.mark.parametrize("name", handbook.list_names())
def test_no_anchor_of_a_page_is_taken_twice(town: Town, name: str) -> None:
    html = page(town, f"/guide/{name}" if name != "index" else "/guide")[1]
    twice = [anchor for anchor, count in Counter(re.findall(r'\sid="([^"]*)"', html)).items() if count > 1]
    assert twice == []


PIECES = {
    "area_card", "area_figures", "case_cards", "case_points", "ground_tile", "insight_frames", "map_chiefs", "map_file",
    "map_search", "photo", "report_nearby", "report_preview", "session_now", "start", "track_photo", "track_qr",
}  # fmt: skip
"""What is no page of its own: pieces of pages, pictures, data for scripts, a redirect."""


def test_every_page_but_the_guide_has_its_chapter(town: Town) -> None:
    rules = [rule for rule in town.app.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    reading = {rule.endpoint.removeprefix("pages.") for rule in rules if "GET" in (rule.methods or ())}
    assert reading - PIECES - {"guide", "guide_page"} <= set(handbook.CHAPTERS)
    assert set(handbook.CHAPTERS) <= {rule.endpoint.removeprefix("pages.") for rule in rules}


@pytest.mark.parametrize("chapter", sorted(set(handbook.CHAPTERS.values())))
def test_every_chapter_that_a_page_leads_to_is_there(chapter: str) -> None:
    name, _, anchor = chapter.partition("#")
    found = handbook.find_chapter(name, "en")
    assert not anchor or anchor in handbook.list_anchors(found.text)


@pytest.mark.parametrize(
    ("path", "who", "chapter"),
    [
        ("/report", "", "/guide/residents#reporting"),
        ("/track", "", "/guide/residents#following"),
        ("/", "", "/guide/maps#the-city-map"),
        ("/office", "dispatcher", "/guide/workday"),
        ("/cases", "dispatcher", "/guide/cases"),
        ("/cases/none", "dispatcher", "/guide/cases#workflows"),
        ("/nowhere", "", "/guide"),
    ],
)
def test_menu_and_foot_lead_to_the_chapter_of_the_page(town: Town, path: str, who: str, chapter: str) -> None:
    html = town.client().get(path, headers={"Accept": "text/html", **town.headers(who)}).get_data(as_text=True)
    menu = re.search(r'<a href="([^"]*)">(?:(?!</a>).)*使用指南</a>', html)
    assert menu
    assert menu[1] == chapter
    foot = re.search(r'<footer class="foot">.*<a href="([^"]*)">本页说明</a>', html)
    assert path == "/" or (foot and foot[1] == chapter)


def test_the_guide_itself_needs_no_help(town: Town) -> None:
    assert "本页说明" not in page(town, "/guide/cases")[1]
