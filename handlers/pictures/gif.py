"""GIF files: a header, and blocks of which the data is in sub-blocks of up to 255 bytes (GIF 89a)."""

import struct

from handlers.pictures.container import (
    SEGMENTS_MAX,
    BrokenPicture,
    Container,
    Data,
    Kept,
    check_count,
    part_of,
)
from handlers.pictures.orientation import UPRIGHT

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_CONTROL_BYTES, _LOOP_BYTES = 4, 3
_LOOPS = frozenset((b"NETSCAPE2.0", b"ANIMEXTS1.0"))
"""The extensions that say how often an animation repeats, in one sub-block after the name."""

_COLOURS = b"ICCRGBG1012"
"""The extension that has a colour profile."""

_SUB_BLOCKS_MAX = 3 * SEGMENTS_MAX
"""25 MiB in full sub-blocks are 103,000."""


class _Reader:
    """One pass over a file."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._kept = Kept()
        self._width, self._height = struct.unpack("<HH", part_of(data, 6, 4))
        self._sub_blocks = 0
        self._frames = 0

    def read(self) -> Container:
        """Raises: `BrokenPicture`."""
        at = 13 + _table_bytes(part_of(self._data, 10, 1)[0])
        part_of(self._data, 0, at)
        self._kept.part(0, at)
        blocks = 0
        while (kind := part_of(self._data, at, 1)[0]) != _TRAILER:
            blocks += 1
            check_count(blocks)
            at = self._block(kind, at)
        self._kept.part(at, at + 1)
        if not self._frames or not self._width or not self._height:
            raise BrokenPicture("there is no picture in it")
        pixels = self._width * self._height
        return Container(self._width, self._height, UPRIGHT, self._kept.pieces, lambda _scale: pixels)

    def _block(self, kind: int, at: int) -> int:
        """Keeps the block at `at`, or drops it, and returns where it ends."""
        if kind == _IMAGE:
            end = self._image(at)
            self._kept.part(at, end)
            return end
        if kind != _EXTENSION:
            raise BrokenPicture("a block is unknown")
        label, size = part_of(self._data, at + 1, 2)
        end = self._after_sub_blocks(at + 2)
        name = part_of(self._data, at + 3, size) if label == _APPLICATION else b""
        if name == _COLOURS:
            self._kept.part(at, end)
        elif (label == _CONTROL and size == _CONTROL_BYTES) or name in _LOOPS:
            self._short(at, at + 3 + size, end, 0 if label == _CONTROL else _LOOP_BYTES)
        return end

    def _short(self, at: int, after_first: int, end: int, more_bytes: int) -> None:
        """Keeps an extension with its first sub-block, and with one more of that length if there are to be two. What
        follows in it means nothing to viewers."""
        stop = after_first
        if more_bytes:
            if part_of(self._data, after_first, 1)[0] != more_bytes:
                return
            stop += 1 + more_bytes
        self._kept.part(at, stop)
        if end == stop + 1:
            self._kept.part(stop, end)
        else:
            self._kept.new(b"\0")

    def _image(self, at: int) -> int:
        left, top, width, height, flags = struct.unpack("<HHHHB", part_of(self._data, at + 1, 9))
        # Decoders widen the picture for a frame that does not fit.
        self._width, self._height = max(self._width, left + width), max(self._height, top + height)
        self._frames += 1
        return self._after_sub_blocks(at + 10 + _table_bytes(flags) + 1)

    def _after_sub_blocks(self, at: int) -> int:
        while size := part_of(self._data, at, 1)[0]:
            at += 1 + size
            self._sub_blocks += 1
            if self._sub_blocks > _SUB_BLOCKS_MAX:
                raise BrokenPicture("too many blocks")
        return at + 1


def read_gif(data: Data) -> Container:
    """Raises: `BrokenPicture`. What follows the trailer is dropped; the animation stays."""
    return _Reader(data).read()


def _table_bytes(flags: int) -> int:
    """How long the table of colours is that these flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
