"""The server is killed while people send and delete files. What a message has is there, whole; nothing else stays."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError

from tests.clients.copy import everything
from tests.clients.files import fetch, form
from tests.clients.people import Person
from tests.clients.program import Program
from tests.guarantees.conftest import Start
from tests.patience import within
from tests.pictures.made import jpeg, png

CONTENTS = (b"x" * 300_000, b"y" * 10, jpeg(), png())
SENDERS = 4


class Sender:
    """Sends messages with files and deletes some of them, until the server is gone. `kept` are the messages that were
    acked and not deleted."""

    def __init__(self, person: Person, chat_id: int, dice: random.Random) -> None:
        self._person, self._chat_id, self._dice = person, chat_id, dice
        self.kept: dict[int, Any] = {}
        self.unsure: set[int] = set()
        """Messages of which it is not known whether they were deleted."""

    async def send(self) -> None:
        try:
            while True:
                await self._one()
        except (ClientError, OSError, TimeoutError):
            return

    async def _one(self) -> None:
        files = [("f", self._dice.choice(CONTENTS)) for _ in range(self._dice.randint(1, 3))]
        if self._dice.random() < 0.5:
            data = form(*files, chat_id=self._chat_id)
            status, message = await self._person.request("POST", "/messages/upload", data=data)
        else:
            ids = []
            for one in files:
                status, upload = await self._person.request("POST", "/uploads", data=form(one))
                assert status == 201, upload
                ids.append(upload["id"])
            body = {"chat_id": self._chat_id, "content": "", "attachments": ids}
            status, message = await self._person.request("POST", "/messages", json=body)
        assert status == 201, message
        self.kept[message["id"]] = message
        if self._dice.random() < 0.4:
            self.unsure.add(message["id"])
            assert (await self._person.request("DELETE", f"/messages/{message['id']}"))[0] == 204
            self.unsure.discard(message["id"])
            del self.kept[message["id"]]


def on_disk(program: Program) -> set[str]:
    folder: Path = program.place / "data" / "uploads"
    return {path.name for path in folder.rglob("*") if path.is_file()}


def ids_of(messages: Any) -> set[str]:
    """The files of messages, as they are named on the disk."""
    found = set()
    for message in messages:
        for file in message["attachments"]:
            found |= {file["id"]} | ({f"{file['id']}.t"} if "thumbnail_url" in file else set())
    return found


async def one_kill(
    program: Program, person: Person, chat_id: int, earlier: set[str], dice: random.Random
) -> set[str]:
    """Returns the files that there are now; `earlier` are those of other chats."""
    senders = [Sender(person, chat_id, dice) for _ in range(SENDERS)]
    sending = [asyncio.create_task(sender.send()) for sender in senders]
    async with within(20):
        while sum(len(sender.kept) for sender in senders) < SENDERS:
            await asyncio.sleep(0.01)
    await asyncio.sleep(dice.uniform(0, 0.5))
    await program.kill()
    await asyncio.gather(*sending)
    await asyncio.sleep(1)  # what was kept a moment before the start is looked at an hour later
    await program.start()
    stored, _ = await everything(person, chat_id)
    for sender in senders:
        for message_id, message in sender.kept.items():
            assert message_id in stored or message_id in sender.unsure
            assert stored.get(message_id, message)["attachments"] == message["attachments"]
    for message in stored.values():
        for file in message["attachments"]:
            answer, content = await fetch(person, file["url"])
            assert (answer.status, len(content)) == (200, file["size"])
    expected = earlier | ids_of(stored.values())
    async with within(20):
        while on_disk(program) != expected:
            await asyncio.sleep(0.05)
    return expected


async def kill_now_and_then(start: Start, kills: int, seed: object) -> None:
    program = await start(RATE_LIMITS="off", UPLOAD_TTL_S="2")
    ann = await program.person("ann")
    dice = random.Random(str(seed))
    files: set[str] = set()
    for number in range(kills):
        files = await one_kill(program, ann, await ann.chat(name=f"round {number}"), files, dice)


async def test_killed_now_and_then(start: Start) -> None:
    await kill_now_and_then(start, 1, "short")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_killed_dozens_of_times(start: Start, seed: int) -> None:
    await kill_now_and_then(start, 12, seed)
