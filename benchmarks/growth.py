"""The cost of a chat server's everyday requests with a million stored messages, against ten thousand.

Two servers run at the same time, one for each size, and get their requests in turns, so that a slow moment of the
machine affects both alike.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.machine import cpu_s
from benchmarks.runs import Figures
from benchmarks.vestnik import add_chat, add_users, seed, serving, token_of
from domain.models import Draft
from storage.ports import Store

CHATS = 50
UNREAD = 50
REQUESTS_PER_BLOCK = 20
AT_ONCE = 5_000
"""This many messages are written at a time."""
CHANGES = 100


@dataclass(frozen=True, slots=True)
class Archive:
    """A filled database: the user who makes the requests, their largest chat (half of all messages), the head of that
    chat, and a message in its middle."""

    user_id: int
    chat_id: int
    head_seq: int
    middle_id: int


def fill(directory: Path, messages: int) -> Archive:
    """Writes `messages` messages into 50 chats of two; one chat gets half of them, and each chat has 50 unread."""
    return seed(directory, lambda store: _fill(store, messages))


async def _fill(store: Store, messages: int) -> Archive:
    reader, writer = await add_users(store, 2)
    chat_ids = [await add_chat(store, f"chat {number}", [reader, writer]) for number in range(CHATS)]
    largest, *others = chat_ids
    half = messages // 2
    middle_id = await _write(store, largest, writer, half - UNREAD)
    for chat_id in others:
        await _write(store, chat_id, writer, half // len(others) - UNREAD)
    for chat_id in chat_ids:
        await store.messages.mark_read(chat_id, reader, None)
        await _write(store, chat_id, writer, UNREAD)
    return Archive(reader, largest, half, middle_id)


async def _write(store: Store, chat_id: int, sender_id: int, count: int) -> int:
    """Writes `count` messages, and returns the id of the middle one."""
    ids: list[int] = []
    while len(ids) < count:
        now = datetime.now(UTC)
        some = [
            store.messages.append(Draft(chat_id, sender_id, f"message {number} of so many", now))
            for number in range(len(ids), min(count, len(ids) + AT_ONCE))
        ]
        ids += [appended.message.id for appended in await asyncio.gather(*some)]
    return ids[len(ids) // 2]


class _Client:
    """A client of one server. Each method makes one kind of request, and raises `RuntimeError` for a wrong answer."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, archive: Archive
    ):
        self._session = session
        self._socket = socket
        self._archive = archive

    async def history_page(self) -> None:
        query = {"before": str(self._archive.middle_id), "limit": "50"}
        page = await self._get(f"/api/chats/{self._archive.chat_id}/messages", query)
        _expect(len(page["messages"]) == 50, page)

    async def chat_list(self) -> None:
        page = await self._get("/api/chats", {"limit": "50"})
        _expect([chat["unread_count"] for chat in page["chats"]] == [UNREAD] * CHATS, page)

    async def recovery(self) -> None:
        chat_id, after_seq = self._archive.chat_id, self._archive.head_seq - CHANGES
        await self._socket.send_json(
            {"type": "join_chat", "id": 1, "chat_id": chat_id, "after_seq": after_seq}
        )
        while (frame := await self._socket.receive_json())["type"] != "ack":
            pass
        _expect(frame["replayed"] == CHANGES, frame)

    async def _get(self, path: str, query: dict[str, str]) -> dict[str, list[dict[str, object]]]:
        async with self._session.get(path, params=query) as response:
            answer: dict[str, list[dict[str, object]]] = await response.json()
            _expect(response.status == 200, answer)
            return answer


def _expect(holds: bool, answer: object) -> None:
    if not holds:
        raise RuntimeError(f"an unexpected answer: {answer!r:.300}")


Request = Callable[[_Client], Awaitable[None]]

REQUESTS: Sequence[tuple[str, Request]] = (
    ("history_page", _Client.history_page),
    ("chat_list", _Client.chat_list),
    ("recovery", _Client.recovery),
)


def measure(sizes: tuple[int, int], blocks: int) -> tuple[Figures, list[str]]:
    """For each kind of request: its median time in ms and its CPU in µs, small and large, and the ratio of the times.
    `sizes` are the messages of the small and of the large database; each server gets `blocks` blocks of requests."""
    with ExitStack() as stack:
        servers = []
        for size in sizes:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vestnik-bench-")))
            archive = fill(directory, size)
            servers.append((archive, *stack.enter_context(serving(directory))))
        return asyncio.run(_measure(servers, blocks)), []


async def _measure(servers: Sequence[tuple[Archive, int, int]], blocks: int) -> Figures:
    figures: Figures = {}
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(archive, port)) for archive, port, _ in servers]
        pids = [pid for *_, pid in servers]
        for name, request in REQUESTS:
            await _block(clients[0], request), await _block(clients[1], request)  # warms up both servers
            times: tuple[list[float], list[float]] = ([], [])
            busy_s = [0.0, 0.0]
            for nth in _alternating(blocks):
                before = cpu_s([pids[nth]])
                times[nth].extend(await _block(clients[nth], request))
                busy_s[nth] += cpu_s([pids[nth]]) - before
            for nth, which in enumerate(("small", "large")):
                figures[f"{name}_{which}_ms"] = median(times[nth]) * 1e3
                figures[f"{name}_{which}_cpu_us"] = busy_s[nth] * 1e6 / len(times[nth])
            figures[f"{name}_ratio"] = figures[f"{name}_large_ms"] / figures[f"{name}_small_ms"]
    return figures


def _alternating(blocks: int) -> Iterator[int]:
    """The indexes of both servers in turns: 0, 1, 0, 1, …"""
    for _ in range(blocks):
        yield from (0, 1)


async def _block(client: _Client, request: Request) -> list[float]:
    """The times of one block of requests, in seconds."""
    times = []
    for _ in range(REQUESTS_PER_BLOCK):
        began = time.perf_counter()
        await request(client)
        times.append(time.perf_counter() - began)
    return times


@asynccontextmanager
async def _client(archive: Archive, port: int) -> AsyncIterator[_Client]:
    token = token_of(archive.user_id)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session,
        session.ws_connect("/ws") as socket,
    ):
        await socket.receive_json()
        yield _Client(session, socket, archive)
