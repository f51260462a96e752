"""Clients that write and read at random nodes, and go to another one when theirs fails or when they feel like it."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import ClientError

from tests.clients.copy import Reader
from tests.clients.doors import Door, NoAnswer, NotSent, door_of
from tests.clients.people import Person
from tests.clients.wires import Frame
from tests.cluster.node import Node
from tests.guarantees.ledger import Ledger, text_of

ANSWER_S = 12
"""How long a client waits for an answer before it goes to another node: longer than a node lets a command wait."""

PAUSE_S = 0.05
"""How long a client waits before it tries again."""


class Roamer:
    """Asks a random node, over REST or one connection at a time."""

    def __init__(self, kind: str, person: Person, nodes: Sequence[Node], script: random.Random) -> None:
        self.kind, self._person, self._nodes, self._script = kind, person, nodes, script
        self._door: Door | None = None

    async def ask(self, command: str, **fields: object) -> Frame | None:
        """The ack or the error; None if nobody knows whether the command was done: then the next one goes to another
        node."""
        if self._door is None:
            self._door = door_of(self.kind, self._script.choice(self._nodes).host(self._person))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._door.ask(command, **fields)
        except (TimeoutError, NotSent, NoAnswer):
            await self.leave()
            await asyncio.sleep(PAUSE_S)
            return None

    async def leave(self) -> None:
        if self._door is not None:
            await self._door.close()
        self._door = None


class Writer:
    """Sends, edits, deletes and reads. What is not answered is sent again, at another node, until it is."""

    names = itertools.count()

    def __init__(self, roamer: Roamer, chats: dict[int, Ledger], script: random.Random) -> None:
        self._roamer, self._chats, self._script = roamer, chats, script
        self._name = f"writer {next(self.names)} over {roamer.kind}"

    async def run(self, ended: asyncio.Event, messages_max: int) -> None:
        for number in range(messages_max):
            if ended.is_set():
                break
            chat_id = self._script.choice(list(self._chats))
            await self._write(chat_id, f"{self._name} {number}")
            if self._script.random() < 0.05:
                await self._roamer.leave()
            await asyncio.sleep(self._script.uniform(0, 0.1))
        await self._roamer.leave()

    async def _write(self, chat_id: int, client_id: str) -> None:
        ledger = self._chats[chat_id]
        text = text_of(client_id, self._script.choice((1, 50, 1000)))
        ledger.sending(client_id, text)
        message = await self._send(chat_id, client_id, text)
        if self._script.random() < 0.3:
            text = text_of("edit of " + client_id, self._script.choice((1, 1000)))
            ledger.editing(client_id, text)
            if await self._done("edit_message", message_id=message["id"], content=text):
                ledger.edited(client_id)
        if self._script.random() < 0.1:
            ledger.deleting(client_id)
            if await self._done("delete_message", message_id=message["id"]):
                ledger.deleted(client_id)
        if self._script.random() < 0.2:
            await self._read(chat_id, message)
        if self._script.random() < 0.2:
            await self._send(chat_id, client_id, text)  # once more, for nothing

    async def _send(self, chat_id: int, client_id: str, text: str) -> Frame:
        ledger = self._chats[chat_id]
        while True:
            answer = await self._roamer.ask(
                "send_message", chat_id=chat_id, content=text, client_id=client_id
            )
            if answer is not None:
                ledger.sent(client_id, answer)
                return answer.get("message", {})

    async def _done(self, command: str, **fields: object) -> bool:
        """Whether the command was acked; False if nobody knows. It is not repeated."""
        answer = await self._roamer.ask(command, **fields)
        assert answer is None or "code" not in answer, answer
        return answer is not None

    async def _read(self, chat_id: int, message: Frame) -> None:
        answer = await self._roamer.ask("read_messages", chat_id=chat_id, up_to=message["id"])
        if answer is not None:
            assert answer["read_seq"] >= message["seq"], answer


class RoamingReader(Reader):
    """Keeps a copy of a chat by the rules of docs/protocol.md, at one node after another."""

    def __init__(
        self, kind: str, person: Person, chat_id: int, nodes: Sequence[Node], script: random.Random
    ) -> None:
        super().__init__(kind, person, chat_id)
        self._home, self._nodes, self._script = person, nodes, script
        self.recoveries = 0

    async def run(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await self.follow()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._script.uniform(0.5, 4)):
                    assert self.wire is not None
                    await self.wire.over.wait()
            self.cut()

    async def follow(self) -> None:
        """Returns when the copy has caught up at some node."""
        while True:
            with suppress(TimeoutError, ClientError, OSError):
                async with asyncio.timeout(ANSWER_S):
                    if await self.catch_up():
                        self.recoveries += 1
                        return
            self.cut()
            await asyncio.sleep(PAUSE_S)

    async def connect(self) -> bool:
        self.cut()
        self.person = self._script.choice(self._nodes).host(self._home)
        return await super().connect()

    async def catch_up(self) -> bool:
        try:
            return await super().catch_up()
        except AssertionError as error:
            if is_retryable(error.args[0]):
                return False
            raise


def is_retryable(refusal: object) -> bool:
    """Whether a client may ask again: of an error on a wire, or of a call as (method, path, status, body)."""
    if isinstance(refusal, dict):
        return bool(refusal.get("retryable"))
    return isinstance(refusal, tuple) and refusal[2:3] == (503,)
