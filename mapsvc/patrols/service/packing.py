"""Fixes of a track to and from the bytes that the store keeps."""

from __future__ import annotations

import zlib

import numpy as np

from mapsvc.geo.tracks import Fixes, make_fixes

_FORMAT = b"1"


def pack_fixes(fixes: Fixes) -> bytes:
    """Return fixes as bytes: five columns of little-endian float64, compressed."""
    columns = np.stack([fixes.at, fixes.lon, fixes.lat, fixes.accuracy_m, fixes.segment.astype(np.float64)])
    return _FORMAT + zlib.compress(columns.astype("<f8").tobytes(), 6)


def unpack_fixes(packed: bytes) -> Fixes:
    """Return the fixes that `pack_fixes` packed."""
    assert packed[:1] == _FORMAT, "tracks of another format"
    columns = np.frombuffer(zlib.decompress(packed[1:]), dtype="<f8").reshape(5, -1)
    return make_fixes(columns[0], columns[1], columns[2], columns[3], columns[4])
