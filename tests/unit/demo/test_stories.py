"""Stories are seeded, lie in the past and inside the town, and cover what a district sees."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO

import shapely
from PIL import Image

from mapsvc.base import paths
from mapsvc.catalog import load_categories, load_levels
from mapsvc.demo.pictures import draw_street
from mapsvc.demo.staff import ACCOUNTS, CHIEFS, NO_CHIEF, UNITS, make_posts
from mapsvc.demo.stories import DAYS, REPORTED, make_stories
from mapsvc.demo.town import make_town
from mapsvc.people.rules.actor import ROLES

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def test_stories_lie_in_the_last_three_months_oldest_first() -> None:
    stories = make_stories(make_town(), 400, NOW, 5)
    moments = [story.at for story in stories]
    assert moments == sorted(moments)
    assert NOW - timedelta(days=DAYS + 1) <= moments[0]
    assert moments[-1] < NOW


def test_stories_lie_inside_the_town() -> None:
    town = make_town()
    district = town.at("district")[0].border
    assert all(shapely.contains_xy(district, story.lon, story.lat) for story in make_stories(town, 200, NOW, 5))


def test_the_same_seed_tells_the_same_stories() -> None:
    town = make_town()
    assert make_stories(town, 60, NOW, 5) == make_stories(town, 60, NOW, 5)
    assert make_stories(town, 60, NOW, 5) != make_stories(town, 60, NOW, 6)


def test_findings_cluster_and_every_channel_is_used() -> None:
    stories = make_stories(make_town(), 1500, NOW, 5)
    by_place = Counter(story.place_text for story in stories)
    assert by_place.most_common(1)[0][1] > 2.5 * 1500 / 147
    assert {story.channel for story in stories} == {"patrol", "public", "hotline", "staff"}
    assert {"mended", "late", "returned", "refused", "reopened"} <= {story.fate for story in stories}


def test_every_category_told_of_is_in_the_catalog_with_its_condition() -> None:
    levels = load_levels(paths.data_dir() / "levels.toml")
    categories = load_categories(paths.data_dir() / "categories.toml", levels)
    for code, (_, condition, texts) in REPORTED.items():
        assert not categories.get(code).retired
        categories.get(code).get_condition(condition)
        assert texts


def test_posts_leave_one_patch_without_a_chief() -> None:
    town = make_town()
    posts = make_posts(town)
    chiefs = {post.area_code: post.person for post in posts if post.level == "patch"}
    assert {area.code for area in town.at("patch")} - chiefs.keys() == NO_CHIEF
    assert CHIEFS.items() <= {post.area_code: post.person for post in posts}.items()
    assert len({post.person_code for post in posts}) == len(posts)


def test_there_is_a_log_in_for_every_role() -> None:
    assert {account.role for account in ACCOUNTS} == set(ROLES)
    units = {unit.code for unit in UNITS}
    assert all(account.unit in units for account in ACCOUNTS if account.role == "unit_staff")


def test_pictures_differ_before_and_after() -> None:
    before, after = draw_street(3, mended=False), draw_street(3, mended=True)
    assert before != after
    assert Image.open(BytesIO(before)).size == Image.open(BytesIO(after)).size == (480, 360)
