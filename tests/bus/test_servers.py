"""Nodes on one database with a Redis between them: fast with it, and whatever it does, nothing is lost or doubled."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import pytest

from server.nodes.bus_frames import pack, pack_message, unpack
from server.nodes.bus_seal import MAC_BYTES
from server.redis_url import connection_of
from tests.bus.conftest import Start
from tests.bus.talk import Talk
from tests.clients.program import refused_start
from tests.cluster.cluster import SECRET_KEY, Cluster
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.cluster.redis import Redis
from tests.cluster.waiting import until
from tests.storage.conftest import MongoPlace, mongo_place  # noqa: F401 -- a fixture

pytestmark = pytest.mark.cluster

FAST_S = 0.05
"""The median of what takes longer without a bus: half of the time between two looks."""

BACK_S = 3.0


async def health(node: Node) -> dict[str, str]:
    async with node.http.get(f"{node.url}/health/ready") as answer:
        body: dict[str, str] = await answer.json()
        return {"http": str(answer.status), **body}


async def connected(cluster: Cluster) -> bool:
    return all([(await health(node)).get("redis") == "ok" for node in cluster.nodes])


async def late_s(talk: Talk, count: int = 20) -> float:
    """How late messages are heard now: the median."""
    start = len(talk.acked_s)
    await talk.go_on(count / 20, per_s=20, senders=(0,))
    await talk.complete()
    return median(list(talk.late_s.values())[start:])


async def test_with_redis_other_nodes_hear_at_once(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(3, redis=True)
    await until(lambda: connected(cluster))
    talk = await Talk.begin(cluster, wires=("raw", "socketio", "polling"))
    assert await late_s(talk) < FAST_S
    assert await health(cluster.nodes[0]) == {"http": "200", "status": "ok", "redis": "ok"}


async def test_all_nodes_send_to_one_chat_and_everybody_hears_all_of_it_in_order(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(3, redis=True)
    talk = await Talk.begin(cluster)
    await talk.go_on(4, per_s=25, senders=(0, 1, 2))
    await talk.complete(30)
    assert talk.failed == 0


async def test_edits_and_deletions_come_over_the_bus_in_order(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, redis=True)
    await until(lambda: connected(cluster))
    one, two = await cluster.people("one", "two")
    chat_id = await one.chat(two)
    there = await cluster.nodes[1].host(two).joined(chat_id)
    message = await one.say(chat_id, "first")
    for number in range(5):
        await one.request("PATCH", f"/messages/{message['id']}", json={"content": f"edit {number}"})
    await one.request("DELETE", f"/messages/{message['id']}")
    events = [await there.next() for _ in range(7)]
    assert [event["seq"] for event in events] == list(range(message["seq"], message["seq"] + 7))
    assert [event["type"] for event in events] == ["new_message", *["message_updated"] * 5, "message_deleted"]
    assert [event["message"]["content"] for event in events[1:-1]] == [
        f"edit {number}" for number in range(5)
    ]


async def test_a_member_who_is_removed_at_one_node_hears_nothing_more_at_another(
    start_cluster: StartCluster,
) -> None:
    """The removal has no bytes on the bus: what comes after it waits for it."""
    cluster = await start_cluster(2, redis=True)
    await until(lambda: connected(cluster))
    owner, member = await cluster.people("owner", "member")
    chat_id = await owner.chat(member)
    client = await cluster.nodes[1].host(member).joined(chat_id)
    for number in range(10):
        await owner.say(chat_id, f"before {number}")
    await owner.request("DELETE", f"/chats/{chat_id}/members/{member.id}")
    for number in range(10):
        await owner.say(chat_id, f"after {number}")
    await client.next("chat_removed")
    heard = [frame["message"]["content"] for frame in client.take() if frame["type"] == "new_message"]
    assert heard == [f"before {number}" for number in range(10)]
    await asyncio.sleep(0.5)
    await client.nothing_more("new_message")


async def test_a_suspended_node_sends_nothing_that_waits_for_it_before_it_has_looked(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, redis=True)
    await until(lambda: connected(cluster))
    owner, member, other = await cluster.people("owner", "member", "other")
    chat_id = await owner.chat(member, other)
    there = cluster.nodes[1]
    removed, stays = await there.host(member).joined(chat_id), await there.host(other).joined(chat_id)
    there.pause()
    for number in range(5):
        await owner.say(chat_id, f"before {number}")
    await owner.request("DELETE", f"/chats/{chat_id}/members/{member.id}")
    for number in range(5):
        await owner.say(chat_id, f"after {number}")
    await asyncio.sleep(4)
    there.resume()
    texts = [(await stays.next("new_message"))["message"]["content"] for _ in range(10)]
    assert texts == [f"{when} {number}" for when in ("before", "after") for number in range(5)]
    await removed.next("chat_removed")
    await removed.done("ping")
    heard = [frame["message"]["content"] for frame in removed.take() if frame["type"] == "new_message"]
    assert [text for text in heard if text.startswith("after")] == []


async def test_typing_is_seen_at_other_nodes(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, redis=True)
    await until(lambda: connected(cluster))
    one, two = await cluster.people("one", "two")
    chat_id = await one.chat(two)
    here, there = await one.joined(chat_id), await cluster.nodes[1].host(two).joined(chat_id)
    await here.done("typing", chat_id=chat_id, is_typing=True)
    typing = await there.next("typing")
    assert (typing["user_id"], typing["is_typing"]) == (one.id, True)
    await here.done("send_message", chat_id=chat_id, content="done")
    assert [(await there.next())["type"] for _ in range(2)] == ["typing", "new_message"]


async def kill(redis: Redis) -> None:
    await redis.kill()
    await asyncio.sleep(3)
    await redis.start()


async def suspend(redis: Redis) -> None:
    redis.pause()
    await asyncio.sleep(4)
    redis.resume()


async def cut_the_hearing_ends(redis: Redis) -> None:
    """As Redis itself does with a node that reads too slowly (`client-output-buffer-limit`)."""
    await redis.run("CLIENT", "KILL", "TYPE", "pubsub")


async def flush_and_fill(redis: Redis) -> None:
    assert await redis.run("FLUSHALL") == b"+OK"
    assert await redis.run("CONFIG", "SET", "maxmemory", "1") == b"+OK"
    await asyncio.sleep(1)


@pytest.mark.parametrize(
    "fault",
    [
        kill,
        suspend,
        pytest.param(cut_the_hearing_ends, marks=pytest.mark.long),
        pytest.param(flush_and_fill, marks=pytest.mark.long),
    ],
)
async def test_whatever_redis_does_everything_is_heard_once_and_it_is_fast_again_in_3_s(
    start_cluster: StartCluster, fault: Callable[[Redis], Awaitable[None]]
) -> None:
    cluster = await start_cluster(2, redis=True)
    assert cluster.redis is not None
    await until(lambda: connected(cluster))
    talk = await Talk.begin(cluster)
    talking = asyncio.create_task(talk.go_on(7, per_s=20, senders=(0,)))
    await asyncio.sleep(1)
    await fault(cluster.redis)
    await until(lambda: connected(cluster), BACK_S)
    assert all([await node.is_ready() for node in cluster.nodes])
    await talking
    await talk.complete()
    assert await late_s(talk) < FAST_S
    assert talk.failed == 0


async def test_without_redis_at_the_start_nodes_start_and_use_it_when_it_comes(
    start_cluster: StartCluster, tmp_path: Path, start: Start
) -> None:
    redis = Redis(tmp_path / "late")
    cluster = await start_cluster(2, REDIS_URL=redis.url)
    assert await health(cluster.nodes[0]) == {"http": "200", "status": "ok", "redis": "away"}
    talk = await Talk.begin(cluster)
    await late_s(talk)
    await start(redis)
    await until(lambda: connected(cluster), BACK_S)
    assert await late_s(talk) < FAST_S


async def test_a_node_with_another_redis_or_a_wrong_password_is_slow_and_hears_everything(
    start_cluster: StartCluster, tmp_path: Path, start: Start
) -> None:
    cluster = await start_cluster(1, redis=True)
    assert cluster.redis is not None
    other = Redis(tmp_path / "other")
    await start(other)
    await other.run("CONFIG", "SET", "requirepass", "right")
    await cluster.add(REDIS_URL=other.url.replace("://", "://:right@"))
    await cluster.add(REDIS_URL=other.url.replace("://", "://:geheim@"))
    talk = await Talk.begin(cluster)
    await talk.go_on(5, per_s=20, senders=(0,))
    await talk.complete()
    assert [(await health(node))["redis"] for node in cluster.nodes] == ["ok", "ok", "refused"]
    assert "fewer nodes hear the bus than live" in cluster.nodes[0].log
    for name, log in cluster.logs():
        assert "geheim" not in log, name
        assert "right@" not in log, name


async def test_a_sentinel_at_redis_url_stops_the_start(
    mongo_place: MongoPlace,  # noqa: F811
    tmp_path: Path,
    start: Start,
) -> None:
    sentinel = SentinelServer(tmp_path / "sentinel")
    await start(sentinel)
    line = await refused_start(
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL=mongo_place.url,
        REDIS_URL=f"redis://:geheim@127.0.0.1:{sentinel.port}",
    )
    assert line == "vestnik: REDIS_URL: names a Sentinel; name the Redis server itself"


class SentinelServer(Redis):
    def command(self) -> list[str]:
        (self.place / "sentinel.conf").write_text(f"port {self.port}\nbind 127.0.0.1\nrequirepass geheim\n")
        return [super().command()[0], "sentinel.conf", "--sentinel"]


async def test_who_reaches_redis_forges_nothing(start_cluster: StartCluster) -> None:
    """Neither a message on a screen, nor that a message counts as published and never comes; and nobody sees anything
    twice that was recorded."""
    cluster = await start_cluster(2, redis=True)
    assert cluster.redis is not None
    await until(lambda: connected(cluster))
    one, two = await cluster.people("one", "two")
    chat_id = await one.chat(two)
    there = await cluster.nodes[1].host(two).joined(chat_id)
    first = await one.say(chat_id, "first")
    assert (await there.next())["message"]["id"] == first["id"]
    ear = connection_of(cluster.redis.url, {"protocol": 2})
    await ear.connect()
    await ear.send_command("PSUBSCRIBE", "vestnik:*")
    second = await one.say(chat_id, "second")
    sent, frame = list[bytes](), None
    while frame is None:
        kind, *_, channel, data = await ear.read_response()
        if kind == b"pmessage":
            sent.append(data)
            frame = next((found for found in unpack(data[MAC_BYTES:]) if found.messages), None)
    await ear.disconnect()
    blobs = [blob.replace(b"second", b"FORGED") for blob in frame.messages[0].blobs]
    n, seq = frame.messages[0].n + 1, frame.messages[0].seq + 1
    for blobs_sent in (blobs, (b"", b"")):
        message = pack_message(chat_id, n, seq, two.id, True, blobs_sent)
        forged = pack(frame.incarnation, frame.number + 1000, frame.hint, False, message)
        for data in (forged, bytes(MAC_BYTES) + forged, sent[0][:MAC_BYTES] + forged):
            await cluster.redis.run("PUBLISH", channel, data)
    for data in sent * 2:
        await cluster.redis.run("PUBLISH", channel, data)
    third = await one.say(chat_id, "third")
    heard = [await there.next(), await there.next()]
    assert [event["message"]["id"] for event in heard] == [second["id"], third["id"]]
