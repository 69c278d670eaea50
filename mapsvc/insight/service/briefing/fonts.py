"""The font that pictures are written with: one that has Chinese, from the machine or by a setting."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import ImageFont

from mapsvc.base.errors import Misconfigured

NAMES = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf", "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf", "SourceHanSansCN-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc", "msyh.ttc",
    "simhei.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc",
)  # fmt: skip
BOLD = {"NotoSansCJK-Regular.ttc": "NotoSansCJK-Bold.ttc", "msyh.ttc": "msyhbd.ttc"}
FOLDERS = (
    Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts",
    Path.home() / ".local/share/fonts", Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path("C:/Windows/Fonts"),
)  # fmt: skip
SIMPLIFIED = 2
"""The face of simplified Chinese in the collections of Noto: JP, KR, SC, TC, HK."""


def find_font(configured: Path | None, folders: Iterable[Path] = FOLDERS) -> Path:
    """Return the file of a font that has Chinese; `Misconfigured` with advice where there is none."""
    if configured is not None:
        if not configured.is_file():
            raise Misconfigured(
                "no_font_file", f"There is no font {configured}.", hint="Correct MAPSVC_FONT_FILE, or leave it empty."
            )
        return configured
    for folder in folders:
        if folder.is_dir():
            found = {path.name: path for path in folder.rglob("*") if path.name in NAMES}
            for name in NAMES:
                if name in found:
                    return found[name]
    raise Misconfigured(
        "no_cjk_font",
        "Pictures need a font that has Chinese, and this machine has none that is known.",
        hint="Install one (Debian: apt install fonts-noto-cjk), or name a file by MAPSVC_FONT_FILE.",
    )


def open_font(path: Path, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return a font at a size in pixels; where there is no bold one the regular one stands in."""
    wanted = path.with_name(BOLD.get(path.name, path.name)) if bold else path
    face = wanted if wanted.is_file() else path
    index = SIMPLIFIED if face.name.startswith("NotoSansCJK-") else 0
    return ImageFont.truetype(str(face), size, index=index)
