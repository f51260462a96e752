"""PNG files: a signature, and chunks of which each has a length, a type, data and a checksum (W3C, PNG 3)."""

import struct
from collections.abc import Mapping
from zlib import crc32

from handlers.pictures.container import (
    PROFILE_COPIES,
    BrokenPicture,
    Container,
    Data,
    Kept,
    Piece,
    check_count,
    part_of,
)
from handlers.pictures.orientation import UPRIGHT, exif_with, orientation_of

_SIGNATURE_BYTES = 8
_HEADER_END = 33
"""Where the chunk IHDR ends, which is the first."""

_PIXELS = b"IDAT"
_PROFILE = b"iCCP"
_KEPT = frozenset((_PIXELS, _PROFILE, b"fdAT"))
_KEPT_UP_TO: Mapping[bytes, int] = {
    b"PLTE": 768,
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"acTL": 8,
    b"fcTL": 26,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
}
"""Pixels, colours and animation; no text, no time, nothing private. A number is how long such a chunk is at most.
Viewers skip a longer one, so it would be a place for text."""

_BYTES_BY_COLOUR = {0: 1, 2: 4, 3: 1, 4: 4, 6: 4}
"""Of a pixel when it is decoded, by colour type: grey, RGB, palette, grey with alpha, RGBA."""


def read_png(data: Data) -> Container:
    """Raises: `BrokenPicture`. What follows the last chunk is dropped."""
    kept, has_pixels, chunks, profile_bytes = Kept(), False, 0, 0
    orientation: int | None = None
    width, height, pixel_bytes = _header(data)
    at, name = _HEADER_END, b"IHDR"
    while name != b"IEND":
        chunks += 1
        check_count(chunks)
        last = name
        size, name = struct.unpack(">I4s", part_of(data, at, 8))
        end = at + 12 + size
        if end > len(data):
            raise BrokenPicture("the file ends too early")
        if name == b"eXIf":
            if orientation is None:
                orientation = orientation_of(data[at + 8 : end - 4])
        elif name == _PIXELS and has_pixels and last != _PIXELS:
            pass  # not all viewers take pixels that come later
        elif name in _KEPT or size <= _KEPT_UP_TO.get(name, -1):
            kept.part(at, end)
            profile_bytes += size if name == _PROFILE else 0
        elif name != b"IEND" and name not in _KEPT_UP_TO and not name[0] & 32:
            raise BrokenPicture("a chunk is unknown that nobody may skip")
        has_pixels = has_pixels or name == _PIXELS
        at = end
    if not has_pixels:
        raise BrokenPicture("there is no picture in it")
    needs = width * height * pixel_bytes + PROFILE_COPIES * profile_bytes
    orientation = orientation or UPRIGHT
    pieces: list[Piece] = [(0, _HEADER_END), *kept.pieces, _chunk(b"IEND", b"")]
    if orientation != UPRIGHT:  # first: not every viewer looks for it behind the pixels
        pieces.insert(1, _chunk(b"eXIf", exif_with(orientation)))
    return Container(width, height, orientation, pieces, lambda _scale: needs)


def _header(data: Data) -> tuple[int, int, int]:
    """Width, height, and the bytes of a decoded pixel."""
    header = part_of(data, _SIGNATURE_BYTES, _HEADER_END - _SIGNATURE_BYTES)
    size, name, width, height, depth, colour = struct.unpack(">I4sIIBB7x", header)
    if (size, name) != (13, b"IHDR") or not width or not height or colour not in _BYTES_BY_COLOUR:
        raise BrokenPicture("the header cannot be read")
    is_wide = depth == 16 and colour == 0
    return width, height, 2 if is_wide else _BYTES_BY_COLOUR[colour]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", crc32(name + data))
