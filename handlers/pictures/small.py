"""Small pictures of large ones, by Pillow: thumbnails and avatars. The only place that decodes a picture.

What is decoded is the file without its metadata, and its memory is bounded: the picture as the decoder holds it, and
tiles of it in the colours in which they are made smaller.
"""

import io
import warnings
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, PngImagePlugin

from domain.frozen import frozen
from handlers.pictures.container import BrokenPicture

# Of a file that Pillow can decode in part: what cannot be decoded is an exception, and nothing else is of interest.
warnings.filterwarnings("ignore", module=r"PIL\.")
# The pixels are counted before, by the settings of the server.
Image.MAX_IMAGE_PIXELS = None
# It bounds texts, of which cleaned files have none, and colour profiles in PNG: those of calibrated screens have 2 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = 8 * 1024 * 1024

THUMBNAIL_PX = 512
AVATAR_PX = 512

FORMAT = "WEBP"
CONTENT_TYPE = "image/webp"
QUALITY = 78

_REDUCED_TIMES = 1.5
"""How many times its final size a picture has before it is resampled in the end, which makes it look well."""

_TILE_PX = 512
_PROFILE_BYTES_MAX = 16 * 1024

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture so that it is upright, by orientation."""

Box = tuple[int, int, int, int]


@frozen
class Wanted:
    """A small picture. `longest_px` bounds its sides; `square`: of the square in the middle of the large one."""

    longest_px: int
    square: bool = False

    def box(self, width: int, height: int) -> Box:
        """The part of a picture that is shown."""
        if not self.square:
            return 0, 0, width, height
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Of the small picture of one of this size: never larger, and of the same shape."""
        left, top, right, bottom = self.box(width, height)
        scale = min(1.0, self.longest_px / max(right - left, bottom - top))
        return max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))

    def reduction(self, width: int, height: int) -> int:
        """By how much a picture of this size is made smaller before it is resampled; 1: not at all."""
        left, top, right, bottom = self.box(width, height)
        return max(1, int(max(right - left, bottom - top) / (_REDUCED_TIMES * self.longest_px)))


THUMBNAIL = Wanted(THUMBNAIL_PX)
AVATAR = Wanted(AVATAR_PX, square=True)


def decoder_scale(name: str, wanted: Wanted, width: int, height: int) -> int:
    """Of how many pixels of a row the decoder makes one: 1, 2, 4 or 8, and only for JPEG."""
    if name != "JPEG":
        return 1
    reduction = wanted.reduction(width, height)
    return next(scale for scale in (8, 4, 2, 1) if scale <= reduction)


def small_picture(
    file: BinaryIO, name: str, size: tuple[int, int], orientation: int, wanted: Wanted
) -> bytes:
    """A small picture of the one in the file, of which `name` is Pillow's format and `size` what its header says; of an
    animation, the first frame. Raises: `BrokenPicture`."""
    try:
        # The decoded picture is freed when this returns: what follows takes memory of its own.
        small, profile = _decoded(file, name, size, wanted)
    except (BrokenPicture, MemoryError):
        raise
    except Exception as error:  # Pillow raises about a dozen kinds
        raise BrokenPicture("the picture cannot be decoded") from error
    small = small.resize(wanted.size(*size), Image.Resampling.LANCZOS)
    if orientation in _TURNS:
        small = small.transpose(_TURNS[orientation])
    encoded = io.BytesIO()
    small.save(encoded, FORMAT, quality=QUALITY, icc_profile=profile)
    return encoded.getvalue()


def _decoded(file: BinaryIO, name: str, size: tuple[int, int], wanted: Wanted) -> tuple[Image.Image, bytes]:
    """The picture after the first reduction, and its colour profile."""
    with Image.open(file, formats=[name]) as image:
        if image.size != size:
            raise BrokenPicture("the sizes in the file contradict each other")
        scale = decoder_scale(name, wanted, *size)
        if scale > 1:
            image.draft(None, (max(1, size[0] // scale), max(1, size[1] // scale)))
        image.load()
        return _reduced(image, wanted), _profile(image)


def _profile(image: Image.Image) -> bytes:
    """The colour profile, if it is a short one that goes with the colours of the small picture."""
    profile = image.info.get("icc_profile") or b""
    return profile if image.mode in ("RGB", "RGBA") and len(profile) <= _PROFILE_BYTES_MAX else b""


def _reduced(image: Image.Image, wanted: Wanted) -> Image.Image:
    """The part that is wanted, in RGB or RGBA, made smaller by a whole number, a tile at a time."""
    box = wanted.box(*image.size)
    factor = wanted.reduction(*image.size)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    width, height = (-(-(box[at + 2] - box[at]) // factor) for at in (0, 1))
    reduced = Image.new(mode, (width, height))
    for tile in _tiles(box, factor):
        part = _in_colours(image.crop(tile), mode).reduce(factor)
        reduced.paste(part, ((tile[0] - box[0]) // factor, (tile[1] - box[1]) // factor))
    return reduced


def _tiles(box: Box, factor: int) -> Iterator[Box]:
    left, top, right, bottom = box
    side = factor * max(1, _TILE_PX // factor)
    for y in range(top, bottom, side):
        for x in range(left, right, side):
            yield x, y, min(x + side, right), min(y + side, bottom)


def _in_colours(tile: Image.Image, mode: str) -> Image.Image:
    if tile.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off at 255
        tile = tile.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return tile if tile.mode == mode else tile.convert(mode)
