"""Pictures for the demo's cases, drawn here: no photograph of a real place or person is shipped."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

SIZE = (480, 360)
SKY, WALL, ROAD, KERB = "#c9d6df", "#b8ab98", "#8d9094", "#d8d4cc"
HEAP = ("#5b4a3a", "#7a6248", "#3f4f5a", "#8a8f6a", "#a3563f")


def draw_street(number: int, *, mended: bool) -> bytes:
    """Return a JPEG of a street corner, with a heap of things on it or, `mended`, without."""
    image = Image.new("RGB", SIZE, SKY)
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    draw.rectangle((0, 90, width, 220), fill=WALL)
    for window in range(6):
        left = 20 + window * 78 + (number * 7) % 20
        draw.rectangle((left, 115, left + 42, 170), fill="#6f8796", outline="#e8e4da", width=3)
    draw.rectangle((0, 220, width, 250), fill=KERB)
    draw.rectangle((0, 250, width, height), fill=ROAD)
    for dash in range(0, width, 90):
        draw.rectangle((dash, 318, dash + 45, 324), fill="#e9e6dc")
    if not mended:
        for piece in range(9):
            x = 170 + (piece * 37 + number * 53) % 150
            y = 215 + (piece * 29 + number * 31) % 60
            size = 18 + (piece * 11 + number) % 26
            draw.ellipse((x, y, x + size * 2, y + size), fill=HEAP[(piece + number) % len(HEAP)])
    out = BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()
