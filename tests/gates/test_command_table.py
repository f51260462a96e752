"""Every command of the raw gate, with everything that can be wrong in it: an exact error, and nobody disturbed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.shapes import assert_error_frame
from tests.conftest import Serve

WRONG = {
    "id": ["1", 1.0, True, False, 0, -1, 2**53, 10**30, [], [1], {}, ""],
    "position": ["1", 1.0, True, -1, 2**53, [], {}],
    "flag": ["true", 1, 0, "", [], {}],
    "status": ["gone", "Online", "", 1, True, [], {}],
    "content": [1, True, [], {}, "", "x" * 10_001, "\ud800", "\udfff\ud800"],
    "client_id": [1, True, [], {}, "", "#x", "x" * 65, "\ud800"],
    "word": [1, True, [], {}, "\ud800"],
    "token": [1, True, [], {}, "", "\ud800"],
}
REQUIRED = {
    "ping": {},
    "join_chat": {"chat_id": "id"},
    "leave_chat": {"chat_id": "id"},
    "typing": {"chat_id": "id", "is_typing": "flag"},
    "status": {"status": "status"},
    "read_messages": {"chat_id": "id"},
    "send_message": {"chat_id": "id", "content": "content"},
    "edit_message": {"message_id": "id", "content": "content"},
    "delete_message": {"message_id": "id"},
    "refresh_token": {"token": "token"},
}
OPTIONAL = {
    "join_chat": {"after_seq": "position", "epoch": "word"},
    "read_messages": {"up_to": "id"},
    "send_message": {"client_id": "client_id", "reply_to": "id"},
}
ABOUT_A_CHAT = ("join_chat", "typing", "read_messages", "send_message", "edit_message", "delete_message")

Case = tuple[dict[str, Any], str, list[str]]


class Scene:
    """Ann's chat with a message of hers; Bob, a member, watches the room; Eve is a stranger."""

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
            "status": "online",
            "content": "changed",
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
    more = {
        "colour": "red",
        "user_id": 99,
        "ok": False,
        "session_id": [],
        "x" * 1000: {"deep": [[[]]]},
        **dict.fromkeys(OPTIONAL.get(name, ())),
    }
    ack = await scene.client.done(name, **more, **scene.good(name))
    assert ack["ok"] is True
    assert "colour" not in ack


@pytest.mark.parametrize("name", REQUIRED)
async def test_what_is_wrong_is_told_and_disturbs_nobody(scene: Scene, name: str) -> None:
    for fields, code, wrong in wrong_cases(scene, name):
        frame = await scene.client.command(name, **fields)
        assert_error_frame(frame, code, *wrong, id=frame["id"])
        await scene.client.send({"type": name, **fields})
        assert_error_frame(await scene.client.next("error"), code, *wrong)
    await scene.client.nothing_more()
    await scene.watcher.nothing_more("error", "new_message", "message_updated", "message_deleted", "typing")
    assert (await scene.ann.get(f"/chats/{scene.chat_id}"))["seq"] == 1


@pytest.mark.parametrize("name", ABOUT_A_CHAT)
async def test_for_a_stranger_the_chat_does_not_exist(scene: Scene, name: str) -> None:
    client = await scene.eve.connect()
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


async def test_a_stranger_may_leave_what_he_never_joined(scene: Scene) -> None:
    client = await scene.eve.connect()
    for chat_id in (scene.chat_id, 99, 2**53 - 1):
        await client.done("leave_chat", chat_id=chat_id)
    await scene.watcher.nothing_more()


@pytest.mark.parametrize("name", ["send_message", "edit_message", "status", "nonsense"])
async def test_a_huge_field_is_told_and_the_connection_stays(scene: Scene, name: str) -> None:
    good = scene.good(name) if name in REQUIRED else {}
    huge = {"content": "x" * 100_000} if "content" in good else {"status": "x" * 100_000}
    frame = await scene.client.command(name, **{**good, **huge})
    if name == "nonsense":
        assert_error_frame(frame, "unknown_event", id=frame["id"])
    else:
        assert_error_frame(frame, "invalid", *huge, id=frame["id"])
    assert len(frame["message"]) < 1000, "what was sent is not sent back"
    await scene.client.nothing_more()


async def test_a_deep_field_is_ignored_like_any_other_unknown_one(scene: Scene) -> None:
    text = '{"type":"ping","id":1,"deep":' + "[" * 500 + "]" * 500 + "}"
    await scene.client.send_text(text)
    assert (await scene.client.answer_to(1))["type"] == "ack"


async def test_a_key_that_comes_twice_counts_once(scene: Scene) -> None:
    text = f'{{"type":"nonsense","type":"join_chat","chat_id":99,"chat_id":{scene.chat_id},"id":1}}'
    await scene.client.send_text(text)
    assert (await scene.client.answer_to(1))["type"] == "ack"


def wrong_cases(scene: Scene, name: str) -> Iterator[Case]:
    """Every field missing, null, and of every wrong kind; then all of them at once."""
    good, required = scene.good(name), REQUIRED[name]
    for field, kind in required.items():
        yield {key: value for key, value in good.items() if key != field}, "invalid", [field]
        for value in (None, *WRONG[kind]):
            yield {**good, field: value}, "invalid", [field] if field in good else []
    for field, kind in OPTIONAL.get(name, {}).items():
        for value in WRONG[kind]:
            yield {**good, field: value}, "invalid", [field]
    if required:
        yield {}, "invalid", list(required)
        yield {field: {} for field in required}, "invalid", list(required)
