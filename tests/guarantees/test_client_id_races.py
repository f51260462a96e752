"""One `client_id` from many connections at once, on every wire, before and after a restart: one message, one event."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from tests.clients.copy import Reader, everything
from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire
from tests.conftest import Serve, Server

WIRES_OF_A_KIND = 4
IDS = [f"message {number}" for number in range(8)]


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(messages_per_s=0)


class Crowd:
    """Many connections of one user, and REST; all send the same messages at once."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._wires: list[Wire] = []

    async def come(self) -> None:
        await self.go()
        for kind in WIRES.values():
            for _ in range(WIRES_OF_A_KIND):
                wire = kind(self._person.http, self._person.url, self._person.token, lambda frame: None)
                self._wires.append(wire)
        assert all(await asyncio.gather(*(wire.open() for wire in self._wires)))

    async def go(self) -> None:
        await asyncio.gather(*(wire.close() for wire in self._wires))
        self._wires.clear()

    async def send(self, bodies: list[Frame]) -> list[tuple[Frame, Any]]:
        """Sends every body over every connection. Each answer is a message and whether it is a duplicate, or an
        error."""
        calls: list[tuple[Frame, Awaitable[Any]]] = []
        for number, wire in enumerate(self._wires):
            for body in bodies[number % len(bodies) :] + bodies[: number % len(bodies)]:
                calls.append((body, self._over(wire, body)))
        calls += [(body, self._over_rest(body)) for body in bodies for _ in range(WIRES_OF_A_KIND)]
        answers = await asyncio.gather(*(call for _, call in calls))
        return [(body, answer) for (body, _), answer in zip(calls, answers, strict=True)]

    async def _over(self, wire: Wire, body: Frame) -> Any:
        answer = await wire.ask("send_message", **body)
        assert answer is not None
        return answer["code"] if answer["type"] == "error" else (answer["message"], answer["duplicate"])

    async def _over_rest(self, body: Frame) -> Any:
        status, answer = await self._person.request("POST", "/messages", json=body)
        return (answer, status == 200) if status in (200, 201) else answer["error"]["code"]


@pytest.fixture
async def ann(server: Server) -> Person:
    return await server.person("ann")


@pytest.fixture
async def crowd(ann: Person) -> AsyncIterator[Crowd]:
    crowd = Crowd(ann)
    await crowd.come()
    yield crowd
    await crowd.go()


async def test_one_message_however_many_send_it_and_the_same_after_a_restart(
    server: Server, ann: Person, crowd: Crowd
) -> None:
    chat_id = await ann.chat()
    reader = Reader("raw", ann, chat_id)
    await reader.settle()
    bodies = [{"chat_id": chat_id, "content": name, "client_id": name} for name in IDS]
    answers = await crowd.send(bodies)
    assert Counter(duplicate for _, (_, duplicate) in answers)[False] == len(IDS)
    await reader.settle()
    await reader.check()  # every change once, and as many changes as messages
    stored, head_seq = await everything(ann, chat_id)
    assert head_seq == len(stored) == len(IDS)
    by_name = {message["client_id"]: message for message in stored.values()}
    await reader.close()
    await crowd.go()
    await server.restart()
    await crowd.come()
    again = await crowd.send(bodies)
    assert not [answer for _, answer in again if answer[1] is False]
    for body, (message, _) in answers + again:
        assert message == by_name[body["client_id"]]
    assert await everything(ann, chat_id) == (stored, head_seq)


async def test_into_two_chats_at_once_it_goes_into_one(ann: Person, crowd: Crowd) -> None:
    chats = [await ann.chat(), await ann.chat()]
    bodies = [{"chat_id": chat_id, "content": name, "client_id": name} for name in IDS for chat_id in chats]
    answers = await crowd.send(bodies)
    stored = [message for chat_id in chats for message in (await everything(ann, chat_id))[0].values()]
    at = {message["client_id"]: message for message in stored}
    assert sorted(at) == sorted(IDS)
    assert len(stored) == len(IDS)
    for body, answer in answers:
        message = at[body["client_id"]]
        if body["chat_id"] == message["chat_id"]:
            assert answer[0] == message
        else:
            assert answer == "conflict"
