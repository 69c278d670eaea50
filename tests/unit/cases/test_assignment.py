"""Who answers, decided from values alone, and the sentence that says why."""

from __future__ import annotations

from datetime import date

import pytest

from mapsvc.areas.rules.located import AreaAt, Candidate, Located, Responsible
from mapsvc.cases.rules import reason
from mapsvc.cases.rules.assignment import decide, decide_for_area, first_in_post, next_level_up, path_through
from mapsvc.cases.rules.standing import Place, persons_of, roles_on
from mapsvc.people.rules.actor import SYSTEM, Actor, RoleHeld

ON = date(2026, 11, 23)
CHAIN = ("patch", "community", "street", "district")
ORDER = ("district", "street", "community", "patch", "grid")
GRID, PATCH, COMMUNITY, STREET, DISTRICT = (
    AreaAt(level, number, number * 10, f"{level}1", f"{level} one")
    for number, level in enumerate(("grid", "patch", "community", "street", "district"), start=1)
)
OTHER_PATCH = AreaAt("patch", 20, 200, "patch2", "patch two")
NAMES = {"patch": ("片区", "patch"), "community": ("社区", "community"), "street": ("街道", "street")}


class Posts:
    """Who is in post, by area."""

    def __init__(self, *held: int, stand_in: str = "") -> None:
        self.held = held
        self.stand_in = stand_in

    def responsible(self, area_id: int, on: date) -> Responsible | None:
        if area_id not in self.held:
            return None
        return Responsible(area_id * 100, f"person {area_id}", False, self.stand_in, 1, "文1号", "chief")


def located(certainty: float = 1.0, rule: str = "inside", candidates: tuple[Candidate, ...] = ()) -> Located:
    areas = (GRID, PATCH, COMMUNITY, STREET, DISTRICT)
    return Located(areas, candidates, rule, 0.0, certainty, 7, "patch")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "owner", "vacant"),
    [
        ((2, 3, 4), PATCH, ()),
        ((3, 4), COMMUNITY, (PATCH,)),
        ((4,), STREET, (PATCH, COMMUNITY)),
        ((1,), PATCH, ()),  # a grid chief is not in the chain: the patch keeps it, without a person
        ((), PATCH, ()),
    ],
)
def test_the_first_level_with_somebody_in_post_owns_the_case(
    held: tuple[int, ...], owner: AreaAt, vacant: tuple[AreaAt, ...]
) -> None:
    decision = decide(located(), Posts(*held), CHAIN, ON, certain=0.95)
    assert (decision.owner, decision.vacant) == (owner, vacant)
    assert (decision.responsible is None) == (owner.area_id not in held)
    assert ("nobody_in_post" in decision.notices) == (decision.responsible is None)


@pytest.mark.parametrize(("certainty", "edge"), [(1.0, False), (0.95, False), (0.9499, True), (0.5, True)])
def test_below_certain_it_is_an_edge_case(certainty: float, edge: bool) -> None:
    sides = (Candidate(2, "patch", "patch1", "one", certainty), Candidate(0, "patch", "", "", 1 - certainty))
    decision = decide(located(certainty, "edge" if edge else "inside", sides), Posts(2), CHAIN, ON, certain=0.95)
    assert decision.edge is edge
    assert [side.area_id for side in decision.sides] == [2, None], "outside is a possibility too, and no area"


def test_a_point_in_no_area_of_the_chain_is_unplaced() -> None:
    nowhere = Located((), (), "none", 0.0, 0.0, 7)
    decision = decide(nowhere, Posts(2), CHAIN, ON, certain=0.95)
    assert decision.unplaced
    assert (decision.rule, decision.edge, decision.certainty) == ("none", False, 0.0)
    assert decision.notices == ("unplaced",)


def test_one_level_up_follows_the_chain_from_the_point() -> None:
    path = (DISTRICT, STREET, COMMUNITY, PATCH, GRID)
    assert next_level_up(path, CHAIN, "patch") == (COMMUNITY, STREET, DISTRICT)
    assert next_level_up(path, CHAIN, "district") == ()
    assert next_level_up(path, CHAIN, "grid") == (PATCH, COMMUNITY, STREET, DISTRICT)
    assert next_level_up((DISTRICT, PATCH), CHAIN, "patch") == (DISTRICT,), "levels that a place lacks are skipped"


def test_a_case_that_goes_to_the_other_side_takes_its_path_with_it() -> None:
    path = (DISTRICT, STREET, COMMUNITY, PATCH, GRID)
    assert path_through(PATCH, (DISTRICT,), path, ORDER) == path
    assert path_through(OTHER_PATCH, (DISTRICT,), path, ORDER) == (DISTRICT, STREET, COMMUNITY, OTHER_PATCH)
    decision = decide_for_area(
        OTHER_PATCH, (DISTRICT, STREET, COMMUNITY, OTHER_PATCH), Posts(3), CHAIN, ON, rule="decided", generation=7
    )
    assert (decision.owner, decision.vacant, decision.certainty) == (COMMUNITY, (OTHER_PATCH,), 1.0)


def test_nobody_to_ask_is_nobody() -> None:
    assert first_in_post((), Posts(), ON) == (None, None, ())


def test_the_reason_is_written_from_recorded_facts_in_both_tongues() -> None:
    decision = decide(located(), Posts(3, stand_in="acting"), CHAIN, ON, certain=0.95, office_only=True)
    zh, en = reason.split(reason.both(decision, NAMES))
    for fact in ("district one › street one", "界线第7版次", "点位在界内", "patch one无人任职", "社区“community one”",
                 "person 3(代理)", "文1号", "主要责任主体"):  # fmt: skip
        assert fact in zh
    for fact in ("generation 7", "lies inside", "nobody is in post for patch one", "the community community one",
                 "person 3 (acting)", "文1号", "main responsible body"):  # fmt: skip
        assert fact in en
    assert "\n" not in zh + en


def test_every_rule_has_its_words() -> None:
    for rule in ("inside", "edge", "nearest", "side", "manual", "hand_over", "decided", "raised"):
        decision = decide_for_area(PATCH, (PATCH,), Posts(2), CHAIN, ON, rule=rule, generation=7)
        assert reason.in_chinese(decision, NAMES).endswith("person 2, 任职文件 文1号。")
        assert reason.in_english(decision, NAMES).endswith("person 2, by document 文1号.")


PLACE = Place(frozenset({1, 2, 3, 4, 5}), unit_id=9, handover_area_id=20)


@pytest.mark.parametrize(
    ("held", "step", "found"),
    [
        (RoleHeld("area_chief", area_id=2), "", {"area_chief"}),
        (RoleHeld("area_chief", area_id=20), "", set()),
        (RoleHeld("area_chief", area_id=20), "accept_hand_over", {"area_chief"}),
        (RoleHeld("area_chief", area_id=2), "accept_hand_over", set()),
        (RoleHeld("street", area_id=4), "", {"street"}),
        (RoleHeld("street"), "", set()),
        (RoleHeld("patrol"), "", set()),
        (RoleHeld("patrol", area_id=3), "", {"patrol"}),
        (RoleHeld("dispatcher"), "", {"dispatcher"}),
        (RoleHeld("dispatcher", area_id=99), "", set()),
        (RoleHeld("unit_staff", unit_id=9), "", {"unit_staff"}),
        (RoleHeld("unit_staff", unit_id=8), "", set()),
        (RoleHeld("unit_staff"), "", set()),
        (RoleHeld("leader"), "", set()),
        (RoleHeld("admin"), "", set()),
    ],
)
def test_in_which_roles_somebody_stands_before_a_case(held: RoleHeld, step: str, found: set[str]) -> None:
    assert set(roles_on(Actor(1, "x", (held,)), PLACE, step=step)) == found


def test_an_unplaced_case_is_every_desks() -> None:
    desk = Actor(1, "x", (RoleHeld("dispatcher", area_id=99),))
    assert set(roles_on(desk, Place(frozenset(), unplaced=True))) == {"dispatcher"}


def test_the_program_and_the_reporter_stand_there_as_such() -> None:
    assert set(roles_on(SYSTEM, PLACE)) == {"system"}
    assert set(roles_on(Actor(None, ""), PLACE, reporter=True)) == {"reporter"}


def test_ones_own_post_goes_before_one_held_for_somebody_else() -> None:
    behalf, own = RoleHeld("area_chief", area_id=2, for_person_id=50), RoleHeld("area_chief", area_id=2)
    for roles in ((behalf, own), (own, behalf)):
        assert roles_on(Actor(1, "x", roles), PLACE)["area_chief"] is own
    actor = Actor(1, "x", (behalf,), person_id=7)
    assert persons_of(actor, behalf) == {7, 50}
    assert persons_of(actor, None) == {7}
