"""The cache: the least recently used value goes first, and pinned values stay."""

import asyncio
import random
import time
from collections import OrderedDict
from typing import Any

import pytest

from handlers.live.cache import SPARED, Cache


def shelf(capacity: int = 3, **more: Any) -> Cache[int, str]:
    async def load(key: int) -> str | None:
        return None if key < 0 else "x" * key

    return Cache(load, capacity=capacity, **more)


def kept(cache: Cache[int, str], keys: range = range(1, 2000)) -> list[int]:
    return [key for key in keys if cache.peek(key) is not None]


async def test_the_least_recently_used_goes_first_however_it_was_used() -> None:
    cache = shelf()
    for key in (1, 2, 3):
        await cache.get(key)
    cache.use(1)
    await cache.get(4)
    assert kept(cache) == [1, 3, 4]
    await cache.get(3)
    await cache.get(5)
    assert kept(cache) == [3, 4, 5]
    cache.peek(4)  # a peek is not a use
    cache.use(3)
    cache.put(6, "published")
    assert kept(cache) == [3, 5, 6]


async def test_what_is_not_there_is_not_kept() -> None:
    cache = shelf()
    assert await cache.get(-1) is None
    assert cache.use(-1) is None
    assert len(cache) == 0


async def test_pinned_values_stay_and_count_for_nothing() -> None:
    cache = shelf()
    for key in (1, 2, 3):
        await cache.get(key)
        cache.pin(key)
        cache.pin(key)
    for key in (4, 5, 6, 7):
        await cache.get(key)
    assert kept(cache) == [1, 2, 3, 5, 6, 7]
    cache.unpin(1)
    cache.unpin(1)
    assert kept(cache) == [1, 2, 3, 6, 7], "an unpinned value is the most recently used one"
    cache.unpin(99)
    cache.pin(99)
    cache.forget(2)
    cache.unpin(2)
    assert kept(cache) == [1, 3, 6, 7]


async def test_values_are_bounded_by_their_size() -> None:
    cache = shelf(10_000, size_of=len, bytes_max=1_000)
    for key in range(1, SPARED + 1):
        await cache.get(key)
    assert len(cache) == SPARED, "these are kept whatever their size"
    await cache.get(900)
    assert cache.peek(900) is not None, "and so is the one that has just come"
    small = shelf(10_000, size_of=lambda _value: 10, bytes_max=1_000)
    for key in range(1, 301):
        await small.get(key)
    assert kept(small) == list(range(201, 301))
    for key in range(201, 301):
        small.pin(key)
    for key in range(301, 401):
        await small.get(key)
    assert len(small) == 200
    for key in range(201, 301):
        small.unpin(key)
    assert kept(small) == list(range(201, 301))


async def test_a_value_that_grows_takes_the_place_of_others() -> None:
    sizes: dict[str, int] = {}
    cache = shelf(10_000, size_of=lambda value: sizes.get(value, 1), bytes_max=200)
    for key in range(1, 201):
        await cache.get(key)
    sizes["x" * 150] = 101
    cache.resized(150)
    cache.resized(999)
    assert kept(cache) == list(range(101, 201))
    sizes["x" * 150] = 1
    cache.resized(150)
    for key in range(1, 101):
        await cache.get(key)
    assert len(cache) == 200


async def test_the_hooks_are_called_once_for_each_value_that_comes_or_goes() -> None:
    came: list[str] = []
    went: list[str] = []
    cache = shelf(2, added=came.append, dropped=went.append)
    await asyncio.gather(*(cache.get(1) for _ in range(5)))
    await cache.get(2)
    cache.put(2, "other")
    await cache.get(3)
    cache.forget(2)
    cache.forget(2)
    cache.forget_all()
    assert came == ["x", "xx", "other", "xxx"]
    assert went == ["xx", "x", "other", "xxx"]
    assert len(cache) == 0


async def test_a_change_published_while_a_value_is_loaded_makes_the_load_start_over() -> None:
    answers = ["old", "new"]
    go_on = asyncio.Event()

    async def load(_key: int) -> str | None:
        answer = answers.pop(0)
        await go_on.wait()
        return answer

    cache = Cache(load, capacity=3)
    loading = asyncio.ensure_future(cache.get(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cache.stale(1)
    go_on.set()
    assert await loading == "new"
    assert cache.peek(1) == "new"


@pytest.mark.parametrize("seed", range(20))
async def test_the_cache_keeps_what_a_model_keeps(seed: int) -> None:
    """Compares the cache with a model: a list of keys in the order of their use."""
    dice = random.Random(seed)
    cache, model, pinned = shelf(5), OrderedDict[int, None](), set[int]()
    for _ in range(400):
        key, what = dice.randrange(1, 12), dice.choice(["get", "use", "pin", "unpin", "forget", "put"])
        there = key in model or key in pinned
        if what in ("get", "put"):
            await cache.get(key) if what == "get" else cache.put(key, "published")
            if key not in pinned:
                model[key] = None
                model.move_to_end(key)
        elif what == "use":
            cache.use(key)
            if key in model:
                model.move_to_end(key)
        elif what == "pin":
            cache.pin(key)
            if key in model:
                del model[key]
                pinned.add(key)
        elif what == "unpin":
            cache.unpin(key)
            if key in pinned:
                pinned.discard(key)
                model[key] = None
        else:
            cache.forget(key)
            model.pop(key, None)
            pinned.discard(key)
        while len(model) > 5:
            model.popitem(last=False)
        assert set(kept(cache)) == model.keys() | pinned, (what, key, there)


async def test_pinned_values_cost_nothing_when_others_go() -> None:
    async def seconds(pinned: int) -> float:
        cache = shelf(100)
        for key in range(pinned):
            cache.put(key, "x")
            cache.pin(key)
        for key in range(pinned, pinned + 100):
            cache.put(key, "x")
        start = time.perf_counter()
        for key in range(pinned + 100, pinned + 5_100):
            cache.put(key, "x")
        assert len(cache) == pinned + 100
        return time.perf_counter() - start

    few, many = min([await seconds(10) for _ in range(3)]), min([await seconds(20_000) for _ in range(3)])
    assert many < 10 * few, "walking over the pinned ones took 1,000 times as long"
