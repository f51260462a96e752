"""Bots over every gate: their tokens, what they may do, and what ends them."""

import asyncio
import re
from typing import Any

import jwt
import pytest
from structlog.testing import capture_logs

from domain.acts import Act
from domain.decisions.bots import BOTS_MAX
from handlers import moderation
from handlers.commands import COMMANDS
from server.rest.routes import CALLS
from tests.clients.admins import make_admin
from tests.clients.bots import bot_of, make_bot
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import BOT, MEMBER, OWN_USER, assert_error, fits, is_id
from tests.conftest import SECRET, Serve, Server
from tests.storage.world import START

TOKEN = re.compile(r"vb_[A-Za-z0-9_-]{43}")

OWN_BOT = {**OWN_USER, "owner_id": is_id}


async def refused(person: Person, status: int = 401, code: str = "unauthenticated") -> None:
    """Neither REST nor a socket lets the token in."""
    assert_error(await person.request("GET", "/users/me"), status, code)
    assert await (await person.open()).closed() == 4401


async def dead(bot: Person) -> None:
    await refused(bot)


@pytest.mark.stores
async def test_an_owner_makes_bots_and_lists_them(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    made = await ann.post("/bots", username="echo", display_name="  Echo  ")
    assert made.keys() == {"bot", "token"}
    assert fits(made["bot"], BOT)
    assert TOKEN.fullmatch(made["token"])
    assert (made["bot"]["display_name"], made["bot"]["owner_id"]) == ("Echo", ann.id)
    second = await ann.post("/bots", username="Other.Bot")
    assert second["bot"]["display_name"] == "Other.Bot"
    assert second["token"] != made["token"]
    listed = await ann.get("/bots")
    assert listed == {"bots": [made["bot"], second["bot"]]}
    assert await bob.get("/bots") == {"bots": []}
    assert await bob.get(f"/users/{made['bot']['id']}") == made["bot"]
    found = (await bob.get("/users", q="ech"))["users"]
    assert found == [made["bot"]]
    me = await bot_of(ann, made).get("/users/me")
    assert fits(me, OWN_BOT)
    assert (me["email"], me["is_admin"], me["owner_id"]) == (None, False, ann.id)
    assert "owner_id" not in await ann.get("/users/me")


@pytest.mark.stores
@pytest.mark.wires
async def test_a_token_lets_the_bot_in_and_does_not_expire(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)
    client = await bot.open()
    connected = await client.next()
    assert (connected["user_id"], connected["token_expires_in"]) == (bot.id, None)
    await client.done("join_chat", chat_id=chat_id)
    answer = await client.done("send_message", chat_id=chat_id, content="hello", client_id="1")
    assert answer["message"]["sender_id"] == bot.id
    await client.drain()
    for _ in range(3):
        server.clock.advance(20 * 24 * 3600)
        await client.nothing_more()
    assert (await bot.get("/users/me"))["id"] == bot.id
    await server.restart()
    again = await bot.connect(subscribe="all")
    assert (await again.done("refresh_token", token=bot.token))["token_expires_in"] is None
    assert (await bot.say(chat_id, "back"))["sender_id"] == bot.id
    assert (await again.next("new_message"))["message"]["content"] == "back"


@pytest.mark.wires
async def test_a_connection_takes_the_token_of_the_same_bot_alone(server: Server) -> None:
    ann = await server.person("ann")
    bot, other = await make_bot(ann), await make_bot(ann, "other")
    client = await bot.connect()
    assert (await client.command("refresh_token", token=other.token))["code"] == "forbidden"
    assert (await client.command("refresh_token", token=ann.token))["code"] == "forbidden"
    people = await ann.connect()
    assert (await people.command("refresh_token", token=bot.token))["code"] == "forbidden"
    assert (await client.command("refresh_token", token=bot.token + "x"))["code"] == "unauthenticated"
    minted = jwt.encode({"sub": str(bot.id), "exp": 4_000_000_000}, SECRET, "HS256")
    assert (await client.done("refresh_token", token=minted))["token_expires_in"] > 0
    assert (await client.done("refresh_token", token=bot.token))["token_expires_in"] is None
    await client.drain()
    assert (await ann.post(f"/bots/{bot.id}/token")).keys() == {"token"}
    assert await client.closed() == 4403


@pytest.mark.stores
@pytest.mark.wires
async def test_another_token_ends_the_old_one_at_once(server: Server) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)
    clients = [await bot.joined(chat_id), await bot.connect()]
    renewed = await ann.post(f"/bots/{bot.id}/token")
    assert TOKEN.fullmatch(renewed["token"])
    assert [await client.closed() for client in clients] == [4403, 4403]
    await dead(bot)
    bot.token = renewed["token"]
    client = await bot.joined(chat_id)
    await ann.say(chat_id, "still here?")
    assert (await client.next("new_message"))["message"]["content"] == "still here?"
    await server.restart()
    assert (await bot.get("/users/me"))["id"] == bot.id


@pytest.mark.stores
@pytest.mark.wires
async def test_a_deleted_bot_is_gone_at_once_and_its_messages_stay(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    bot = await make_bot(ann)
    chat_id, private = await ann.chat(bot, bob), await bob.chat(bot, chat_type="private")
    await bot.say(chat_id, "I was here")
    await bob.say(private, "hello?")
    client, bobs = await bot.connect(), await bob.joined(chat_id)
    assert await ann.request("DELETE", f"/bots/{bot.id}") == (204, None)
    assert await client.closed() == 4403
    await dead(bot)
    assert await ann.get("/bots") == {"bots": []}
    members = (await bob.get(f"/chats/{chat_id}/members"))["members"]
    assert [member["user"]["id"] for member in members] == [ann.id, bob.id]
    messages = (await bob.get(f"/chats/{chat_id}/messages"))["messages"]
    assert [message["content"] for message in messages] == ["I was here"]
    assert (await bobs.next("user_changed"))["user_id"] == bot.id
    for method, path in (("DELETE", ""), ("PATCH", ""), ("POST", "/token")):
        answer = await ann.request(method, f"/bots/{bot.id}{path}", json={"display_name": "x"})
        assert_error(answer, 404, "not_found")
    assert_error(await ann.request("POST", "/bots", json={"username": "ECHO"}), 409, "conflict", "username")


async def test_a_bot_is_renamed_and_others_hear_of_it(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    bot = await make_bot(ann)
    await ann.chat(bot, bob)
    client = await bob.connect()
    renamed = await ann.patch(f"/bots/{bot.id}", display_name=" Helpful ")
    assert fits(renamed, BOT)
    assert renamed["display_name"] == "Helpful"
    changed = await client.next("user_changed")
    assert changed["user"] == renamed
    for name in ("", " ", "x" * 101, "a\nb", "\u200b"):
        answer = await ann.request("PATCH", f"/bots/{bot.id}", json={"display_name": name})
        assert_error(answer, 422, "invalid", "display_name")
    for body in ({}, {"display_name": None}, {"display_name": 1}):
        answer = await ann.request("PATCH", f"/bots/{bot.id}", json=body)
        assert_error(answer, 422, "invalid", "display_name")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["username"]),
        ({"username": None}, ["username"]),
        ({"username": 1, "display_name": ""}, ["username", "display_name"]),
        ({"username": "ab"}, ["username"]),
        ({"username": "x" * 33}, ["username"]),
        ({"username": "bot\u0430"}, ["username"]),
        ({"username": "good", "display_name": " "}, ["display_name"]),
        ({"username": "good", "display_name": {}}, ["display_name"]),
    ],
)
async def test_what_is_wrong_with_a_new_bot_is_said(server: Server, body: Any, fields: list[str]) -> None:
    ann = await server.person("ann")
    assert_error(await ann.request("POST", "/bots", json=body), 422, "invalid", *fields)
    assert await ann.get("/bots") == {"bots": []}


async def test_names_are_taken_as_those_of_people(server: Server) -> None:
    ann = await server.person("ann")
    for name in ("ann", "ANN", "all", "All"):
        answer = await ann.request("POST", "/bots", json={"username": name})
        assert_error(answer, 409, "conflict", "username")
    await make_bot(ann)
    register = {"username": "Echo", "password": PASSWORD}
    answer = await server.stranger().request("POST", "/auth/register", json=register)
    assert_error(answer, 409, "conflict", "username")


@pytest.mark.stores
async def test_of_25_at_once_20_are_made(server: Server) -> None:
    ann = await server.person("ann")
    answers = await asyncio.gather(
        *(ann.request("POST", "/bots", json={"username": f"bot{number}"}) for number in range(BOTS_MAX + 5))
    )
    assert sorted(status for status, _ in answers) == [201] * BOTS_MAX + [409] * 5
    for answer in answers:
        if answer[0] == 409:
            assert_error(answer, 409, "conflict")
    bots = [bot_of(ann, body) for status, body in answers if status == 201]
    assert [(await bot.get("/users/me"))["id"] for bot in bots] == [bot.id for bot in bots]
    assert len((await ann.get("/bots"))["bots"]) == BOTS_MAX
    await ann.delete(f"/bots/{bots[0].id}")
    await make_bot(ann, "another")
    assert_error(await ann.request("POST", "/bots", json={"username": "toomany"}), 409, "conflict")


async def test_what_others_do_with_bots(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    bot = await make_bot(ann)
    await make_admin(server.chat_app, eve.id)
    client = await bot.connect()
    for person in (bob, eve, bot):
        for method, path in (("DELETE", ""), ("PATCH", ""), ("POST", "/token")):
            answer = await person.request(method, f"/bots/{bot.id}{path}", json={"display_name": "Mine"})
            assert_error(answer, 404, "not_found")
    for bot_id in (ann.id, 999_999):
        assert_error(await ann.request("POST", f"/bots/{bot_id}/token"), 404, "not_found")
    for method, path in (("POST", "/bots"), ("GET", "/bots"), ("POST", f"/bots/{bot.id}/token")):
        answer = await server.stranger().request(method, path, json={"username": "other"})
        assert_error(answer, 401, "unauthenticated")
    await client.nothing_more()


@pytest.mark.stores
async def test_what_bots_do_not_do(server: Server) -> None:
    ann, eve = await server.people("ann", "eve")
    await make_admin(server.chat_app, eve.id)
    bot = await make_bot(ann)
    client = await bot.connect()
    login = {"username": "echo", "password": PASSWORD}
    for body in (
        login,
        {**login, "password": ""},
        {**login, "password": bot.token},
        {**login, "username": "ECHO"},
    ):
        answer = await server.stranger().request("POST", "/auth/login", json=body)
        assert_error(answer, 403, "forbidden")
    assert_error(await bot.request("POST", "/auth/logout"), 403, "forbidden")
    for token in (bot.token, "vb_" + "x" * 43):
        answer = await server.stranger().request("POST", "/auth/refresh", json={"refresh_token": token})
        assert_error(answer, 401, "unauthenticated")
    assert_error(await bot.request("POST", "/bots", json={"username": "more"}), 403, "forbidden")
    assert_error(await bot.request("POST", "/bots", json={}), 403, "forbidden")
    assert await bot.get("/bots") == {"bots": []}
    password = {"password": "another password", "old_password": PASSWORD}
    assert_error(await bot.request("PATCH", "/users/me", json=password), 403, "forbidden")
    for way in (("POST", "/users/me/delete"), ("DELETE", "/users/me")):
        assert_error(await bot.request(*way, json={"password": PASSWORD}), 403, "forbidden")
    (session,) = (await bot.get("/users/me/sessions"))["sessions"]
    assert session["current"] is True
    assert_error(await bot.request("DELETE", f"/users/me/sessions/{session['id']}"), 403, "forbidden")
    for path in ("/admin/users", "/admin/stats", "/admin/audit"):
        assert_error(await bot.request("GET", path), 403, "forbidden")
    answer = await eve.request("PATCH", f"/admin/users/{bot.id}", json={"is_admin": True})
    assert_error(answer, 403, "forbidden")
    assert_error(await eve.request("POST", f"/admin/users/{bot.id}/password"), 403, "forbidden")
    await client.nothing_more()
    assert (await bot.get("/users/me"))["is_admin"] is False


async def test_every_call_for_people_alone_is_refused_to_bots(server: Server) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    calls = [call for call in CALLS if COMMANDS[call.command].people]
    assert {call.command for call in calls} == {"create_bot", "delete_me", "end_session", "logout"}
    for call in calls:
        path = call.path.replace("{session_id}", "1")
        assert_error(await bot.request(call.method, path, json={}), 403, "forbidden")


async def test_the_id_of_its_session_opens_nothing(server: Server) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    (session,) = (await bot.get("/users/me/sessions"))["sessions"]
    assert bot.token not in str(session)
    bot.token = session["id"]
    await dead(bot)
    bot.token = "vb_" + session["id"].removeprefix("bot:")
    await dead(bot)


async def test_what_bots_do_as_anybody_does(server: Server) -> None:
    """They make chats, add members, react, pin, read, upload, and have a picture of their own."""
    ann, bob = await server.people("ann", "bob")
    bot = await make_bot(ann)
    chat_id = await bot.chat(bob)
    message = await bob.say(chat_id, "hello @echo")
    assert message["mentions"] == [bot.id]
    assert (await bot.get("/chats"))["chats"][0]["unread_mentions"] == 1
    await bot.post(f"/messages/{message['id']}/reactions/%F0%9F%91%8D")
    await bot.post(f"/messages/{message['id']}/pin")
    assert (await bot.post(f"/chats/{chat_id}/read"))["unread_count"] == 0
    assert fits(await bot.post(f"/chats/{chat_id}/members", user_id=ann.id), MEMBER)
    assert (await bot.patch("/users/me", display_name="By myself"))["display_name"] == "By myself"
    members = (await bob.get(f"/chats/{chat_id}/members"))["members"]
    assert all(fits(member, MEMBER) for member in members)
    owners = {member["user"]["id"]: member["user"].get("owner_id") for member in members}
    assert owners == {bot.id: ann.id, ann.id: None, bob.id: None}


async def test_the_logout_of_the_owner_and_another_password_do_not_touch_bots(server: Server) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    client = await bot.connect()
    await ann.patch("/users/me", password="another password", old_password=PASSWORD)
    await ann.post("/auth/logout")
    await client.nothing_more()
    assert (await bot.get("/users/me"))["id"] == bot.id


def store_of(server: Server) -> Any:
    return server.chat_app.context.store


@pytest.mark.stores
@pytest.mark.wires
async def test_a_ban_of_the_owner_stops_the_bots_and_an_unban_brings_them_back(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    bot, other = await make_bot(ann), await make_bot(ann, "other")
    bobs = await make_bot(bob, "bobs")
    await bob.chat(bot, other)
    clients = [await bot.connect(), await other.connect(), await ann.connect()]
    still = await bobs.connect()
    watching = await bob.connect()
    await moderation.ban(store_of(server), "ann")
    assert [await client.closed() for client in clients] == [4403] * 3
    for one in (bot, other):
        await dead(one)
    changed = [await watching.next("user_changed") for _ in range(2)]
    assert {(frame["user_id"], frame["user"]["active"]) for frame in changed} == {
        (bot.id, False),
        (other.id, False),
    }
    assert (await bob.get("/users", q="echo"))["users"] == []
    await still.nothing_more()
    await moderation.unban(store_of(server), "ann")
    for one in (bot, other):
        await dead(one)
    await ann.login("ann")
    assert [bot["active"] for bot in (await ann.get("/bots"))["bots"]] == [True, True]
    bot.token = (await ann.post(f"/bots/{bot.id}/token"))["token"]
    await bot.connect()
    await dead(other)


@pytest.mark.stores
async def test_a_banned_bot_stays_so_whatever_becomes_of_its_owner(server: Server) -> None:
    ann, eve = await server.people("ann", "eve")
    await make_admin(server.chat_app, eve.id)
    bot = await make_bot(ann)
    client = await bot.connect()
    banned = await eve.patch(f"/admin/users/{bot.id}", banned=True)
    assert (banned["banned"], banned["owner_id"]) == (True, ann.id)
    assert await client.closed() == 4403
    await dead(bot)
    assert_error(await ann.request("POST", f"/bots/{bot.id}/token"), 403, "forbidden")
    await eve.patch(f"/admin/users/{ann.id}", banned=True)
    await eve.patch(f"/admin/users/{ann.id}", banned=False)
    assert await eve.get("/admin/users", q="echo") == {"users": [banned], "next_cursor": None}
    await eve.patch(f"/admin/users/{bot.id}", banned=False)
    await dead(bot)
    await ann.login("ann")
    bot.token = (await ann.post(f"/bots/{bot.id}/token"))["token"]
    await bot.connect()
    await eve.patch(f"/admin/users/{ann.id}", banned=True)
    answer = await eve.request("PATCH", f"/admin/users/{bot.id}", json={"banned": False})
    assert_error(answer, 403, "forbidden")


@pytest.mark.stores
@pytest.mark.parametrize("by", ["themselves", "the operator", "an admin"])
async def test_the_end_of_the_owner_ends_the_bots(server: Server, by: str) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    await make_admin(server.chat_app, eve.id)
    bot, other = await make_bot(ann), await make_bot(ann, "other")
    common = await bot.chat(ann, bob, name="Common")
    private_room = await bot.chat(ann, other, name="Of bots")
    clients = [await bot.connect(), await other.connect()]
    if by == "themselves":
        await ann.post("/users/me/delete", password=PASSWORD)
    elif by == "the operator":
        await moderation.delete(store_of(server), "ann", Act(None, START))
    else:
        await eve.delete(f"/admin/users/{ann.id}")
    assert [await client.closed() for client in clients] == [4403] * 2
    for one in (bot, other):
        await dead(one)
        assert_error(await bob.request("GET", f"/users/{one.id}"), 404, "not_found")
    members = (await bob.get(f"/chats/{common}/members"))["members"]
    assert [(member["user"]["id"], member["role"]) for member in members] == [(bob.id, "owner")]
    assert await store_of(server).chats.load(private_room) is None, "nobody is left in it"
    audit = (await eve.get("/admin/audit"))["entries"]
    deleted = [entry["user_id"] for entry in audit if entry["action"] == "user_deleted"]
    assert sorted(deleted) == sorted([ann.id, bot.id, other.id])


async def test_bots_do_not_come_into_the_default_chat(serve: Serve) -> None:
    server = await serve(default_chat="Everybody")
    ann = await server.person("ann")
    await make_admin(server.chat_app, ann.id)
    await server.chat_app.setup.ensure_default_chat()
    bot = await make_bot(ann)
    assert (await bot.get("/chats"))["chats"] == []


async def test_bots_are_made_where_registration_is_closed(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    await server.stop()
    closed = await serve(registration="closed", data_dir=server.config.data_dir)
    ann.url = closed.url
    assert TOKEN.fullmatch((await ann.post("/bots", username="echo"))["token"])


BAD_TOKENS = {
    "only the prefix": "vb_",
    "too short": "vb_" + "x" * 42,
    "too long": "vb_" + "x" * 44,
    "of nobody": "vb_" + "x" * 43,
    "a sign of another alphabet": "vb_" + "x" * 42 + "+",
    "a line break": "vb_" + "x" * 43 + "%0A",
    "another prefix": "VB_" + "x" * 43,
    "a dot": "vb_" + "x" * 21 + "." + "x" * 21,
    "two dots": "vb_x." + "x" * 20 + "." + "x" * 19,
    "as an id": "bot:" + "x" * 43,
    "huge": "vb_" + "x" * 6000,
    "letters of other scripts": "vb_" + "\u0445" * 43,
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
async def test_a_token_of_no_bot_is_refused_at_every_gate(serve: Serve, token: str) -> None:
    server = await serve()
    ann = await server.person("ann")
    bot = await make_bot(ann)
    client = await bot.connect()
    with capture_logs() as lines:
        for wire in ("raw", "socketio", "polling"):
            other = Person(ann.http, ann.url, ann.ws_url, "x", wire)
            other.token, other.clients = token, ann.clients
            assert await (await other.open()).closed() == 4401
        if token.isascii():  # aiohttp's client sends no other header
            assert_error(await other.request("GET", "/users/me"), 401, "unauthenticated")
        assert (await client.command("refresh_token", token=token))["code"] == "unauthenticated"
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []
    assert token not in str(lines)
    await client.nothing_more()


async def test_a_token_that_is_nearly_right_is_refused(server: Server) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    right = bot.token
    for wrong in (
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        right.swapcase(),
        right + "=",
        " " + right,
    ):
        bot.token = wrong
        assert await (await bot.open_raw()).closed() == 4401
    bot.token = right
    await bot.connect()


async def test_no_token_is_in_a_log(server: Server) -> None:
    ann = await server.person("ann")
    with capture_logs() as lines:
        bot = await make_bot(ann)
        client = await bot.connect()
        old, bot.token = bot.token, (await ann.post(f"/bots/{bot.id}/token"))["token"]
        assert await client.closed() == 4403
        await bot.get("/users/me")
        await ann.delete(f"/bots/{bot.id}")
        await dead(bot)
    assert old not in str(lines)
    assert bot.token not in str(lines)


@pytest.mark.stores
async def test_a_token_that_is_used_while_it_is_renewed(server: Server) -> None:
    """What comes before the renewal is done; what comes after it is refused; nothing is between."""
    ann = await server.person("ann")
    bot = await make_bot(ann)
    chat_id = await ann.chat(bot)

    async def say(number: int) -> Any:
        return await bot.request("POST", "/messages", json={"chat_id": chat_id, "content": f"m{number}"})

    calls = [asyncio.ensure_future(say(number)) for number in range(8)]
    renewing = asyncio.ensure_future(ann.post(f"/bots/{bot.id}/token"))
    calls += [asyncio.ensure_future(say(number)) for number in range(8, 16)]
    opened = [asyncio.ensure_future(bot.open()) for _ in range(4)]
    renewed = await renewing
    for call in calls:
        status, body = await call
        assert status in (201, 401), body
    for opening in opened:
        assert await (await opening).closed() in (4401, 4403)
    await dead(bot)
    bot.token = renewed["token"]
    await bot.connect()


@pytest.mark.stores
async def test_of_renewals_at_once_one_token_works(server: Server) -> None:
    ann = await server.person("ann")
    bot = await make_bot(ann)
    answers = await asyncio.gather(*(ann.post(f"/bots/{bot.id}/token") for _ in range(8)))
    statuses = []
    for answer in answers:
        bot.token = answer["token"]
        statuses.append((await bot.request("GET", "/users/me"))[0])
    assert sorted(statuses) == [200] + [401] * 7


@pytest.mark.stores
async def test_deletions_of_bot_and_owner_at_once_end_both(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    bots = [await make_bot(ann, f"bot{number}") for number in range(4)]
    chat_id = await bots[0].chat(bob, *bots[1:])
    answers = await asyncio.gather(
        *(ann.request("DELETE", f"/bots/{bot.id}") for bot in bots[:2]),
        ann.request("POST", "/users/me/delete", json={"password": PASSWORD}),
        ann.request("POST", "/bots", json={"username": "late"}),
        ann.request("POST", f"/bots/{bots[3].id}/token"),
    )
    assert {status for status, _ in answers} <= {200, 201, 204, 401, 403, 404}
    for bot in bots:
        await dead(bot)
    for status, body in answers[3:]:
        if status < 300:
            bot.token = body["token"]
            await dead(bot)
    assert await store_of(server).bots.of_owner(ann.id) == []
    members = (await bob.get(f"/chats/{chat_id}/members"))["members"]
    assert [(member["user"]["id"], member["role"]) for member in members] == [(bob.id, "owner")]


async def test_a_bots_requests_count_against_its_own_budget(serve: Serve) -> None:
    """And not against that of its owner, or of strangers."""
    server = await serve()
    ann = await server.person("ann")
    bot = await make_bot(ann)
    assert server.chat_app.claims_of(bot.token) is None, "not in memory yet"
    await bot.get("/users/me")
    claims = server.chat_app.claims_of(bot.token)
    assert claims is not None
    assert claims.user_id == bot.id
    await ann.post(f"/bots/{bot.id}/token")
    assert server.chat_app.claims_of(bot.token) is None
