"""All nodes of a store have one key."""

import asyncio

import pytest

from server.nodes.key_id import WrongKey, key_id_of, settle_key
from storage.node_ports import Lease
from tests.nodes.memory_nodes import MemoryNodes, Shared
from tests.patience import within


class Starting:
    """A node that starts, with its key and its address."""

    def __init__(self, shared: Shared, name: str, key: str, url: str | None = None) -> None:
        self.nodes = MemoryNodes(shared, name)
        self.key = key
        self.url = url or f"http://{name}"
        self.beat = 0

    async def renew(self) -> None:
        self.beat += 1
        await self.nodes.join(Lease(self.nodes.incarnation, self.url, 1, self.key, self.beat, ended=False))

    async def start(self) -> None:
        await self.renew()
        await settle_key(self.nodes, self.key, url=self.url, lease_s=1, renew=self.renew)

    async def live(self) -> None:
        """Starts, and renews its lease until it is cancelled."""
        await self.start()
        while True:
            await asyncio.sleep(0.05)
            await self.renew()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.nodes.key_id.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("server.nodes.key_id.LATE_S", 0.25)


def test_keys_and_stores_have_fingerprints_of_their_own() -> None:
    pairs = [(key, store) for key in ("one", "two") for store in ("s", "t")]
    assert len({key_id_of(*pair) for pair in pairs}) == 4
    assert "one" not in key_id_of("one", "s")


async def test_the_first_node_decides_the_key() -> None:
    shared = Shared()
    await Starting(shared, "a", "key").start()
    await Starting(shared, "b", "key").start()
    assert shared.key_id == "key"


async def test_another_key_than_that_of_a_living_node_stops_the_start() -> None:
    shared = Shared()
    living = asyncio.ensure_future(Starting(shared, "a", "key").live())
    await asyncio.sleep(0)
    with pytest.raises(WrongKey):
        await Starting(shared, "b", "other").start()
    living.cancel()
    assert shared.key_id == "key"


async def test_another_key_than_that_of_dead_nodes_replaces_it() -> None:
    shared = Shared()
    await Starting(shared, "a", "key").start()
    await Starting(shared, "b", "other").start()
    assert shared.key_id == "other"


@pytest.mark.parametrize("ended", [True, False])
async def test_a_node_that_ended_or_had_the_same_address_is_not_waited_for(
    ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.nodes.key_id.LATE_S", 3600)
    shared = Shared()
    before = Starting(shared, "a", "key", "http://b")
    await before.start()
    if ended:
        await before.nodes.leave()
    async with within(1):
        await Starting(shared, "b", "other").start()
    assert shared.key_id == "other"


@pytest.mark.parametrize("stored", ["", "an old key"])
async def test_two_that_start_together_with_two_keys_do_not_both_run(stored: str) -> None:
    shared = Shared()
    shared.key_id = stored
    starts = [
        asyncio.ensure_future(Starting(shared, name, key).live())
        for name, key in (("a", "one"), ("b", "two"))
    ]
    done, running = await asyncio.wait(starts, return_when=asyncio.FIRST_EXCEPTION, timeout=10)
    for start in running:
        start.cancel()
    assert done
    assert all(isinstance(start.exception(), WrongKey) for start in done)
