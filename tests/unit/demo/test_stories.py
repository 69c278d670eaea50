"""What becomes of reports: seeded fates, people who fill the posts, log-ins for every role."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from PIL import Image

from mapsvc.demo.pictures import draw_street
from mapsvc.demo.places import Spots
from mapsvc.demo.staff import ACCOUNTS, CHIEFS, NO_CHIEF, UNITS, accounts_of, make_posts
from mapsvc.demo.stories import PUNCTUAL, make_stories
from mapsvc.demo.town import Town, make_town
from mapsvc.demo.year import FINDERS, Year
from mapsvc.people.rules.actor import ROLES

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_story_tells_of_its_report(year: Year, spots: Spots) -> None:
    reports = year.draw(1200, NOW - timedelta(days=30), NOW)
    stories = make_stories(reports, spots, 5)
    assert [story.at for story in stories] == [report.at for report in reports]
    assert {"mended", "late", "returned", "refused", "reopened", "asleep"} <= {story.fate for story in stories}
    for story, report in zip(stories, reports, strict=True):
        assert (story.lon, story.lat) == (spots.lon[report.spot], spots.lat[report.spot])
        assert not story.placed or story.place_text == spots.texts[report.spot]
        assert story.placed or story.channel not in FINDERS, "a finding has the position of its finder"
    assert 0 < sum(not story.placed for story in stories) < 30
    assert stories == make_stories(reports, spots, 5)


def test_where_nothing_is_late_nobody_is_slow(year: Year, spots: Spots) -> None:
    stories = make_stories(year.draw(400, NOW - timedelta(days=5), NOW), spots, 5, PUNCTUAL)
    assert {story.fate for story in stories} == set(PUNCTUAL)
    assert max(story.pace for story in stories) <= 0.5
    assert all(story.placed for story in stories)


def test_posts_leave_one_patch_without_a_chief(suzhou: Town) -> None:
    posts = make_posts(suzhou)
    chiefs = {post.area_code: post.person for post in posts if post.level == "patch"}
    assert {area.code for area in suzhou.at("patch")} - chiefs.keys() == NO_CHIEF
    assert CHIEFS.items() <= {post.area_code: post.person for post in posts}.items()
    assert len({post.person_code for post in posts}) == len(posts)


def test_every_grid_has_a_branch_and_21_have_two() -> None:
    """G2: 839 grids, 860 party branches, each mapped onto one grid."""
    town = make_town(profile="heping")
    secretaries = [post for post in make_posts(town) if post.role == "member"]
    links = Counter(post.area_code for post in secretaries)
    assert (len(links), len(secretaries)) == (839, 860)
    assert Counter(links.values()) == {1: 818, 2: 21}
    assert len({post.person_code for post in secretaries}) == 860


def test_there_is_a_log_in_for_every_role(suzhou: Town) -> None:
    assert {account.role for account in ACCOUNTS} == set(ROLES)
    units = {unit.code for unit in UNITS}
    assert all(account.unit in units for account in ACCOUNTS if account.role == "unit_staff")
    codes = {(area.level, area.code) for area in suzhou.areas}
    for account in accounts_of(suzhou):
        assert {account.post, account.area} - {None} <= codes


def test_pictures_differ_before_and_after() -> None:
    before, after = draw_street(3, mended=False), draw_street(3, mended=True)
    assert before != after
    assert Image.open(BytesIO(before)).size == Image.open(BytesIO(after)).size == (480, 360)
