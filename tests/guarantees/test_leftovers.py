"""Clients come and go in every possible way and leave nothing in the memory of the server."""

import asyncio
import gc
import logging
from collections import Counter
from typing import Any

import pytest
from aiohttp import web

from client_compat.connection import RawConnection
from handlers.live.connections import Connection
from server.engine.engineio_session import Session
from server.keys import SIO
from tests.clients.halfway import stopped_halfway
from tests.clients.people import Person
from tests.clients.wires import WIRES, Wire
from tests.conftest import Serve, Server
from tests.patience import within

OF_CONNECTIONS = (Connection, RawConnection, Session, web.WebSocketResponse)


def alive() -> Counter[str]:
    """How many objects of each kind stand for connections in memory."""
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing) in OF_CONNECTIONS)


def books(server: Server) -> dict[str, Any]:
    """All collections that hold an entry for an open connection."""
    sio, context = server.app[SIO], server.chat_app.context
    held = {
        "sockets": sio.eio.sockets,
        "lingering": sio.eio._lingering,
        "tasks": sio.eio._tasks,
        "heartbeat": sio.eio.heartbeat._beats,
        "environ": sio.environ,
        "timers": sio._namespaces._timers,
        "joined": sio._namespaces.joined,
        "attachments": sio._namespaces.attachments,
        "rooms": sio.manager.rooms,
        "rooms of": sio.fan_out.rooms._rooms_of,
        "sids": sio.fan_out.rooms.sids.get("/"),
        "callbacks": sio.manager.callbacks,
        "connections": list(context.connections.all()),
    }
    return {name: book for name, book in held.items() if book}


async def come_and_go(person: Person, chat_id: int, number: int) -> None:
    kind = list(WIRES)[number % len(WIRES)]
    wire: Wire = WIRES[kind](person.http, person.url, person.token, lambda frame: None)
    assert await wire.open()
    for name, fields in (
        ("join_chat", {"chat_id": chat_id}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
        ("status", {"status": "busy"}),
        ("send_message", {"chat_id": chat_id, "content": "hi"}),
    ):
        await wire.ask(name, **fields)
    if number % 2:
        await wire.start("join_chat", chat_id=chat_id, after_seq=0)  # closed before the answer
    await wire.close()


@pytest.mark.stores("sqlite")
async def test_nothing_is_left_of_those_who_are_gone(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = await serve(messages_per_s=0, ping_interval_s=1, ping_timeout_s=1, presence_grace_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    before = alive()
    await asyncio.gather(*(come_and_go((ann, bob)[number % 2], chat_id, number) for number in range(60)))
    async with stopped_halfway(ann.http, ann.url, ann.token, chat_id):
        pass
    left: Any = None
    try:
        async with within(15):
            while (left := (books(server), alive() - before)) != ({}, Counter()):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(left) from None
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
