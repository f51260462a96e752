"""The demo data: none of its people has anything unread."""

import asyncio

from server.demo import PEOPLE, seed_demo
from tests.clients.people import Person
from tests.conftest import Server


async def test_nobody_has_anything_unread(server: Server) -> None:
    password = await seed_demo(server.chat_app)
    assert password
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
    passwords = await asyncio.gather(*(seed_demo(server.chat_app) for _ in range(3)))
    (password,) = filter(None, passwords)
    alice = Person(server.http, server.url, server.ws_url, "alice")
    await alice.login("alice", password)
    assert len((await alice.get("/chats"))["chats"]) == 2
    assert len((await alice.get("/users"))["users"]) == len(PEOPLE)


async def test_a_server_with_users_gets_no_demo(server: Server) -> None:
    await server.person("ann")
    assert await seed_demo(server.chat_app) is None
