"""What is in a file, by its first bytes and never by its name; and which types browsers may show in place."""

import codecs
from collections.abc import Mapping

import puremagic

from handlers.pictures.kinds import picture_type

HEAD_BYTES = 4096
"""How much of the beginning of a file is looked at."""

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

INLINE = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "video/mp4",
        "video/ogg",
        "video/quicktime",
        "video/webm",
    }
)
"""What browsers show in place: nothing that can run a script or load something else."""

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfa", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"#!AMR", "audio/amr"),
    (b"#!", TEXT),
)
"""Types that puremagic does not tell apart, or only with the end of the file: all archives count as one."""

_CALLED: Mapping[str, str] = {
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "video/avi": "video/x-msvideo",
    "image/x-ms-bmp": "image/bmp",
    "text/xml": "application/xml",
}
"""Other names of types, and the one that is used here."""

_MARKUP = ((b"<svg", "image/svg+xml"), (b"<html", "text/html"), (b"<!doctype html", "text/html"))
_ISO_BRANDS: Mapping[bytes, str] = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"F4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic-sequence",
    b"hevx": "image/heic-sequence",
    b"mif1": "image/heif",
    b"msf1": "image/heif-sequence",
    b"avif": "image/avif",
    b"avis": "image/avif",
}
"""Of the files that begin as MP4 does; others are video."""


def content_type_of(head: bytes) -> str:
    """The type of a file that begins with these bytes, the first `HEAD_BYTES` of it."""
    return picture_type(head) or _by_beginning(head) or _of_media(head) or _of_text(head) or _by_magic(head)


def _by_beginning(head: bytes) -> str | None:
    return next((name for beginning, name in _BEGINNINGS if head.startswith(beginning)), None)


def _of_media(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _ISO_BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"OggS"):
        return "video/ogg" if b"theora" in head[:256] else "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    return None


def _of_text(head: bytes) -> str | None:
    """The type of text, of which markup is told apart from the rest; None for what is no text."""
    if not head:
        return None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    if any(ord(character) < 32 and character not in "\t\n\r\f\x1b" for character in text):
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, name in _MARKUP:
        if start.startswith(mark) or (start.startswith((b"<?xml", b"<!--", b"<!doctype")) and mark in start):
            return name
    if start.startswith(b"<?xml"):
        return "application/xml"
    # A page may begin with any element.
    return "text/html" if start.startswith(b"<") and b">" in start else TEXT


def _by_magic(head: bytes) -> str:
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    name = next((one.mime_type for one in found if one.mime_type), UNKNOWN).lower()
    return _CALLED.get(name, name)
