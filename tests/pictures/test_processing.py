"""Pictures: cleaned files, small pictures, broken files, and what decoding takes."""

import io
import random
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from PIL import Image, ImageCms

from handlers.pictures.container import BrokenPicture, TooManyPixels
from handlers.pictures.kinds import KINDS, picture_type
from handlers.pictures.processing import DECODING_BYTES_MAX, Picture, process
from handlers.pictures.small import AVATAR, THUMBNAIL, Wanted
from tests.pictures.made import ALL, COLOURS, SECRETS, chunk, exif, gif, jpeg, picture, png, saved, webp

PIXELS_MAX = 64_000_000
ROTATED: Mapping[str, Callable[..., bytes]] = {"image/jpeg": jpeg, "image/png": png, "image/webp": webp}


class Processed:
    def __init__(self, data: bytes, *, wanted: Wanted = THUMBNAIL, pixels_max: int = PIXELS_MAX) -> None:
        self.reserved: list[int] = []
        content_type = picture_type(data[:12])
        assert content_type is not None
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as cleaned:
            source.write(data)
            self.picture: Picture = process(
                source,
                content_type,
                cleaned,
                wanted=wanted,
                pixels_max=pixels_max,
                reserve=self._reserve,
            )
            cleaned.seek(0)
            self.file = cleaned.read()

    @contextmanager
    def _reserve(self, size: int) -> Iterator[None]:
        self.reserved.append(size)
        yield

    @property
    def small(self) -> Image.Image:
        assert self.picture.small is not None
        return Image.open(io.BytesIO(self.picture.small))

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.file))


def frames_of(image: Image.Image) -> int:
    return getattr(image, "n_frames", 1)


def near(pixel: Any, colour: str) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(pixel, COLOURS[colour], strict=False))


@pytest.mark.parametrize("kind", ALL)
def test_nothing_says_where_and_by_whom_a_picture_was_taken(kind: str) -> None:
    data = ALL[kind]()
    assert sum(secret in data for secret in SECRETS) >= 3
    done = Processed(data)
    for secret in SECRETS:
        assert secret not in done.file
        assert secret not in (done.picture.small or b"")
    assert not {"exif", "xmp", "comment", "photoshop", "Comment"} & done.image.info.keys()
    assert not dict(done.image.getexif())


def odd_places() -> Iterator[tuple[str, bytes]]:
    """Pictures with text in parts that viewers need, behind what viewers read of these."""
    text = b"COMMENTSECRET"
    plain = saved(picture(), "PNG")
    end = plain.index(b"IEND") - 4
    for name, size in ((b"gAMA", 4), (b"pHYs", 9), (b"bKGD", 6), (b"cICP", 4), (b"sBIT", 3)):
        yield "png", plain[:33] + chunk(name, bytes(size) + text) + plain[33:]
    yield "png", plain[:end] + chunk(b"IEND", text)
    yield "png", plain[:end] + chunk(b"tEXt", b"") + chunk(b"IDAT", text) + plain[end:]
    animation = gif()
    control = animation.index(b"!\xf9\x04")
    yield "gif", animation[: control + 7] + bytes((len(text),)) + text + animation[control + 7 :]
    loop = animation.index(b"NETSCAPE2.0") + 15
    yield "gif", animation[:loop] + bytes((len(text),)) + text + animation[loop:]
    moving = webp(frames=3)
    at = moving.index(b"ANIM")
    longer = moving[at : at + 4] + struct.pack("<I", 20) + moving[at + 8 : at + 14] + text + b"\0"
    body = moving[8:at] + longer + moving[at + 14 : 8 + struct.unpack("<I", moving[4:8])[0]]
    yield "webp", b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(("kind", "data"), [*odd_places()])
def test_no_text_stays_behind_what_viewers_read(kind: str, data: bytes) -> None:
    assert b"COMMENTSECRET" in data
    done = Processed(data)
    assert not any(secret in done.file for secret in SECRETS)
    assert Processed(done.file).file == done.file
    assert frames_of(done.image) == (1 if kind == "png" else 3)
    if kind != "png":
        assert done.image.info["loop"] == 0


def test_a_large_colour_profile_is_no_fault() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(2 * 1024 * 1024)
    data = saved(picture(), "PNG", icc_profile=profile)
    assert Processed(data).file == data


@pytest.mark.parametrize("kind", ALL)
def test_the_pixels_stay_as_they_are(kind: str) -> None:
    data = ALL[kind]()
    done = Processed(data)
    before, after = Image.open(io.BytesIO(data)), done.image
    assert before.convert("RGBA").tobytes() == after.convert("RGBA").tobytes()
    assert (done.picture.width, done.picture.height) == after.size == (80, 60)


@pytest.mark.parametrize(
    "make", [gif, lambda: webp(frames=3), lambda: png(save_all=True, append_images=[picture()])]
)
def test_an_animation_stays_one_and_its_first_frame_is_the_thumbnail(make: Callable[[], bytes]) -> None:
    data = make()
    done = Processed(data)
    frames = frames_of(Image.open(io.BytesIO(data)))
    assert frames > 1
    assert frames_of(done.image) == frames
    for number in range(frames):
        before = Image.open(io.BytesIO(data))
        before.seek(number)
        after = done.image
        after.seek(number)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert done.image.info.get("loop") == Image.open(io.BytesIO(data)).info.get("loop")
    assert near(done.small.convert("RGB").getpixel((10, 40)), "red")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ROTATED)
def test_the_orientation_is_kept_and_applied_to_the_thumbnail(kind: str, orientation: int) -> None:
    done = Processed(ROTATED[kind](orientation))
    assert done.image.size == (80, 60)
    kept = dict(done.image.getexif())
    assert kept == ({} if orientation == 1 else {0x0112: orientation})
    shown = (60, 80) if orientation > 4 else (80, 60)
    assert (done.picture.width, done.picture.height) == done.small.size == shown
    left = done.small.convert("RGB").getpixel((5, shown[1] // 2))
    top = done.small.convert("RGB").getpixel((shown[0] // 2, 12 if orientation in (5, 6, 7, 8) else 30))
    if orientation <= 4:
        assert near(left, "red" if orientation in (1, 4) else "blue")
    else:
        assert near(top, "red" if orientation in (5, 6) else "blue")


def test_an_orientation_behind_the_pixels_is_kept_where_viewers_look_for_it() -> None:
    data = png(6)
    at = data.index(b"eXIf") - 4
    end = at + 12 + int.from_bytes(data[at : at + 4], "big")
    last = data.index(b"IEND") - 4
    late = data[:at] + data[end:last] + data[at:end] + data[last:]
    assert Processed(late).file == Processed(data).file
    assert Processed(data[:end] + chunk(b"eXIf", exif(3)) + data[end:]).file == Processed(data).file


def test_colour_profiles_stay() -> None:
    profile = b"\0" * 36 + b"acsp" + b"\0" * 88
    for name in ("JPEG", "PNG", "WEBP"):
        done = Processed(saved(picture(), name, icc_profile=profile))
        assert done.image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("1", "PNG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
        ("RGBA", "WEBP"),
        ("L", "GIF"),
    ],
)
def test_pictures_of_all_colours_get_a_thumbnail(mode: str, name: str) -> None:
    image = picture(1600, 1200)
    if mode == "I;16":
        grey = image.convert("L").convert("I").point(lambda value: value * 257)
        image = grey.convert("I;16")
    else:
        image = image.convert(mode)
    done = Processed(saved(image, name))
    assert done.small.size == (512, 384)
    pixel = done.small.convert("L").getpixel((50, 200))
    assert isinstance(pixel, int)
    assert abs(pixel - 82) < 60


def test_transparent_pixels_stay_transparent() -> None:
    image = Image.new("RGBA", (3000, 3000), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 1500, 3000))
    small = Processed(saved(image, "PNG")).small
    assert small.mode == "RGBA"
    assert small.getpixel((500, 200))[3] == 0  # type: ignore[index]
    assert small.getpixel((10, 200))[3] == 255  # type: ignore[index]
    palette = Image.new("P", (1600, 1600), 0)
    assert Processed(saved(palette, "PNG", transparency=0)).small.getpixel((5, 5))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize(
    ("size", "small"),
    [((5000, 20), (512, 2)), ((1, 4000), (1, 512)), ((1, 1), (1, 1)), ((700, 700), (512, 512))],
)
@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_thumbnail_has_at_most_512_pixels_and_the_shape_of_the_picture(
    name: str, size: tuple[int, int], small: tuple[int, int]
) -> None:
    assert Processed(saved(picture(*size), name)).small.size == small


def test_an_avatar_is_the_square_in_the_middle() -> None:
    wide = Image.new("RGB", (3000, 1000), COLOURS["blue"])
    wide.paste(COLOURS["red"], (1000, 0, 2000, 1000))
    for name in ("PNG", "JPEG"):
        small = Processed(saved(wide, name), wanted=AVATAR).small
        assert small.size == (512, 512)
        for at in ((3, 3), (508, 508)):
            assert near(small.convert("RGB").getpixel(at), "red")
    assert Processed(saved(picture(30, 10), "PNG"), wanted=AVATAR).small.size == (10, 10)


@pytest.mark.parametrize("kind", ALL)
def test_a_file_that_ends_too_early_is_broken(kind: str) -> None:
    data = Processed(ALL[kind]()).file
    assert Processed(data).file == data
    for end in {*range(12, len(data), 97), len(data) - 1, len(data) - 3}:
        with pytest.raises(BrokenPicture):
            Processed(data[:end])


@pytest.mark.parametrize("kind", ALL)
def test_no_byte_that_is_another_one_raises_anything_else(kind: str) -> None:
    data = Processed(ALL[kind]()).file
    for at in range(12, len(data), max(1, len(data) // 150)):
        for value in (0, 255, data[at] ^ 1):
            changed = data[:at] + bytes((value,)) + data[at + 1 :]
            with suppress(BrokenPicture, TooManyPixels):
                Processed(changed, pixels_max=1_000_000)


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a/*" + b"alert(1)" * 40,
        b"\xff\xd8\xff<html><script>alert(1)</script>" + b"x" * 200,
        b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>" + b"x" * 200,
        b"RIFF\xff\xff\xff\xffWEBP" + b"<script>" * 40,
        b"RIFF\x04\0\0\0WEBP",
        png()[:33] + chunk(b"IHDR", struct.pack(">IIBBBBB", 80, 60, 8, 2, 0, 0, 0)) + png()[33:],
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"\xff\xd8\xff\xd9" + b"x" * 20,
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        + chunk(b"IEND", b""),
    ],
)
def test_what_only_begins_like_a_picture_is_broken(data: bytes) -> None:
    with pytest.raises(BrokenPicture):
        Processed(data)


def test_what_follows_a_picture_goes() -> None:
    for kind in ALL:
        clean = Processed(ALL[kind]()).file
        assert Processed(clean + b"<script>alert(1)</script>PK\x03\x04" * 9).file == clean


def bomb_png(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"x\x9c\x03\0\0\0\0\x01") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        bomb_png(60_000, 60_000),
        bomb_png(2**31 - 1, 2**31 - 1),
        b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;",
        b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 9,
    ],
)
def test_a_bomb_is_refused_by_its_header(data: bytes) -> None:
    with pytest.raises(TooManyPixels):
        Processed(data)


def test_what_says_one_size_and_has_another_is_broken() -> None:
    data = bytearray(saved(picture(), "WEBP", exif=b"MM\0*\0\0\0\x08\0\0"))
    assert data[12:16] == b"VP8X"
    data[24:27] = (39).to_bytes(3, "little")
    with pytest.raises(BrokenPicture):
        Processed(bytes(data))


def test_decoding_is_reserved_before_it_begins() -> None:
    assert Processed(saved(picture(1000, 1000), "PNG")).reserved == [4_000_000]
    assert Processed(saved(picture(1000, 1000, "L"), "PNG")).reserved == [1_000_000]
    assert Processed(saved(picture(4096, 4096), "JPEG")).reserved == [4096 * 4096 * 4 // 16]
    (progressive,) = Processed(saved(picture(4096, 4096), "JPEG", progressive=True, subsampling=0)).reserved
    for name in ("PNG", "JPEG"):
        (reserved,) = Processed(saved(picture(), name, icc_profile=random.randbytes(1_000_000))).reserved
        assert reserved > 3_000_000
    assert progressive == 4096 * 4096 * 6 + 4096 * 4096 * 4 // 16


def test_what_takes_too_much_to_decode_is_kept_without_a_small_picture() -> None:
    side = 4200
    assert side * side * 16 > DECODING_BYTES_MAX
    data = saved(Image.new("RGB", (side, side)), "WEBP", method=0)
    done = Processed(data)
    assert (done.picture.small, done.picture.width, done.reserved) == (None, side, [])
    assert done.file == data


def test_segments_without_end_are_broken() -> None:
    many = b"\xff\xd8" + b"\xff\xfe\0\x02" * 100_001 + saved(picture(), "JPEG")[2:]
    with pytest.raises(BrokenPicture):
        Processed(many)
    blocks = saved(picture(), "GIF")[:-1] + b"!\xfe" + b"\x01a" * 300_001 + b"\0;"
    with pytest.raises(BrokenPicture):
        Processed(blocks)


def test_scans_without_end_are_broken() -> None:
    """Each of them takes as long as the picture is large, however short it is."""
    plain = saved(picture(), "JPEG", progressive=True)
    scan = plain[plain.rindex(b"\xff\xda") : -2]
    assert Processed(plain[:-2] + scan * 50 + b"\xff\xd9").picture.small is not None
    with pytest.raises(BrokenPicture):
        Processed(plain[:-2] + scan * 100 + b"\xff\xd9")


def test_every_kind_is_recognised_by_its_beginning() -> None:
    assert {picture_type(make()[:12]) for make in ALL.values()} == set(KINDS)
    for head in (b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"\x89PN", b"GIF88a", b"\xff\xd8", b"BM"):
        assert picture_type(head) is None
