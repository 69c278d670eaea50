"""Photos as sent, made into photos as stored: upright JPEG within bounds, without a byte of metadata.

What the metadata said of place and time is read first and kept as fields. One function for every
way by which a photo comes in. Pillow does the decoding, pillow-heif that of HEIC.
"""

from __future__ import annotations

import io
import math
import struct
import threading
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from mapsvc.base.errors import InvalidInput, TooLarge, UnsupportedType

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "GIF", "BMP")
"""What is read. MPO, the double pictures of some phones, is opened as the JPEG that it begins with."""
MAX_SIDE = 2560
"""Longest side of a stored photo in pixels: enough to read a house number, small enough for a phone's line."""

QUALITY = 85

_DECODERS = threading.BoundedSemaphore(2)
"""Photos in one process that are decoded at the same time: the largest takes more than half a gigabyte."""

_BROKEN_EXIF = (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What each orientation of EXIF asks for. Pillow's own function writes the EXIF anew, and fails where it is odd."""


@dataclass(frozen=True)
class Metadata:
    """What a camera wrote: WGS 84 degrees, its local time as ISO text (no zone), its positioning error in metres."""

    lon: float | None = None
    lat: float | None = None
    at: str = ""
    error_m: float | None = None


@dataclass(frozen=True)
class CleanPhoto:
    """A photo as it is stored."""

    content: bytes
    width: int
    height: int
    metadata: Metadata


def clean_photo(content: bytes, *, max_bytes: int, max_pixels: int) -> CleanPhoto:
    """Decode, read the metadata, turn upright, shrink, and encode anew.

    Raises `TooLarge` over either bound (pixels are counted before anything is decoded),
    `UnsupportedType` for what is no picture, `InvalidInput` for one that is cut short or broken.
    """
    if len(content) > max_bytes:
        raise _too_large("photo_too_large", f"The photo has more than {max_bytes} bytes.", max_bytes)
    if not content:
        raise InvalidInput("empty_photo", "The photo is empty.", hint="Send it again.")
    with _DECODERS:
        return _clean(content, max_pixels)


def _clean(content: bytes, max_pixels: int) -> CleanPhoto:
    image = _open(content)
    if image.width * image.height > max_pixels:
        raise _too_large("photo_too_many_pixels", f"The photo has more than {max_pixels} pixels.", max_pixels)
    metadata = read_metadata(image)
    upright = _upright(image)
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)  # pixels only: nothing that hung on the picture comes along
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY, optimize=True)
    return CleanPhoto(out.getvalue(), bare.width, bare.height, metadata)


def _too_large(code: str, message: str, limit: int) -> TooLarge:
    return TooLarge(code, message, hint="Send a smaller one.", detail={"limit": limit})


def _open(content: bytes) -> Image.Image:
    pillow_heif.register_heif_opener(thumbnails=False)
    try:
        with warnings.catch_warnings():
            # Pillow's own bound on pixels is replaced by ours, which is checked before decoding.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise TooLarge(
            "photo_too_many_pixels", "The photo has far too many pixels.", hint="Send a smaller one."
        ) from error
    except UnidentifiedImageError as error:
        raise UnsupportedType(
            "not_a_photo", "That is no photo that can be read.", hint=f"Send one of {', '.join(FORMATS)}."
        ) from error
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> InvalidInput:
    return InvalidInput("broken_photo", f"The photo is cut short or broken: {error}.", hint="Send it again.")


def _upright(image: Image.Image) -> Image.Image:
    """Decode whole (a photo that is cut short is refused, not filled up with grey), shrink, and turn by EXIF.

    Shrunk first: every further step would hold the largest picture once more in memory.
    """
    try:
        turn = _TURNS.get(_orientation(image))
        if image.mode in {"1", "P", "PA"}:  # indices of a palette cannot be averaged
            image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        image.load()
        turned = image if turn is None else image.transpose(turn)
        if turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info:
            turned = turned.convert("RGBA")
            ground = Image.new("RGBA", turned.size, (255, 255, 255, 255))
            return Image.alpha_composite(ground, turned).convert("RGB")
        return turned.convert("RGB")
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError) as error:
        raise _broken(error) from error


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held, 1 to 8; a picture whose EXIF is broken is taken as it lies."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except _BROKEN_EXIF:
        return 1
    return found if isinstance(found, int) else 1


def read_metadata(image: Image.Image) -> Metadata:
    """Return what EXIF says of place and time; a field that makes no sense is left out, never guessed."""
    try:
        exif = image.getexif()
        detail = exif.get_ifd(ExifTags.IFD.Exif)
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except _BROKEN_EXIF:
        return Metadata()
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    if lon is None or lat is None or (lon == 0 and lat == 0):
        lon = lat = None  # cameras without a fix write zeros
    error = _number(gps.get(ExifTags.GPS.GPSHPositioningError))
    return Metadata(
        lon=lon,
        lat=lat,
        at=_moment(detail.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)),
        error_m=error if error is not None and error >= 0 else None,
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _degrees(parts: Any, reference: Any, negative: str, limit: float) -> float | None:
    """Return decimal degrees of (degrees, minutes, seconds), with the sign of the reference letter."""
    try:
        numbers = [_number(part) for part in parts]
    except TypeError:
        return None
    if len(numbers) != 3 or any(number is None or number < 0 for number in numbers):
        return None
    degrees, minutes, seconds = (number or 0.0 for number in numbers)
    value = degrees + minutes / 60 + seconds / 3600
    letter = reference.decode("ascii", "replace") if isinstance(reference, bytes) else str(reference or "")
    if minutes >= 60 or seconds >= 60 or value > limit or not letter.strip("\x00 "):
        return None
    return round(-value if letter.strip("\x00 ").upper().startswith(negative) else value, 8)


def _moment(value: Any) -> str:
    """Return `2008:10:22 16:28:39` as ISO text; empty where it is no moment."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    try:
        return datetime.strptime(text.strip("\x00 "), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007  # cameras write no zone
    except ValueError:
        return ""
