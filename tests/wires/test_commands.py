"""Every command with every wrong value, on every wire: an exact error, and no event for others."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.client import Frame
from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.shapes import MESSAGE, assert_error_frame, fits
from tests.conftest import Serve

pytestmark = pytest.mark.wires

WRONG: dict[str, list[Any]] = {
    "id": ["1", 1.0, 1.5, True, False, 0, -1, 2**53, 10**30, [], [1], {}, ""],
    "position": ["1", 1.0, 1.5, True, False, -1, 2**53, 10**30, [], [1], {}, ""],
    "flag": ["true", 1, 0, "", [], {}],
    "status": ["gone", "Online", "", 10_001 * "ы", 1, True, [], ["a"], {}, {"a": 1}, "\ud800"],
    "content": [1, True, [], ["a"], {}, {"a": 1}, "", "x" * 10_001, "ы" * 10_001, "\ud800", "\udfff\ud800"],
    "client_id": [1, True, [], ["a"], {}, "", "#x", "x" * 65, "\ud800"],
    "word": [1, True, [], ["a"], {}, "\ud800"],
    "emoji": [
        *(
            1,
            True,
            [],
            ["👍"],
            {},
            "",
            "x",
            "+1",
            "\ufe0f",
            "a\ufe0f",
            "👍 ",
            " 👍",
            "👍\n",
            "👍\0",
            "👍\u2028",
        ),
        *("\xa0", "\x85", "😀" * 8 + "a", "👍" * 10_000, "\ud83d", "👍\udc4d"),
    ],
    "token": [1, True, [], ["a"], {}, "", "\ud800"],
}
WRONG["stream"] = [value for value in WRONG["content"] if value != ""]
WRONG["message"] = [*WRONG["id"], 999_999]
"""Of a field that names a message of the chat."""

REQUIRED = {
    "ping": {},
    "join_chat": {"chat_id": "id"},
    "leave_chat": {"chat_id": "id"},
    "typing": {"chat_id": "id", "is_typing": "flag"},
    "stream_message": {"chat_id": "id", "stream_id": "client_id", "content": "stream"},
    "status": {"status": "status"},
    "read_messages": {"chat_id": "id"},
    "send_message": {"chat_id": "id", "content": "content"},
    "edit_message": {"message_id": "id", "content": "content"},
    "delete_message": {"message_id": "id"},
    "add_reaction": {"message_id": "id", "emoji": "emoji"},
    "remove_reaction": {"message_id": "id", "emoji": "emoji"},
    "pin_message": {"message_id": "id"},
    "unpin_message": {"message_id": "id"},
    "refresh_token": {"token": "token"},
}
OPTIONAL = {
    "join_chat": {"after_seq": "position", "epoch": "word"},
    "read_messages": {"up_to": "message"},
    "send_message": {"client_id": "client_id", "reply_to": "message"},
}
ANSWERS = {
    "ping": set(),
    "join_chat": {"chat_id", "head_seq", "replayed", "gap"},
    "leave_chat": {"chat_id"},
    "typing": set(),
    "stream_message": set(),
    "status": set(),
    "read_messages": {"chat_id", "up_to", "read_seq", "unread_count", "unread_mentions"},
    "send_message": {"message", "seq", "duplicate"},
    "edit_message": {"message", "seq"},
    "delete_message": {"chat_id", "message_id", "seq"},
    "add_reaction": {"message", "seq"},
    "remove_reaction": {"message", "seq"},
    "pin_message": {"message", "seq"},
    "unpin_message": {"message", "seq"},
    "refresh_token": {"token_expires_in"},
}
ABOUT_A_CHAT = (
    *("join_chat", "typing", "read_messages", "send_message", "edit_message", "delete_message"),
    *("add_reaction", "remove_reaction", "pin_message", "unpin_message", "stream_message"),
)

ONLY_REST = [
    "message_history",
    "register",
    "login",
    "create_chat",
    "create_message",
    "get_user",
    "remove_member",
]
UNKNOWN = [
    *("no_such_thing", "error", "closing", "connected", "new_message", "message", "ready", "trigger_event"),
    *("", "*", "__class__", "Ping", "ping ", "пинг", "\ud800", "x" * 10_000),
    *ONLY_REST,
]

Case = tuple[dict[str, Any], list[str]]


class Scene:
    """Ann's chat with a message of hers; Bob, a member, watches it; Eve is a stranger."""

    async def set(self, serve: Serve) -> None:
        self.server = await serve(status_per_s=0, messages_per_s=0)
        self.ann, self.bob, self.eve = await self.server.people("ann", "bob", "eve")
        self.chat_id = await self.ann.chat(self.bob)
        self.message_id = (await self.ann.say(self.chat_id, "hi"))["id"]
        self.watcher = await self.bob.joined(self.chat_id)
        self.client = await self.ann.connect()
        await self.watcher.drain()

    def good(self, name: str) -> dict[str, Any]:
        values = {
            "chat_id": self.chat_id,
            "is_typing": True,
            "stream_id": "answer",
            "status": "online",
            "content": "changed",
            "emoji": "👍",
            "message_id": self.message_id,
            "token": self.ann.token,
        }
        return {field: values[field] for field in REQUIRED[name]}


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


@pytest.mark.parametrize("name", REQUIRED)
async def test_a_good_command_is_acked_unknown_and_null_fields_are_ignored(scene: Scene, name: str) -> None:
    more: dict[str, Any] = {
        "colour": "red",
        "user_id": 99,
        "ok": False,
        "session_id": [],
        "x" * 1000: {"deep": [[[]]]},
        **dict.fromkeys(OPTIONAL.get(name, ())),
    }
    ack = await scene.client.done(name, **more, **scene.good(name))
    assert ack["ok"] is True
    assert ack.keys() == {"type", "id", "ok"} | ANSWERS[name]
    if "message" in ack:
        assert fits(ack["message"], MESSAGE)
    await scene.client.nothing_more("error")


async def test_a_wrong_field_is_an_error_that_names_it_and_disturbs_nobody(
    scene: Scene, subtests: pytest.Subtests
) -> None:
    for index, name in enumerate(REQUIRED):
        with subtests.test(command=name):
            await _each_wrong_field_is_named(scene, name, first_id=1000 * index)
    assert (await scene.ann.get(f"/chats/{scene.chat_id}"))["seq"] == 1


async def _each_wrong_field_is_named(scene: Scene, name: str, *, first_id: int) -> None:
    """With an id and without; all are sent before the first answer is read."""
    cases = list(wrong_cases(scene, name))
    for number, (fields, _) in enumerate(cases, first_id):
        await scene.client.send({"type": name, "id": number, **fields})
        await scene.client.send({"type": name, **fields})
    for number, (fields, wrong) in enumerate(cases, first_id):
        answer = await scene.client.answer_to(number)
        assert_error_frame(answer, "invalid", *wrong, id=number)
        assert len(answer["message"]) < 1000, fields
    # Those that only the store finds come later than the others.
    errors = [await scene.client.next("error") for _ in cases]
    for error, wrong in zip(
        sorted(errors, key=_fields), sorted(sorted(wrong) for _, wrong in cases), strict=True
    ):
        assert_error_frame(error, "invalid", *wrong)
    await scene.client.nothing_more()
    await scene.watcher.nothing_more("error", *NUMBERED_EVENTS, "typing", "message_stream")


def _fields(error: Frame) -> list[str]:
    return sorted(error["fields"])


async def test_for_a_stranger_the_chat_does_not_exist(scene: Scene, subtests: pytest.Subtests) -> None:
    client = await scene.eve.connect()
    for name in ABOUT_A_CHAT:
        with subtests.test(command=name):
            there, missing = scene.good(name), scene.good(name)
            for field in ("chat_id", "message_id"):
                if field in missing:
                    missing[field] = 2**53 - 1
            answers = [await client.command(name, **fields) for fields in (there, missing)]
            for frame in answers:
                assert_error_frame(frame, "not_found", id=frame["id"])
            assert answers[0]["message"] == answers[1]["message"], "whether it exists or not"
    await client.nothing_more()
    await scene.watcher.nothing_more()


async def test_a_stranger_may_leave_a_chat_they_never_joined(scene: Scene) -> None:
    client = await scene.eve.connect()
    for chat_id in (scene.chat_id, 99, 2**53 - 1):
        await client.done("leave_chat", chat_id=chat_id)
    await scene.watcher.nothing_more()


@pytest.mark.parametrize("name", ["send_message", "edit_message", "status", "nonsense"])
async def test_a_huge_field_is_an_error_and_the_connection_stays(scene: Scene, name: str) -> None:
    good = scene.good(name) if name in REQUIRED else {}
    huge = {"content": "x" * 100_000} if "content" in good else {"status": "x" * 100_000}
    frame = await scene.client.command(name, **{**good, **huge})
    if name == "nonsense":
        assert_error_frame(frame, "unknown_event", id=frame["id"])
    else:
        assert_error_frame(frame, "invalid", *huge, id=frame["id"])
    assert len(frame["message"]) < 1000, "what was sent is not sent back"
    await scene.client.nothing_more()


async def test_all_wrong_fields_are_named_at_once(scene: Scene) -> None:
    wrong = {"chat_id": "x", "content": 1, "client_id": [], "reply_to": 0}
    frame = await scene.client.command("send_message", **wrong)
    assert_error_frame(frame, "invalid", *wrong, id=frame["id"])


async def test_an_unknown_event_is_an_error(scene: Scene) -> None:
    for name in UNKNOWN:
        frame = await scene.client.command(
            name, chat_type="group", username="x", password="x" * 8, chat_id=1, user_id=1
        )
        assert_error_frame(frame, "unknown_event", id=frame["id"])
        assert len(frame["message"]) < 500
        await scene.client.send({"type": name})
        assert_error_frame(await scene.client.next("error"), "unknown_event")
    await scene.client.nothing_more()
    assert len((await scene.ann.get("/chats"))["chats"]) == 1


async def test_what_the_store_refuses_is_an_error_too(scene: Scene) -> None:
    for name, fields in (("delete_message", {"message_id": 999_999}), ("join_chat", {"chat_id": 99})):
        frame = await scene.client.command(name, **fields)
        assert_error_frame(frame, "not_found", id=frame["id"])
        await scene.client.send({"type": name, **fields})
        assert_error_frame(await scene.client.next("error"), "not_found")
    await scene.client.nothing_more()


def wrong_cases(scene: Scene, name: str) -> Iterator[Case]:
    """Every field missing, null, and of every wrong kind; then all of them at once."""
    good, required = scene.good(name), REQUIRED[name]
    for field, kind in required.items():
        yield {key: value for key, value in good.items() if key != field}, [field]
        for value in (None, *WRONG[kind]):
            yield {**good, field: value}, [field]
    for field, kind in OPTIONAL.get(name, {}).items():
        for value in WRONG[kind]:
            yield {**good, field: value}, [field]
    if required:
        yield {}, list(required)
        yield {field: {} for field in required}, list(required)
