"""The two towns of the demo: how large, how divided, along which avenues. Both are invented.

The counts are those of real districts (`figures`); the ground, every name and every person are not.
Plans are drawn in metres east and north of the town's centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Course = Sequence[tuple[float, float]]
"""The points that a street, river or railway passes, in metres; drawn as a smooth line through them."""


@dataclass(frozen=True)
class Avenue:
    """A main street of the plan, by its name; `kind` is `arterial`, `secondary` or `promenade` (divides nothing)."""

    name: str
    course: Course
    kind: str = "arterial"


@dataclass(frozen=True)
class Plan:
    """What of a town is drawn by hand: its outline, avenues, river and railway.

    The outline is a list of sides that meet at their ends; each is a ring road, a railway or a river bank.
    `old_town`, `new_town` are centres (x, y) and radii in metres: density falls from the first, towers stand
    in the second. `landmarks` are (x, y, use): the ground there is a grid of its own (专属).
    """

    outline: Sequence[Avenue]
    avenues: Sequence[Avenue]
    river: Course
    river_width_m: float
    railway: Course
    old_town: tuple[float, float, float]
    new_town: Sequence[tuple[float, float, float]]
    landmarks: Sequence[tuple[float, float, str]]


@dataclass(frozen=True)
class Profile:
    """One town: its codes, counts and plan."""

    name: str
    district: tuple[str, str]
    display_name: str
    centre: tuple[float, float]
    seed: int
    street_names: tuple[str, ...]
    communities: int
    grids: int
    patches: int
    heads: int
    """Posts in all: chiefs of streets, communities, patches and grids; the rest of compounds, buildings and groups."""
    branches: int
    """Party branches, each with one grid; 0 where the town tells nothing of them."""
    plan: Plan


SUZHOU = Profile(
    name="suzhou",
    district=("990101", "青禾区"),
    display_name="青禾区网格地图",
    centre=(123.062, 41.914),
    seed=20_261_123,
    street_names=("东升街道", "西苑街道", "南湖街道", "北园街道"),
    communities=21,
    grids=147,
    patches=22,
    heads=6_550,
    branches=0,
    plan=Plan(
        outline=(
            Avenue("铁路", ((-1560, 1130), (-900, 1330), (0, 1440), (900, 1420), (1560, 1270)), "rail"),
            Avenue("东环路", ((1560, 1270), (1730, 700), (1700, 0), (1760, -560), (1690, -900), (1540, -1080))),
            Avenue(
                "南环路",
                (
                    (1540, -1080),
                    (1300, -1180),
                    (900, -1290),
                    (100, -1370),
                    (-700, -1330),
                    (-1160, -1250),
                    (-1400, -1090),
                ),
            ),
            Avenue("西环路", ((-1400, -1090), (-1540, -880), (-1640, -520), (-1690, 200), (-1560, 1130))),
        ),
        avenues=(
            Avenue("解放路", ((-2200, 160), (-900, 210), (-40, 170), (800, 120), (2250, 190))),
            Avenue("人民路", ((-1900, 700), (-800, 760), (0, 770), (900, 740), (1950, 800)), "secondary"),
            Avenue("南湖路", ((-1750, -860), (-700, -930), (100, -900), (900, -840), (1950, -860)), "secondary"),
            Avenue("建设街", ((-90, 1500), (-60, 800), (-40, 170), (-90, -400), (-30, -900), (-10, -1600))),
            Avenue("新华街", ((-860, 1390), (-800, 760), (-850, 200), (-760, -420), (-800, -930), (-820, -1500))),
            Avenue(
                "文化街", ((760, 1500), (740, 750), (790, 120), (690, -420), (760, -850), (790, -1450)), "secondary"
            ),
            Avenue("朝阳街", ((1300, 1440), (1260, 770), (1270, 140), (1230, -480)), "secondary"),
            Avenue("迎宾大道", ((540, 1500), (360, 900), (160, 460), (-40, 170)), "secondary"),
            Avenue("友谊路", ((-40, 170), (-420, 480), (-800, 760), (-1080, 1030), (-1370, 1290)), "secondary"),
            Avenue(
                "滨河路",
                ((-3600, 215), (-2300, -60), (-1200, -255), (-500, -235), (100, -245), (700, -295), (1250, -325), (2350, -150), (3700, -330)),
                "promenade",
            ),
        ),
        river=((-3600, 120), (-2400, -160), (-1200, -360), (-500, -330), (100, -345), (700, -400), (1250, -420), (2450, -240), (3700, -420)),
        river_width_m=62,
        railway=((-3600, 480), (3600, 860)),
        old_town=(-60, 260, 640),
        new_town=((-950, -980, 620), (1150, -820, 520)),
        landmarks=(
            (420, 1360, "station"),
            (-330, -90, "park"),
            (180, 330, "market"),
            (-1150, 480, "hospital"),
            (420, -1100, "stadium"),
            (1560, 1040, "works"),
            (-480, 1160, "works"),
            (1000, 480, "college"),
        ),
    ),
)

PROFILES = {profile.name: profile for profile in (SUZHOU,)}
