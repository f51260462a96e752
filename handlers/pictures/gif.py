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
_KEPT_APPLICATIONS = frozenset((b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"))
"""How often an animation repeats, and colours."""

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
            end, is_kept = self._block(kind, at)
            if is_kept:
                self._kept.part(at, end)
            at = end
        self._kept.part(at, at + 1)
        if not self._frames or not self._width or not self._height:
            raise BrokenPicture("there is no picture in it")
        pixels = self._width * self._height
        return Container(self._width, self._height, UPRIGHT, self._kept.pieces, lambda _scale: pixels)

    def _block(self, kind: int, at: int) -> tuple[int, bool]:
        """Where the block at `at` ends, and whether it is kept."""
        if kind == _IMAGE:
            return self._image(at), True
        if kind != _EXTENSION:
            raise BrokenPicture("a block is unknown")
        label, size = part_of(self._data, at + 1, 2)
        is_kept = label == _CONTROL
        if label == _APPLICATION:
            is_kept = part_of(self._data, at + 3, size) in _KEPT_APPLICATIONS
        return self._after_sub_blocks(at + 2), is_kept

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
