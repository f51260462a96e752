"""Who is handed the changes that a store commits, in which order, and what one subscriber can do to the others."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from domain.changes import Change, MessageChange
from domain.models import Appended
from storage.ports import Store
from tests.patience import within
from tests.storage.conftest import Place
from tests.storage.world import World, draft


def seqs(changes: Sequence[Change]) -> list[int]:
    return [change.message.changed_seq for change in changes if isinstance(change, MessageChange)]


async def chat_of_one(store: Store) -> tuple[World, int, int]:
    world = World(store)
    anna = await world.user()
    return world, await world.chat(anna), anna


async def send_many(world: World, chat_id: int, sender_id: int, number: int) -> None:
    sends = [world.store.messages.append(draft(chat_id, sender_id)) for _ in range(number)]
    assert all(isinstance(sent, Appended) for sent in await asyncio.gather(*sends))


async def test_subscribers_get_every_change_before_anybody_resumes(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    log: list[tuple[str, int]] = []
    store.subscribe(lambda changes: log.extend(("published", seq) for seq in seqs(changes)))
    looks_every = 10 if store.shared else 1  # a database server takes long to load a chat

    async def one() -> None:
        message = await world.send(chat_id, anna)
        assert ("published", message.changed_seq) in log
        log.append(("resumed", message.changed_seq))
        assert message.changed_seq % looks_every or await world.head(chat_id) >= message.changed_seq

    await asyncio.gather(*(one() for _ in range(700)))
    assert [seq for kind, seq in log if kind == "published"] == list(range(1, 701))


async def test_subscribers_are_called_in_the_order_in_which_they_subscribed_in_one_turn(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    calls: list[tuple[str, list[int], float]] = []
    turn = 0

    def count_turns() -> None:
        nonlocal turn
        turn += 1
        asyncio.get_running_loop().call_soon(count_turns)

    count_turns()
    for name in ("first", "second", "third"):
        store.subscribe(lambda changes, name=name: calls.append((name, seqs(changes), turn)))  # type: ignore[misc]
    await world.send(chat_id, anna)
    assert [(name, numbers) for name, numbers, _ in calls] == [
        ("first", [1]),
        ("second", [1]),
        ("third", [1]),
    ]
    assert len({turn for _, _, turn in calls}) == 1
    await world.send(chat_id, anna)
    assert [(name, numbers) for name, numbers, _ in calls[3:]] == [
        ("first", [2]),
        ("second", [2]),
        ("third", [2]),
    ]


async def test_a_subscriber_gets_what_is_committed_from_then_on(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    early: list[Change] = []
    late: list[Change] = []
    store.subscribe(early.extend)
    await world.send(chat_id, anna)
    store.subscribe(late.extend)
    await world.send(chat_id, anna)
    assert (seqs(early), seqs(late)) == ([1, 2], [2])


async def test_a_subscriber_that_raises_is_logged_and_harms_nobody(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    before, after = list[Change](), list[Change]()

    def broken(_changes: object) -> None:
        raise ValueError("a bug")

    store.subscribe(before.extend)
    store.subscribe(broken)
    store.subscribe(after.extend)
    with capture_logs() as logs:
        await send_many(world, chat_id, anna, 3)
        await send_many(world, chat_id, anna, 3)
    assert seqs(before) == seqs(after) == [1, 2, 3, 4, 5, 6]
    lines = [line for line in logs if line["event"] == "a subscriber raised"]
    assert lines
    assert all("broken" in line["subscriber"] and line["log_level"] == "error" for line in lines)


async def test_a_lagging_subscriber_gets_the_same_batches_after_the_others(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    prompt: list[Sequence[Change]] = []
    lagging: list[Sequence[Change]] = []
    free = asyncio.Event()

    async def slow(changes: Sequence[Change]) -> None:
        await free.wait()
        lagging.append(changes)

    store.subscribe_lagging("slow", slow)
    store.subscribe(prompt.append)
    for _ in range(3):
        await send_many(world, chat_id, anna, 20)
    assert sum(map(len, prompt)) == 60
    assert not lagging
    free.set()
    while sum(map(len, lagging)) < 60:
        await asyncio.sleep(0)
    assert lagging == prompt


async def test_a_lagging_subscriber_that_raises_goes_on_with_the_next_batch(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    one: list[int] = []
    other: list[int] = []

    async def broken(changes: Sequence[Change]) -> None:
        one.extend(seqs(changes))
        raise ValueError("a bug")

    async def sound(changes: Sequence[Change]) -> None:
        other.extend(seqs(changes))

    store.subscribe_lagging("hooks", broken)
    store.subscribe_lagging("search", sound)
    with capture_logs() as logs:
        for number in (1, 2, 3):
            await world.send(chat_id, anna)
            while len(one) < number or len(other) < number:
                await asyncio.sleep(0)
    assert one == other == [1, 2, 3]
    assert {(line["event"], line["subscriber"]) for line in logs if line["log_level"] == "error"} == {
        ("a subscriber raised", "hooks")
    }


async def test_a_lagging_subscriber_that_awaits_what_was_cancelled_goes_on(store: Store) -> None:
    world, chat_id, anna = await chat_of_one(store)
    got: list[int] = []

    async def broken(changes: Sequence[Change]) -> None:
        got.extend(seqs(changes))
        cancelled = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        await cancelled

    store.subscribe_lagging("hooks", broken)
    with capture_logs() as logs:
        for number in (1, 2, 3):
            await world.send(chat_id, anna)
            async with within(5):
                while len(got) < number:
                    await asyncio.sleep(0)
    assert got == [1, 2, 3]
    assert {(line["event"], line["subscriber"]) for line in logs if line["log_level"] == "error"} == {
        ("a subscriber raised", "hooks")
    }


async def test_what_a_subscriber_lags_too_far_behind_is_dropped_and_it_learns_that(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.subscribers.WAITING_CHANGES_MAX", 10)
    world, chat_id, anna = await chat_of_one(store)
    batches: list[list[int]] = []
    begun, free = asyncio.Event(), asyncio.Event()

    async def slow(changes: Sequence[Change]) -> None:
        begun.set()
        await free.wait()
        batches.append(seqs(changes))

    store.subscribe_lagging("slow", slow)
    await world.send(chat_id, anna)
    await begun.wait()
    with capture_logs() as logs:
        for _ in range(25):
            await world.send(chat_id, anna)
    free.set()
    while not batches or batches[-1] != [26]:
        await asyncio.sleep(0)
    # 1 was being handled; 2 to 11 and 12 to 21 were dropped, each time for the next.
    assert batches == [[1], [], [22], [23], [24], [25], [26]]
    lags = [line for line in logs if line["event"] == "a subscriber lags too far"]
    assert [(line["subscriber"], line["dropped"]) for line in lags] == [("slow", 10), ("slow", 10)]


async def test_a_store_that_closes_lets_lagging_subscribers_finish_but_not_for_ever(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.subscribers.CLOSE_TIMEOUT_S", 0.5)
    store = await place.open()
    world, chat_id, anna = await chat_of_one(store)
    finished: list[int] = []
    stuck = asyncio.Event()

    async def slow(changes: Sequence[Change]) -> None:
        await asyncio.sleep(0)
        finished.extend(seqs(changes))

    async def never(_changes: Sequence[Change]) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            stuck.set()

    store.subscribe_lagging("slow", slow)
    store.subscribe_lagging("never", never)
    await send_many(world, chat_id, anna, 5)
    await store.close()
    assert finished == [1, 2, 3, 4, 5]
    assert stuck.is_set()
