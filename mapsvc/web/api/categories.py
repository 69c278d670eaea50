"""`/api/v1/categories` and `/api/v1/levels`: the words that the other routes take and answer."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from mapsvc.catalog import Category, Condition, Kind, Levels
from mapsvc.web.contract import Answer, operation
from mapsvc.web.guard import permission
from mapsvc.web.parts import parts
from mapsvc.web.respond import entity_tag, json_response, tagged, unchanged

blueprint = Blueprint("categories", __name__)


@dataclass(frozen=True)
class ConditionAnswer:
    """One filing condition with its term: an amount in one of the four units of time."""

    code: str
    zh: str
    en: str
    term: float
    unit: str
    instant_fix: bool
    emergency: bool


@dataclass(frozen=True)
class CategoryAnswer:
    """One category; a retired one still names old cases and is not taken for new ones."""

    code: str
    zh: str
    en: str
    major: str
    tile: str
    emergency: bool
    retired: bool
    conditions: tuple[ConditionAnswer, ...]


@dataclass(frozen=True)
class Name:
    """A code with its words."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class CategoriesAnswer:
    """All categories of the edition in use; `tiles` are the large choices of the public form."""

    edition: str
    majors: tuple[Name, ...]
    tiles: tuple[Name, ...]
    categories: tuple[CategoryAnswer, ...]


@dataclass(frozen=True)
class LevelAnswer:
    """One level of areas."""

    code: str
    zh: str
    en: str
    nests_in: tuple[str, ...]
    coverage: bool
    legal: bool
    chief_zh: str
    chief_en: str
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class LevelsAnswer:
    """All levels, coarsest first, and the default chain of owners, first owner first."""

    levels: tuple[LevelAnswer, ...]
    answers: tuple[str, ...]


def _condition(condition: Condition) -> ConditionAnswer:
    return ConditionAnswer(
        condition.code, condition.zh, condition.en, condition.term.amount, condition.term.unit, condition.instant_fix,
        condition.emergency,
    )  # fmt: skip


def _category(category: Category) -> CategoryAnswer:
    return CategoryAnswer(
        category.code, category.zh, category.en, category.major, category.tile, category.emergency, category.retired,
        tuple(_condition(condition) for condition in category.conditions),
    )  # fmt: skip


@blueprint.get("/v1/categories")
@permission("public")
@operation(
    "List the categories of problems, with filing conditions and terms.",
    {200: Answer("All categories.", CategoriesAnswer)},
)
def list_categories() -> Response:
    found = parts().categories
    answer = CategoriesAnswer(
        edition=found.edition,
        majors=tuple(Name(major.code, major.zh, major.en) for major in found.majors),
        tiles=tuple(Name(tile.code, tile.zh, tile.en) for tile in found.tiles),
        categories=tuple(_category(category) for category in found),
    )
    tag = entity_tag(answer)
    return unchanged(tag, public=True) or tagged(json_response(answer), tag, public=True)


@blueprint.get("/v1/levels")
@permission("public")
@operation("List the levels of areas.", {200: Answer("All levels, coarsest first.", LevelsAnswer)})
def list_levels() -> Response:
    return json_response(present_levels(parts().levels))


def present_levels(levels: Levels) -> LevelsAnswer:
    """Return all levels as they leave the house."""
    return LevelsAnswer(
        tuple(
            LevelAnswer(
                one.code, one.zh, one.en, one.nests_in, one.coverage, one.legal, one.chief_zh, one.chief_en, one.kinds
            )
            for one in levels
        ),
        levels.chain(),
    )
