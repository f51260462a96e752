"""WebP files: RIFF, with chunks of which each has a type, a length, and data of even length (RFC 9649)."""

import struct
from collections.abc import Iterator

from handlers.pictures.container import (
    BrokenPicture,
    Container,
    Data,
    Kept,
    Piece,
    check_count,
    part_of,
    size_of,
)
from handlers.pictures.orientation import UPRIGHT, exif_with, orientation_of

_PIXELS = frozenset((b"VP8 ", b"VP8L"))
_KEPT = _PIXELS | {b"ALPH", b"ICCP"}
_HAS_ICC, _HAS_ALPHA, _HAS_EXIF, _IS_ANIMATION = 0x20, 0x10, 0x08, 0x02
_FRAME_HEADER_BYTES = 16
_ANIMATION_BYTES = 6

_DECODING_BYTES = 16
"""Of a pixel: the decoder holds four copies of the picture."""


def read_webp(data: Data) -> Container:
    """Raises: `BrokenPicture`. What follows the end that the header states is dropped; the animation stays."""
    end = 8 + struct.unpack("<I", part_of(data, 4, 4))[0]
    if end > len(data):
        raise BrokenPicture("the file ends too early")
    first, start, stop = next(_chunks(data, 12, end), (b"", 0, 0))
    if first in _PIXELS:  # the simple format: one chunk
        width, height = _pixels_size(data, first, start)
        kept = Kept()
        kept.part(start - 8, min(_even(stop), end))
        return _container(width, height, UPRIGHT, kept.pieces)
    if first != b"VP8X":
        raise BrokenPicture("there is no picture in it")
    return _extended(data, part_of(data, start, 10), _even(stop), end)


def _extended(data: Data, header: bytes, at: int, end: int) -> Container:
    """`header` is the data of the chunk VP8X, after which the others begin at `at`."""
    kept, orientation, frames, has_icc = Kept(), UPRIGHT, 0, False
    for name, start, stop in _chunks(data, at, end):
        if name == b"EXIF":
            orientation = orientation_of(data[start:stop])
        elif name == b"ANMF":
            frames += 1
            for piece in _frame(data, start, stop):
                kept.new(piece) if isinstance(piece, bytes) else kept.part(*piece)
        elif name == b"ANIM":
            kept.new(_chunk(name, part_of(data, start, _ANIMATION_BYTES)))
        elif name in _KEPT:
            frames += name in _PIXELS
            has_icc = has_icc or name == b"ICCP"
            kept.part(start - 8, min(_even(stop), end))
    if not frames:
        raise BrokenPicture("there is no picture in it")
    flags = header[0] & (_HAS_ALPHA | _IS_ANIMATION) | (_HAS_ICC if has_icc else 0)
    if orientation != UPRIGHT:
        flags |= _HAS_EXIF
        kept.new(_chunk(b"EXIF", exif_with(orientation)))
    width, height = (int.from_bytes(header[at : at + 3], "little") + 1 for at in (4, 7))
    return _container(
        width, height, orientation, [_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + header[4:10]), *kept.pieces]
    )


def _container(width: int, height: int, orientation: int, pieces: list[Piece]) -> Container:
    size = size_of(pieces)
    whole = [b"RIFF" + struct.pack("<I", size + 4) + b"WEBP", *pieces]
    needs = width * height * _DECODING_BYTES + size
    return Container(width, height, orientation, whole, lambda _scale: needs)


def _frame(data: Data, start: int, stop: int) -> list[Piece]:
    """The chunk ANMF with this data, without what is in it beside the picture."""
    kept = Kept()
    for name, inner, end in _chunks(data, start + _FRAME_HEADER_BYTES, stop):
        if name in _KEPT:
            kept.part(inner - 8, min(_even(end), stop))
    header = part_of(data, start, _FRAME_HEADER_BYTES)
    size = size_of(kept.pieces) + len(header)
    return [b"ANMF" + struct.pack("<I", size) + header, *kept.pieces, b"\0" * (size & 1)]


def _chunks(data: Data, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the data of each chunk."""
    count = 0
    while at + 8 <= end:
        name, size = struct.unpack("<4sI", part_of(data, at, 8))
        if at + 8 + size > end:
            raise BrokenPicture("a chunk is longer than the file")
        yield name, at + 8, at + 8 + size
        at = _even(at + 8 + size)
        count += 1
        check_count(count)


def _pixels_size(data: Data, name: bytes, start: int) -> tuple[int, int]:
    """Width and height in the data of a chunk of pixels, which begins at `start`."""
    head = part_of(data, start, 10)
    if name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[6:10])
    if not width & 0x3FFF or not height & 0x3FFF:
        raise BrokenPicture("the header cannot be read")
    return width & 0x3FFF, height & 0x3FFF


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def _even(at: int) -> int:
    """Chunks begin at even positions, counted from the start of the file."""
    return at + (at & 1)
