"""The schemas of the wire's objects: exact keys, JSON types, times."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")

Check = Callable[[Any], bool]


def is_time(value: Any) -> bool:
    """ISO 8601, UTC, with offset and microseconds."""
    return type(value) is str and _TIME.fullmatch(value) is not None


def is_id(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**53


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def a(kind: type) -> Check:
    return lambda value: type(value) is kind


def one_of(*values: Any) -> Check:
    return lambda value: value in values


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


USER = {
    "id": is_id,
    "username": a(str),
    "display_name": a(str),
    "avatar_url": maybe(a(str)),
    "status": one_of("online", "away", "busy", "offline"),
    "last_seen_at": maybe(is_time),
    "created_at": is_time,
    "is_bot": a(bool),
    "active": a(bool),
    "deleted": a(bool),
}
BOT = {**USER, "is_bot": one_of(True), "owner_id": is_id}
OWN_USER = {
    **USER,
    "email": maybe(a(str)),
    "is_admin": a(bool),
    "presence": one_of("auto", "away", "busy", "offline"),
}
MESSAGE = {
    "id": is_id,
    "chat_id": is_id,
    "seq": is_id,
    "changed_seq": is_id,
    "content": a(str),
    "sender_id": is_id,
    "created_at": is_time,
    "edited_at": maybe(is_time),
    "message_type": one_of("text", "image", "file"),
    "reply_to": maybe(is_id),
    "mentions": a(list),
    "mentions_all": a(bool),
    "reactions": a(dict),
    "pinned": a(bool),
    "attachments": a(list),
}
SHARED_CHAT = {
    "id": is_id,
    "name": maybe(a(str)),
    "chat_type": one_of("group", "private", "channel"),
    "created_at": is_time,
    "created_by": is_id,
    "member_count": is_count,
    "seq": is_count,
    "avatar_url": maybe(a(str)),
    "is_public": a(bool),
    "slow_mode_s": is_count,
}
CHAT = {
    **SHARED_CHAT,
    "role": one_of("owner", "admin", "member"),
    "unread_count": is_count,
    "unread_mentions": is_count,
    "last_message": maybe(lambda value: fits(value, MESSAGE)),
    "last_read_message_id": maybe(is_id),
    "read_seq": is_count,
    "notifications": one_of("all", "mentions", "none"),
    "favorite": a(bool),
    "hidden": a(bool),
    "marked_unread": a(bool),
    "muted_until": maybe(is_time),
}
MEMBER = {
    "user": lambda value: fits(value, OWN_USER if "email" in value else BOT if "owner_id" in value else USER),
    "role": one_of("owner", "admin", "member"),
    "joined_at": is_time,
    "last_read_message_id": maybe(is_id),
    "read_seq": is_count,
    "muted_until": maybe(is_time),
}
TOKENS = {
    "access_token": a(str),
    "refresh_token": a(str),
    "token_type": one_of("bearer"),
    "expires_in": is_id,
    "user": lambda value: fits(value, OWN_USER),
}
PAGE = {
    "messages": lambda value: all(fits(message, MESSAGE) for message in value),
    "has_more_before": a(bool),
    "has_more_after": a(bool),
    "head_seq": is_count,
}


def fits(value: Any, shape: Mapping[str, Check]) -> bool:
    """Whether an object has these keys, no others, and values of the right kind. `client_id` may be there."""
    assert type(value) is dict, value
    optional = {"client_id"} if shape is MESSAGE else set()
    assert value.keys() - optional == shape.keys(), (sorted(value), sorted(shape))
    for name, check in shape.items():
        assert check(value[name]), (name, value[name])
    return True


def assert_error(answer: Any, status: int, code: str, *fields: str) -> None:
    """A REST answer is this error, its `fields` exactly these, in the one shape there is."""
    got_status, body = answer
    assert got_status == status, answer
    assert body.keys() == {"error"}
    error = body["error"]
    expected = {"code", "message"}
    if fields:
        expected.add("fields")
        assert error["fields"].keys() == set(fields), error
        assert all(type(text) is str and text for text in error["fields"].values())
    if code == "rate_limited":
        expected.add("retry_after_ms")
        assert is_id(error["retry_after_ms"])
    assert error.keys() == expected, error
    assert error["code"] == code, error
    assert type(error["message"]) is str
    assert error["message"]


def assert_error_frame(frame: Any, code: str, *fields: str, id: Any = None) -> None:  # noqa: A002 -- as on the wire
    """A raw frame is this error, with this `id` (None: without one), its `fields` exactly these."""
    expected = {"type", "code", "message", "retryable"}
    if id is not None:
        expected.add("id")
        assert frame["id"] == id
        assert type(frame["id"]) is type(id)
    if fields:
        expected.add("fields")
        assert frame["fields"].keys() == set(fields), frame
    if code == "rate_limited":
        expected.add("retry_after_ms")
        assert is_id(frame["retry_after_ms"])
    assert frame.keys() == expected, frame
    assert frame["type"] == "error"
    assert frame["code"] == code, frame
    assert frame["retryable"] is (code in ("rate_limited", "unavailable"))
    assert type(frame["message"]) is str
    assert frame["message"]
