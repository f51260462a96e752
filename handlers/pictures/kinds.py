"""The kinds of pictures, by the content type of their files."""

from collections.abc import Callable, Mapping

from domain.frozen import frozen
from handlers.pictures.container import Container, Data
from handlers.pictures.gif import read_gif
from handlers.pictures.jpeg import read_jpeg
from handlers.pictures.png import read_png
from handlers.pictures.webp import read_webp

HEAD_BYTES = 12
"""How much of the beginning of a file `picture_type` has to see."""


@frozen
class Kind:
    """`name` is the one that Pillow uses. `read` raises `BrokenPicture`."""

    name: str
    read: Callable[[Data], Container]


KINDS: Mapping[str, Kind] = {
    "image/jpeg": Kind("JPEG", read_jpeg),
    "image/png": Kind("PNG", read_png),
    "image/gif": Kind("GIF", read_gif),
    "image/webp": Kind("WEBP", read_webp),
}


def picture_type(head: bytes) -> str | None:
    """The content type of a picture that begins like this; None for all else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None
