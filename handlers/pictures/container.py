"""What the file of a picture consists of, and which parts of it are kept."""

from collections.abc import Callable, Iterator, Sequence
from mmap import mmap

from domain.frozen import frozen

Data = bytes | mmap
"""A whole file, in memory or mapped."""

Piece = bytes | tuple[int, int]
"""New bytes, or the start and the end of a part of the file that is kept."""

SEGMENTS_MAX = 100_000
"""How many segments, chunks or blocks a file may have. 25 MiB of PNG in pieces of 8 KiB are 3,200."""

PROFILE_COPIES = 3
"""How often the decoder has the colour profile of a picture in memory."""

ROTATED = frozenset({5, 6, 7, 8})
"""The orientations in which width and height are exchanged."""


class BrokenPicture(Exception):
    """The file is no whole picture of its kind."""


class TooManyPixels(Exception):
    """The picture has more pixels than may be decoded."""


@frozen
class Container:
    """A picture's file. `width` and `height` are as stored, before `orientation` (1 to 8, of EXIF) is applied;
    `pieces` make the file without its metadata; `decoding_bytes(scale)` is about what decoding takes in memory, if the
    decoder can leave out all but every `scale`-th pixel of a row and of a column."""

    width: int
    height: int
    orientation: int
    pieces: Sequence[Piece]
    decoding_bytes: Callable[[int], int]

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as a viewer shows the picture."""
        if self.orientation in ROTATED:
            return self.height, self.width
        return self.width, self.height


class Kept:
    """Collects pieces; parts of the file that follow each other become one."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def part(self, start: int, end: int) -> None:
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, tuple) and last[1] == start:
            self.pieces[-1] = (last[0], end)
        else:
            self.pieces.append((start, end))

    def new(self, data: bytes) -> None:
        self.pieces.append(data)


def bytes_of(data: Data, pieces: Sequence[Piece], piece_bytes: int) -> Iterator[bytes]:
    """The bytes that the pieces stand for, at most so many at a time."""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        start, end = piece
        for at in range(start, end, piece_bytes):
            yield data[at : min(at + piece_bytes, end)]


def size_of(pieces: Sequence[Piece]) -> int:
    return sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)


def check_count(segments: int) -> None:
    """Raises: `BrokenPicture` for more segments than a picture may have."""
    if segments > SEGMENTS_MAX:
        raise BrokenPicture("too many segments")


def part_of(data: Data, start: int, size: int) -> bytes:
    """So many bytes from there. Raises: `BrokenPicture` if the file ends before."""
    if size < 0 or start + size > len(data):
        raise BrokenPicture("the file ends too early")
    return data[start : start + size]
