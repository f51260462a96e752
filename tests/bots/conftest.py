"""Bots that run as processes, and what they have said."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bots.program import BotProgram
from tests.clients.people import Person
from tests.conftest import Server

StartBot = Callable[..., Awaitable[BotProgram]]


@pytest.fixture
async def start_bot(server: Server, tmp_path: Path) -> AsyncIterator[StartBot]:
    """Starts an example as this bot: `await start_bot("echo.py", bot)`."""
    programs: list[BotProgram] = []

    async def start(name: str, bot: Person, *, wait: bool = True, **settings: str) -> BotProgram:
        program = BotProgram(name, tmp_path, server.url, bot.token, **settings)
        programs.append(program)
        await (program.start() if wait else program.begin())
        return program

    yield start
    for program in programs:
        await program.kill()


async def said_by(client: Any, user_id: int) -> Any:
    """The next new message of this user that the connection gets."""
    while True:
        frame = await client.next("new_message")
        if frame["message"]["sender_id"] == user_id:
            return frame["message"]
