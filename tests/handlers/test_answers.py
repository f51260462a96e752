"""Every command answers what it declares."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.acts import AccountUpdate
from handlers.chat_app import Caller
from handlers.commands import COMMANDS
from handlers.wire.answers import HistoryAnswer, Nothing, UserAnswer
from handlers.wire.json import dumps, loads
from handlers.wire.views import UserObject
from tests.clients.admins import make_admin
from tests.clients.bots import bot_of
from tests.clients.declared import faults
from tests.clients.files import upload
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.conftest import Server, serving
from tests.pictures.made import png


class Answers:
    """Runs commands on a real server, and keeps the names of those whose answer was as declared."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.right: set[str] = set()

    async def run(self, person: Person | None, name: str, /, **payload: Any) -> Any:
        """Without a connection, as REST does it."""
        caller = Caller(person.id if person else 0, "127.0.0.1")
        result = await self.server.chat_app.run(caller, name, payload)
        return self.check(name, loads(dumps(result)))

    async def command(self, client: Any, name: str, /, **payload: Any) -> Any:
        """Over a raw connection."""
        ack = await client.done(name, **payload)
        return self.check(name, {key: value for key, value in ack.items() if key not in ("type", "id", "ok")})

    def check(self, name: str, result: Any) -> Any:
        assert faults(result, COMMANDS[name].answer, name) == []
        self.right.add(name)
        return result


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as serve:
        yield await serve()


async def test_every_command_answers_what_it_declares(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    answers = Answers(server)
    await _accounts(answers, ann)
    await _chats_and_members(answers, ann, bob)
    await _invites(answers, ann, bob)
    await _hooks(answers, ann)
    await _messages(answers, ann, bob)
    assert answers.right == COMMANDS.keys()


async def _accounts(answers: Answers, ann: Person) -> None:
    await answers.run(None, "register", username="carl", password=PASSWORD, email="carl@example.org")
    tokens = await answers.run(None, "login", username="carl", password=PASSWORD)
    await answers.run(None, "refresh", refresh_token=tokens["refresh_token"])
    await answers.run(ann, "logout")
    await answers.run(ann, "get_user", user_id=ann.id)
    await answers.run(ann, "get_user", user_id=ann.id + 1)
    await answers.run(ann, "update_me", display_name="Анна")
    (session,) = (await answers.run(ann, "list_sessions"))["sessions"]
    await answers.run(ann, "end_session", session_id=session["id"])
    await ann.login("ann")
    dora = await answers.server.person("dora")
    await answers.run(dora, "delete_me", password=PASSWORD)
    page = await answers.run(ann, "list_users", limit=2)
    assert page["next_cursor"] is not None
    assert (await answers.run(ann, "list_users", cursor=page["next_cursor"]))["next_cursor"] is None
    await _admin(answers, ann)
    await _bots(answers, ann)
    client = await ann.connect()
    await answers.command(client, "ping")
    await answers.command(client, "status", status="busy")
    await answers.command(client, "refresh_token", token=ann.token)


async def _bots(answers: Answers, ann: Person) -> None:
    bot_id = (await answers.run(ann, "create_bot", username="echo"))["bot"]["id"]
    await answers.run(ann, "list_bots")
    await answers.run(ann, "change_bot", bot_id=bot_id, display_name="Echo")
    bot = bot_of(
        ann,
        {
            "bot": {"id": bot_id, "username": "echo"},
            **await answers.run(ann, "renew_bot_token", bot_id=bot_id),
        },
    )
    await answers.command(await bot.connect(), "refresh_token", token=bot.token)
    await answers.run(ann, "get_user", user_id=bot_id)
    await answers.run(bot, "get_user", user_id=bot_id)
    await answers.run(ann, "delete_bot", bot_id=bot_id)


async def _admin(answers: Answers, ann: Person) -> None:
    users = answers.server.chat_app.context.store.users
    await users.update(ann.id, AccountUpdate(is_admin=True))
    made = await answers.run(ann, "create_user", username="eva")
    assert made["password"]
    eva = made["user"]["id"]
    await answers.run(ann, "update_user", user_id=eva, banned=True)
    await answers.run(ann, "reset_password", user_id=eva)
    chat_id = await ann.chat()
    await answers.run(ann, "delete_any_chat", chat_id=chat_id)
    await answers.run(ann, "delete_user", user_id=eva)
    await answers.run(ann, "list_all_users", limit=2)
    await answers.run(ann, "get_stats")
    assert (await answers.run(ann, "list_server_audit"))["entries"]


async def _chats_and_members(answers: Answers, ann: Person, bob: Person) -> None:
    made = await answers.run(ann, "create_chat", chat_type="private", member_ids=[bob.id])
    again = await answers.run(bob, "create_chat", chat_type="private", member_ids=[ann.id])
    assert (made["created"], again["created"]) == (True, False)
    chat = (await answers.run(ann, "create_chat", chat_type="group", name="Room"))["chat"]
    await answers.run(ann, "change_chat", chat_id=chat["id"], name="Other room")
    await answers.run(ann, "get_chat", chat_id=chat["id"])
    await answers.run(ann, "change_settings", chat_id=chat["id"], favorite=True)
    await answers.run(ann, "block_user", user_id=bob.id)
    await answers.run(ann, "list_blocks")
    await answers.run(ann, "unblock_user", user_id=bob.id)
    await answers.run(ann, "add_member", chat_id=chat["id"], user_id=bob.id)
    await answers.run(ann, "change_member", chat_id=chat["id"], user_id=bob.id, role="admin")
    assert (await answers.run(ann, "list_members", chat_id=chat["id"], limit=1))["next_cursor"] is not None
    await answers.run(ann, "remove_member", chat_id=chat["id"], user_id=bob.id)
    for created in (True, False):
        assert (await answers.run(ann, "ban_user", chat_id=chat["id"], user_id=bob.id))["created"] is created
    await answers.run(ann, "list_bans", chat_id=chat["id"])
    await answers.run(ann, "unban_user", chat_id=chat["id"], user_id=bob.id)
    assert (await answers.run(ann, "list_audit", chat_id=chat["id"], limit=1))["next_cursor"] is not None
    await answers.run(ann, "delete_chat", chat_id=chat["id"])


async def _invites(answers: Answers, ann: Person, bob: Person) -> None:
    chat = (await answers.run(ann, "create_chat", chat_type="group", name="Hall"))["chat"]
    chat_id = chat["id"]
    for expires_in_s in (None, 0):
        invite = await answers.run(ann, "create_invite", chat_id=chat_id, expires_in_s=expires_in_s)
    assert (await answers.run(ann, "list_invites", chat_id=chat_id, limit=1))["next_cursor"] is not None
    code = invite["invite"]["code"]
    await answers.run(None, "get_invite", code=code)
    await answers.run(None, "register", username="edgar", password=PASSWORD, invite=code)
    await answers.run(bob, "accept_invite", code=code)
    await answers.run(ann, "remove_invite", code=code)
    await make_admin(answers.server.chat_app, ann.id)
    to_server = await answers.run(ann, "create_server_invite")
    await answers.run(None, "get_invite", code=to_server["invite"]["code"])
    await answers.run(ann, "list_server_invites")
    await answers.run(ann, "change_chat", chat_id=chat_id, is_public=True)
    await answers.run(bob, "list_public_chats", limit=1)
    await answers.run(bob, "join_public_chat", chat_id=chat_id)


async def _hooks(answers: Answers, ann: Person) -> None:
    chat_id = await ann.chat()
    outgoing = {"kind": "outgoing", "target_url": "https://example.org/"}
    for fields in ({"kind": "incoming"}, outgoing):
        made = await answers.run(ann, "create_hook", chat_id=chat_id, name="Alerts", **fields)
        hook_id = made["hook"]["id"]
        for name, more in (("renew_hook_key", {}), ("change_hook", {"paused": True}), ("list_hooks", {})):
            await answers.run(ann, name, chat_id=chat_id, hook_id=hook_id, **more)
        await answers.run(ann, "remove_hook", hook_id=hook_id)


async def _messages(answers: Answers, ann: Person, bob: Person) -> None:
    chat_id = await ann.chat(bob)
    client = await ann.connect()
    for after_seq in (None, 0, 99):
        await answers.command(client, "join_chat", chat_id=chat_id, after_seq=after_seq)
    assert (await answers.command(client, "read_messages", chat_id=chat_id))["up_to"] is None
    sent = await answers.command(client, "send_message", chat_id=chat_id, content="hi", client_id="one")
    again = await answers.run(ann, "create_message", chat_id=chat_id, content="hi", client_id="one")
    assert (sent["duplicate"], again["duplicate"]) == (False, True)
    message_id = sent["message"]["id"]
    await answers.command(client, "edit_message", message_id=message_id, content="ho")
    for name in ("add_reaction", "add_reaction", "remove_reaction"):
        await answers.command(client, name, message_id=message_id, emoji="👍🏽")
    for name in ("pin_message", "pin_message"):
        await answers.command(client, name, message_id=message_id)
    assert len((await answers.run(bob, "list_pins", chat_id=chat_id))["messages"]) == 1
    await answers.command(client, "unpin_message", message_id=message_id)
    await answers.run(bob, "get_message", message_id=message_id)
    await answers.run(bob, "message_history", message_id=message_id)
    await answers.run(bob, "list_messages", chat_id=chat_id, around=message_id)
    assert (await answers.run(bob, "search_messages", q="ho"))["messages"]
    photo = await upload(ann, png(), "photo.png")
    await answers.run(ann, "get_upload_urls", upload_id=photo["id"])
    await answers.run(ann, "get_upload_urls", upload_id=(await upload(ann, b"x"))["id"])
    await answers.command(client, "send_message", chat_id=chat_id, content="", attachments=[photo["id"]])
    await answers.run(ann, "remove_avatar")
    await answers.run(ann, "remove_chat_avatar", chat_id=chat_id)
    await answers.run(bob, "list_chats")
    await answers.run(bob, "read_messages", chat_id=chat_id)
    await answers.command(client, "delete_message", message_id=message_id)
    await answers.command(client, "typing", chat_id=chat_id, is_typing=True)
    await answers.command(client, "stream_message", chat_id=chat_id, stream_id="1", content="")
    await answers.command(client, "leave_chat", chat_id=chat_id)


GOOD_USER = {
    "id": 1,
    "username": "ann",
    "display_name": "Ann",
    "avatar_url": None,
    "status": "online",
    "last_seen_at": None,
    "created_at": "2025-11-23T10:00:00.123456+00:00",
    "is_bot": False,
    "active": True,
    "deleted": False,
}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": 0}, "user.id"),
        ({"id": True}, "user.id"),
        ({"username": None}, "user.username"),
        ({"status": "gone"}, "user.status"),
        ({"last_seen_at": "2025-11-23T10:00:00+00:00"}, "user.last_seen_at"),
        ({"active": 1}, "user.active"),
        ({"email": 1}, "user.email"),
        ({"colour": "red"}, "colour is not declared"),
    ],
)
def test_the_check_sees_what_is_wrong(change: dict[str, Any], fault: str) -> None:
    assert (
        faults(
            {"user": {**GOOD_USER, "email": None, "is_admin": False, "presence": "auto"}}, UserAnswer, "it"
        )
        == []
    )
    (found,) = faults({**GOOD_USER, **change}, UserObject, "user")
    assert fault in found


def test_the_check_sees_what_is_missing_or_of_another_kind() -> None:
    assert faults({}, UserAnswer, "it") == ["it: user is missing"]
    assert faults([], Nothing, "it") == ["it: [] is no object"]
    page = {"messages": [{}], "has_more_before": False, "has_more_after": False, "head_seq": -1}
    assert {fault.split(":")[0] for fault in faults(page, HistoryAnswer, "it")} == {
        "it.messages[0]",
        "it.head_seq",
    }
