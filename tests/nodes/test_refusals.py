"""Before a refusal that rests on memory, a node looks at what others did: at each place where memory can refuse."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.changes import MemberAdded, UserChanged
from domain.models import Member
from handlers import moderation
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import Server
from tests.nodes.behind import Behind, put_behind
from tests.storage.world import START

OVER_REST: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/chats/{chat_id}/messages", {}),
    ("GET", "/chats/{chat_id}/members", {}),
    ("POST", "/chats/{chat_id}/read", {}),
    ("POST", "/messages", {"chat_id": 0, "content": "x"}),
    ("GET", "/messages/{message_id}", {}),
    ("PATCH", "/chats/{chat_id}", {"name": "x"}),
    ("DELETE", "/chats/{chat_id}", {}),
    ("POST", "/chats/{chat_id}/members", {"user_id": 3}),
    ("PATCH", "/chats/{chat_id}/members/1", {"role": "owner"}),
    ("DELETE", "/chats/{chat_id}/members/1", {}),
]
ON_SOCKETS: list[tuple[str, dict[str, Any]]] = [
    ("join_chat", {}),
    ("join_chat", {"after_seq": 0}),
    ("send_message", {"content": "x"}),
    ("read_messages", {}),
    ("typing", {"is_typing": True}),
]


class Unseen:
    """Bob is a member of a chat, owner even, but this node's memory does not know it before the next look."""

    def __init__(self, server: Server, ann: Person, bob: Person, chat_id: int, message_id: int) -> None:
        self.server, self.ann, self.bob = server, ann, bob
        self.chat_id, self.message_id = chat_id, message_id
        self.behind: Behind = put_behind(server)
        self.behind.news = self._tell

    def _tell(self) -> None:
        self.server.chat_app._publisher([MemberAdded(self.chat_id, Member(self.bob.id, "owner", START))])


async def unseen(server: Server) -> Unseen:
    ann, bob, _ = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "x")
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="owner")
    await (await ann.joined(chat_id)).done("ping")
    server.chat_app.context.directory.member_gone(chat_id, bob.id)
    return Unseen(server, ann, bob, chat_id, message["id"])


@pytest.mark.parametrize(("method", "path", "body"), OVER_REST)
async def test_a_call_looks_before_it_refuses(
    server: Server, method: str, path: str, body: dict[str, Any]
) -> None:
    scene = await unseen(server)
    path = path.format(chat_id=scene.chat_id, message_id=scene.message_id)
    options = {"json": {**body, **({"chat_id": scene.chat_id} if "chat_id" in body else {})}}
    status, answer = await scene.bob.request(method, path, **({} if method == "GET" else options))
    assert status < 300, answer
    assert scene.behind.looks == 1


@pytest.mark.parametrize(("name", "params"), ON_SOCKETS)
async def test_a_command_looks_before_it_refuses(server: Server, name: str, params: dict[str, Any]) -> None:
    scene = await unseen(server)
    client = await scene.bob.connect()
    await client.done(name, chat_id=scene.chat_id, **params)
    assert scene.behind.looks == 1


async def test_a_connection_that_follows_all_looks_before_it_leaves_a_room_out(server: Server) -> None:
    scene = await unseen(server)
    client = await scene.bob.connect(subscribe="all")
    await client.done("ping")
    await scene.ann.say(scene.chat_id, "for bob too")
    assert (await client.next("new_message"))["message"]["content"] == "for bob too"


Try = Callable[[Person], Awaitable[None]]


async def call(bob: Person) -> None:
    await bob.get("/users/me")


async def connect(bob: Person) -> None:
    await (await bob.connect()).done("ping")


@pytest.mark.parametrize("wire", ["raw", "socketio", "polling"])
@pytest.mark.parametrize("attempt", [call, connect])
async def test_an_account_that_is_banned_in_memory_alone_gets_in(
    server: Server, attempt: Try, wire: str
) -> None:
    (bob,) = await server.people("bob")
    bob.wire = wire
    user = await server.chat_app.context.store.users.get(bob.id)
    assert user is not None
    await bob.get("/users/me")
    server.chat_app._publisher([UserChanged(replace(user, banned=True))])
    behind = put_behind(server)
    behind.news = lambda: server.chat_app._publisher([UserChanged(user)])
    await attempt(bob)
    assert behind.looks == 1


async def test_a_refusal_that_is_right_stays_one(server: Server) -> None:
    scene = await unseen(server)
    scene.behind.news = lambda: None
    client = await scene.bob.connect()
    for name, params in ON_SOCKETS:
        assert (await client.command(name, chat_id=scene.chat_id, **params))["code"] == "not_found"
    assert_error(await scene.bob.request("GET", "/chats/999/messages"), 404, "not_found")
    await moderation.ban(server.chat_app.context.store, "bob")
    assert await client.closed() == 4403
    assert_error(await scene.bob.request("GET", "/users/me"), 403, "forbidden")


async def test_what_cannot_be_found_out_is_unavailable_and_no_refusal(server: Server) -> None:
    scene = await unseen(server)
    client = await scene.bob.connect()
    scene.behind.away = True
    assert (await client.command("join_chat", chat_id=scene.chat_id))["code"] == "unavailable"
    assert_error(await scene.bob.request("GET", "/chats/999/messages"), 503, "unavailable")


async def test_nothing_looks_that_is_not_refused(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await bob.joined(chat_id)
    behind = put_behind(server)
    for number in range(20):
        await ann.say(chat_id, f"m{number}")
        await client.done("read_messages", chat_id=chat_id)
        await bob.get(f"/chats/{chat_id}/messages")
    assert behind.looks == 0
