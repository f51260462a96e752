"""What the harness promises to the tests that use it, shown with what any two nodes on one database can do."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.program import ROOT
from tests.cluster.fixtures import StartCluster
from tests.cluster.redis import Redis
from tests.cluster.waiting import until

pytestmark = pytest.mark.cluster


async def test_two_nodes_serve_the_same_people(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    one, two = cluster.nodes
    ann = await cluster.person("ann")
    assert one.url != two.url
    assert (await two.host(ann).get("/users/me"))["id"] == ann.id
    for wire in ("raw", "socketio", "polling"):
        ann.wire = wire
        for node in (one, two):
            client = await node.host(ann).connect()
            assert (await client.done("ping"))["ok"] is True
            await client.close()


async def test_a_repeat_at_the_other_node_gives_the_same_message(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    ann = await cluster.person("ann")
    there = cluster.nodes[1].host(ann)
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "once", client_id="a repeat")
    body = {"chat_id": chat_id, "content": "once", "client_id": "a repeat"}
    assert await there.request("POST", "/messages", json=body) == (200, message)


async def test_a_node_that_was_killed_comes_back_on_its_port(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    one, two = cluster.nodes
    ann = await cluster.person("ann")
    chat_id = await ann.chat()
    await one.kill()
    assert not await one.is_ready()
    await two.host(ann).say(chat_id, "meanwhile")
    await one.start()
    await one.ready()
    page = await ann.get(f"/chats/{chat_id}/messages")
    assert [message["content"] for message in page["messages"]] == ["meanwhile"]


async def test_a_paused_node_answers_when_it_is_resumed(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(1)
    (node,) = cluster.nodes
    ann = await cluster.person("ann")
    client = await ann.connect()
    node.pause()
    await client.send({"type": "ping", "id": 1})
    assert state_of(node.pid) == "T"
    node.resume()
    assert (await client.answer_to(1))["ok"] is True


def state_of(pid: int) -> str:
    """The letter that Linux gives for the state of a process: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_node_whose_database_is_cut_off_is_not_ready_and_the_other_is(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2, toxiproxy=True)
    one, two = cluster.nodes
    await one.links["database"].cut()
    await until(one.is_unready, 30)
    assert await two.is_ready()
    await one.links["database"].mend()
    await one.ready()


async def test_a_database_of_its_own_can_be_killed_and_started_again(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, own_database=True)
    ann = await cluster.person("ann")
    assert cluster.database is not None
    cluster.database.kill()
    for node in cluster.nodes:
        await until(node.is_unready, 30)
    await asyncio.to_thread(cluster.database.start)
    for node in cluster.nodes:
        await node.ready()
        assert (await node.host(ann).get("/users/me"))["id"] == ann.id


async def test_nginx_sends_each_request_to_the_next_node(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, front=True)
    one, two = cluster.nodes
    ann = cluster.through_front(await cluster.person("ann"))
    client = await ann.connect()
    assert (await client.done("ping"))["ok"] is True
    await two.kill()
    for _ in range(4):
        assert (await ann.get("/users/me"))["id"] == ann.id
    await one.kill()
    async with ann.http.get(f"{ann.url}/api/users/me") as answer:
        assert answer.status == 502


async def test_redis_answers_is_killed_and_started_again(tmp_path: Path) -> None:
    redis = Redis(tmp_path / "redis")
    await redis.start()
    assert await redis.run("SET", "key", "value") == b"+OK"
    redis.pause()
    redis.resume()
    await redis.kill()
    await redis.start()
    assert await redis.run("EXISTS", "key") == b":0"
    await redis.kill()


FAILING = """
import pytest

@pytest.mark.cluster
async def test_fails(start_cluster):
    await start_cluster(1, own_database=True)
    assert False
"""


@pytest.mark.long
def test_the_logs_are_in_the_report_of_a_failed_test(tmp_path: Path) -> None:
    (tmp_path / "test_fails.py").write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-p", "tests.cluster.fixtures", "-c", str(ROOT / "setup.cfg")]
    done = subprocess.run(
        [*command, str(tmp_path / "test_fails.py")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "1 failed" in done.stdout, done.stdout + done.stderr
    _, _, log = done.stdout.partition("log of node0")
    assert "serving" in log
