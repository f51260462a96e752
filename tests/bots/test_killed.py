"""Bots that are killed at random moments under load answer every message, and none twice."""

import asyncio
import logging
import random
import runpy
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bots.program import EXAMPLES, BotProgram
from tests.clients.bots import make_bot
from tests.clients.forked import ForkedProcess
from tests.clients.people import Person
from tests.conftest import Serve

LOG = logging.getLogger(__name__)
CHATS = 3
LIFE_S = 0.3
"""How long a bot lives at most after it has connected, or, one time in five, after its start."""

QUIET_S = 30
"""How long the last answers may take."""


def run_example(words: list[str]) -> None:
    runpy.run_path(words[0], run_name="__main__")


class ForkedBot:
    """An example that starts in milliseconds."""

    def __init__(self, name: str, place: Path, url: str, token: str, **settings: str) -> None:
        self._path = EXAMPLES / name
        self._place = place
        self._environment = BotProgram(name, place, url, token, **settings).environment
        self._log = (place / "bot.log").open("ab")

    def start(self) -> ForkedProcess:
        self._log.truncate(0)
        log = self._log.fileno()
        return ForkedProcess([str(self._path)], self._place, self._environment, log, log, run_example)

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text("utf8")

    async def connected(self, process: ForkedProcess) -> None:
        """Waits until the process is connected."""
        async with asyncio.timeout(30):
            while "is connected" not in self.log:
                assert process.returncode is None, self.log
                await asyncio.sleep(0.005)

    def close(self) -> None:
        self._log.close()


@asynccontextmanager
async def writing(person: Person, chat_id: int, pause_s: float, deleted: set[int]) -> AsyncIterator[None]:
    """A person who writes, and sometimes edits or deletes what they have written."""
    dice = random.Random(chat_id)

    async def write() -> None:
        while True:
            message = await person.say(chat_id, f"message {dice.random()}")
            chance = dice.random()
            if chance < 0.1:
                await person.patch(f"/messages/{message['id']}", content="edited")
            elif chance < 0.2:
                await person.post(f"/messages/{message['id']}/reactions/👍")
            elif chance < 0.3:
                deleted.add(message["id"])
                await person.delete(f"/messages/{message['id']}")
            await asyncio.sleep(pause_s * dice.uniform(0.5, 1.5))

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), results


async def all_messages(person: Person, chat_id: int) -> list[Any]:
    messages: list[Any] = []
    where: dict[str, Any] = {}
    while True:
        page = await person.get(f"/chats/{chat_id}/messages", limit=200, **where)
        messages = page["messages"] + messages
        if not page["has_more_before"]:
            return messages
        where = {"before": messages[0]["id"]}


async def answers_of(person: Person, chat_id: int, bot: Person) -> tuple[set[int], Counter[int]]:
    """The ids of the messages that were asked and are still there, and how often each id was answered."""
    messages = await all_messages(person, chat_id)
    asked = {message["id"] for message in messages if message["sender_id"] == person.id}
    return asked, Counter(message["reply_to"] for message in messages if message["sender_id"] == bot.id)


async def kill_often(
    serve: Serve, place: Path, name: str, kills: int, pause_s: float, **settings: str
) -> None:
    server = await serve(messages_per_s=0)
    people = await server.people(*(f"ann{number}" for number in range(CHATS)))
    bot = await make_bot(people[0])
    chat_ids = [await person.chat(bot) for person in people]
    program = ForkedBot(name, place, server.url, bot.token, **settings)
    process = program.start()
    try:
        await program.connected(process)  # what was said before the first start is old
        deleted: set[int] = set()
        dice = random.Random()
        async with (
            writing(people[0], chat_ids[0], pause_s, deleted),
            writing(people[1], chat_ids[1], pause_s, deleted),
            writing(people[2], chat_ids[2], pause_s, deleted),
        ):
            for _ in range(kills):
                if dice.random() > 0.2:
                    await program.connected(process)
                await asyncio.sleep(dice.uniform(0, LIFE_S))
                assert process.returncode is None, program.log
                process.send_signal(signal.SIGKILL)
                await process.wait()
                process = program.start()
        for person, chat_id in zip(people, chat_ids, strict=True):
            await every_one_once(person, chat_id, bot, deleted)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        program.close()


async def every_one_once(person: Person, chat_id: int, bot: Person, deleted: set[int]) -> None:
    asked: set[int] = set()
    answered: Counter[int] = Counter()
    try:
        async with asyncio.timeout(QUIET_S):
            while not asked or not asked <= answered.keys():
                asked, answered = await answers_of(person, chat_id, bot)
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{len(asked - answered.keys())} of {len(asked)} messages are missed")
    assert {message_id: times for message_id, times in answered.items() if times > 1} == {}
    assert answered.keys() <= asked | deleted
    LOG.info(f"{len(asked)} messages and {len(deleted)} deleted ones, {answered.total()} answers")


async def test_echo_killed(serve: Serve, tmp_path: Path) -> None:
    await kill_often(serve, tmp_path, "echo.py", 5, 0.05)


async def test_streaming_killed(serve: Serve, tmp_path: Path) -> None:
    await kill_often(serve, tmp_path, "streaming.py", 4, 0.3, WORD_S="0.005")


@pytest.mark.long
async def test_echo_killed_a_thousand_times(serve: Serve, tmp_path: Path) -> None:
    await kill_often(serve, tmp_path, "echo.py", 1000, 0.05)


@pytest.mark.long
async def test_streaming_killed_often(serve: Serve, tmp_path: Path) -> None:
    await kill_often(serve, tmp_path, "streaming.py", 300, 0.5, WORD_S="0.005")
