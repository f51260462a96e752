"""The server is killed at any moment, against a receiver that fails, hangs, lies and restarts: what an outgoing hook
delivers is complete, in order, and delivered again only if the server did not hear that it was taken."""

import asyncio
import itertools
import random
from typing import Any

import pytest
from aiohttp import ClientError

from domain.hooks import HOOK_EVENTS
from tests.clients.people import Person
from tests.clients.program import Program
from tests.guarantees.conftest import Start
from tests.hooks.received import Received, stored_messages
from tests.hooks.receiver import Receiver, receiving
from tests.patience import within

WRITERS = 3


class Writer:
    """Sends messages, edits some of them, reacts to some, to edited ones too, and deletes some, until the server is
    gone."""

    names = itertools.count()

    def __init__(self, person: Person, chat_id: int, dice: random.Random) -> None:
        self._person, self._chat_id, self._dice = person, chat_id, dice

    async def write(self) -> None:
        try:
            while True:
                await self._one()
                await asyncio.sleep(self._dice.uniform(0, 0.03))
        except (ClientError, OSError, TimeoutError):
            return

    async def _one(self) -> None:
        content = f"message {next(self.names)}"
        status, message = await self._person.request(
            "POST", "/messages", json={"chat_id": self._chat_id, "content": content}
        )
        assert status == 201, message
        chance = self._dice.random()
        if chance < 0.15:
            await self._person.request("PATCH", f"/messages/{message['id']}", json={"content": content + "!"})
        if 0.1 < chance < 0.25:
            await self._person.request("POST", f"/messages/{message['id']}/reactions/👍")
        elif chance < 0.35:
            await self._person.request("DELETE", f"/messages/{message['id']}")


async def make_hook(person: Person, chat_id: int, url: str) -> Any:
    """A new hook that wants all events; with its secret."""
    return await person.post(
        f"/chats/{chat_id}/hooks", kind="outgoing", name="killed", target_url=url, events=list(HOOK_EVENTS)
    )


async def one_life(
    program: Program, person: Person, chat_id: int, received: Received, dice: random.Random
) -> None:
    """Writes for a while, and kills the server; the receiver may be gone for some of that time."""
    writers = [Writer(person, chat_id, dice) for _ in range(WRITERS)]
    writing = [asyncio.create_task(writer.write()) for writer in writers]
    came = len(received.deliveries)
    is_away = dice.random() < 0.3
    if is_away:
        await received.receiver.stop()
        received.life += 1  # it may have been about to answer
        await asyncio.sleep(dice.uniform(0, 0.5))
        await received.receiver.start()
    else:
        async with within(20):
            while len(received.deliveries) == came:
                await asyncio.sleep(0.001)
    await asyncio.sleep(dice.uniform(0, 0.5))
    await program.kill()
    await asyncio.gather(*writing)
    received.life += 1
    await program.start()


async def kill_now_and_then(program: Program, receiver: Receiver, kills: int, seed: object) -> None:
    dice = random.Random(f"hooks {seed}")
    ann = await program.person("ann")
    chat_id = await ann.chat()
    hook = await make_hook(ann, chat_id, receiver.url)
    received = Received(receiver, dice)
    for _ in range(kills):
        await one_life(program, ann, chat_id, received, dice)
    received.good = True
    await ann.say(chat_id, "the end")
    async with asyncio.timeout(60):
        while not received.said("the end"):
            await asyncio.sleep(0.02)
    received.check(hook["secret"], await stored_messages(ann, chat_id), hook["user_id"])
    assert len(received.deliveries) > 3 * kills


@pytest.mark.long_on_mongo
async def test_a_hook_of_a_server_that_is_killed_now_and_then(start: Start, store: dict[str, str]) -> None:
    program = await start(RATE_LIMITS="off", WEBHOOK_PRIVATE="on", **store)
    async with receiving() as receiver:
        await kill_now_and_then(program, receiver, 2 if store else 4, "short")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_a_hook_of_a_server_that_is_killed_dozens_of_times(
    start: Start, store: dict[str, str], seed: int
) -> None:
    program = await start(RATE_LIMITS="off", WEBHOOK_PRIVATE="on", **store)
    async with receiving() as receiver:
        await kill_now_and_then(program, receiver, 15 if store else 40, seed)
