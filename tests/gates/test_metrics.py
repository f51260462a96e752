"""What /metrics says, by what has happened: over real sockets, parsed as Prometheus parses it."""

import asyncio
import time
from typing import Any

import pytest

from server.metrics.loop_lag import EVERY_S
from tests.clients.metrics import TOKEN, Scraped, scrape
from tests.clients.stuck import StuckReader
from tests.clients.wires import WIRES
from tests.conftest import Serve, Server
from tests.engine.peers import until

SECRETS = ("anna-the-first", "boris-the-second", "a-chat-of-theirs", "what-they-say", TOKEN)


async def get(server: Server) -> Scraped:
    return await scrape(server.http, server.url)


class Grown:
    """By how much numbers have grown since this was made."""

    def __init__(self, server: Server, before: Scraped) -> None:
        self._server = server
        self._before = before
        self._after = before

    async def now(self) -> "Grown":
        self._after = await get(self._server)
        return self

    def __call__(self, name: str, **labels: str) -> float:
        return self._after(name, **labels) - self._before(name, **labels)

    def changed(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        """By labels, what has grown of this name."""
        grown = {
            labels: value - self._before.series.get((found, labels), 0)
            for (found, labels), value in self._after.series.items()
            if found == name
        }
        return {labels: value for labels, value in grown.items() if value}


async def grown_from_now(server: Server) -> Grown:
    return Grown(server, await get(server))


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(metrics_token=TOKEN)


@pytest.mark.wires
async def test_connections_are_counted_by_wire_while_they_are_open(server: Server, wire_name: str) -> None:
    wire = "raw" if wire_name == "raw" else "socketio"
    other = {"raw": "socketio", "socketio": "raw"}[wire]
    ann = await server.person("ann")
    grown = await grown_from_now(server)
    clients = [await ann.connect() for _ in range(3)]
    scraped = await get(server)
    assert (scraped("vestnik_connections", wire=wire), scraped("vestnik_connections", wire=other)) == (3, 0)
    assert scraped("vestnik_users") == 1
    await clients[0].close()
    clients[1].cut()
    if wire_name == "polling":
        return  # a polling client that is cut is missed by its heartbeat alone
    await until(lambda: len(server.chat_app.context.connections) == 1)
    await grown.now()
    assert grown("vestnik_connections", wire=wire) == 1
    assert grown("vestnik_connections_opened_total", wire=wire) == 3
    assert grown("vestnik_endings_total", reason="client", code="none") == 2


@pytest.mark.stores
@pytest.mark.wires
async def test_a_message_counts_once_and_each_delivery_of_it(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    await carl.joined(chat_id)
    await bobs.drain()
    grown = await grown_from_now(server)
    for number in range(4):
        await anns.done("send_message", chat_id=chat_id, content="x", client_id=f"c{number}")
        await bobs.next("new_message")
    await anns.done("send_message", chat_id=chat_id, content="x", client_id="c0")  # a repeat
    await ann.say(chat_id, "over REST")
    await bobs.next("new_message")
    await grown.now()
    assert grown("vestnik_messages_total") == 5
    assert grown("vestnik_commands_total", command="send_message", outcome="ok") == 5
    assert grown("vestnik_commands_total", command="create_message", outcome="ok") == 1
    assert grown("vestnik_events_total", event="new_message") == 5
    assert grown("vestnik_deliveries_total") == 5 * 3
    assert grown("vestnik_commit_seconds_count") == grown("vestnik_batch_writes_count") == 6
    assert grown("vestnik_batch_writes_sum") == 6
    assert 0 < grown("vestnik_commit_seconds_sum") < 60
    assert grown.changed("vestnik_errors_total") == {}


async def test_writes_that_come_at_once_are_one_batch(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns = await ann.joined(chat_id)
    grown = await grown_from_now(server)
    for number in range(40):
        await anns.send({"type": "send_message", "id": f"m{number}", "chat_id": chat_id, "content": "x"})
    for number in range(40):
        assert (await anns.answer_to(f"m{number}"))["type"] == "ack"
    await grown.now()
    assert grown("vestnik_batch_writes_sum") == grown("vestnik_messages_total") == 40
    assert grown("vestnik_batch_writes_count") == grown("vestnik_batch_writes_bucket", le="+Inf") < 40


@pytest.mark.wires
async def test_errors_are_counted_by_code_and_commands_by_outcome(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns = await ann.joined(chat_id)
    grown = await grown_from_now(server)
    await anns.command("send_message", chat_id=chat_id + 1, content="x")
    await anns.command("send_message", chat_id=chat_id, content="")
    await anns.command("send_message", chat_id="none", content="x")
    await anns.command("edit_message", message_id=77, content="x")
    assert (await ann.request("GET", f"/chats/{chat_id + 1}"))[0] == 404
    await grown.now()
    assert grown.changed("vestnik_errors_total") == {
        frozenset({("code", "not_found")}): 3,
        frozenset({("code", "invalid")}): 2,
    }
    failed = {
        tuple(value for _, value in sorted(labels)): number
        for labels, number in grown.changed("vestnik_commands_total").items()
    }
    assert failed == {
        ("send_message", "invalid"): 2,
        ("send_message", "not_found"): 1,
        ("edit_message", "not_found"): 1,
        ("get_chat", "not_found"): 1,
    }
    assert grown("vestnik_messages_total") == 0


async def test_a_frame_that_is_none_is_an_error_and_no_command(server: Server) -> None:
    client = await (await server.person("ann")).open_raw()
    await client.next("connected")
    grown = await grown_from_now(server)
    await client.send_text("[]")
    await client.next("error")
    await grown.now()
    assert grown.changed("vestnik_errors_total") == {frozenset({("code", "bad_frame")}): 1}
    assert grown.changed("vestnik_commands_total") == {}


@pytest.mark.wires
async def test_nobody_can_add_a_series(server: Server) -> None:
    """Names of commands, paths, methods and close codes that clients make up."""
    ann = await server.person("ann")
    anns = await ann.connect()
    before = await get(server)
    for number in range(20):
        assert (await anns.command(f"command_{number}"))["code"] == "unknown_event"
        async with server.http.get(f"{server.url}/path{number}/{number}.json"):
            pass
        async with server.http.request(f"METHOD{number}", f"{server.url}/api/users/{number}"):
            pass
        async with server.http.ws_connect(f"{server.ws_url}?token=x") as socket:
            await socket.close(code=3000 + number)
    after = await get(server)
    assert after("vestnik_commands_total", command="unknown", outcome="unknown_event") == 20
    added = {
        tuple(sorted(dict(labels).values()))
        for name, labels in after.series.keys() - before.series.keys()
        if name != "vestnik_http_requests_total"
    }
    assert added == {("unknown", "unknown_event")}
    routes = after.label_values("vestnik_http_requests", "route")
    assert routes <= {"api", "metrics", "other", "socket.io", "ws"}


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("wire", WIRES)
async def test_a_slow_ending_and_what_waits_before_it(serve: Serve, wire: str) -> None:
    server = await serve(metrics_token=TOKEN, send_buffer_bytes=65536, messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns = await ann.joined(chat_id)
    slow = StuckReader(wire, bob)
    await slow.join(chat_id)
    scraped = await get(server)
    most = 0.0
    for _ in range(500):
        if (scraped := await get(server))("vestnik_slow_endings_total"):
            break
        most = max(most, scraped("vestnik_unsent_bytes"))
        for _ in range(8):
            await anns.done("send_message", chat_id=chat_id, content="x" * 10_000)
    slow.close()
    assert scraped("vestnik_slow_endings_total") == 1
    assert scraped("vestnik_endings_total", reason="too_slow", code="1013") == 1
    assert scraped("vestnik_connections", wire="raw") == 1
    assert 500_000 < most < 2_000_000


@pytest.mark.wires
async def test_an_ending_is_counted_by_reason_and_close_code(server: Server) -> None:
    ann = await server.person("ann")
    client = await ann.connect()
    grown = await grown_from_now(server)
    await ann.post("/auth/logout", refresh_token=ann.refresh_token)
    assert await client.closed() == 4403
    await grown.now()
    assert grown.changed("vestnik_endings_total") == {frozenset({("reason", "revoked"), ("code", "4403")}): 1}


@pytest.mark.wires
async def test_a_connection_that_is_not_accepted_is_a_refusal(server: Server) -> None:
    ann = await server.person("ann")
    grown = await grown_from_now(server)
    ann.token = "no token"
    client = await ann.open()
    assert await client.closed() == 4401
    await grown.now()
    assert grown.changed("vestnik_refusals_total") == {
        frozenset({("reason", "unauthenticated"), ("code", "4401")}): 1
    }
    assert grown.changed("vestnik_connections_opened_total") == grown.changed("vestnik_endings_total") == {}


async def test_a_stop_of_the_loop_is_lag(server: Server) -> None:
    before = await get(server)
    time.sleep(EVERY_S + 0.3)
    await asyncio.sleep(2 * EVERY_S)
    after = await get(server)
    assert after("vestnik_loop_lag_max_seconds") >= 0.3
    assert after("vestnik_loop_lag_seconds_sum") >= before("vestnik_loop_lag_seconds_sum") + 0.3
    name = "vestnik_loop_lag_seconds_bucket"
    assert after(name, le="+Inf") > after(name, le="0.25")


@pytest.mark.stores("sqlite")
async def test_it_answers_while_the_store_fails_and_says_so(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    before = await get(server)
    assert (before("vestnik_ready"), before("vestnik_store_failing")) == (1, 0)
    (server.config.data_dir / "vestnik.db").unlink()
    status, _ = await ann.request("POST", "/messages", json={"chat_id": chat_id, "content": "x"})
    assert status == 503
    after = await get(server)
    assert (after("vestnik_ready"), after("vestnik_store_failing")) == (0, 1)
    assert after("vestnik_store_failures_total") == 1
    assert after("vestnik_store_failed_writes_total", trouble="gone") == 1
    assert after("vestnik_errors_total", code="unavailable") == 1
    assert after("vestnik_messages_total") == 0


async def test_requests_are_counted_by_route_and_status(server: Server) -> None:
    ann = await server.person("ann")
    grown = await grown_from_now(server)
    await ann.get("/chats")
    await ann.request("GET", "/nothing")
    for path in ("/health/live", "/nowhere.txt"):
        async with server.http.get(server.url + path):
            pass
    await ann.connect()
    await grown.now()
    found = {
        (dict(labels)["route"], dict(labels)["status"]): number
        for labels, number in grown.changed("vestnik_http_requests_total").items()
    }
    assert found == {
        ("api", "200"): 1,
        ("api", "404"): 1,
        ("health", "200"): 1,
        ("other", "404"): 1,
        ("ws", "101"): 1,
        ("metrics", "200"): 1,
    }


async def test_types_and_units_are_those_of_the_names(server: Server) -> None:
    scraped = await get(server)
    types = {name: family.type for name, family in scraped.families.items()}
    assert {types[name] for name in ("vestnik_commit_seconds", "vestnik_loop_lag_seconds")} == {"histogram"}
    for line in scraped.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name.endswith("_total") == (kind == "counter"), line
    for name, family in scraped.families.items():
        assert family.documentation, name
        for sample in family.samples:
            assert sample.value >= 0, sample
    assert scraped("vestnik_connections", wire="raw") == 0
    assert "process_resident_memory_bytes" in scraped.families
    assert "python_gc_collections" in scraped.families


async def test_no_name_id_word_or_token_is_in_it(server: Server) -> None:
    anna, boris = await server.people("anna-the-first", "boris-the-second")
    chat_id = await anna.chat(boris, name="a-chat-of-theirs")
    client = await anna.joined(chat_id)
    await client.done("send_message", chat_id=chat_id, content="what-they-say")
    text = (await get(server)).text
    for secret in (*SECRETS, anna.token, server.config.secret_key, "127.0.0.1"):
        assert secret not in text


async def ask(server: Server, method: str = "GET", **headers: str) -> tuple[int, Any]:
    async with server.http.request(method, f"{server.url}/metrics", headers=headers) as answer:
        return answer.status, answer


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ünïcode",
        "Bearer " + "x" * 5000,
    ],
)
async def test_another_token_is_refused(server: Server, given: str) -> None:
    status, answer = await ask(server, **({"Authorization": given} if given else {}))
    assert (status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_the_token_of_a_user_is_refused(server: Server) -> None:
    ann = await server.person("ann")
    assert (await ask(server, Authorization=f"Bearer {ann.token}"))[0] == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_without_the_setting_there_is_nothing(serve: Serve, method: str) -> None:
    server = await serve()
    assert (await ask(server, method, Authorization="Bearer "))[0] == 404
    assert (await ask(server, method, Authorization=f"Bearer {TOKEN}"))[0] == 404


async def test_methods_and_headers(server: Server) -> None:
    bearer = f"Bearer {TOKEN}"
    status, answer = await ask(server, Authorization=bearer)
    assert (status, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-store"
    status, answer = await ask(server, "HEAD", Authorization=bearer)
    assert (status, int(answer.headers["Content-Length"]) > 5000) == (200, True)
    status, answer = await ask(server, "OPTIONS")
    assert (status, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (await ask(server, "POST", Authorization=bearer))[0] == 405


async def test_pages_of_other_origins_are_refused(serve: Serve) -> None:
    server = await serve(metrics_token=TOKEN, cors_origins=("https://chat.example.org",))
    bearer = f"Bearer {TOKEN}"
    assert (await ask(server, Authorization=bearer, Origin="https://evil.example"))[0] == 403
    assert (await ask(server, Authorization=bearer, Origin="https://chat.example.org"))[0] == 200
    assert (await ask(server, Authorization=bearer))[0] == 200
    assert (await get(server))("vestnik_errors_total", code="forbidden") == 1


async def test_scrapes_at_once_share_one_reading(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    makings = []
    made = server.chat_app.figures

    def figures() -> Any:
        makings.append(1)
        return made()

    monkeypatch.setattr(server.chat_app, "figures", figures)
    scraped = await asyncio.gather(*(get(server) for _ in range(50)))
    assert len(scraped) == 50
    assert 1 <= len(makings) < 50


async def test_one_that_guesses_tokens_is_slowed_down(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pacing.WAIT_MAX_S", 0.2)
    server = await serve(metrics_token=TOKEN, stranger_frames_per_s=10)
    statuses = await asyncio.gather(
        *(ask(server, Authorization=f"Bearer {number}") for number in range(200)),
    )
    found = {status for status, _ in statuses}
    assert found == {401, 429}
