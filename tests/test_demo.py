"""The demo data: none of its people has anything unread."""

import asyncio

from server.demo import PEOPLE, demo_hint, demo_password, seed_demo
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.conftest import Server


async def test_nobody_has_anything_unread(server: Server) -> None:
    password = PASSWORD
    assert await seed_demo(server.chat_app, password)
    for name in PEOPLE:
        person = Person(server.http, server.url, server.ws_url, name)
        await person.login(name, password)
        chats = (await person.get("/chats"))["chats"]
        assert {chat["unread_count"] for chat in chats} == {0}
        assert {chat["chat_type"] for chat in chats} >= {"group"}
        for chat in chats:
            assert chat["last_read_message_id"] == chat["last_message"]["id"]


async def test_of_servers_that_start_at_once_one_makes_the_demo(server: Server) -> None:
    """As several servers on one database: none finds users, and all go on."""
    made = await asyncio.gather(*(seed_demo(server.chat_app, PASSWORD) for _ in range(3)))
    assert sorted(made) == [False, False, True]
    alice = Person(server.http, server.url, server.ws_url, "alice")
    await alice.login("alice", PASSWORD)
    assert len((await alice.get("/chats"))["chats"]) == 2
    assert len((await alice.get("/users"))["users"]) == len(PEOPLE)


async def test_a_server_with_users_gets_no_demo(server: Server) -> None:
    await server.person("ann")
    assert not await seed_demo(server.chat_app, PASSWORD)


async def test_alice_administers_the_demo(server: Server) -> None:
    await seed_demo(server.chat_app, PASSWORD)
    alice = Person(server.http, server.url, server.ws_url, "alice")
    assert (await alice.login("alice"))["user"]["is_admin"]
    assert not await server.chat_app.setup.needed()


async def test_the_first_password_is_told_again_while_it_is_right(server: Server) -> None:
    password = demo_password("key", "store")
    assert len(password) >= 22
    assert password == demo_password("key", "store")
    assert len({password, demo_password("other key", "store"), demo_password("key", "other store")}) == 3
    assert await demo_hint(server.chat_app, password) is None
    await seed_demo(server.chat_app, password)
    assert password in (await demo_hint(server.chat_app, password) or "")
    alice = Person(server.http, server.url, server.ws_url, "alice")
    await alice.login("alice", password)
    await alice.patch("/users/me", password=PASSWORD, old_password=password)
    hint = await demo_hint(server.chat_app, password) or ""
    assert "vestnik user password alice" in hint
    assert password not in hint
