"""Forms as bodies: fields by name. What is no field, such as a file, is left out."""

from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import HeaderParser
from urllib.parse import parse_qsl

from handlers.wire.errors import ChatError

FIELDS_MAX = 1000
PARTS_MAX = 100
BOUNDARY_CHARS_MAX = 70
"""RFC 2046, 5.1.1."""


def urlencoded_fields(body: bytes) -> Mapping[str, str]:
    """Of fields that come twice the last counts. Raises: `ChatError` `bad_request`."""
    try:
        return dict(
            parse_qsl(
                body.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=FIELDS_MAX,
                separator="&",
            )
        )
    except ValueError:
        raise _unreadable() from None


def multipart_fields(body: bytes, content_type: str) -> Mapping[str, str]:
    """The same of a body of multipart/form-data, which is complete. Raises: `ChatError` `bad_request`."""
    boundary = _header("Content-Type", content_type).get_boundary("")
    if not 0 < len(boundary) <= BOUNDARY_CHARS_MAX or not boundary.isascii():
        raise _unreadable()
    try:
        return dict(field for part in _parts(body, boundary.encode()) if (field := _field(part)) is not None)
    except ValueError:  # what is not UTF-8, in a header or a value
        raise _unreadable() from None


def _parts(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the delimiters, from the line break after one to that before the next."""
    _preamble, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, PARTS_MAX + 2)
    if not parts or len(parts) > PARTS_MAX + 1 or not parts[-1].startswith(b"--"):
        raise _unreadable()
    for part in parts[:-1]:
        padding, line_break, rest = part.partition(b"\r\n")
        if padding.strip(b" \t") or not line_break:
            raise _unreadable()
        yield rest


def _field(part: bytes) -> tuple[str, str] | None:
    head, blank, value = (b"\r\n" + part).partition(b"\r\n\r\n")
    headers = HeaderParser().parsestr(head[2:].decode())
    if not blank or headers.defects or headers.get_content_disposition() != "form-data":
        raise _unreadable()
    if headers.get_content_maintype() == "multipart" or "Content-Encoding" in headers:
        raise _unreadable()
    if headers.get("Content-Transfer-Encoding", "binary").strip().lower() not in ("binary", "8bit", "7bit"):
        raise _unreadable()
    name = headers.get_param("name", header="Content-Disposition")
    if not isinstance(name, str):
        raise _unreadable()
    return None if headers.get_filename() is not None else (name, value.decode())


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message


def _unreadable() -> ChatError:
    return ChatError("bad_request", "the form cannot be read")
