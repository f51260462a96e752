"""Bans and deletions count at once, on every wire; so do removals, demotions and new passwords."""

from collections.abc import Awaitable, Callable

import pytest

from handlers import moderation
from storage.open import open_store
from storage.ports import Store
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server

pytestmark = [pytest.mark.wires, pytest.mark.stores]

Action = Callable[[Store, str], Awaitable[None]]


async def login(server: Server, name: str) -> tuple[int, object]:
    body = {"username": name, "password": PASSWORD}
    return await server.stranger().request("POST", "/auth/login", json=body)


async def assert_out(server: Server, person: Person) -> None:
    """Neither the person's tokens nor the password are accepted at any gate."""
    status, body = await person.request("GET", "/users/me")
    assert (status, body["error"]["code"]) in ((403, "forbidden"), (401, "unauthenticated"))
    assert await (await person.open()).closed() == 4403
    refresh = {"refresh_token": person.refresh_token}
    assert (await server.stranger().request("POST", "/auth/refresh", json=refresh))[0] in (401, 403)
    assert (await login(server, person.username))[0] in (401, 403)


@pytest.mark.parametrize("action", [moderation.ban, moderation.delete])
async def test_a_ban_and_a_deletion_end_every_connection_at_once(server: Server, action: Action) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await bob.chat(ann)
    watcher = await bob.joined(chat_id)
    clients = [await ann.joined(chat_id)]
    await ann.login("ann")  # another session
    clients.append(await ann.connect())
    await clients[1].drain()
    await action(server.chat_app.context.store, "ANN")
    assert list(server.chat_app.context.connections.of(ann.id)) == []
    assert [await client.closed() for client in clients] == [4403, 4403]
    await assert_out(server, ann)
    await bob.say(chat_id, "still here")
    assert (await watcher.next("new_message"))["message"]["content"] == "still here"
    await bob.connect()


@pytest.mark.wires("raw")
async def test_lifting_a_ban_lets_in_who_logs_in_anew(server: Server) -> None:
    ann = await server.person("ann")
    store = server.chat_app.context.store
    await moderation.ban(store, "ann")
    await assert_out(server, ann)
    await moderation.unban(store, "ann")
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
    await ann.login("ann")
    await ann.connect()


@pytest.mark.wires("raw")
async def test_a_ban_outlasts_a_restart(server: Server) -> None:
    ann = await server.person("ann")
    await moderation.ban(server.chat_app.context.store, "ann")
    await server.restart()
    await assert_out(server, ann)


@pytest.mark.wires("raw")
async def test_a_deleted_user_leaves_groups_to_the_next_and_messages_to_all(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    group, private = await ann.chat(bob), await ann.chat(bob, chat_type="private")
    alone = await ann.chat()
    for chat_id in (group, private):
        await ann.say(chat_id, "mine")
    client = await bob.joined(group)
    await moderation.delete(server.chat_app.context.store, "ann")
    assert (await client.next("chat_changed"))["chat"]["member_count"] == 1
    (member,) = (await bob.get(f"/chats/{group}/members"))["members"]
    assert (member["user"]["id"], member["role"]) == (bob.id, "owner")
    for chat_id in (group, private):
        (message,) = (await bob.get(f"/chats/{chat_id}/messages"))["messages"]
        assert (message["content"], message["sender_id"]) == ("mine", ann.id)
    assert [chat["id"] for chat in (await bob.get("/chats"))["chats"]] in ([group, private], [private, group])
    assert await server.chat_app.context.store.chats.load(alone) is None
    assert_error(await bob.request("GET", f"/users/{ann.id}"), 404, "not_found")
    body = {"username": "Ann", "password": PASSWORD}
    assert_error(
        await server.stranger().request("POST", "/auth/register", json=body), 409, "conflict", "username"
    )


@pytest.mark.stores("mongo")
@pytest.mark.wires("raw", "socketio")
async def test_what_another_server_does_to_an_account_counts_here_within_a_second(serve: Serve) -> None:
    server = await serve()
    ann, bob, carl = await server.people("ann", "bob", "carl")
    client, other = await ann.connect(), await bob.connect()
    await client.drain()  # it is connected before its user is changed
    await carl.get("/users/me")
    await bob.chat(ann)
    elsewhere = await open_store(server.config.store_url())
    await elsewhere.users.rename(ann.id, "Anna")
    for seen in (client, other):
        assert (await seen.next("user_changed"))["user"]["display_name"] == "Anna"
    for name in ("ann", "carl"):
        await moderation.ban(elsewhere, name)
    assert await client.closed() == 4403
    for person in (ann, carl):
        await assert_out(server, person)
    await moderation.unban(elsewhere, "carl")
    assert (await login(server, "carl"))[0] == 200
    assert (await other.next("user_changed"))["user"]["active"] is False
    await other.done("ping")
    await elsewhere.close()


async def test_who_is_removed_loses_room_and_rights_in_that_moment(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    old = await bob.say(chat_id, "mine")
    client = await bob.joined(chat_id)
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    await ann.say(chat_id, "not for bob")
    for name, params in (
        ("send_message", {"chat_id": chat_id, "content": "x"}),
        ("edit_message", {"message_id": old["id"], "content": "x"}),
        ("delete_message", {"message_id": old["id"]}),
        ("join_chat", {"chat_id": chat_id}),
        ("join_chat", {"chat_id": chat_id, "after_seq": 0}),
        ("read_messages", {"chat_id": chat_id}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
    ):
        assert (await client.command(name, **params))["code"] == "not_found", name
    assert [frame["type"] for frame in await client.drain()] == ["chat_removed"]
    for method, path, body in (
        ("GET", f"/chats/{chat_id}", None),
        ("GET", f"/chats/{chat_id}/messages", None),
        ("GET", f"/chats/{chat_id}/members", None),
        ("POST", f"/chats/{chat_id}/read", {}),
        ("GET", f"/messages/{old['id']}", None),
        ("PATCH", f"/messages/{old['id']}", {"content": "x"}),
        ("DELETE", f"/messages/{old['id']}", None),
        ("POST", "/messages", {"chat_id": chat_id, "content": "x"}),
        ("DELETE", f"/chats/{chat_id}/members/{bob.id}", None),
    ):
        assert_error(await bob.request(method, path, json=body), 404, "not_found")
    contents = [message["content"] for message in (await ann.get(f"/chats/{chat_id}/messages"))["messages"]]
    assert contents == ["mine", "not for bob"]


async def test_who_is_demoted_loses_their_rights_in_that_moment(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl, chat_type="channel")
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
    message = await ann.say(chat_id, "hers")
    client = await bob.joined(chat_id)
    await client.done("send_message", chat_id=chat_id, content="as admin")
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="member")
    for name, params in (
        ("send_message", {"chat_id": chat_id, "content": "x"}),
        ("delete_message", {"message_id": message["id"]}),
    ):
        assert (await client.command(name, **params))["code"] == "forbidden", name
    for method, path, body in (
        ("PATCH", f"/chats/{chat_id}", {"name": "x"}),
        ("POST", f"/chats/{chat_id}/members", {"user_id": carl.id}),
        ("DELETE", f"/chats/{chat_id}/members/{carl.id}", None),
    ):
        assert_error(await bob.request(method, path, json=body), 403, "forbidden")
    await ann.say(chat_id, "still readable")
    contents = [
        frame["message"]["content"] for frame in await client.drain() if frame["type"] == "new_message"
    ]
    assert contents == ["as admin", "still readable"]
