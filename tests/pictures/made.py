"""Pictures of all kinds, made with everything that cameras and programs write into them."""

import io
import struct
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from PIL import Image, ImageDraw, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

SECRETS = (b"GPSSECRET", b"CAMERASECRET", b"XMPSECRET", b"IPTCSECRET", b"COMMENTSECRET", b"THUMBSECRET")
"""What no cleaned file has."""

XMP = b"<x:xmpmeta>XMPSECRET</x:xmpmeta>"
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x10IPTCSECRET\0\0\0\0\0\0"
COLOURS = {"red": (230, 20, 20), "blue": (20, 20, 230)}


def picture(width: int = 80, height: int = 60, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, with a green line at the top."""
    image = Image.new("RGB", (width, height), COLOURS["blue"])
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2, height), fill=COLOURS["red"])
    draw.rectangle((0, 0, width, height // 10), fill=(20, 230, 20))
    return image.convert(mode)


def exif(orientation: int = 1) -> bytes:
    """EXIF data with a camera, a place and an orientation."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "CAMERASECRET"
    data[0x9286] = b"COMMENTSECRET"
    gps = data.get_ifd(0x8825)
    gps[1], gps[2] = "N", (IFDRational(59), IFDRational(56), IFDRational(3))
    gps[29] = "GPSSECRET"
    return data.tobytes()


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def jpeg(orientation: int = 1, image: Image.Image | None = None, **options: Any) -> bytes:
    """With EXIF, XMP, IPTC, a comment, another picture and a program behind its end."""
    plain = saved(
        image or picture(), "JPEG", exif=exif(orientation), comment=b"COMMENTSECRET", quality=90, **options
    )
    head, rest = plain[:2], plain[2:]
    more = _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP) + _segment(0xED, IPTC)
    return (
        head + more + rest + saved(picture(8, 8), "JPEG", comment=b"THUMBSECRET") + b"PK\x03\x04THUMBSECRET"
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def png(orientation: int = 1, image: Image.Image | None = None, **options: Any) -> bytes:
    """With EXIF, XMP, text, a private chunk and something behind its end."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "COMMENTSECRET")
    info.add_text("More", "COMMENTSECRET", zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    plain = saved(image or picture(), "PNG", pnginfo=info, exif=exif(orientation), **options)
    private = chunk(b"prIv", b"IPTCSECRET")
    return plain[:33] + private + plain[33:] + b"THUMBSECRET"


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of PNG."""
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", crc32(name + data))


def gif(frames: int = 3) -> bytes:
    """An animation with comments, XMP and something behind its end."""
    images = [picture().rotate(90 * turn).convert("P") for turn in range(frames)]
    plain = saved(
        images[0],
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=50,
        loop=0,
        comment=b"COMMENTSECRET",
    )
    at = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    xmp = b"!\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    comment = b"!\xfe\x0dCOMMENTSECRET\0"
    # XMP in GIF is no sub-blocks by itself: its bytes are read as lengths, and lead to its end.
    return plain[:at] + comment + plain[at:-1] + xmp + b";" + b"THUMBSECRET"


def webp(orientation: int = 1, frames: int = 1, **options: Any) -> bytes:
    """With EXIF, XMP and something behind its end; an animation with more than one frame."""
    images = [picture().rotate(90 * turn) for turn in range(frames)]
    plain = saved(
        images[0],
        "WEBP",
        save_all=frames > 1,
        append_images=images[1:],
        exif=exif(orientation),
        xmp=XMP,
        **options,
    )
    return plain + b"THUMBSECRET"


ALL: Mapping[str, Callable[..., bytes]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/gif": gif,
    "image/webp": webp,
}
