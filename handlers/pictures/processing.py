"""What becomes of the file of a picture: it is read, rewritten without its metadata, and a small picture is made."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from domain.frozen import frozen
from handlers.pictures.container import BrokenPicture, Container, TooManyPixels, bytes_of
from handlers.pictures.kinds import KINDS, Kind
from handlers.pictures.small import Wanted, decoder_scale, small_picture

DECODING_BYTES_MAX = 256 * 1024 * 1024
"""A picture that takes more to be decoded is kept without a small one: WebP above 16 million pixels, progressive JPEG
without subsampling above 44 million, and all above 64 million, where `MAX_IMAGE_PIXELS` lets them in."""

_PIECE_BYTES = 64 * 1024

Reserve = Callable[[int], AbstractContextManager[None]]
"""Waits until so many bytes may be used for decoding, and holds them."""


@frozen
class Picture:
    """`width` and `height` are as shown. `small` is the small picture; None if the picture is too large for one."""

    width: int
    height: int
    small: bytes | None


def process(
    source: BinaryIO,
    content_type: str,
    cleaned: BinaryIO,
    *,
    wanted: Wanted,
    pixels_max: int,
    reserve: Reserve,
) -> Picture:
    """Writes the picture in the file `source` without its metadata into the empty file `cleaned`, and makes a small
    one. Both are files of the system. It takes up to seconds, and waits for `reserve`: for a thread.

    Raises: `BrokenPicture`; `TooManyPixels`; `OSError`.
    """
    kind = KINDS[content_type]
    container = _clean(source, kind, cleaned, pixels_max)
    width, height = container.width, container.height
    needs = container.decoding_bytes(decoder_scale(kind.name, wanted, width, height))
    if needs > DECODING_BYTES_MAX:
        return Picture(*container.shown, None)
    with reserve(needs):
        cleaned.seek(0)
        small = small_picture(cleaned, kind.name, (width, height), container.orientation, wanted)
    return Picture(*container.shown, small)


def _clean(source: BinaryIO, kind: Kind, cleaned: BinaryIO, pixels_max: int) -> Container:
    source.flush()
    if not os.fstat(source.fileno()).st_size:
        raise BrokenPicture("the file is empty")
    with mmap(source.fileno(), 0, access=ACCESS_READ) as data:
        container = kind.read(data)
        if container.width * container.height > pixels_max:
            raise TooManyPixels
        for piece in bytes_of(data, container.pieces, _PIECE_BYTES):
            cleaned.write(piece)
    cleaned.flush()
    return container
