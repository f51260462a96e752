"""What the answers of a receiver mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from handlers.hooks.answers import error_of, is_final, is_taken, reply_of, retry_after_s
from handlers.hooks.posting import BODY_BYTES_MAX, Posted

NOW = datetime(2025, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_2xx_is_taken(status: int) -> None:
    assert is_taken(Posted(status))


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503, 999])
def test_all_else_is_not(status: int) -> None:
    assert not is_taken(Posted(status))
    assert error_of(Posted(status)) == f"the target answered {status}"
    assert is_final(Posted(status)) is (status == 410)


def test_no_answer_is_not_taken_and_is_explained() -> None:
    assert not is_taken(Posted(failure="timeout"))
    assert "10 s" in error_of(Posted(failure="timeout"))
    assert not is_final(Posted(failure="timeout"))
    assert is_final(Posted(failure="refused"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300.0),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0.0),
        ("Sun, 23 Nov 2025 10:01:00", 60.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u0663", None),
        ("9" * 100, None),
        ("Fri, 99 Nov 2025 10:00:00 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"text": "done"}', "done"),
        (b'{"text": "\xd0\xb4\xd0\xb0", "username": "x"}', "да"),
        (b'{"text": "' + b"x" * 200 + b'"}', "x" * 100),
        (b'{"text": ""}', None),
        (b'{"text": "  \\n"}', None),
        (b'{"text": null}', None),
        (b'{"text": 1}', None),
        (b'{"text": ["x"]}', None),
        (b'{"text": "\\ud800"}', None),
        (b'{"other": "x"}', None),
        (b'["text"]', None),
        (b'"text"', None),
        (b"ok", None),
        (b"", None),
        (None, None),
        (b"\xff\xfe", None),
        (b"[" * BODY_BYTES_MAX, None),
    ],
)
def test_replies(body: bytes | None, text: str | None) -> None:
    assert reply_of(body, 100) == text
