"""The server is killed at any moment under load. What it acked is there exactly once, what it did not ack is there
whole or not at all, sending again makes no second message, and readers go on without a hole."""

import asyncio
import itertools
import random

import pytest

from tests.clients.copy import Copy, Reader, everything
from tests.clients.people import Person
from tests.clients.program import Program
from tests.clients.wires import WIRES, Frame, Wire
from tests.guarantees.conftest import Start
from tests.guarantees.ledger import Ledger, text_of

SLOTS = 4
"""How many commands of one writer are under way at a time."""

PINNED = 0.1
"""The share of messages that are pinned while there is room for it."""


class Writer:
    """Sends, edits, deletes, reacts and pins over one wire until it ends, and records everything in the ledger."""

    names = itertools.count()

    def __init__(
        self, kind: str, person: Person, chat_id: int, ledger: Ledger, script: random.Random
    ) -> None:
        self._wire: Wire = WIRES[kind](person.http, person.url, person.token, lambda frame: None)
        self._chat_id, self._ledger, self._script = chat_id, ledger, script
        self._name = f"writer {next(self.names)} over {kind}"
        self._numbers = itertools.count()

    async def write(self) -> None:
        if await self._wire.open():
            await asyncio.gather(*(self._slot() for _ in range(SLOTS)))
        await self._wire.close()

    async def _slot(self) -> None:
        while not self._wire.over.is_set():
            client_id = f"{self._name} {next(self._numbers)}"
            text = text_of(client_id, self._script.choice((1, 50, 3000)))
            self._ledger.sending(client_id, text)
            send = {"chat_id": self._chat_id, "content": text, "client_id": client_id}
            ack = await self._wire.ask("send_message", **send)
            if ack is None:
                return
            self._ledger.sent(client_id, ack)
            await self._change(client_id, ack["message"]["id"])

    async def _change(self, client_id: str, message_id: int) -> None:
        if self._script.random() < 0.3:
            text = text_of("edit of " + client_id, self._script.choice((1, 3000)))
            self._ledger.editing(client_id, text)
            if await self._wire.ask("edit_message", message_id=message_id, content=text) is not None:
                self._ledger.edited(client_id)
        if self._script.random() < 0.2:
            await self._mark(client_id, "reaction", "add_reaction", message_id=message_id, emoji="👍")
        if self._script.random() < PINNED:
            await self._mark(client_id, "pin", "pin_message", message_id=message_id)
        if self._script.random() < 0.1:
            self._ledger.deleting(client_id)
            if await self._wire.ask("delete_message", message_id=message_id) is not None:
                self._ledger.deleted(client_id)

    async def _mark(self, client_id: str, mark: str, command: str, **fields: object) -> None:
        self._ledger.marking(client_id, mark)
        answer = await self._wire.ask(command, **fields)
        if answer is not None and answer["type"] == "ack":
            self._ledger.marked(client_id, mark)
        else:
            assert answer is None or answer["code"] == "conflict", answer  # fifty are pinned


async def send_again(person: Person, chat_id: int, ledger: Ledger, client_ids: list[str]) -> None:
    """Repeats over REST the sends without an ack and some with one, as a client does that missed the acks."""
    for client_id in client_ids:
        entry = ledger.entries[client_id]
        body = {"chat_id": chat_id, "content": entry.texts[0], "client_id": client_id}
        status, answer = await person.request("POST", "/messages", json=body)
        if status in (200, 201):
            ledger.sent(client_id, {"message": answer, "duplicate": status == 200})
        else:
            ledger.sent(client_id, answer["error"])


def check_received(copy: Copy, ledger: Ledger, stored: dict[int, Frame], head_seq: int) -> None:
    """Asserts that each message a reader received before the kill is stored, in that state or a later one."""
    assert copy.position <= head_seq
    for message in copy.messages.values():
        kept = stored.get(message["id"])
        if kept is None:
            assert ledger.entries[message["client_id"]].deleting, message
        else:
            assert kept == message or kept["changed_seq"] > message["changed_seq"], (kept, message)


async def one_kill(program: Program, person: Person, chat_id: int, ledger: Ledger, seed: str) -> None:
    script = random.Random(seed)
    readers = [Reader(kind, person, chat_id) for kind in WIRES]
    for reader in readers:
        await reader.settle()
    writers = [Writer(kind, person, chat_id, ledger, script) for kind in WIRES for _ in range(2)]
    writing = [asyncio.create_task(writer.write()) for writer in writers]
    while ledger.changes <= 10:
        await asyncio.sleep(0.001)
    await asyncio.sleep(script.uniform(0, 0.4))
    await program.kill()
    await asyncio.gather(*writing)
    for reader in readers:
        reader.cut()
    await program.start()
    if script.random() < 0.3:  # and once more during the recovery
        coming = [asyncio.create_task(reader.catch_up()) for reader in readers]
        await asyncio.sleep(script.uniform(0, 0.03))
        await program.kill()
        await asyncio.gather(*coming, return_exceptions=True)
        for reader in readers:
            reader.cut()
        await program.start()
    stored, head_seq = await everything(person, chat_id)
    ledger.check(stored, head_seq)
    for reader in readers:
        check_received(reader.copy, ledger, stored, head_seq)
    again = ledger.unacked() + script.sample(list(ledger.entries), min(20, len(ledger.entries)))
    await send_again(person, chat_id, ledger, again)
    ledger.check(*await everything(person, chat_id))
    for reader in readers:
        await reader.settle()
        await reader.check()
        await reader.close()


async def kill_now_and_then(start: Start, store: dict[str, str], kills: int, seed: object) -> None:
    program = await start(RATE_LIMITS="off", LOG_LEVEL="INFO", **store)
    ann = await program.person("ann")
    ledgers: dict[int, Ledger] = {}
    for number in range(kills):
        chat_id = await ann.chat(name=f"round {number}")
        ledgers[chat_id] = Ledger()
        await one_kill(program, ann, chat_id, ledgers[chat_id], f"{seed} {number}")
    for chat_id, ledger in ledgers.items():
        ledger.check(*await everything(ann, chat_id))
    assert sum(ledger.changes for ledger in ledgers.values()) > 10 * kills


@pytest.mark.long_on_mongo
async def test_killed_now_and_then(start: Start, store: dict[str, str]) -> None:
    await kill_now_and_then(start, store, 2 if store else 3, "short")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_killed_dozens_of_times(start: Start, store: dict[str, str], seed: int) -> None:
    await kill_now_and_then(start, store, 12, seed)
