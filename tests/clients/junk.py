"""Payloads for every command, generated from its schema: some right, most wrong in some way, some no payload at all."""

import json
from typing import Any

from hypothesis import strategies as st

from handlers.commands import COMMANDS
from server.rest.calls import Call
from server.rest.parameters import query_fields
from server.rest.routes import CALLS

Payload = dict[str, Any]

_TEXT = st.text(st.characters(codec=None), max_size=40)
_EDGES = [-1, 0, 1, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, 10**30, -(2**63)]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from(_EDGES),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXT,
    st.sampled_from(["\ud800", "\x00", "$where", "a" * 20_000, "я" * 5000, "1", "true", "null"]),
)
JUNK = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$ne", "$gt", "", "id", "_placeholder", "num", "a.b"]), inner, max_size=2
        )
    ),
    max_leaves=6,
)


def _mostly(
    good: st.SearchStrategy[Any], else_: st.SearchStrategy[Any], times: int
) -> st.SearchStrategy[Any]:
    """Draws from `good`, and once in `times` draws from `else_`; `one_of` would draw from both equally often."""
    return st.integers(1, times).flatmap(lambda drawn: else_ if drawn == times else good)


def invite_code(number: int) -> str:
    """A code of an invite that can be guessed."""
    return f"{number:022}"


INVITE_CODES = [invite_code(number) for number in range(1, 13)]

_TIMES = [
    "2020-01-01T00:00:00Z",
    "2100-02-28T23:59:59.999999999+14:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "2024-02-30T00:00:00Z",
    "2024-02-29T24:00:00+00:00",
    "2024-02-29T23:59:60+00:00",
    "2024-02-29T00:00:00",
]
"""Times that are over, to come, at the ends of the calendar, and none at all."""

_IDS = st.integers(1, 12)
_GOOD: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("chat_id", "message_id", "reply_to", "up_to", "before", "after", "around"), _IDS),
    **dict.fromkeys(("after_seq", "limit"), st.integers(0, 20)),
    **dict.fromkeys(("content", "name", "display_name", "q", "cursor", "reason"), st.text(max_size=20)),
    **dict.fromkeys(("code", "invite"), st.sampled_from(INVITE_CODES)),
    **dict.fromkeys(
        ("is_typing", "is_public", "is_admin", "banned", "favorite", "hidden", "marked_unread"), st.booleans()
    ),
    "expires_in_s": st.sampled_from([0, 1, 60, 604_800, 10 * 365 * 24 * 3600]),
    "max_uses": st.integers(0, 3),
    "muted_until": st.one_of(st.none(), st.sampled_from(_TIMES)),
    "slow_mode_s": st.sampled_from([0, 0, 0, 1, 3600]),
    "notifications": st.sampled_from(["all", "mentions", "none"]),
    "presence": st.sampled_from(["auto", "away", "busy", "offline"]),
    "user_id": st.integers(1, 6),
    "member_ids": st.lists(st.integers(1, 4), max_size=3),
    "chat_type": st.sampled_from(["group", "private", "channel"]),
    "role": st.sampled_from(["owner", "admin", "member"]),
    "status": st.sampled_from(["online", "away", "busy", "offline"]),
    "client_id": st.sampled_from(["a", "b", "c"]),
    "emoji": st.sampled_from(["👍", "❤️", "👨‍👩‍👧‍👦", "é/"]),
    "message_type": st.just("text"),
    "username": st.sampled_from(["ann", "bob", "carl", "new-1", "new-2"]),
    "password": st.just("correct horse battery"),
    "email": st.sampled_from(["ann@example.org", "x@y"]),
}


def _value(field: str) -> st.SearchStrategy[Any]:
    good = _GOOD.get(field, _TEXT)
    return _mostly(good, JUNK, 8)


def _fields(command: str) -> st.SearchStrategy[Payload]:
    known = COMMANDS[command].schema.fields if command in COMMANDS else {}
    # The test could not log in again with a changed password.
    values = {field: _value(field) for field in known if field != "old_password"}
    more = {"unknown": JUNK, "user_id": _value("user_id")}
    required = {field: value for field, value in values.items() if known[field].required}
    optional = {field: value for field, value in values.items() if field not in required}
    good = st.fixed_dictionaries(required, optional=optional)
    return _mostly(good, st.fixed_dictionaries({}, optional=values | more), 4)


_NAMES = _mostly(
    st.sampled_from(sorted(name for name, command in COMMANDS.items() if command.socket)),
    st.one_of(
        st.sampled_from(sorted(COMMANDS)),
        st.sampled_from(["", "new_message", "connected", "closing", "__class__", "no_such_thing", "x" * 500]),
        _TEXT,
    ),
    8,
)

COMMAND = _NAMES.flatmap(lambda name: st.tuples(st.just(name), _fields(name)))
"""A name and a payload for the sockets."""


TEXTS = st.one_of(
    st.text(max_size=60),
    JUNK.map(json.dumps),
    st.sampled_from(
        [
            "",
            "{}",
            "[]",
            "null",
            "1e999",
            '{"type":"ping","id":1e400}',
            '{"type":"ping","type":"status","id":"' + "x" * 64 + '"}',
            '{"type":"send_message","chat_id":' + "9" * 5000 + ',"content":"x"}',
            '{"type":"send_message","chat_id":1,"content":"\\ud800\\u0000"}',
            "[" * 3000,
            '{"a":' * 1500,
            '{"type":"ping","x":' + "[" * 2000 + "]" * 2000 + "}",
        ]
    ),
)
"""What a client might send in place of a frame."""

_HEADS = ["42", "421", "43", "431", "40", "44", "451-", "42/x,", "2", "3"]
_WORDS = [
    '42["ping"]',
    '421["join_chat",{"chat_id":1}]',
    "41",
    "45",
    "4510-[]",
    "430[1]",
    '42["connect"]',
    "1",
    "6",
    "b4",
]

PACKETS = st.one_of(
    st.text('0123456789-/,[]{}"ab:_', max_size=20),
    st.builds(lambda head, value: head + json.dumps(value), st.sampled_from(_HEADS), JUNK),
    st.sampled_from(_WORDS),
)
"""Engine.IO packets, few of which a client would send."""

RAW = _mostly(COMMAND, TEXTS, 6)
SOCKETIO = _mostly(COMMAND, PACKETS, 6)

_PATH_VALUES = st.one_of(
    _IDS.map(str),
    _IDS.map(str),
    st.sampled_from(INVITE_CODES),
    st.sampled_from(
        ["0", "-1", "x", "%00", "..", "1.0", "%20", "9" * 30, "%F0%9F%98%80", "a%2Fb", "%D9%A1", "me"]
    ),
)
_BODIES = st.one_of(
    JUNK.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
    TEXTS.map(lambda text: text.encode("utf8", "replace")),
)
_KINDS = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=B",
        "text/plain",
        "",
        "x/" + "y" * 200,
    ]
)


@st.composite
def rest_calls(draw: st.DrawFn) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, path with its query, body and headers of a REST call."""
    call: Call = draw(st.sampled_from(CALLS))
    path = call.path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + draw(_PATH_VALUES) + rest.partition("}")[2]
    known = query_fields(COMMANDS[call.command], ()) if call.method == "GET" else ()
    asked = {name: draw(_value(name)) for name in known if draw(st.booleans())}
    if asked:
        pairs = (f"{name}={_quoted(value)}" for name, value in asked.items())
        path += "?" + "&".join(pairs)
    headers = {"Content-Type": "application/json"}
    if draw(st.integers(0, 3)):
        body = json.dumps(draw(_fields(call.command))).encode()
    else:
        body, headers["Content-Type"] = draw(_BODIES), draw(_KINDS)
    return call.method, path, body, headers


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(f"%{byte:02X}" for byte in text.encode("utf8", "replace")[:500])
