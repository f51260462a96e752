"""The bytes of answers that are held until the client reads them."""

import asyncio
from typing import Any, cast

import pytest

from server.large_answers import CHUNK_BYTES, Chunks, OnePerTurn, Sending, Unsent, body_of


class Transport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def sending(unsent: Unsent, user_id: int, size: int) -> tuple[Sending, Transport]:
    transport = Transport()
    return Sending(unsent, user_id, size, cast(Any, transport)), transport


def test_the_reader_that_has_taken_nothing_for_the_longest_makes_room() -> None:
    unsent = Unsent(100)
    (first, one), (_, two), (third, three) = [sending(unsent, user_id, 30) for user_id in (1, 1, 2)]
    first.took(10)
    assert (unsent.total_bytes, unsent.of(1), unsent.of(2)) == (80, 50, 30)
    _, four = sending(unsent, 3, 40)
    assert [wire.aborted for wire in (one, two, three, four)] == [False, True, False, False]
    assert (unsent.total_bytes, unsent.of(1)) == (90, 20)
    first.over()
    first.over()
    third.over()
    assert unsent.total_bytes == 40
    _, five = sending(unsent, 0, 1000)
    assert [wire.aborted for wire in (four, five)] == [True, False], "one may always be sent"
    assert unsent.of(0) == 0
    assert unsent.total_bytes == 1000


def test_what_was_cut_is_not_counted_twice() -> None:
    unsent = Unsent(100)
    one, wire = sending(unsent, 1, 60)
    one.cut()
    assert wire.aborted
    one.took(30)
    one.over()
    assert unsent.total_bytes == unsent.of(1) == 0
    assert not unsent._by_user


class Writer:
    """A client that takes one chunk after the other, and then nothing."""

    transport = None

    def __init__(self, chunks: int) -> None:
        self.taken: list[bytes] = []
        self._chunks = chunks

    async def write(self, chunk: bytes) -> None:
        self.taken.append(chunk)

    async def drain(self) -> None:
        if len(self.taken) > self._chunks:
            raise TimeoutError


async def test_an_answer_goes_in_chunks_and_is_let_go_of() -> None:
    unsent = Unsent(10**9)
    body = b"x" * (2 * CHUNK_BYTES + 5)
    assert body_of(body[:CHUNK_BYTES], unsent, 1) is not None
    assert not isinstance(body_of(body[:CHUNK_BYTES], unsent, 1), Chunks)
    chunks = body_of(body, unsent, 1)
    assert isinstance(chunks, Chunks)
    assert chunks.size == len(body)
    writer = Writer(10)
    await chunks.write(cast(Any, writer))
    assert [len(chunk) for chunk in writer.taken] == [CHUNK_BYTES, CHUNK_BYTES, 5]
    assert b"".join(writer.taken) == body
    assert unsent.total_bytes == 0
    assert chunks._value == b""
    with pytest.raises(TimeoutError):
        await Chunks(body, unsent, 1).write(cast(Any, Writer(1)))
    assert unsent.total_bytes == unsent.of(1) == 0


async def test_one_large_answer_is_made_in_a_turn_of_the_loop() -> None:
    pages, turn = OnePerTurn(), 0
    made: list[int] = []

    async def make() -> None:
        await pages.turn()
        made.append(turn)

    tasks = [asyncio.ensure_future(make()) for _ in range(5)]
    while not all(task.done() for task in tasks):
        turn += 1
        await asyncio.sleep(0)
    assert len(set(made)) == 5
