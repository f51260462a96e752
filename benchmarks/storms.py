"""Moments in which everything comes at once: is the cost of each still what it is alone?"""

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks import load_client
from benchmarks.cases import Case, Timing
from benchmarks.machine import cpu_s
from benchmarks.runs import Figures
from benchmarks.vestnik import Vestnik, add_chat, add_users, seed, serving, token_of
from storage.ports import Store

CYCLES = 5
JOINS, CONNECTS_MAX = 10_000, 100
"""So many that the kernel's hundredths of a second tell what a join takes."""

SETTLE_S = 3.0
"""Longer than a user who has gone still counts as there."""


def many_chats(chats: int) -> tuple[Figures, list[str]]:
    """A user with so many chats connects and joins them all, some times over: time and CPU for each chat."""
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as name:
        directory = Path(name)
        user_id, chat_ids = seed(directory, lambda store: _chats_of_one(store, chats))
        with serving(directory) as (port, pid):
            asyncio.run(_connect_and_join(port, user_id, chat_ids))  # brings the chats into memory
            before, began = cpu_s([pid]), time.perf_counter()
            cycles = min(JOINS // chats, CONNECTS_MAX)
            for _ in range(cycles):
                asyncio.run(_connect_and_join(port, user_id, chat_ids))
            joins, took, busy = cycles * chats, time.perf_counter() - began, cpu_s([pid]) - before
    return {"ms_to_join_all": took * 1e3 / cycles, "cpu_us_per_chat": busy * 1e6 / joins}, []


async def _chats_of_one(store: Store, count: int) -> tuple[int, list[int]]:
    user_id, friend_id = await add_users(store, 2)
    return user_id, [await add_chat(store, f"chat {number}", [user_id, friend_id]) for number in range(count)]


async def _connect_and_join(port: int, user_id: int, chat_ids: list[int]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/ws?token={token_of(user_id)}") as socket,
    ):
        await socket.receive()
        for chat_id in chat_ids:
            await socket.send_json({"type": "join_chat", "id": chat_id, "chat_id": chat_id})
        missing = set(chat_ids)
        while missing:
            frame = await socket.receive_json()
            if frame["type"] == "ack":
                missing.remove(frame["id"])


def coming_and_going(client: Path, members: int) -> tuple[Figures, list[str]]:
    """All members of one chat come and go, some times over. Everybody who is there is told of everybody who comes or
    goes, and who comes is told of all: CPU for each, and for each of those words."""
    target = Vestnik("raw")
    case = Case("coming and going", "idle", 1, members)
    with (
        tempfile.TemporaryDirectory(prefix="vestnik-bench-") as directory,
        target.start(Path(directory), case) as server,
    ):
        timing = Timing(0, 0.2)
        load_client.run(client, server, case, target.wire, timing)
        time.sleep(SETTLE_S)
        before = cpu_s(server.pids)
        for _ in range(CYCLES):
            load_client.run(client, server, case, target.wire, timing)
            time.sleep(SETTLE_S)
        busy = cpu_s(server.pids) - before
    comings = CYCLES * members
    # Who joins is told of the others, and those who are there of his coming: of each, half of all on average.
    words = comings * (members - 1) * 1.5
    return {"cpu_us_per_coming": busy * 1e6 / comings, "cpu_us_per_word": busy * 1e6 / words}, []
