"""Modules as one script: the same exports in the same order of work, and a plain refusal of what is not plain."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mapsvc.base.errors import Misconfigured
from mapsvc.base.paths import static_dir
from mapsvc.maps.bundle import bundle
from mapsvc.maps.standalone import ENTRY, INSTEAD


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        path = folder / f"{name.replace('__', '/')}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def run(script: str) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_exports_of_every_kind_work_as_modules_do(tmp_path: Path) -> None:
    write(
        tmp_path,
        a='import { one as uno, two } from "./sub/b.js";\nexport { three } from "./sub/c.js";\n'
        "export const sum = () => uno() + two;\nexport class Box {\n  name = String(uno());\n}\n",
        sub__b='import {\n  three,\n} from "./c.js";\nexport function one() {\n  return three;\n}\n'
        "export const two = 20;\nexport async function later() {}\nexport function* many() {\n  yield two;\n}\n",
        sub__c='export const three = 300; // import { this } from "nowhere"\n',
    )
    script = bundle(tmp_path, "a.js", "made")
    assert run(f"{script}; console.log(made.sum(), made.three, new made.Box().name)") == "320 300 300"
    assert script.count("300; //") == 1, "a module that two others import is there once"


def test_one_module_may_stand_in_for_another(tmp_path: Path) -> None:
    write(
        tmp_path,
        a='import { x } from "./b.js";\nexport const y = x;\n',
        b='import "nothing";\n',
        c="export const x = 7;\n",
    )
    assert run(f"{bundle(tmp_path, 'a.js', 'made', {'b.js': 'c.js'})}; console.log(made.y)") == "7"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('import all from "./b.js";\n', "not understood"),
        ('import * as b from "./b.js";\n', "not understood"),
        ('import "./b.js";\n', "not understood"),
        ("export default 1;\n", "not understood"),
        ("export let count = 1;\n", "not understood"),
        ("const a = 1;\nexport { a };\n", "not understood"),
        ('const b = await import("./b.js");\n', "not understood"),
        ('import { b } from "lodash";\n', "no relative address"),
        ('import { b } from "./missing.js";\n', "not there"),
        ('import { b } from "./a.js";\n', "imports itself"),
    ],
)
def test_what_is_not_plain_is_refused(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path, a=text, b="export const b = 1;\n")
    with pytest.raises(Misconfigured, match=why):
        bundle(tmp_path, "a.js", "made")


def test_our_own_modules_are_plain_and_fetch_nothing() -> None:
    script = bundle(static_dir() / "js", ENTRY, "mapsvc", INSTEAD)
    for word in ("fetch(", "XMLHttpRequest", "import(", "serviceWorker", "localStorage"):
        assert word not in script
