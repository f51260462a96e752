"""Errors and endings in the words of the wire, byte for byte."""

import pytest

from handlers.wire.endings import CLOSE_CODES, Ending, close_reason, retry_in_ms
from handlers.wire.errors import ChatError, error_view, invalid, not_found
from handlers.wire.json import dumps

FULL = ChatError("invalid", "no", fields={"name": "is taken"}, retry_after_ms=0)


@pytest.mark.parametrize(
    ("error", "socket", "rest"),
    [
        (
            not_found("chat"),
            '{"code":"not_found","message":"no such chat","retryable":false}',
            '{"code":"not_found","message":"no such chat"}',
        ),
        (
            ChatError("rate_limited", "slow", retry_after_ms=5),
            '{"code":"rate_limited","message":"slow","retryable":true,"retry_after_ms":5}',
            '{"code":"rate_limited","message":"slow","retry_after_ms":5}',
        ),
        (
            FULL,
            '{"code":"invalid","message":"no","retryable":false,"retry_after_ms":0,"fields":{"name":"is taken"}}',
            '{"code":"invalid","message":"no","fields":{"name":"is taken"},"retry_after_ms":0}',
        ),
        (
            invalid(),
            '{"code":"invalid","message":"some fields are not right","retryable":false}',
            '{"code":"invalid","message":"some fields are not right"}',
        ),
    ],
)
def test_an_error_on_each_gate(error: ChatError, socket: str, rest: str) -> None:
    assert dumps(error_view(error, "socket")).decode() == socket
    assert dumps(error_view(error, "rest")).decode() == rest


def test_only_these_may_be_tried_again() -> None:
    assert ChatError("unavailable", "").retryable
    assert not ChatError("conflict", "").retryable


def test_every_ending_has_a_close_code() -> None:
    assert CLOSE_CODES.keys() == set(Ending)
    comes_back = {Ending.GOING_AWAY, Ending.TOO_SLOW, Ending.OVERLOADED, Ending.BEHIND, Ending.SILENT}
    assert {ending for ending, close in CLOSE_CODES.items() if close.reconnect} == comes_back


def test_an_ending_of_all_connections_says_when_to_come_back() -> None:
    of_all = {Ending.GOING_AWAY, Ending.BEHIND}
    for ending in of_all:
        times = {retry_in_ms(ending, 5_000) for _ in range(200)}
        assert len(times) > 100
        assert all(time is not None and 0 <= time <= 5_000 for time in times)
    assert {retry_in_ms(ending, 5_000) for ending in set(Ending) - of_all} == {None}
    assert close_reason(Ending.GOING_AWAY, 17) == '{"retry_in_ms":17}'
    assert close_reason(Ending.SILENT, None) == Ending.SILENT.value


def test_a_reason_fits_into_a_close_frame() -> None:
    assert all(len(ending.value.encode()) <= 123 for ending in Ending)
