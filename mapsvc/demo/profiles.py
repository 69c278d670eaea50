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
    river_name: str
    river: Course
    river_width_m: float
    railway: Course
    old_town: tuple[float, float, float]
    new_town: Sequence[tuple[float, float, float]]
    landmarks: Sequence[tuple[float, float, str]]


@dataclass(frozen=True)
class Targets:
    """Figures of a district that the last 90 days of its town print, to the digit; 0 where nothing is told.

    `findings` are what was found within the finders' own power to mend, `instant` of them on the spot. `received`
    = `closed` + `in_time` + what is overdue, which is nothing.
    """

    findings: int = 0
    instant: int = 0
    received: int = 0
    closed: int = 0
    in_time: int = 0


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
    targets: Targets
    plan: Plan
    walks: int
    """Patrols on foot in a year."""


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
    targets=Targets(findings=1_584, instant=1_206),
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
                (
                    (-3600, 215),
                    (-2300, -60),
                    (-1200, -255),
                    (-500, -235),
                    (100, -245),
                    (700, -295),
                    (1250, -325),
                    (2350, -150),
                    (3700, -330),
                ),
                "promenade",
            ),
        ),
        river_name="青水河",
        river=(
            (-3600, 120),
            (-2400, -160),
            (-1200, -360),
            (-500, -330),
            (100, -345),
            (700, -400),
            (1250, -420),
            (2450, -240),
            (3700, -420),
        ),
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
    walks=700,
)

HEPING = Profile(
    name="heping",
    district=("990102", "锦和区"),
    display_name="锦和区网格地图",
    centre=(122.604, 41.706),
    seed=20_261_124,
    street_names=(
        "北安街道",
        "站前街道",
        "光荣街道",
        "胜利街道",
        "文萃街道",
        "科技街道",
        "西江街道",
        "中兴街道",
        "南安街道",
        "南华街道",
    ),
    communities=112,
    grids=839,
    patches=56,
    heads=0,
    branches=860,
    targets=Targets(received=4_663, closed=3_099, in_time=1_564),
    plan=Plan(
        outline=(
            Avenue("铁路", ((-3520, 2330), (-2000, 2620), (0, 2780), (2000, 2700), (3560, 2420)), "rail"),
            Avenue(
                "东环路",
                ((3560, 2420), (3800, 1300), (3720, 100), (3850, -1200), (3760, -1950), (3450, -2380)),
            ),
            Avenue(
                "南环路",
                (
                    (3450, -2380),
                    (2700, -2640),
                    (1200, -2800),
                    (0, -2850),
                    (-1600, -2790),
                    (-2800, -2600),
                    (-3300, -2260),
                ),
            ),
            Avenue(
                "西环路",
                ((-3300, -2260), (-3560, -1700), (-3680, -900), (-3750, 200), (-3660, 1300), (-3520, 2330)),
            ),
        ),
        avenues=(
            Avenue(
                "北安路",
                ((-4200, 1760), (-2400, 1900), (-900, 1960), (800, 1930), (2300, 1880), (4300, 1960)),
                "secondary",
            ),
            Avenue("中兴路", ((-4300, 1120), (-2500, 1180), (-900, 1230), (700, 1180), (2200, 1130), (4300, 1210))),
            Avenue("和平大路", ((-4400, 380), (-2400, 420), (-100, 450), (1400, 400), (2600, 360), (4400, 480))),
            Avenue(
                "兴业路",
                ((-4300, -420), (-2300, -330), (-600, -300), (900, -370), (2300, -430), (4400, -330)),
                "secondary",
            ),
            Avenue(
                "南安路", ((-4200, -1180), (-2200, -1100), (-500, -1120), (1000, -1190), (2500, -1130), (4400, -1230))
            ),
            Avenue(
                "南华路",
                ((-4100, -2020), (-2200, -1930), (-500, -1960), (1000, -2020), (2500, -1950), (4300, -1990)),
                "secondary",
            ),
            Avenue(
                "西江街", ((-2720, 2820), (-2780, 1200), (-2700, 400), (-2640, -400), (-2750, -1100), (-2800, -2900))
            ),
            Avenue(
                "光荣街",
                ((-900, 2980), (-850, 1960), (-900, 1200), (-820, 430), (-840, -300), (-760, -1120), (-800, -3100)),
            ),
            Avenue(
                "胜利大街",
                ((-160, 3050), (-110, 1960), (-130, 1210), (-100, 450), (-60, -320), (-110, -1140), (-40, -3150)),
            ),
            Avenue(
                "文萃街",
                ((720, 3050), (660, 1930), (640, 1180), (700, 430), (660, -350), (720, -1170), (700, -3100)),
                "secondary",
            ),
            Avenue(
                "青年大街",
                ((1420, 3020), (1440, 1910), (1400, 1150), (1420, 400), (1480, -400), (1430, -1180), (1500, -3080)),
            ),
            Avenue(
                "科技街",
                ((2260, 2980), (2200, 1880), (2240, 1130), (2180, 370), (2230, -420), (2200, -1130), (2260, -3050)),
                "secondary",
            ),
            Avenue(
                "东华街",
                ((2980, 2900), (3010, 1900), (2950, 1150), (3000, 400), (2960, -380), (3020, -1180), (2950, -2850)),
                "secondary",
            ),
            Avenue("站前大道", ((-100, 450), (260, 1200), (560, 1920), (860, 2980)), "secondary"),
            Avenue("民族路", ((-100, 450), (680, -330), (1440, -1160), (2230, -1960), (2900, -2760)), "secondary"),
            Avenue("新开路", ((-100, 450), (-880, 1210), (-1760, 1925), (-2740, 2680)), "secondary"),
            Avenue("长虹路", ((-100, 450), (-830, -290), (-1480, -1060)), "secondary"),
            Avenue(
                "滨江路",
                (
                    (-1560, 4100),
                    (-1640, 2950),
                    (-1900, 1560),
                    (-1470, 340),
                    (-1300, -700),
                    (-1790, -1900),
                    (-2090, -3050),
                    (-2200, -4200),
                ),
                "promenade",
            ),
        ),
        river_name="锦水河",
        river=(
            (-1700, 4300),
            (-1800, 2950),
            (-2060, 1500),
            (-1630, 300),
            (-1460, -700),
            (-1960, -1950),
            (-2260, -3050),
            (-2400, -4400),
        ),
        river_width_m=135,
        railway=((-5200, 1820), (5200, 1900)),
        old_town=(-60, 520, 1250),
        new_town=((-2700, -1500, 950), (2900, -1200, 950), (2500, 1500, 700), (-3100, 900, 600)),
        landmarks=(
            (980, 2560, "station"),
            (200, 820, "market"),
            (1750, 760, "college"),
            (-500, -640, "park"),
            (2550, 40, "park"),
            (1050, -760, "hospital"),
            (-2900, -700, "hospital"),
            (-3050, -1500, "stadium"),
            (3350, 2050, "works"),
            (3350, -1700, "works"),
            (-3250, 1900, "works"),
            (-2950, 2250, "works"),
            (-380, -1500, "offices"),
            (350, 80, "offices"),
            (1800, -1600, "offices"),
            (2600, 1550, "offices"),
            (1050, 1550, "market"),
            (-350, -2350, "college"),
            (2600, -2300, "square"),
            (-1250, -2350, "park"),
            (300, -1500, "hospital"),
        ),
    ),
    walks=900,
)

PROFILES = {profile.name: profile for profile in (SUZHOU, HEPING)}
