"""The page of figures: who sees it, and that every number leads to exactly the cases it was counted from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.storage.work import Store
from tests import town as towns
from tests.town import Town

LINK = re.compile(r'<a href="(/cases\?[^"]*figure=[^"]*)">([\d,]+)</a>')
SHOWN = re.compile(r'<h1>.*?<span class="muted number">(\d+)</span>', re.DOTALL)


@pytest.fixture
def either_town(store: Store, store_settings: Settings, clock: FixedClock) -> Iterator[Town]:
    town = towns.build(store, store_settings, clock)
    yield town
    town.close()


@pytest.fixture
def busy(either_town: Town) -> Town:
    """A town with cases of several channels in two patches, some of them late, some closed."""
    town = either_town
    refused = [town.report(column=column, row=0)[0] for column in (0, 0, 1, 3, 3)]
    for column in (0, 0, 2, 3):
        town.report("patrol" if column == 0 else "chief_0" if column < 2 else "chief_1", column=column, channel="staff")
    condition = town.get("/api/v1/categories").json
    first = next(one for one in condition["categories"] if one["code"] == "E0107")["conditions"][0]["code"]
    assert town.step(refused[0], "accept", "duty_officer", condition=first).status_code == 201
    assert town.step(refused[1], "refuse", "duty_officer", reason="nothing there").status_code == 201
    town.clock.move_to(town.clock.now().replace(day=29, hour=4))
    town.report(column=1)
    return town


def page(town: Town, path: str, who: str = "leader") -> str:
    answer = town.get(path, who)
    assert answer.status_code == 200, answer.data[:500]
    return answer.get_data(as_text=True)


def test_who_sees_figures(either_town: Town) -> None:
    assert either_town.get("/insight").status_code in (302, 401)
    for who in either_town.logins:
        sees = who in {"intake", "dispatcher", "duty_officer", "leader", "chief_0", "chief_1", "grid_chief", "street"}
        for path in ("/insight", "/insight/formulas", "/insight/frames"):
            assert either_town.get(path, who).status_code == (200 if sees else 403), (who, path)


def test_every_number_leads_to_exactly_its_cases(busy: Town) -> None:
    followed = 0
    for who in ("leader", "chief_0"):
        for address in ("/insight?window=2026-11&level=patch", "/insight?window=2026-11&rate=instant&channel=patrol"):
            for link, number in dict(LINK.findall(page(busy, address, who))).items():
                listed = page(busy, unescape(link), who)
                assert SHOWN.search(listed)[1] == number.replace(",", ""), (who, link)  # type: ignore[index]
                followed += number != "0"
    assert followed > 20


def test_a_list_marks_those_that_count(busy: Town) -> None:
    html = page(busy, "/insight?window=2026-11")
    links = {link: int(number) for link, number in LINK.findall(html) if "figure=filed" in link}
    (whole,) = [number for link, number in links.items() if "part=" not in link and "area=" not in link][:1]
    (counting,) = [number for link, number in links.items() if "part=yes" in link and "area=" not in link][:1]
    address = next(link for link in links if "part=" not in link and "area=" not in link)
    listed = page(busy, unescape(address))
    assert 0 < counting < whole
    assert listed.count('class="flag counts-in"') == 2 * counting, "once in the table and once on its card"
    assert f"{counting} " in listed


def test_somebody_sees_only_figures_of_what_they_may_see(busy: Town) -> None:
    def received(who: str) -> int:
        return int(re.search(r'<p class="tally"><span><b>(?:<a[^>]*>)?(\d+)', page(busy, "/insight", who))[1])  # type: ignore[index]

    everything = received("leader")
    own = [received(who) for who in ("chief_0", "chief_1")]
    assert everything == 10
    assert all(0 < each < everything for each in own)
    frames = busy.get("/insight/frames?level=patch", "chief_0").json
    assert frames["codes"] == ["P0"]
    assert len(frames["months"]) == len(frames["totals"]) == 12


def test_the_window_level_and_filters_stand_in_the_address(busy: Town) -> None:
    html = page(busy, "/insight?window=28d&level=grid&rate=mended&channel=patrol&area=patch:P0&show=limits&history=0")
    for chosen in ("28d", "grid", "mended", "patrol", "patch:P0", "limits"):
        assert f'<option value="{chosen}" selected>' in html, chosen
    assert "window=28d&amp;area=patch:P0&amp;channel=patrol&amp;history=0" in html


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/insight?window=nonsense", 400),
        ("/insight?window=2026-11-30..2026-11-01", 400),
        ("/insight?rate=pretty&level=moon&show=x&channel=y&area=z:1&category=%27", 200),
        ("/cases?figure=pretty", 400),
        ("/cases?figure=on_time&at=soon", 400),
        ("/cases?figure=on_time&part=maybe", 200),
    ],
)
def test_nonsense_in_the_address(either_town: Town, path: str, status: int) -> None:
    answer = either_town.get(path, "leader")
    assert answer.status_code == status, answer.data[:300]


def test_a_town_without_cases_and_one_without_areas(either_town: Town) -> None:
    html = page(either_town, "/insight")
    assert "–" in html
    assert "100 %" not in re.sub(r"<li>.*?</li>|<p.*?</p>", "", html, flags=re.DOTALL), "nothing due is no rate"


RATE = re.compile(
    r'<div><dt>(?P<title>[^<]*)</dt><dd>(?:<b>(?P<share>[^<]*)</b> <span[^>]*>[^<]*<a [^>]*href="(?P<url>[^"]*)">'
    r'n = (?P<n>\d+)</a>|<span class="muted small (?P<none>none)">)'
)


def area_rates(html: str) -> dict[str, dict[str, str]]:
    """Return the rates that a page or card of an area shows, by their titles."""
    if "area-rates" not in html:
        return {}
    return {found["title"]: found.groupdict() for found in RATE.finditer(html.split('class="area-rates"', 1)[1])}


@pytest.mark.parametrize("path", ["/patch/P0", "/areas/patch/P0/card"])
def test_an_area_shows_its_rates_and_each_number_leads_to_its_cases(busy: Town, path: str) -> None:
    shown = area_rates(page(busy, path, "chief_0"))
    assert list(shown) == ["按期结案率", "整改率", "即查即改率", "解决率"]
    told = [rate for rate in shown.values() if rate["url"]]
    assert told, "something fell due"
    for rate in told:
        found = SHOWN.search(page(busy, unescape(rate["url"]), "chief_0"))
        assert found is not None
        assert found[1] == rate["n"], rate
    assert all(rate["none"] for rate in shown.values() if not rate["url"]), "grey words, not 0 %"
    html = unescape(page(busy, path, "chief_0"))
    assert re.search(r'href="/insight\?[^"]*area=patch:P0', html)
    assert "#briefing" in html


def test_an_area_without_cases_has_grey_words_instead_of_a_rate(either_town: Town) -> None:
    html = page(either_town, "/areas/patch/P1/card", "leader")
    assert all(rate["none"] and not rate["share"] for rate in area_rates(html).values())
    assert "无到期案件，不计比率" in html
    assert " %" not in html.split('class="area-rates"', 1)[1].split("</dl>", 1)[0]


def test_who_sees_only_some_cases_of_an_area_sees_no_rate_that_bears_its_name(busy: Town) -> None:
    sees = {"intake", "dispatcher", "duty_officer", "leader", "chief_0", "street"}
    for who in busy.logins:
        answer = busy.get("/areas/patch/P0/card", who)
        if answer.status_code == 200:
            assert bool(area_rates(answer.get_data(as_text=True))) == (who in sees), who
        else:
            assert who not in sees, who
    assert not area_rates(busy.get("/areas/patch/P0/card").get_data(as_text=True))


def test_what_answers_with_a_file_is_no_form_that_a_script_sends(either_town: Town) -> None:
    form = re.search(r'<form ([^>]*action="/insight/briefing"[^>]*)>', page(either_town, "/insight"))
    assert form is not None
    assert "data-plain" in form[1]
