import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from engineio import json as engineio_json
from hypothesis import example, given
from hypothesis import strategies as st
from socketio import packet

from server.engine.decoder import Attachments, Packet, decode, strict_loads
from server.engine.packets import (
    EVENT,
    ProtocolError,
    SocketIODialect,
    TooLarge,
    join_payload,
    split_payload,
    to_frames,
)

LOADS = strict_loads(engineio_json)


@given(st.text() | st.text('0123456-/,?[]{}"e:. '))
def test_decoding_gives_a_packet_or_a_protocol_error(text: str) -> None:
    with contextlib.suppress(ProtocolError):
        assert 0 <= decode(text, LOADS).type <= 6


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=4), st.sampled_from(["/", "/x"]))
def test_what_is_encoded_is_decoded(args: list[Any], namespace: str) -> None:
    first, *parts = SocketIODialect(packet.Packet).packets("e", args, namespace)
    if len(parts) > 10 or "_placeholder" in str(args):
        return
    decoded: Packet | None = decode(str(first)[1:], LOADS)
    assert decoded is not None
    assert decoded.attachments == len(parts)
    if parts:
        gathering = Attachments(decoded, 10**6)
        for part in parts:
            decoded = gathering.add(part)
    assert decoded == Packet(EVENT, namespace, None, ["e", *args])


@given(st.lists(JSON, max_size=4))
def test_the_fast_encoder_says_what_the_library_says(args: list[Any]) -> None:
    slow = packet.Packet(data=["e", *args], namespace="/x").encode()
    fast = SocketIODialect(packet.Packet).packets("e", args, "/x")
    assert fast == ["4" + slow] if isinstance(slow, str) else fast == ["4" + slow[0], *slow[1:]]


@given(st.lists(st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"])) | st.binary()))
def test_payloads(messages: list[str | bytes]) -> None:
    packets = ["4" + message if isinstance(message, str) else message for message in messages] or ["6"]
    assert split_payload(join_payload(packets).encode(), 10**6) == packets


@pytest.mark.parametrize(
    ("base64", "data"),
    [
        ("YWJj\nZGVm", b"abcdef"),  # the Java client breaks lines
        ("YWJj\r\nZGVm\r\n", b"abcdef"),
        ("YWI", b"ab"),
        ("YQ", b"a"),
        ("YQ=", b"a"),
        ("YQ===", b"a"),
        ("-_-_", b"\xfb\xff\xbf"),
        ("+/-_", b"\xfb\xff\xbf"),
        (" Y W J j ", b"abc"),
        ("YWJj!ZGVm", b"abcdef"),
        ("YWJj=ZGVm", b"abc"),
        ("YQ==YQ==", b"a"),
        ("YWJjZ", b"abc"),
        ("YR==", b"a"),
        ("YWJj\u044b", b"abc"),
        ("", b""),
        ("Y", b""),
        ("!!!!", b""),
        ("====", b""),
        ("\u044b", b""),
    ],
)
def test_base64_is_taken_as_the_reference_takes_it(base64: str, data: bytes) -> None:
    """The values are those of Node's `Buffer.from(text, "base64")`."""
    assert split_payload(f"b{base64}".encode(), 1000) == [data]


def form(payload: str) -> bytes:
    """The body that engine.io-client's JSONP polling has a browser send."""
    return urlencode({"d": payload.replace("\\n", "\\\n").replace("\n", "\\n")}).encode()


@given(st.lists(JSON, min_size=1), st.booleans())
@example(
    ["C:\\new", "\\n", "\n", "\\", "\\\\n", "\r\n", "%41", "+", "&d=x", ";", "\u2028", "\x00", "да🌍"], False
)
def test_a_jsonp_form_alters_no_text(args: list[Any], ascii_only: bool) -> None:
    if "b'" in repr(args) or 'b"' in repr(args):
        return
    packets: list[str | bytes] = ["42" + json.dumps(["e", arg], ensure_ascii=ascii_only) for arg in args]
    packets.append(b"\xfb\xff+/")
    if "\x1e" not in "".join(map(str, packets)):
        assert split_payload(form(join_payload(packets)), 10**6) == packets


@pytest.mark.parametrize("body", [b"d=%FF", b"d=4%E0%A4%A", b"d=", b"d=4a&x", b"d"])
def test_a_form_that_would_have_to_be_guessed_at(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        split_payload(body, 1000)


@pytest.mark.parametrize(
    ("packet", "fits"),
    [
        ("4" + "x" * 999, True),
        ("4" + "x" * 1000, False),
        ("4" + "ю" * 499, True),
        ("4" + "ю" * 500, False),
        (b"x" * 1000, True),
        (b"x" * 1001, False),
    ],
)
def test_the_limit_is_on_each_packet(packet: str | bytes, fits: bool) -> None:
    packets = ["4" + "x" * 900, packet, "4" + "x" * 900]
    for body in (join_payload(packets).encode(), form(join_payload(packets))):
        if fits:
            assert split_payload(body, 1000) == packets
        else:
            with pytest.raises(TooLarge):
                split_payload(body, 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Packet(0, "/", None, None)),
        ("0/a,", Packet(0, "/a", None, None)),
        ("0/a", Packet(0, "/a", None, None)),
        ('0/a?x=1,{"b":1}', Packet(0, "/a", None, {"b": 1})),
        ("1/a,", Packet(1, "/a", None, None)),
        ('2["e"]', Packet(2, "/", None, ["e"])),
        ('2/a,12["e",1]', Packet(2, "/a", 12, ["e", 1])),
        ("312[]", Packet(3, "/", 12, [])),
        ('51-/a,0["e"]', Packet(5, "/a", 0, ["e"], 1)),
        ("610-7[]", Packet(6, "/", 7, [], 10)),
    ],
)
def test_decoding(text: str, expected: Packet) -> None:
    assert decode(text, LOADS) == expected


def test_data_too_deep_for_its_attachments() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ProtocolError):
        Attachments(Packet(5, "/", None, ["e", deep], 1), 10).add(b"x")


def test_a_json_module_that_does_not_call_default() -> None:
    class Plain:
        @staticmethod
        def dumps(data: Any, separators: tuple[str, str]) -> str:
            return json.dumps(data, separators=separators)

        loads = staticmethod(json.loads)

    class PlainPacket(packet.Packet):
        json = Plain

    assert SocketIODialect(PlainPacket).packets("e", [b"x"], "/") == [
        '451-["e",{"_placeholder":true,"num":0}]',
        b"x",
    ]
    assert SocketIODialect(PlainPacket).ack(3, [1], "/a") == ["43/a,3[1]"]
    assert strict_loads(Plain)("[1]") == [1]


def test_a_serializer_of_bytes() -> None:
    pytest.importorskip("msgpack")
    from socketio.msgpack_packet import MsgPackPacket

    (only,) = SocketIODialect(MsgPackPacket).packets("e", [1, b"x"], "/")
    assert isinstance(only, bytes)


def test_frames_of_packets() -> None:
    assert to_frames(["4да", b"\x01"]) == b"\x81\x054\xd0\xb4\xd0\xb0\x82\x01\x01"
