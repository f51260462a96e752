"""Registration with an invite: when one is needed, which serve, and that a failed registration uses nothing."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from storage.errors import Unavailable
from tests.clients.admins import make_admin
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import OWN_USER, assert_error, fits
from tests.conftest import Serve, Server

Answer = tuple[int, Any]


class Hosts:
    """A server with an admin, who has registered before registration was restricted, and a chat of theirs."""

    def __init__(self, server: Server, boss: Person, chat_id: int) -> None:
        self.server, self.boss, self.chat_id = server, boss, chat_id

    @classmethod
    async def of(cls, serve: Serve, registration: str, **settings: Any) -> "Hosts":
        server = await serve(registration="open", auth_calls_per_min=0, **settings)
        boss = await server.person("boss")
        await make_admin(server.chat_app, boss.id)
        chat_id = await boss.chat(name="Lunch")
        object.__setattr__(server.chat_app.context.policy, "registration", registration)
        return cls(server, boss, chat_id)

    async def invite(self, *, to_chat: bool, **options: Any) -> str:
        path = f"/chats/{self.chat_id}/invites" if to_chat else "/admin/invites"
        return str((await self.boss.post(path, **options))["code"])

    async def register(self, username: str, **more: Any) -> Answer:
        body = {"username": username, "password": PASSWORD, **more}
        return await self.server.stranger().request("POST", "/auth/register", json=body)

    async def uses(self) -> list[int]:
        """Of all invites that work, the oldest first."""
        chats, servers = [
            (await self.boss.get(path))["invites"]
            for path in (f"/chats/{self.chat_id}/invites", "/admin/invites")
        ]
        return [one["uses"] for one in (*chats, *servers)]


@pytest.mark.stores
@pytest.mark.parametrize("registration", ["open", "invite"])
async def test_who_registers_with_an_invite_lands_in_its_chat(serve: Serve, registration: str) -> None:
    hosts = await Hosts.of(serve, registration, invites_register="chats")
    watching = await hosts.boss.joined(hosts.chat_id)
    code = await hosts.invite(to_chat=True, max_uses=2)
    status, user = await hosts.register("bob", invite=code)
    assert status == 201
    assert user.pop("chat_id") == hosts.chat_id
    assert fits(user, OWN_USER)
    changed = await watching.next()
    assert (changed["type"], changed["chat"]["member_count"]) == ("chat_changed", 2)
    members = (await hosts.boss.get(f"/chats/{hosts.chat_id}/members"))["members"]
    assert [(one["user"]["username"], one["role"]) for one in members] == [
        ("boss", "owner"),
        ("bob", "member"),
    ]
    assert await hosts.uses() == [1]


@pytest.mark.parametrize("registration", ["open", "invite"])
async def test_an_invite_to_the_server_leads_to_no_chat(serve: Serve, registration: str) -> None:
    hosts = await Hosts.of(serve, registration)
    code = await hosts.invite(to_chat=False)
    status, user = await hosts.register("bob", invite=code)
    assert (status, "chat_id" in user) == (201, False)
    assert await hosts.uses() == [1]


async def test_an_open_server_needs_no_invite(serve: Serve) -> None:
    hosts = await Hosts.of(serve, "open")
    assert (await hosts.register("bob"))[0] == 201
    assert_error(await hosts.register("carl", invite="x"), 422, "invalid", "invite")
    code = await hosts.invite(to_chat=True)
    assert (await hosts.register("carl", invite=code))[0] == 201


async def test_where_one_is_needed_only_admins_of_the_server_give_it(serve: Serve) -> None:
    hosts = await Hosts.of(serve, "invite")
    of_chat = await hosts.invite(to_chat=True)
    for more in ({}, {"invite": None}, {"invite": of_chat}, {"invite": "x" * 22}, {"invite": ""}):
        assert_error(await hosts.register("bob", **more), 422, "invalid", "invite")
    assert await hosts.uses() == [0]
    assert (await hosts.register("bob", invite=await hosts.invite(to_chat=False)))[0] == 201


@pytest.mark.parametrize("to_chat", [True, False])
async def test_a_closed_server_takes_nobody(serve: Serve, to_chat: bool) -> None:
    hosts = await Hosts.of(serve, "closed", invites_register="chats")
    code = await hosts.invite(to_chat=to_chat)
    assert_error(await hosts.register("bob", invite=code), 403, "forbidden")
    assert_error(await hosts.register("bob"), 403, "forbidden")
    assert await hosts.uses() == [0]


@pytest.mark.stores
@pytest.mark.parametrize("to_chat", [True, False])
async def test_a_failed_registration_uses_nothing(serve: Serve, to_chat: bool) -> None:
    hosts = await Hosts.of(serve, "invite", invites_register="chats")
    code = await hosts.invite(to_chat=to_chat, max_uses=1)
    for body, answer in (
        ({"username": "BOSS"}, (409, "conflict", "username")),
        ({"username": "b"}, (422, "invalid", "username")),
        ({"password": "short"}, (422, "invalid", "password")),
        ({"display_name": " "}, (422, "invalid", "display_name")),
        ({"email": "nowhere"}, (422, "invalid", "email")),
    ):
        assert_error(await hosts.register(**{"username": "bob", "invite": code, **body}), *answer)
    assert await hosts.uses() == [0]
    assert (await hosts.register("bob", invite=code))[0] == 201
    assert_error(await hosts.register("carl", invite=code), 422, "invalid", "invite")


async def test_all_that_is_wrong_is_said_at_once(serve: Serve) -> None:
    hosts = await Hosts.of(serve, "invite")
    answer = await hosts.register("bob", password="short", display_name="\u200b", invite="x")
    assert_error(answer, 422, "invalid", "password", "display_name", "invite")
    answer = await hosts.register("b", password="short", display_name="\u200b", email="nowhere")
    assert_error(answer, 422, "invalid", "username", "password", "display_name", "email", "invite")
    for password in (5, None, "\ud800"):
        answer = await hosts.register("b", password=password, setup_code=5)
        assert_error(answer, 422, "invalid", "username", "password", "setup_code", "invite")
    body: dict[str, Any] = {"username": "b", "password": "x", "display_name": " ", "email": 5}
    answer = await hosts.boss.request("POST", "/admin/users", json=body)
    assert_error(answer, 422, "invalid", "username", "password", "display_name", "email")
    answer = await hosts.boss.request("POST", "/admin/users", json={**body, "username": "bob", "email": None})
    assert_error(answer, 422, "invalid", "password", "display_name")


@pytest.mark.parametrize("invite", [5, True, [], {"$ne": ""}, "\ud800"])
async def test_an_invite_that_is_no_text_is_invalid(serve: Serve, invite: Any) -> None:
    hosts = await Hosts.of(serve, "invite")
    assert_error(await hosts.register("bob", invite=invite), 422, "invalid", "invite")


@pytest.mark.stores
@pytest.mark.parametrize("to_chat", [True, False])
async def test_of_twenty_who_register_at_once_with_three_uses_three_come_in(
    serve: Serve, to_chat: bool
) -> None:
    hosts = await Hosts.of(serve, "invite", invites_register="chats")
    code = await hosts.invite(to_chat=to_chat, max_uses=3)
    answers = await asyncio.gather(*(hosts.register(f"person{one}", invite=code) for one in range(20)))
    assert Counter(status for status, _ in answers) == {201: 3, 422: 17}
    for status, body in answers:
        if status == 422:
            assert_error((status, body), 422, "invalid", "invite")
    assert len((await hosts.boss.get("/users"))["users"]) == 4
    assert await hosts.uses() == []


@pytest.mark.stores
async def test_an_invite_that_ends_while_somebody_registers_leaves_the_account(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is made when the use is counted; then the chat is gone."""
    hosts = await Hosts.of(serve, "open")
    code = await hosts.invite(to_chat=True)
    store = hosts.server.chat_app.context.store
    create = store.users.create

    async def slow_create(**fields: Any) -> Any:
        await hosts.boss.delete(f"/invites/{code}")
        return await create(**fields)

    monkeypatch.setattr(store.users, "create", slow_create)
    status, user = await hosts.register("bob", invite=code)
    assert (status, "chat_id" in user) == (201, False)
    assert (await hosts.boss.get(f"/chats/{hosts.chat_id}"))["member_count"] == 1


async def test_a_store_that_does_not_answer_leaves_the_account_too(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = await Hosts.of(serve, "open")
    code = await hosts.invite(to_chat=True, max_uses=2)

    async def away(*_args: object) -> None:
        raise Unavailable("away", "unreachable")

    monkeypatch.setattr(hosts.server.chat_app.context.store.invites, "enter", away)
    status, user = await hosts.register("bob", invite=code)
    assert (status, "chat_id" in user) == (201, False)
    assert await hosts.uses() == [1]  # whether it was needed is not known


async def test_strangers_who_guess_invites_by_registering_are_limited(serve: Serve) -> None:
    server = await serve(registration="invite", auth_calls_per_min=3)
    stranger = server.stranger()
    for number in range(3):
        body = {"username": f"bob{number}", "password": PASSWORD, "invite": "x" * 22}
        assert_error(await stranger.request("POST", "/auth/register", json=body), 422, "invalid", "invite")
    assert_error(await stranger.request("POST", "/auth/register", json=body), 429, "rate_limited")
