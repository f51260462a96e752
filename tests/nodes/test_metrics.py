"""Metrics of nodes on one database: what each tells of itself and of the others."""

import asyncio
import json
from functools import partial

import pytest

from tests.clients.metrics import TOKEN, Scraped, scrape
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.cluster.waiting import until
from tests.nodes.conftest import Pair

pytestmark = pytest.mark.cluster


async def get(node: Node) -> Scraped:
    return await scrape(node.http, node.url)


@pytest.fixture
async def pair(start_cluster: StartCluster) -> Pair:
    return Pair(await start_cluster(2, toxiproxy=True, METRICS_TOKEN=TOKEN, NODE_LEASE_S="8"))


async def test_each_counts_what_it_stored_and_what_its_connections_got(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    here, there = await ann.joined(chat_id), await pair.there(bob).joined(chat_id)
    before = await get(pair.two)
    for number in range(3):
        await here.done("send_message", chat_id=chat_id, content=f"m{number}")
        await there.next("new_message")
    one, two = await get(pair.one), await get(pair.two)
    assert (one("vestnik_messages_total"), two("vestnik_messages_total")) == (3, 0)
    assert one("vestnik_connections", wire="raw") == two("vestnik_connections", wire="socketio") == 1
    assert two("vestnik_events_total", event="new_message") == 3
    assert two("vestnik_deliveries_total") >= before("vestnik_deliveries_total") + 3
    for scraped in (one, two):
        assert (scraped("vestnik_nodes"), scraped("vestnik_ready"), scraped("vestnik_stale")) == (2, 1, 0)
        assert 0 < scraped("vestnik_look_age_seconds") < 2
        assert 0 < scraped("vestnik_lease_age_seconds") < 8


async def test_a_node_that_cannot_look_says_so(pair: Pair) -> None:
    await asyncio.gather(*(until(partial(sees_two, node), 10) for node in pair.cluster.nodes))
    link = pair.two.links["database"]
    await link.cut()

    async def is_behind() -> bool:
        scraped = await get(pair.two)
        return scraped("vestnik_stale") == 1 and scraped("vestnik_look_age_seconds") > 5

    await until(is_behind, 15)
    assert (await get(pair.two))("vestnik_ready") == 0
    assert (await get(pair.one))("vestnik_ready") == 1
    await link.mend()

    async def is_fresh() -> bool:
        scraped = await get(pair.two)
        return scraped("vestnik_stale") == 0 and scraped("vestnik_look_age_seconds") < 2

    await until(is_fresh, 15)


async def test_a_node_that_was_killed_is_no_longer_among_the_living(pair: Pair) -> None:
    await until(partial(sees_two, pair.one), 10)
    await pair.two.kill()

    async def is_alone() -> bool:
        return (await get(pair.one))("vestnik_nodes") == 1

    await until(is_alone, 20)


async def test_the_bus_says_how_it_is_and_what_it_carries(start_cluster: StartCluster) -> None:
    pair = Pair(await start_cluster(2, redis=True, METRICS_TOKEN=TOKEN))
    redis = pair.cluster.redis
    assert redis is not None

    async def is_heard() -> bool:
        scraped = await get(pair.one)
        return scraped("vestnik_bus_state", state="ok") == 1 and scraped("vestnik_bus_hearers") == 2

    await until(is_heard, 10)
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    here, there = await ann.joined(chat_id), await pair.there(bob).joined(chat_id)
    before = await get(pair.two)
    for number in range(3):
        await here.done("send_message", chat_id=chat_id, content=f"m{number}")
        await there.next("new_message")

    async def has_come() -> bool:
        return (await get(pair.two))("vestnik_bus_messages_total", direction="received") == 3

    await until(has_come, 10)
    one, two = await get(pair.one), await get(pair.two)
    assert one("vestnik_bus_messages_total", direction="sent") == 3
    events = [two("vestnik_events_total", event=event) for event in ("from_bus", "new_message")]
    assert sum(events) == 3, "on a busy machine a look may be faster than the bus"
    assert (one("vestnik_messages_total"), two("vestnik_messages_total")) == (3, 0)
    assert two("vestnik_deliveries_total") >= before("vestnik_deliveries_total") + 3

    async def is_measured() -> bool:
        return 0 < (await get(pair.one))("vestnik_bus_lag_seconds") < 5

    await until(is_measured, 10)
    await redis.kill()

    async def is_away() -> bool:
        return (await get(pair.one))("vestnik_bus_state", state="away") == 1

    await until(is_away, 10)
    scraped = await get(pair.one)
    assert (scraped("vestnik_ready"), scraped("vestnik_bus_state", state="ok")) == (1, 0)
    assert scraped("vestnik_bus_failures_total") >= 1


async def sees_two(node: Node) -> bool:
    return (await get(node))("vestnik_nodes") == 2


async def test_what_is_handed_on_to_another_node_counts(pair: Pair) -> None:
    await until(partial(sees_two, pair.two), 10)
    url = "/socket.io/?EIO=4&transport=polling"
    async with pair.one.http.get(pair.one.url + url) as opened:
        sid = json.loads((await opened.text())[1:])["sid"]
    async with pair.two.http.post(f"{pair.two.url}{url}&sid={sid}", data="40{}") as handed_on:
        assert handed_on.status == 200
    async with pair.two.http.get(pair.two.url + url, headers={"X-Vestnik-Relay": "made up"}) as forged:
        assert forged.status >= 400
    one, two = await get(pair.one), await get(pair.two)
    assert (one("vestnik_relay_requests_total"), two("vestnik_relay_requests_total")) == (0, 1)
    assert two("vestnik_relay_passages") == two("vestnik_relay_failures_total") == 0
    assert two("vestnik_relay_forged_total") == 1
