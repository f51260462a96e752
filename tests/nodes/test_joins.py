"""A member joins a chat at one node while that node reads what another one has just written to it."""

import asyncio
from collections.abc import Sequence
from copy import copy
from typing import Any

import pytest

from storage.mongo import MongoStore
from storage.mongo.log import Row
from tests.clients.client import Client
from tests.clients.people import Person
from tests.conftest import Serve, Server

pytestmark = pytest.mark.stores("mongo")


def host(server: Server, person: Person) -> Person:
    """The same person, with the same token, as a client of this server."""
    here = copy(person)
    here.url, here.ws_url, here.clients = server.url, server.ws_url, []
    server._people.append(here)
    return here


def join_while_rows_are_read(
    store: MongoStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> dict[int, "asyncio.Task[Any]"]:
    """Makes the client join each chat of which the store reads rows for the first time, once they are read. Returns
    what joins, by the id of the chat."""
    log, joins = store._writer.replicas.log, dict[int, asyncio.Task[Any]]()
    span = log.span

    async def read(chat_id: int, first: int, last: int) -> Sequence[Row]:
        rows = await span(chat_id, first, last)
        if chat_id not in joins:
            joins[chat_id] = asyncio.ensure_future(client.done("join_chat", chat_id=chat_id))
            while store._writer.replicas.peek(chat_id) is None:
                await asyncio.sleep(0.01)
        return rows

    monkeypatch.setattr(log, "span", read)
    return joins


async def test_other_members_there_hear_of_a_new_chat_that_one_joins_while_its_rows_are_read(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await serve()
    two = await serve(database_url=one.config.database_url)
    ann, bob = await one.people("ann", "bob")
    anns, bobs = await host(two, ann).connect(), await host(two, bob).connect()
    store = two.chat_app.context.store
    assert isinstance(store, MongoStore)
    joins = join_while_rows_are_read(store, anns, monkeypatch)
    for number in range(3):
        chat_id = await ann.chat(bob)
        assert (await bobs.next("chat_added"))["chat_id"] == chat_id
        assert (await anns.next("chat_added"))["chat_id"] == chat_id
        await joins[chat_id]
        await ann.say(chat_id, f"{number}")
        assert (await anns.next("new_message"))["seq"] == 1
        await bobs.nothing_more("chat_added")
