"""Where the compiled loops come from: loaded on first use, their cache kept where it can be written.

numba compiles a loop once and keeps the result beside the module or below the home folder. In a read-only
install under a user without a home neither can be written, and numba then refuses to load at all; so a folder
is named before the first load.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

_FOLDER = "numba"


def prepare_kernels(cache_dir: Path | None) -> None:
    """Choose where compiled loops are kept; call it before the first index is built or asked.

    An environment with `NUMBA_CACHE_DIR` is left as it is, and so is an install whose own folder can be written. Else
    `cache_dir/numba` is used, or a new temporary folder when `cache_dir` is None, which costs every process some
    seconds of compiling.
    """
    if os.environ.get("NUMBA_CACHE_DIR") or _can_write(Path(__file__).parent / "__pycache__"):
        return
    if cache_dir is None:
        folder = Path(tempfile.mkdtemp(prefix="mapsvc-numba-"))
    else:
        folder = cache_dir / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        # It read its environment when it was imported.
        sys.modules["numba"].config.reload_config()


def ask_kernels() -> ModuleType:
    """Return the loops that answer points."""
    return _load("mapsvc.geo.locate.ask_kernels")


def build_kernels() -> ModuleType:
    """Return the loops that build an index."""
    return _load("mapsvc.geo.locate.build_kernels")


@cache
def _load(name: str) -> ModuleType:
    prepare_kernels(None)
    return import_module(name)


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
