"""What the program itself wrote into a history is shown in one tongue; what a person wrote stands as it was written."""

from __future__ import annotations

import re

import pytest

from mapsvc.base.paths import PACKAGE
from mapsvc.web.present.caseview import own_words

LITERAL = re.compile(r'"([^"]*[一-鿿][^"]* / [a-z][^"]*)"')


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        ("退回3次, 自动提级 / returned 3 times", "退回3次, 自动提级", "returned 3 times"),
        (
            "界线调整, 按第2版次重新认定 / borders of generation 2: 01网格(甲) → 02网格(乙)",
            "界线调整, 按第2版次重新认定: 01网格(甲) → 02网格(乙)",
            "borders of generation 2: 01网格(甲) → 02网格(乙)",
        ),
        ("任职变动, 交接 / posts changed: 未落格(—) → A/B区(乙)", "任职变动, 交接: 未落格(—) → A/B区(乙)", None),
        ("", "", ""),
        ("plain", "plain", "plain"),
        ("东侧 / 西侧", "东侧 / 西侧", "东侧 / 西侧"),
    ],
)
def test_the_programs_own_reason_is_said_in_one_tongue(reason: str, zh: str, en: str | None) -> None:
    assert own_words("zh", reason) == zh
    assert en is None or own_words("en", reason) == en


def test_every_reason_that_the_program_keeps_in_both_tongues_is_told_apart() -> None:
    """So that a sentence of another form cannot be written somewhere and be shown half-translated."""
    services = (PACKAGE / "cases" / "service").rglob("*.py")
    kept = [found for path in services for found in LITERAL.findall(path.read_text(encoding="utf-8"))]
    assert len(kept) >= 5
    for reason in kept:
        said = re.sub(r"\{[^}]*\}", "7", reason)
        assert "/" not in own_words("zh", said), reason
        assert not re.search("[一-鿿]", own_words("en", said)), reason
