"""What is in a file, by its first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.files.content_types import INLINE, UNKNOWN, content_type_of

PADDING = b"\0" * 60


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"", UNKNOWN),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0AVI LIST" + PADDING, "video/x-msvideo"),
        (b"\0\0\0\x20ftypisom" + PADDING, "video/mp4"),
        (b"\0\0\0\x20ftypM4A " + PADDING, "audio/mp4"),
        (b"\0\0\0\x14ftypqt  " + PADDING, "video/quicktime"),
        (b"\0\0\0\x18ftypheic" + PADDING, "image/heic"),
        (b"\0\0\0\x18ftyphevc" + PADDING, "image/heic-sequence"),
        (b"\0\0\0\x18ftypavif" + PADDING, "image/avif"),
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm" + PADDING, "video/webm"),
        (b"\x1a\x45\xdf\xa3\xa3B\x82\x88matroska" + PADDING, "video/x-matroska"),
        (b"OggS" + PADDING + b"OpusHead", "audio/ogg"),
        (b"OggS" + PADDING + b"\x80theora", "video/ogg"),
        (b"ID3\x03" + PADDING, "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + PADDING, "audio/mpeg"),
        (b"\xff\xf3\x84\xc4" + PADDING, "audio/mpeg"),
        (b"\xff\xf1\x50\x80" + PADDING, "audio/aac"),
        (b"#!AMR\n" + PADDING, "audio/amr"),
        (b"fLaC" + PADDING, "audio/flac"),
        (b"II*\0\x08\0\0\0" + PADDING, "image/tiff"),
        (b"BM\x36\0\0\0\0\0\0\0" + PADDING, "image/bmp"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04" + PADDING, "application/zip"),
        (b"MZ\x90\0" + PADDING, "application/vnd.microsoft.portable-executable"),
        (b"<!DOCTYPE html><p>", "text/html"),
        (b"\xef\xbb\xbf \n<HTML>", "text/html"),
        (b"<script>alert(1)</script>", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><svg/>", "image/svg+xml"),
        (b"<!-- x --><svg/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><a/>", "application/xml"),
        (b"alert('<b>')", "text/plain"),
        ("Привет".encode(), "text/plain"),
        ("Привет".encode()[:-1], "text/plain"),
        (b'{"a": 1}', "text/plain"),
        (b"#!/bin/sh\n", "text/plain"),
        (b"a\0b", UNKNOWN),
        (bytes(range(256)), UNKNOWN),
    ],
)
def test_types(head: bytes, content_type: str) -> None:
    assert content_type_of(head) == content_type


def test_what_runs_scripts_is_never_shown_in_place() -> None:
    assert not INLINE & {
        "text/html",
        "image/svg+xml",
        "application/xml",
        "application/pdf",
        "text/plain",
        UNKNOWN,
    }
    assert all(name.split("/")[0] in ("image", "audio", "video") for name in INLINE)


@given(st.binary(max_size=300))
def test_every_content_has_a_type_that_a_header_can_have(head: bytes) -> None:
    kind, slash, name = content_type_of(head).partition("/")
    assert slash
    assert (kind + name).isascii()
    assert not set(kind + name) & set(' ;,\r\n"')
