"""Clients of every kind are cut off at any moment while others write, edit and delete; in the end each has exactly what
the server has, and received every change once and in order.

A failure prints the shortest script of steps that Hypothesis finds for it.
"""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from handlers.live import recovery
from tests.clients.copy import Reader
from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire
from tests.conftest import Serve

KINDS = tuple(WIRES)

READER = st.integers(0, len(KINDS) - 1)
MENTIONS = ("", " @bob", " @all", " @bob and @all")
"""What messages end with, by turns."""

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 12)),
        st.tuples(st.just("edit"), st.integers(0, 50)),
        st.tuples(st.just("delete"), st.integers(0, 50)),
        st.tuples(st.just("join"), READER),
        st.tuples(st.just("cut"), READER),
        st.tuples(st.just("cut"), READER),
        st.tuples(st.just("wait"), st.integers(1, 10)),
    ),
    min_size=20,
    max_size=60,
)


class Scene:
    """One chat, one writer who waits for no answer, and one reader per wire."""

    cuts = 0

    def __init__(self, ann: Person, bob: Person, chat_id: int) -> None:
        self.chat_id = chat_id
        self.readers = [Reader(kind, bob, chat_id) for kind in KINDS]
        self._coming = [asyncio.create_task(reader.catch_up()) for reader in self.readers]
        self._ids: list[int] = []
        self._writer: Wire = WIRES["raw"](ann.http, ann.url, ann.token, self._learn)
        self._answers: list[asyncio.Future[Frame | None]] = []

    def _learn(self, frame: Frame) -> None:
        if frame["type"] == "ack" and "duplicate" in frame:
            self._ids.append(frame["message"]["id"])

    async def play(self, steps: list[tuple[str, int]]) -> None:
        assert await self._writer.open()
        for step, number in steps:
            await getattr(self, step)(number)
        assert None not in await asyncio.gather(*self._answers)
        for reader, coming in zip(self.readers, self._coming, strict=True):
            await coming
            await reader.settle()
            await reader.check()

    async def send(self, count: int) -> None:
        for number in range(count):
            await self._write(
                "send_message", chat_id=self.chat_id, content=f"message {number}{MENTIONS[number % 4]}"
            )

    async def edit(self, number: int) -> None:
        if self._ids:
            message_id = self._ids[number % len(self._ids)]
            content = f"edit {len(self._answers)}{MENTIONS[number % 4]}"
            await self._write("edit_message", message_id=message_id, content=content)

    async def delete(self, number: int) -> None:
        if self._ids:
            await self._write("delete_message", message_id=self._ids[number % len(self._ids)])

    async def _write(self, name: str, **fields: Any) -> None:
        self._answers.append(await self._writer.start(name, **fields))

    async def join(self, number: int) -> None:
        """Joins again, even while in the room: live events are held back until the replay is sent."""
        if self._coming[number].done():
            assert self._coming[number].exception() is None, self._coming[number].exception()
            self._coming[number] = asyncio.create_task(self.readers[number].catch_up())

    async def cut(self, number: int) -> None:
        self.readers[number].cut()
        Scene.cuts += 1

    async def wait(self, loop_turns: int) -> None:
        for _ in range(loop_turns):
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        for coming in self._coming:
            coming.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        for reader in self.readers:
            await reader.close()
        await self._writer.close()


async def _play(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, examples: int, *, number: int = 0, patience_s: float
) -> bool:
    """Plays `examples` scripts on a new server; `number` decides which. Returns whether its store is MongoDB."""
    # Makes gaps frequent; the real number is in tests/wires/test_recovery.py.
    monkeypatch.setattr(recovery, "REPLAY_MESSAGES_MAX", 25)
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")

    async def example(steps: list[tuple[str, int]]) -> None:
        scene = Scene(ann, bob, await ann.chat(bob))
        try:
            async with asyncio.timeout(patience_s):
                await scene.play(steps)
        finally:
            await scene.close()

    await _run(example, examples, number)
    return server.config.database_url is not None


async def _run(example: Any, examples: int, number: int) -> None:
    """Runs Hypothesis, which calls plain functions, in a thread, and its examples in this event loop."""
    loop = asyncio.get_running_loop()

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(STEPS)
    def play(steps: list[tuple[str, int]]) -> None:
        asyncio.run_coroutine_threadsafe(example(steps), loop).result()

    await asyncio.to_thread(play)


async def test_cut_off_at_any_moment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    await _play(serve, monkeypatch, 10, patience_s=60)


@pytest.mark.long
async def test_cut_off_at_any_moment_thousands_of_times(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a new server now and then, as FerretDB reads the whole collection for every query."""
    before, number, wanted = Scene.cuts, 0, 3000
    while Scene.cuts - before < wanted:
        number += 1
        if await _play(serve, monkeypatch, 20, number=number, patience_s=300):
            wanted = 1000
