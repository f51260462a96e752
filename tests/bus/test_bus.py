"""The bus over a real Redis: what is heard, and what a node notices when Redis or the way to it fails."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from server.nodes import bus as bus_module
from server.nodes import bus_ears
from server.nodes.bus_connections import Sentinel
from server.nodes.bus_frames import pack_message, pack_topic
from tests.bus.conftest import Start
from tests.bus.ends import End, reach
from tests.clients.ports import HeldPort
from tests.clients.programs import need
from tests.cluster.redis import Redis
from tests.cluster.toxiproxy import Toxiproxy
from tests.patience import within

MESSAGE = (5, 6, 7, 8, True, (b"raw", b"socketio"))

Open = Callable[..., Awaitable[End]]


@pytest.fixture
async def open_end(redis: Redis) -> AsyncIterator[Open]:
    ends: list[End] = []

    async def open_one(url: str = "", **options: object) -> End:
        end = End(url or redis.url, **options)  # type: ignore[arg-type]
        ends.append(end)
        await end.bus.open()
        return end

    yield open_one
    for end in ends:
        await end.bus.close()


async def test_others_hear_what_is_published_and_the_sender_does_not(open_end: Open) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    one.bus.publish(11, True, [*pack_message(*MESSAGE)] * 2, [pack_topic("t", 3, b"{}")])
    one.bus.publish(12)
    await two.waits(lambda: two.hints == [11, 12])
    frame = two.frames[0]
    assert (frame.incarnation, frame.hint, frame.look, frame.topics) == ("a", 11, True, [("t", 3, b"{}")])
    assert frame.messages == [MESSAGE] * 2
    assert one.hints == []
    assert one.counters.messages_sent == 2


async def test_what_is_published_in_one_turn_goes_together_and_stays_in_order(open_end: Open) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    for number in range(1, 1001):
        one.bus.publish(number)
    assert one.counters.queued_bytes > 0
    await two.waits(lambda: two.hints == list(range(1, 1001)))
    assert one.counters.queued_bytes == 0
    assert one.counters.frames_dropped == two.counters.frames_missed == 0


async def test_nodes_on_other_databases_hear_nothing(open_end: Open) -> None:
    one, other = await open_end(name="a"), await open_end(name="b", channel="another")
    two = await open_end(name="c")
    one.bus.publish(1)
    await two.waits(lambda: two.hints == [1])
    assert other.frames == []


async def test_a_quiet_bus_stays_connected(quick: None, open_end: Open) -> None:
    """redis-py alone ends a connection on which nothing is published for 5 s."""
    one, two = await open_end(name="a"), await open_end(name="b")
    await two.waits(lambda: len(two.frames) > 3)  # canaries
    assert one.counters.connects == two.counters.connects == 1
    assert one.counters.lag_us > 0
    await reach(one, two)


async def test_redis_that_is_away_at_the_start_is_connected_when_it_comes(
    quick: None, redis: Redis, open_end: Open
) -> None:
    await redis.kill()
    one = await open_end()
    assert one.counters.state == "away"
    one.bus.publish(1)
    assert one.counters.frames_dropped == 1
    await redis.start()
    await one.up()
    assert (one.counters.state, one.misses) == ("ok", 1)


async def test_a_hole_in_the_frames_of_another_is_noticed(open_end: Open) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    await reach(one, two)
    misses = two.misses
    one.bus.is_up = False
    for _ in range(3):
        one.bus.publish(1)
    one.bus.is_up = True
    one.bus.publish(2)
    await two.waits(lambda: 2 in two.hints)
    assert (two.misses, two.counters.frames_missed) == (misses + 1, 3)


async def kill(redis: Redis) -> None:
    await redis.kill()
    await asyncio.sleep(0.2)
    await redis.start()


async def cut_all(redis: Redis) -> None:
    await redis.run("CLIENT", "KILL", "TYPE", "normal")
    await redis.run("CLIENT", "KILL", "TYPE", "pubsub")


async def cut_the_hearing_end(redis: Redis) -> None:
    await redis.run("CLIENT", "KILL", "TYPE", "pubsub")


async def suspend(redis: Redis) -> None:
    redis.pause()
    await asyncio.sleep(1.0)
    redis.resume()


@pytest.mark.parametrize("fault", [kill, cut_all, cut_the_hearing_end, suspend])
async def test_after_a_fault_the_bus_is_there_again_and_both_know_that_they_may_have_missed_something(
    fault: Callable[[Redis], Awaitable[None]], quick: None, redis: Redis, open_end: Open
) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    await reach(one, two)
    misses = one.misses, two.misses
    await fault(redis)
    await one.waits(lambda: min(one.counters.connects, two.counters.connects) > 1)
    await reach(one, two)
    await reach(two, one)
    assert one.misses > misses[0]
    assert two.misses > misses[1]


async def test_with_the_real_times_a_suspended_redis_is_used_again_within_3_s(
    redis: Redis, open_end: Open
) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    await reach(one, two)
    redis.pause()
    await one.down()
    await asyncio.sleep(2.0)  # so that attempts have failed as well
    redis.resume()
    async with within(3):
        await one.up()
        await two.up()
        await reach(one, two)


async def test_a_redis_that_is_flushed_changes_nothing(redis: Redis, open_end: Open) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    assert await redis.run("FLUSHALL") == b"+OK"
    await reach(one, two)
    assert one.counters.connects == 1


async def test_a_redis_without_memory_publishes_all_the_same(redis: Redis, open_end: Open) -> None:
    one, two = await open_end(name="a"), await open_end(name="b")
    assert await redis.run("CONFIG", "SET", "maxmemory", "1") == b"+OK"
    assert (await redis.run("SET", "key", "value")).startswith(b"-OOM")
    await reach(one, two)
    assert one.counters.connects == 1


async def test_a_suspended_redis_holds_nobody_up_and_the_queue_has_a_limit(
    redis: Redis, open_end: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "QUEUE_BYTES_MAX", 10_000)
    one = await open_end()
    redis.pause()
    message = pack_message(5, 6, 7, 8, True, (b"x" * 400, b"y" * 400))
    with capture_logs() as lines:
        for _ in range(100):
            one.bus.publish(1, False, message)
    assert one.counters.queued_bytes <= 10_000
    assert one.counters.frames_dropped > 80
    assert [line["event"].partition(";")[0] for line in lines] == ["Redis takes less than is published"]
    redis.resume()
    await one.waits(lambda: one.counters.queued_bytes == 0)
    assert one.counters.connects == 1


async def test_redis_cuts_a_node_that_does_not_read_and_it_comes_back(
    quick: None, redis: Redis, open_end: Open
) -> None:
    """`client-output-buffer-limit`: what was in the buffer is lost."""
    one = await open_end(name="a")
    two = await open_end(name="b")
    await redis.run("CONFIG", "SET", "client-output-buffer-limit", "pubsub 100000 50000 1")
    message = pack_message(5, 6, 7, 8, True, (b"x" * 100_000, b"y" * 100_000))
    one.bus.publish(1, False, [*message] * 10)
    await two.waits(lambda: two.counters.connects > 1)
    await reach(one, two)


async def test_a_wrong_password_is_refused_and_not_logged(quick: None, redis: Redis, open_end: Open) -> None:
    await redis.run("CONFIG", "SET", "requirepass", "correct")
    with capture_logs() as lines:
        one = await open_end(redis.url.replace("://", "://:geheim@"))
        await one.waits(lambda: one.counters.failures > 2)
    assert one.counters.state == "refused"
    assert [(line["event"].partition(":")[0], line["reason"]) for line in lines] == [
        ("the bus is away", "wrong user or password")
    ]
    assert "geheim" not in str(lines)
    await redis.run(
        "CONFIG", "SET", "requirepass", "geheim"
    )  # needs no password: the connection is from before
    assert one.counters.state == "refused"


async def test_the_right_password(redis: Redis, open_end: Open) -> None:
    await redis.run("CONFIG", "SET", "requirepass", "pa#ss:word")
    one = await open_end(redis.url.replace("://", "://:pa%23ss%3Aword@"))
    assert one.bus.is_up


async def test_a_redis_that_does_not_know_the_command_auth_does_not_bring_the_password_into_the_log(
    quick: None, tmp_path: Path, open_end: Open, start: Start
) -> None:
    """Such an answer quotes the arguments."""
    renamed = Renamed(tmp_path / "renamed")
    await start(renamed)
    with capture_logs() as lines:
        one = await open_end(renamed.url.replace("://", "://:geheim@"))
        await one.waits(lambda: one.counters.failures > 1)
    assert [line["reason"] for line in lines if "reason" in line] == ["ResponseError"]
    assert "geheim" not in str(lines)


class Renamed(Redis):
    def command(self) -> list[str]:
        return [*super().command(), "--rename-command", "AUTH", "SESAME"]


async def test_nodes_on_another_redis_are_noticed(quick: None, tmp_path: Path, open_end: Open) -> None:
    one, two = await open_end(name="a", living=2), await open_end(name="b", living=2)
    await one.waits(lambda: one.counters.hearers == 2)
    with capture_logs() as lines:
        one.living = 3
        await one.waits(lambda: one.counters.unheard == 1)
        one.living = 2
        await one.waits(lambda: len(lines) == 2)
    assert two.counters.unheard == 0
    assert [(line["log_level"], line["event"].partition(":")[0]) for line in lines] == [
        ("warning", "fewer nodes hear the bus than live"),
        ("info", "all living nodes hear the bus"),
    ]


async def test_a_node_that_publishes_and_does_not_hear_itself_connects_anew(
    quick: None, open_end: Open
) -> None:
    one = await open_end()
    with capture_logs() as lines:
        one.bus._ears._own = lambda frame: None  # type: ignore[method-assign]
        await one.waits(lambda: one.counters.failures > 0)
    assert lines[0]["reason"] == "what is published does not come back"


async def test_connections_that_go_silent_are_given_up(
    quick: None, tmp_path: Path, redis: Redis, open_end: Open, start: Start
) -> None:
    """As with a router that forgets them: no end is told."""
    async with ClientSession() as http:
        toxiproxy = Toxiproxy(tmp_path / "toxiproxy", http)
        await start(toxiproxy)
        link = await toxiproxy.link("redis", redis.port)
        one, two = await open_end(f"redis://127.0.0.1:{link.port}", name="a"), await open_end(name="b")
        await reach(one, two)
        await link.silence()
        await one.down()
        await link.mend()
        await one.up()
        await reach(one, two)


async def test_a_slow_redis_is_slow_and_nothing_else(
    tmp_path: Path, redis: Redis, open_end: Open, start: Start
) -> None:
    async with ClientSession() as http:
        toxiproxy = Toxiproxy(tmp_path / "toxiproxy", http)
        await start(toxiproxy)
        link = await toxiproxy.link("redis", redis.port)
        one, two = await open_end(f"redis://127.0.0.1:{link.port}", name="a"), await open_end(name="b")
        await link.slow(300)
        for number in range(1, 100):
            one.bus.publish(number)
            await asyncio.sleep(0.005)
        await two.waits(lambda: two.hints == list(range(1, 100)))
        assert one.counters.connects == 1
        assert one.counters.lag_us > 300_000


async def test_a_sentinel_is_refused_at_the_start(tmp_path: Path, open_end: Open, start: Start) -> None:
    sentinel = SentinelServer(tmp_path / "sentinel")
    await start(sentinel)
    with pytest.raises(Sentinel):
        await open_end(f"redis://127.0.0.1:{sentinel.port}")


class SentinelServer(Redis):
    def command(self) -> list[str]:
        (self.place / "sentinel.conf").write_text(f"port {self.port}\nbind 127.0.0.1\n")
        return [super().command()[0], "sentinel.conf", "--sentinel"]


async def test_a_node_of_a_cluster_serves_and_its_count_is_not_believed(
    quick: None, tmp_path: Path, open_end: Open, start: Start
) -> None:
    node = ClusterNode(tmp_path / "cluster")
    await start(node)
    for first in range(0, 16384, 2048):
        slots = [str(slot) for slot in range(first, first + 2048)]
        assert await node.run("CLUSTER", "ADDSLOTS", *slots) == b"+OK"
    one, two = await open_end(node.url, name="a", living=3), await open_end(node.url, name="b", living=3)
    await reach(one, two)
    await asyncio.sleep(0.5)
    assert one.counters.unheard == 0
    await one.bus.close()
    await two.bus.close()


class ClusterNode(Redis):
    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self._bus_port = HeldPort()

    def command(self) -> list[str]:
        return [*super().command(), "--cluster-enabled", "yes", "--cluster-port", str(self._bus_port.number)]


async def test_over_a_unix_socket(tmp_path: Path, open_end: Open, start: Start) -> None:
    server = OnASocket(tmp_path / "r")
    await start(server)
    one = await open_end(f"unix://{server.place}/s")
    assert one.bus.is_up
    await one.bus.close()


class OnASocket(Redis):
    def command(self) -> list[str]:
        return [*super().command(), "--unixsocket", "s"]


async def test_a_node_that_is_only_behind_stays_connected(
    quick: None, open_end: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears others, and its own frames come after theirs."""
    monkeypatch.setattr(bus_ears, "BEHIND_S", 60.0)
    one, two = await open_end(name="a"), await open_end(name="b")
    await reach(two, one)
    one.bus._ears._own = lambda frame: None  # type: ignore[method-assign]
    one.bus.publish(1)
    for _ in range(20):
        two.bus.publish(1)
        await asyncio.sleep(0.05)
    assert one.counters.connects == 1


async def test_a_user_with_no_more_permissions_than_the_docs_name(redis: Redis, open_end: Open) -> None:
    rules = "on >secret resetchannels &vestnik:* -@all +publish +subscribe +hello"
    assert await redis.run("ACL", "SETUSER", "chat", *rules.split()) == b"+OK"
    url = redis.url.replace("://", "://chat:secret@")
    one, two = [await open_end(url, name=name, channel="vestnik:x") for name in "ab"]
    await reach(one, two)
    elsewhere = await open_end(url, channel="other")
    assert elsewhere.counters.state == "refused"


async def test_over_tls(tmp_path: Path, open_end: Open, start: Start) -> None:
    server = OverTls(tmp_path / "tls")
    await start(server)
    one = await open_end(f"rediss://127.0.0.1:{server.tls_port}?ssl_ca_certs={server.place}/cert")
    assert one.bus.is_up
    distrustful = await open_end(f"rediss://127.0.0.1:{server.tls_port}")
    assert distrustful.counters.state == "away"
    await one.bus.close()


class OverTls(Redis):
    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self._held_tls_port = HeldPort()
        self.tls_port = self._held_tls_port.number

    def command(self) -> list[str]:
        words = "req -x509 -newkey rsa:2048 -nodes -days 1 -keyout key -out cert -subj /CN=redis"
        names = ["-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(
            [need("openssl"), *words.split(), *names], cwd=self.place, check=True, capture_output=True
        )
        tls = f"--tls-port {self.tls_port} --tls-cert-file cert --tls-key-file key --tls-auth-clients no"
        return [*super().command(), *tls.split()]


ANSWERS = (
    b":1\r\n",
    b"$-1\r\n",
    b"+OK\r\n",
    b"*0\r\n",
    b"*2\r\n*1\r\n:1\r\n:2\r\n",
    b"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n:1000000000000\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
)


@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_answers_and_is_no_redis_does_not_end_the_bus(
    quick: None, start: Start, tmp_path: Path, answer: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(4096):
                writer.write(answer)
        writer.close()

    server = Redis(tmp_path / "redis")
    stranger = await asyncio.start_server(serve, "127.0.0.1", server.port)
    end = End(server.url)
    await end.bus.open()
    await end.waits(lambda: end.counters.failures > 1)
    stranger.close()
    await start(server)
    await end.up()
    await end.bus.close()
