"""When the keys are fetched, and what is known while they cannot be."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from handlers.issuer.key_sources import WAITING_MAX, FetchedKeys, FetchFailed
from handlers.wire.endings import Ending, Refused
from tests.clients.clock import ManualClock
from tests.issuer.provider import jwk, private_key


class Scene:
    """A source of keys, and the issuer that it asks."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.answer: Any = self.set_of("one")
        """The body of the next answers, or what is raised."""
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()
        self.keys = FetchedKeys(self.fetch, self.clock)

    @staticmethod
    def set_of(*kids: str) -> bytes:
        return json.dumps({"keys": [jwk(private_key("ES256", kid), kid=kid) for kid in kids]}).encode()

    async def fetch(self) -> bytes:
        self.asked += 1
        answer = self.answer
        await self.open.wait()
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)

    async def start(self) -> None:
        self.keys.start()
        await self.settled()

    async def settled(self) -> None:
        """Returns when no fetch is under way."""
        while (fetching := self.keys._fetching) is not None:
            await asyncio.wait((fetching,))

    def knows(self, kid: str) -> bool:
        return bool(self.keys.find(kid, "ES256"))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    await scene.keys.close()


async def test_they_are_fetched_at_the_start_and_every_ten_minutes(scene: Scene) -> None:
    await scene.start()
    assert (scene.asked, scene.knows("one"), scene.knows("two")) == (1, True, False)
    scene.answer = scene.set_of("two")
    scene.clock.advance(599)
    await scene.settled()
    assert (scene.asked, scene.knows("one")) == (1, True)
    scene.clock.advance(1)
    await scene.settled()
    assert (scene.asked, scene.knows("one"), scene.knows("two")) == (2, False, True)
    assert scene.keys.fetches == {"ok": 2, "failed": 0}


async def test_a_flood_of_unknown_kids_leads_to_one_fetch_a_minute_for_which_all_wait(scene: Scene) -> None:
    await scene.start()
    scene.answer = scene.set_of("one", "two")
    scene.open.clear()
    flood = [asyncio.create_task(scene.keys.look_for(f"made up {number}")) for number in range(500)]
    flood.append(asyncio.create_task(scene.keys.look_for("two")))
    await asyncio.sleep(0)
    scene.open.set()
    await asyncio.gather(*flood)
    assert (scene.asked, scene.knows("two")) == (2, True)
    scene.answer = scene.set_of("one", "two", "three")
    scene.clock.advance(59)
    await scene.keys.look_for("three")
    assert (scene.asked, scene.knows("three")) == (2, False)
    scene.clock.advance(1)
    await scene.keys.look_for("three")
    assert (scene.asked, scene.knows("three")) == (3, True)
    await scene.keys.look_for("one")
    await scene.keys.look_for(None)
    assert scene.asked == 3, "known kids, and none at all, lead to no fetch"


async def test_a_kid_that_came_during_another_fetch_is_asked_for_after_it(scene: Scene) -> None:
    await scene.start()
    scene.open.clear()
    scene.clock.advance(600)
    await asyncio.sleep(0)
    scene.answer = scene.set_of("one", "two")  # after the fetch has read the answer
    looking = asyncio.create_task(scene.keys.look_for("two"))
    await asyncio.sleep(0)
    scene.open.set()
    await looking
    assert (scene.asked, scene.knows("two")) == (3, True)


FAILURES = [
    FetchFailed("the answer has status 500"),
    b"<html>",
    b"{}",
    b"[]",
    b"",
    RuntimeError("unforeseen"),
]


@pytest.mark.parametrize("answer", FAILURES, ids=repr)
async def test_a_failure_changes_nothing_and_is_logged_once(scene: Scene, answer: Any) -> None:
    with capture_logs() as lines:
        await scene.start()
        scene.answer = answer
        scene.clock.advance(600)
        await scene.settled()
        assert (scene.asked, scene.knows("one")) == (2, True)
        for minute in range(5):
            scene.clock.advance(60)
            await scene.settled()
            assert scene.asked == 3 + minute, "a failed fetch is repeated every minute"
        assert scene.knows("one")
        scene.answer = scene.set_of("one", "two")
        scene.clock.advance(60)
        await scene.settled()
        assert scene.knows("two")
    said = [
        (line["log_level"], line["event"].split(";")[0]) for line in lines if line["log_level"] != "error"
    ]
    assert said == [
        ("info", "the key set of JWKS_URL is known"),
        ("warning", "the key set of JWKS_URL cannot be fetched"),
        ("info", "the key set of JWKS_URL is known"),
    ]
    assert scene.keys.fetches == {"ok": 2, "failed": 6}


async def test_without_any_keys_no_token_is_called_bad(scene: Scene) -> None:
    scene.answer = FetchFailed("nobody is there")
    await scene.start()
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            await scene.keys.look_for("one")
        assert refused.value.ending is Ending.OVERLOADED
    assert scene.asked == 2
    with pytest.raises(Refused):
        await scene.keys.look_for(None)
    scene.answer = scene.set_of("one")
    scene.clock.advance(60)
    await scene.keys.look_for("one")
    assert scene.knows("one")


async def test_an_empty_set_has_no_keys_any_more(scene: Scene) -> None:
    await scene.start()
    scene.answer = b'{"keys":[]}'
    with capture_logs() as lines:
        await scene.keys.look_for("two")
    assert not scene.knows("one")
    assert [line["log_level"] for line in lines] == ["info", "warning"]


async def test_only_so_many_wait_for_a_fetch(scene: Scene) -> None:
    await scene.start()
    scene.open.clear()
    flood = [asyncio.create_task(scene.keys.look_for("two")) for _ in range(WAITING_MAX + 5)]
    await asyncio.sleep(0)
    scene.open.set()
    refused = [one for one in await asyncio.gather(*flood, return_exceptions=True) if one is not None]
    assert [type(one) for one in refused] == [Refused] * 5
    assert scene.asked == 2


async def test_who_goes_while_they_wait_ends_no_fetch(scene: Scene) -> None:
    await scene.start()
    scene.answer = scene.set_of("two")
    scene.open.clear()
    looking = asyncio.create_task(scene.keys.look_for("two"))
    await asyncio.sleep(0)
    looking.cancel()
    await asyncio.wait((looking,))
    scene.open.set()
    await scene.settled()
    assert scene.knows("two")


@pytest.mark.parametrize("turns", [1, 2])
async def test_the_end_waits_for_no_answer_and_nothing_is_fetched_after_it(scene: Scene, turns: int) -> None:
    await scene.start()
    scene.open.clear()
    looking = asyncio.create_task(scene.keys.look_for("two"))
    for _ in range(turns):  # after one the fetch has not yet begun to run
        await asyncio.sleep(0)
    await scene.keys.close()
    await looking
    assert scene.asked == turns
    scene.clock.advance(10_000)
    await asyncio.sleep(0)
    assert scene.asked == turns
