"""Photos as sent and as stored; with the real photographs of ../shared/data where they are there."""

from __future__ import annotations

import csv
import hashlib
import io
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import ExifTags, Image

from mapsvc.base.errors import InvalidInput, MapsvcError, TooLarge, UnsupportedType
from mapsvc.cases.service.images import MAX_SIDE, CleanPhoto, clean_photo

MB = 1024 * 1024
MARKERS = (b"Exif", b"GPS", b"http://ns.adobe.com", b"ICC_PROFILE", b"Photoshop", b"Canon", b"NIKON", b"samsung")


def clean(content: bytes, **bounds: int) -> CleanPhoto:
    return clean_photo(content, **{"max_bytes": 25 * MB, "max_pixels": 60_000_000, **bounds})


def segments_of(content: bytes) -> list[int]:
    """Return the markers of a JPEG up to its first scan."""
    found, place = [], 2
    while content[place] == 0xFF and content[place + 1] != 0xDA:
        found.append(content[place + 1])
        place += 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
    return found


def assert_bare(content: bytes) -> None:
    """The stored bytes hold pixels and the tables to read them, and nothing else."""
    assert content[:3] == b"\xff\xd8\xff"
    assert not any(marker in content for marker in MARKERS)
    markers = segments_of(content)
    assert not [marker for marker in markers if 0xE1 <= marker <= 0xEF], "no APP1 to APP15: EXIF, XMP, ICC, IPTC"
    assert 0xFE not in markers, "no comment"
    assert len(Image.open(io.BytesIO(content)).getexif()) == 0


def picture(size: tuple[int, int] = (40, 20), mode: str = "RGB", colour: Any = (200, 30, 30)) -> Image.Image:
    return Image.new(mode, size, colour)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def with_exif(gps: dict[int, Any], *, orientation: int = 1, at: str = "2026:03:01 08:30:00") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Canon"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = at
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    return encoded(picture(), exif=exif)


GPS = {
    ExifTags.GPS.GPSLatitudeRef: "N",
    ExifTags.GPS.GPSLatitude: (30.0, 30.0, 36.0),
    ExifTags.GPS.GPSLongitudeRef: "E",
    ExifTags.GPS.GPSLongitude: (118.0, 15.0, 0.0),
}


@pytest.mark.data
def test_real_photographs_keep_their_fields_and_lose_every_trace(shared_data: Path) -> None:
    with (shared_data / "photos" / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    for row in rows:
        content = (shared_data / "photos" / row["file"]).read_bytes()
        stored = clean(content)
        assert_bare(stored.content)
        told = stored.metadata
        if row["lat"]:
            assert told.lat == pytest.approx(float(row["lat"]), abs=1e-6)
            assert told.lon == pytest.approx(float(row["lon"]), abs=1e-6)
        else:
            assert (told.lon, told.lat) == (None, None)
        wanted = row["datetime_original"].replace(":", "-", 2).replace(" ", "T")
        if wanted:
            assert told.at == wanted


def test_place_time_and_error_are_read_before_they_are_dropped() -> None:
    stored = clean(with_exif({**GPS, ExifTags.GPS.GPSHPositioningError: 4.7}))
    assert stored.metadata.lat == pytest.approx(30.51)
    assert stored.metadata.lon == pytest.approx(118.25)
    assert stored.metadata.error_m == pytest.approx(4.7, abs=0.01)
    assert stored.metadata.at == "2026-03-01T08:30:00"
    assert_bare(stored.content)


@pytest.mark.parametrize(
    "changed",
    [
        {ExifTags.GPS.GPSLatitude: (91.0, 0.0, 0.0)},
        {ExifTags.GPS.GPSLatitude: (30.0, 75.0, 0.0)},
        {ExifTags.GPS.GPSLatitude: (30.0, 5.0)},
        {ExifTags.GPS.GPSLatitudeRef: ""},
        {ExifTags.GPS.GPSLatitude: (0.0, 0.0, 0.0), ExifTags.GPS.GPSLongitude: (0.0, 0.0, 0.0)},
    ],
)
def test_a_position_that_makes_no_sense_is_left_out(changed: dict[int, Any]) -> None:
    metadata = clean(with_exif({**GPS, **changed})).metadata
    assert (metadata.lon, metadata.lat) == (None, None)


def test_south_and_west_are_negative() -> None:
    gps = {**GPS, ExifTags.GPS.GPSLatitudeRef: "S", ExifTags.GPS.GPSLongitudeRef: "W"}
    metadata = clean(with_exif(gps)).metadata
    assert metadata.lat == pytest.approx(-30.51)
    assert metadata.lon == pytest.approx(-118.25)


def test_a_time_that_is_none_is_left_out() -> None:
    assert clean(with_exif({}, at="0000:00:00 00:00:00")).metadata.at == ""


def test_photos_are_turned_upright() -> None:
    stored = clean(with_exif({}, orientation=6))
    assert (stored.width, stored.height) == (20, 40)
    assert Image.open(io.BytesIO(stored.content)).size == (20, 40)


@pytest.mark.parametrize("entry", [(0x11A, 7, 4, b"abcd"), (0x100, 2, 4, b"abc\0"), (0x100, 7, 4, b"abcd")])
def test_a_photo_with_odd_exif_is_taken_and_turned(entry: tuple[int, int, int, bytes]) -> None:
    """Tags of a type that the standard does not give them: cameras and editors write such."""
    entries = sorted([entry, (0x112, 3, 1, struct.pack("<HH", 6, 0))])
    packed = b"".join(struct.pack("<HHI4s", *each) for each in entries)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + b"\0\0\0\0"
    stored = clean(encoded(picture(), exif=exif))
    assert (stored.width, stored.height) == (20, 40)
    assert_bare(stored.content)


@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_shows_the_same_corner(orientation: int) -> None:
    upright = picture((40, 20), colour=(255, 255, 255))
    upright.paste((0, 0, 0), (0, 0, 10, 5))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    held = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)  # fmt: skip
    content = encoded(upright if held is None else upright.transpose(held), "PNG", exif=exif)
    stored = Image.open(io.BytesIO(clean(content).content)).convert("L")
    assert stored.size == (40, 20)
    assert stored.getpixel((2, 2)) < 60  # type: ignore[operator]
    assert min(stored.getpixel(place) for place in ((37, 2), (2, 17), (37, 17))) > 200  # type: ignore[type-var,operator]


@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA"])
def test_a_large_picture_with_few_bytes_is_shrunk_before_anything_else(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = 0
    paste, composite = Image.Image.paste, Image.alpha_composite

    def note(image: Image.Image) -> None:
        nonlocal largest
        largest = max(largest, *image.size)

    def noted_paste(self: Image.Image, *given: Any, **more: Any) -> None:
        note(self)
        paste(self, *given, **more)

    def noted_composite(below: Image.Image, above: Image.Image) -> Image.Image:
        note(above)
        return composite(below, above)

    monkeypatch.setattr(Image.Image, "paste", noted_paste)
    monkeypatch.setattr(Image, "alpha_composite", noted_composite)
    content = encoded(Image.new("RGBA", (4000, 3000), (9, 9, 9, 0)).convert(mode), "PNG", compress_level=1)
    stored = clean(content)
    assert (stored.width, stored.height) == (MAX_SIDE, MAX_SIDE * 3 // 4)
    assert largest == MAX_SIDE


def test_few_photos_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()
    real = Image.open

    def slow_open(*given: Any, **more: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        try:
            return real(*given, **more)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(Image, "open", slow_open)
    content = encoded(picture())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(clean, [content] * 8))
    assert {photo.width for photo in found} == {40}
    assert most == 2


def test_large_photos_are_shrunk_and_keep_their_shape() -> None:
    stored = clean(encoded(picture((5000, 2500))))
    assert (stored.width, stored.height) == (MAX_SIDE, MAX_SIDE // 2)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (picture(mode="RGBA", colour=(0, 0, 0, 0)), "PNG"),
        (picture(mode="P", colour=3), "PNG"),
        (picture(mode="L", colour=3), "JPEG"),
        (picture(mode="CMYK", colour=(0, 0, 0, 0)), "JPEG"),
        (picture(mode="I;16", colour=300), "PNG"),
        (picture(), "WEBP"),
        (picture(), "GIF"),
        (picture(), "BMP"),
    ],
)
def test_every_kind_becomes_a_bare_jpeg(image: Image.Image, kind: str) -> None:
    assert_bare(clean(encoded(image, kind)).content)


def test_what_is_transparent_becomes_white() -> None:
    stored = clean(encoded(picture(mode="RGBA", colour=(0, 0, 0, 0)), "PNG"))
    pixel = Image.open(io.BytesIO(stored.content)).getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert min(pixel) > 250


def test_photos_of_apple_phones_are_read() -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(GPS)
    stored = clean(encoded(picture((64, 48)), "HEIF", exif=exif))
    assert (stored.width, stored.height) == (64, 48)
    assert stored.metadata.lat == pytest.approx(30.51)
    assert_bare(stored.content)


def png_of(width: int, height: int) -> bytes:
    """Return the beginning of a PNG that claims to be very large; its pixels never follow."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (b"", InvalidInput, "empty_photo"),
        (b"hello, this is text", UnsupportedType, "not_a_photo"),
        (b"%PDF-1.7", UnsupportedType, "not_a_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedType, "not_a_photo"),
        (b"\xff\xd8\xff\xe0", UnsupportedType, "not_a_photo"),
        (png_of(30_000, 30_000), TooLarge, "photo_too_many_pixels"),
        (png_of(9_000, 9_000), TooLarge, "photo_too_many_pixels"),
        (png_of(100, 100), InvalidInput, "broken_photo"),
    ],
)
def test_what_cannot_be_taken_says_why(content: bytes, error: type[MapsvcError], code: str) -> None:
    with pytest.raises(error) as caught:
        clean(content)
    assert caught.value.code == code


def test_a_photo_cut_short_is_refused_and_not_filled_with_grey() -> None:
    whole = encoded(Image.effect_noise((600, 400), 80))
    with pytest.raises(InvalidInput) as caught:
        clean(whole[: len(whole) // 2])
    assert caught.value.code == "broken_photo"


def test_bytes_are_bounded_and_the_bound_is_told() -> None:
    content = encoded(picture())
    with pytest.raises(TooLarge) as caught:
        clean(content, max_bytes=len(content) - 1)
    assert caught.value.detail["limit"] == len(content) - 1
    assert clean(content, max_bytes=len(content)).width == 40


def test_the_same_photo_is_stored_as_the_same_bytes() -> None:
    content = with_exif(GPS)
    digests = {hashlib.sha256(clean(content).content).hexdigest() for _ in range(2)}
    assert len(digests) == 1
