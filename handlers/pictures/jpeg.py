"""JPEG files: segments between markers, and the coded picture after each start of a scan (ITU-T T.81, annex B)."""

import re
import struct

from handlers.pictures.container import (
    PROFILE_COPIES,
    BrokenPicture,
    Container,
    Data,
    Kept,
    check_count,
    part_of,
)
from handlers.pictures.orientation import EXIF_HEADER, UPRIGHT, exif_with, orientation_of

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Starts of frames: they say the size."""

_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF})
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a segment."""

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In a scan: 0xff 0x00 stands for the byte 0xff, and restart markers belong to the scan."""

_SCANS_MAX = 100
"""Programs write 10 or so. A scan of 95 bytes goes over all of a picture, which takes 5 ms with 64 million pixels."""

_SEARCHED_BYTES = 256 * 1024

_JFIF, _ICC, _ADOBE = b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"
_JFIF_BYTES, _ADOBE_BYTES = 14, 12
_COEFFICIENT_BYTES = 2
_PIXEL_BYTES = 4
SCALES = (8, 4, 2, 1)
"""What the decoder can leave out; see `Container`."""


class _Reader:
    """One pass over a file. `read` fills the attributes."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._head = Kept()
        """What goes before the EXIF data, which comes first but for the JFIF segment."""
        self._rest = Kept()
        self._orientation: int | None = None
        self._size = (0, 0)
        self._coefficients = 0.0
        """By pixel, of all components."""
        self._is_progressive = False
        self._scans = 0
        self._profile_bytes = 0

    def read(self) -> Container:
        """Raises: `BrokenPicture`."""
        at, segments = 2, 0
        while (found := self._marker(at))[0] != _EOI:
            segments += 1
            check_count(segments)
            at = self._segment(*found)
        self._rest.new(bytes((0xFF, _EOI)))
        if not self._scans or not all(self._size):
            raise BrokenPicture("there is no picture in it")
        orientation = self._orientation or UPRIGHT
        if orientation != UPRIGHT:
            self._head.new(_segment(_APP1, EXIF_HEADER + exif_with(orientation)))
        width, height = self._size
        pieces = [bytes((0xFF, _SOI)), *self._head.pieces, *self._rest.pieces]
        return Container(width, height, orientation, pieces, self._decoding_bytes)

    def _decoding_bytes(self, scale: int) -> int:
        """A picture in several scans is decoded when all of them have been read."""
        pixels = self._size[0] * self._size[1]
        whole = self._is_progressive or self._scans > 1
        coded = pixels * self._coefficients * _COEFFICIENT_BYTES if whole else 0
        return int(coded + pixels / scale**2 * _PIXEL_BYTES) + PROFILE_COPIES * self._profile_bytes

    def _marker(self, at: int) -> tuple[int, int]:
        """The marker there, and where it ends; bytes 0xff may stand before it."""
        if part_of(self._data, at, 1) != b"\xff":
            raise BrokenPicture("a marker is missing")
        while (byte := int(part_of(self._data, at, 1)[0])) == 0xFF:
            at += 1
        return byte, at + 1

    def _segment(self, marker: int, at: int) -> int:
        """Looks at the segment of the marker before `at`, and returns where the next marker is."""
        if marker in _BARE:
            return at
        size = int.from_bytes(part_of(self._data, at, 2), "big")
        payload = part_of(self._data, at + 2, size - 2)
        end = at + size
        if marker in _FRAMES:
            self._frame(marker, payload)
        elif marker == _SOS:
            self._scans += 1
            if self._scans > _SCANS_MAX:
                raise BrokenPicture("too many scans")
            end = self._end_of_scan(end)
        elif marker not in _TABLES:
            self._application(marker, payload)
            return end
        self._rest.part(at - 2, end)
        return end

    def _frame(self, marker: int, payload: bytes) -> None:
        if any(self._size) or len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
            raise BrokenPicture("the frame cannot be read")
        _precision, height, width, count = struct.unpack_from(">BHHB", payload)
        factors = [(payload[7 + 3 * n] >> 4, payload[7 + 3 * n] & 15) for n in range(count)]
        if not 1 <= count <= 4 or not all(0 < factor <= 4 for pair in factors for factor in pair):
            raise BrokenPicture("the components cannot be read")
        most = max(across for across, _ in factors) * max(down for _, down in factors)
        self._coefficients = sum(across * down for across, down in factors) / most
        self._size = (width, height)
        self._is_progressive = marker in _PROGRESSIVE

    def _end_of_scan(self, at: int) -> int:
        """Where the marker after the scan begins. A search keeps the interpreter from all other threads, so the scan is
        searched in pieces, of which each begins with the last byte of the one before."""
        while at < len(self._data) - 1:
            stop = min(at + _SEARCHED_BYTES, len(self._data))
            found = _NEXT_MARKER.search(self._data, at, stop)
            if found is not None:
                return found.start()
            at = stop - 1
        raise BrokenPicture("the file ends too early")

    def _application(self, marker: int, payload: bytes) -> None:
        """Keeps what is needed to decode the picture and to show its colours; drops the rest, comments too."""
        if marker == _APP0 and payload.startswith(_JFIF) and not self._head.pieces:
            # Without the small picture that may follow.
            self._head.new(_segment(_APP0, payload[: _JFIF_BYTES - 2].ljust(_JFIF_BYTES, b"\0")))
        elif marker == _APP1 and payload.startswith(EXIF_HEADER) and self._orientation is None:
            self._orientation = orientation_of(payload)
        elif marker == _APP2 and payload.startswith(_ICC):
            self._profile_bytes += len(payload)
            self._rest.new(_segment(marker, payload))
        elif marker == _APP14 and payload.startswith(_ADOBE):
            self._rest.new(_segment(marker, payload[:_ADOBE_BYTES]))


def read_jpeg(data: Data) -> Container:
    """Raises: `BrokenPicture`. What follows the end of the picture, such as another one or a video, is dropped."""
    return _Reader(data).read()


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload
