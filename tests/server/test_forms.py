"""Forms as bodies, read strictly."""

import pytest
from aiohttp import FormData

from handlers.wire.errors import ChatError
from server.rest.forms import PARTS_MAX, multipart_fields, urlencoded_fields

KIND = "multipart/form-data; boundary=B"


def part(name: str, value: str, more: str = "") -> str:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


def read(text: str, kind: str = KIND) -> dict[str, str]:
    return dict(multipart_fields(text.encode(), kind))


def test_fields_by_name_the_last_of_two_and_no_files() -> None:
    fields = part("username", "анна") + part("password", " a\r\nb ") + part("username", "bob")
    files = part("file", "x", '; filename="a.txt"') + part("empty", "")
    assert read(fields + files + "--B--\r\n") == {"username": "bob", "password": " a\r\nb ", "empty": ""}


def test_what_surrounds_the_parts_does_not_matter() -> None:
    fields = part("a", "x--B-").replace("--B\r\n", "--B \t\r\n", 1)
    assert read("a preamble\r\n" + fields + "--B--an epilogue --B") == {"a": "x--B-"}
    assert read(part("a", "1") + "--B--", 'multipart/form-data; charset=utf-8; boundary="B"') == {"a": "1"}


async def test_what_aiohttp_writes_is_read() -> None:
    form = FormData({"username": "анна", "password": 'x"y\\z'}, default_to_multipart=True)
    written = form()
    body = bytearray()

    class Writer:
        async def write(self, data: bytes) -> None:
            body.extend(data)

    await written.write(Writer())  # type: ignore[arg-type]
    fields = multipart_fields(bytes(body), written.headers["Content-Type"])
    assert fields == {"username": "анна", "password": 'x"y\\z'}


UNREADABLE = {
    "nothing": ("", KIND),
    "no boundary": ("--B--", "multipart/form-data"),
    "an empty boundary": ("----", 'multipart/form-data; boundary=""'),
    "a boundary too long": ("--B--", f"multipart/form-data; boundary={'B' * 71}"),
    "no end": (part("a", "1"), KIND),
    "a part without headers": ("--B\r\nx\r\n--B--", KIND),
    "a part without a name": ("--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--", KIND),
    "another disposition": ("--B\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--B--", KIND),
    "something after a boundary": ("--Bx\r\n\r\n--B--", KIND),
    "too many parts": (part("a", "1") * (PARTS_MAX + 1) + "--B--", KIND),
    "base64": (
        part("a", "1").replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n") + "--B--",
        KIND,
    ),
    "parts in parts": (
        part("a", "1").replace("\r\n\r\n", "\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n") + "--B--",
        KIND,
    ),
}


@pytest.mark.parametrize(("text", "kind"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_form_is_a_bad_request(text: str, kind: str) -> None:
    with pytest.raises(ChatError) as caught:
        read(text, kind)
    assert caught.value.code == "bad_request"


def test_what_is_not_utf_8_is_a_bad_request() -> None:
    for body in (
        b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--B--",
        b"--B\r\n\xff\r\n\r\n--B--",
    ):
        with pytest.raises(ChatError):
            multipart_fields(body, KIND)
    for body in (b"a=\xff", b"a=%ff", b"a&" * 2000):
        with pytest.raises(ChatError):
            urlencoded_fields(body)
    assert urlencoded_fields(b"a=1&b=&a=%D1%8B+x") == {"a": "ы x", "b": ""}


def test_as_many_parts_as_may_be() -> None:
    assert len(read("".join(part(str(number), "1") for number in range(PARTS_MAX)) + "--B--")) == PARTS_MAX
