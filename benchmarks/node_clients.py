"""Clients of several nodes, over raw WebSockets."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

PACE_S = 0.02
DRAIN_S = 10.0
SETTLE_S = 2.0

Frame = dict[str, Any]
Entrance = tuple[int, str]
"""The port of a node, and a token."""


async def _connect(session: aiohttp.ClientSession, entrance: Entrance) -> aiohttp.ClientWebSocketResponse:
    port, token = entrance
    socket = await session.ws_connect(f"http://127.0.0.1:{port}/ws?token={token}")
    assert (await socket.receive_json())["type"] == "connected"
    return socket


async def _join(
    socket: aiohttp.ClientWebSocketResponse, chat_id: int, after_seq: int
) -> tuple[Frame, list[Frame]]:
    """Joins a chat. Returns the ack and the frames before it."""
    await socket.send_json({"type": "join_chat", "id": 0, "chat_id": chat_id, "after_seq": after_seq})
    frames: list[Frame] = []
    while (frame := await socket.receive_json())["type"] not in ("ack", "error"):
        frames.append(frame)
    assert frame["type"] == "ack", frame
    return frame, frames


async def lags(
    sender: Entrance, listener: Entrance, chat_id: int, messages: int
) -> tuple[list[float], list[str]]:
    """One sends at a fixed pace. For each message: how long after its ack the listener had the event, 0 if before it;
    and what is wrong with the events."""
    acked: dict[int, float] = {}
    heard: dict[int, float] = {}
    seqs: list[int] = []
    all_acked, all_heard = asyncio.Event(), asyncio.Event()

    async def read_acks(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = message.json()
            if frame["type"] == "ack":
                acked[frame["id"]] = time.perf_counter()
                if len(acked) == messages:
                    all_acked.set()

    async def read_events(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = message.json()
            if frame["type"] == "new_message":
                heard[int(frame["message"]["content"])] = time.perf_counter()
                seqs.append(frame["seq"])
                if len(heard) == messages:
                    all_heard.set()

    async with aiohttp.ClientSession() as session:
        here, there = await _connect(session, sender), await _connect(session, listener)
        await _join(there, chat_id, 0)
        readers = [asyncio.create_task(read_acks(here)), asyncio.create_task(read_events(there))]
        due = time.perf_counter()
        for number in range(messages):
            due += PACE_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            content = {"chat_id": chat_id, "content": str(number)}
            await here.send_json({"type": "send_message", "id": number, **content})
        async with asyncio.timeout(DRAIN_S):
            await all_heard.wait()
            await all_acked.wait()
        for reader in readers:
            reader.cancel()
    wrong = [] if seqs == list(range(1, messages + 1)) else ["events in another order, or more than once"]
    return [max(0.0, heard[number] - acked[number]) for number in range(messages)], wrong


async def recover(
    ports: Sequence[int], killed_pid: int, members: Sequence[tuple[str, int]], sample: Callable[[], None]
) -> tuple[list[float], list[str]]:
    """Connects the members evenly to the nodes, kills the last node, has a message sent to each chat, and lets those
    who were on it recover from the others. Returns how long after the kill each of them had recovered, and what was
    wrong. `sample` is called at the kill, and when all have recovered."""
    wrong: list[str] = []
    killed_at = 0.0
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def connected(number: int, after_seq: int, among: int) -> Any:
            token, chat_id = members[number]
            socket = await _connect(session, (ports[number % among], token))
            return socket, await _join(socket, chat_id, after_seq)

        async def come_back(number: int, socket: aiohttp.ClientWebSocketResponse, head_seq: int) -> float:
            while not socket.closed:
                await socket.receive()
            _, (ack, frames) = await connected(number, head_seq, len(ports) - 1)
            seqs = [frame["seq"] for frame in frames if frame["type"] == "new_message"]
            if ack["gap"] or seqs != list(range(head_seq + 1, ack["head_seq"] + 1)):
                wrong.append(f"client {number}: after {head_seq} came {seqs}, and {ack}")
            return time.perf_counter() - killed_at

        clients = [await connected(number, 0, len(ports)) for number in range(len(members))]
        await asyncio.sleep(SETTLE_S)
        lost = [number for number in range(len(members)) if number % len(ports) == len(ports) - 1]
        coming = [
            asyncio.create_task(come_back(number, clients[number][0], clients[number][1][0]["head_seq"]))
            for number in lost
        ]
        by_chat = {
            members[number][1]: clients[number][0]
            for number in range(len(members))
            if number not in set(lost)
        }
        sample()
        os.kill(killed_pid, signal.SIGKILL)
        killed_at = time.perf_counter()
        for chat_id, socket in by_chat.items():
            await socket.send_json({"type": "send_message", "chat_id": chat_id, "content": "meanwhile"})
        took_s = list(await asyncio.gather(*coming))
        sample()
    return took_s, wrong
