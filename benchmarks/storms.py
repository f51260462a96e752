"""Many connections, joins or presence events at once: does each still cost what it costs alone?"""

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
"""Enough joins to measure one join with the kernel's clock ticks of 10 ms; at most so many connections."""

SETTLE_S = 3.0
"""Longer than PRESENCE_GRACE_S, in which a disconnected user still counts as online."""


def many_chats(chats: int) -> tuple[Figures, list[str]]:
    """A user with `chats` chats connects and joins all of them, several times: the time to join all, and the CPU for
    each chat."""
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as name:
        directory = Path(name)
        user_id, chat_ids = seed(directory, lambda store: _chats_of_one(store, chats))
        with serving(directory) as (port, pid):
            asyncio.run(_connect_and_join(port, user_id, chat_ids))  # loads the chats into memory
            before, began = cpu_s([pid]), time.perf_counter()
            cycles = min(JOINS // chats, CONNECTS_MAX)
            for _ in range(cycles):
                asyncio.run(_connect_and_join(port, user_id, chat_ids))
            joins, took_s, busy_s = cycles * chats, time.perf_counter() - began, cpu_s([pid]) - before
    return {"ms_to_join_all": took_s * 1e3 / cycles, "cpu_us_per_chat": busy_s * 1e6 / joins}, []


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


def connecting_and_leaving(client: Path, members: int) -> tuple[Figures, list[str]]:
    """All members of one chat connect and leave, several times: the CPU for each visit and for each presence event.

    Each connected member gets an event for every other member who connects or leaves, and on joining an event for every
    other member.
    """
    target = Vestnik("raw")
    case = Case("connecting and leaving", "idle", 1, members)
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
        busy_s = cpu_s(server.pids) - before
    visits = CYCLES * members
    # A member who joins gets one event for each other member. Of these, half are connected on average, and each of them
    # gets one event for the member who joins.
    presence_events = visits * (members - 1) * 1.5
    return {
        "cpu_us_per_visit": busy_s * 1e6 / visits,
        "cpu_us_per_presence_event": busy_s * 1e6 / presence_events,
    }, []
