"""`POST /hooks/KEY`: what senders are answered, in plain text, and what becomes of what they post."""

import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import FormData

from domain.acts import AccountUpdate, Act
from tests.clients.clock import ManualClock
from tests.clients.metrics import TOKEN, scrape
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.hooks.senders import SENDERS
from tests.storage.world import START


class Sender:
    """An alerting tool that has the address of a hook."""

    def __init__(self, server: Server, url: str) -> None:
        self._server = server
        self.url = url
        self.retry_after = ""

    async def post(self, **options: Any) -> tuple[int, str]:
        """Status and text of the answer; the options are aiohttp's."""
        async with self._server.http.post(self.url, **options) as answer:
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            self.retry_after = answer.headers.get("Retry-After", "")
            return answer.status, await answer.text()

    async def say(self, text: str, key: str | None = None) -> tuple[int, str]:
        return await self.post(json={"text": text}, headers={} if key is None else {"Idempotency-Key": key})


async def hooked(server: Server, *others: Person, chat_type: str = "group") -> tuple[Person, int, Sender]:
    """The owner of a chat, the chat, and a sender to it."""
    ann = await server.person("ann")
    chat_id = await ann.chat(*others, chat_type=chat_type)
    made = await ann.post(f"/chats/{chat_id}/hooks", kind="incoming", name="Alerts")
    return ann, chat_id, Sender(server, made["url"])


async def contents(person: Person, chat_id: int) -> list[str]:
    return [one["content"] for one in (await person.get(f"/chats/{chat_id}/messages", limit=200))["messages"]]


@pytest.mark.stores
async def test_what_tools_post_becomes_messages(server: Server) -> None:
    ann, chat_id, sender = await hooked(server, chat_type="channel")
    for payload, expected in SENDERS.values():
        assert await sender.post(json=payload) == (200, "ok")
        assert (await contents(ann, chat_id))[-1] == expected
    assert len(await contents(ann, chat_id)) == len(SENDERS)


async def test_a_body_is_json_or_a_form_with_json_in_it(server: Server) -> None:
    ann, chat_id, sender = await hooked(server)
    payload = json.dumps({"text": "Диск & <b>"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    parts = FormData({"payload": payload, "channel": "x"}, default_to_multipart=True)
    bodies: list[dict[str, Any]] = [
        {"data": payload, "headers": {"Content-Type": "application/json"}},
        {"data": payload, "headers": {"Content-Type": "application/json; charset=utf-8"}},
        {"data": payload, "headers": {"Content-Type": "text/plain"}},
        {"data": payload, "skip_auto_headers": ["Content-Type"]},
        {"data": payload, "headers": {"Content-Type": ""}},
        {"data": payload, "headers": form},  # as `curl -d` sends it
        {"data": f"payload={quote(payload)}", "headers": form},
        {"data": f"token=x&payload={quote(payload, safe='')}&text=y", "headers": form},
        {"data": parts},
    ]
    for body in bodies:
        assert await sender.post(**body) == (200, "ok"), body
    assert await contents(ann, chat_id) == ["Диск & <b>"] * len(bodies)


async def test_bodies_that_are_refused(server: Server) -> None:
    ann, chat_id, sender = await hooked(server)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "invalid_payload"),
        ({"data": b"{"}, "invalid_payload"),
        ({"data": b'{"text": "\xff\xfe"}'}, "invalid_payload"),
        ({"data": b"[" * 200_000}, "invalid_payload"),
        ({"data": b'{"a":' * 40_000}, "invalid_payload"),
        ({"json": []}, "invalid_payload"),
        ({"json": "text"}, "invalid_payload"),
        ({"json": {"text": 5}}, "invalid_payload"),
        ({"json": {"text": "x", "attachments": "y"}}, "invalid_payload"),
        ({"data": "text=hello", "headers": form}, "invalid_payload"),
        ({"data": "payload=hello", "headers": form}, "invalid_payload"),
        ({"data": "payload=%ff", "headers": form}, "invalid_payload"),
        ({"data": "&".join(["a=b"] * 2_000), "headers": form}, "invalid_payload"),
        ({"data": b"--", "headers": {"Content-Type": "multipart/form-data"}}, "invalid_payload"),
        ({"data": b'{"text": "x"}', "headers": {"Content-Encoding": "gzip"}}, "invalid_payload"),
        ({"json": {}}, "no_text"),
        ({"json": {"text": " \n"}}, "no_text"),
        ({"json": {"text": " " * 20_000 + "x"}}, "no_text"),
        ({"json": {"attachments": [{"color": "good"}]}}, "no_text"),
    ]
    for options, expected in cases:
        assert await sender.post(**options) == (400, expected), options
    assert await contents(ann, chat_id) == []


async def test_a_long_text_is_cut_and_a_large_body_refused(serve: Serve) -> None:
    server = await serve(max_content_chars=100)
    ann, chat_id, sender = await hooked(server)
    assert await sender.say("😀" * 200) == (200, "ok")
    assert await contents(ann, chat_id) == ["😀" * 100]
    body = json.dumps({"text": "x"}).encode()
    most = 256 * 1024
    assert await sender.post(data=body + b" " * (most - len(body))) == (200, "ok")
    assert await sender.post(data=body + b" " * (most + 1 - len(body))) == (413, "too_large")

    async def chunks() -> Any:
        for _ in range(5):
            yield b" " * 64 * 1024

    assert await sender.post(data=chunks()) == (413, "too_large")
    assert len(await contents(ann, chat_id)) == 2


async def test_keys_that_do_not_exist(server: Server) -> None:
    _, _, sender = await hooked(server)
    base, _, key = sender.url.rpartition("/")
    for wrong in (
        key[:-1],
        key + "x",
        key.swapcase(),
        "x",
        "x" * 5_000,
        "%00",
        "%ff",
        "..%2Fx",
        "a/b",
        key + "/",
    ):
        sender.url = f"{base}/{wrong}"
        assert await sender.say("hello") == (404, "unknown_key"), wrong
    async with server.http.get(f"{base}/{key}") as answer:
        assert (answer.status, await answer.text()) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "OPTIONS, POST"


async def test_one_idempotency_key_is_one_message(server: Server) -> None:
    ann, chat_id, sender = await hooked(server)
    assert await sender.say("first", "alert-1") == (200, "ok")
    assert await sender.say("second", "alert-1") == (200, "ok")
    (message,) = (await ann.get(f"/chats/{chat_id}/messages"))["messages"]
    assert (message["content"], message["client_id"]) == ("first", "alert-1")
    watching = await ann.joined(chat_id)
    await ann.delete(f"/messages/{message['id']}")
    assert (await watching.next())["type"] == "message_deleted"
    assert await sender.say("third", "alert-1") == (200, "ok")
    await watching.nothing_more("new_message")
    assert await sender.say("x" * 3, "k" * 64) == (200, "ok")
    assert await sender.say("x", "ключ") == (200, "ok")
    for wrong in ("", "k" * 65, "#1"):
        assert await sender.say("x", wrong) == (400, "invalid_key"), wrong
    assert await sender.post(data=b"{", headers={"Idempotency-Key": "#"}) == (400, "invalid_key")
    assert await contents(ann, chat_id) == ["xxx", "x"]


@pytest.mark.stores
async def test_many_requests_at_once_with_one_key_are_one_message(server: Server) -> None:
    ann, chat_id, sender = await hooked(server)
    answers = await asyncio.gather(*(sender.say(f"{n}", "same") for n in range(20)))
    assert set(answers) == {(200, "ok")}
    assert len(await contents(ann, chat_id)) == 1


async def test_at_most_one_message_a_second_after_two_hundred(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock)
    ann, chat_id, sender = await hooked(server)
    assert await sender.say("first", "key") == (200, "ok")
    for _ in range(5):
        assert await sender.say("again", "key") == (200, "ok")  # says nothing new
        assert await sender.post(json={}) == (400, "no_text")
    answers = Counter([await sender.say("x") for _ in range(205)])
    assert answers == {(200, "ok"): 199, (503, "rate_limited"): 6}
    assert sender.retry_after == "1"
    clock.advance(1)
    assert await sender.say("later") == (200, "ok")
    assert await sender.say("later") == (503, "rate_limited")
    other = await ann.post(f"/chats/{chat_id}/hooks", kind="incoming", name="Other")
    assert await Sender(server, other["url"]).say("x") == (200, "ok")
    await ann.say(chat_id, "people write meanwhile")


async def test_who_tries_many_keys_has_to_wait(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), hook_misses_per_min=3)
    _, _, sender = await hooked(server)
    right = sender.url
    sender.url = right[:-43] + "x" * 43
    for _ in range(3):
        assert await sender.say("x") == (404, "unknown_key")
    assert await sender.say("x") == (503, "rate_limited")
    assert sender.retry_after == "20"
    sender.url = right
    assert await sender.say("x") == (503, "rate_limited")


async def test_a_paused_hook_takes_nothing(server: Server) -> None:
    bob = await server.person("bob")
    ann, chat_id, sender = await hooked(server, bob)
    (hook,) = (await ann.get(f"/chats/{chat_id}/hooks"))["hooks"]
    await ann.patch(f"/hooks/{hook['id']}", paused=True)
    assert await sender.say("x") == (503, "paused")
    assert sender.retry_after
    await ann.patch(f"/hooks/{hook['id']}", paused=False)
    assert await sender.say("x") == (200, "ok")
    users = server.chat_app.context.store.users
    await users.update(ann.id, AccountUpdate(banned=True), Act(None, START))
    assert await sender.say("x") == (503, "paused")
    (hook,) = (await bob.get(f"/chats/{chat_id}/hooks"))["hooks"]  # who has inherited the chat
    assert hook["state"] == "without_maker"
    assert (await bob.patch(f"/hooks/{hook['id']}", paused=False))["created_by"] == bob.id
    assert await sender.say("y") == (200, "ok")
    assert await contents(bob, chat_id) == ["x", "y"]


async def test_a_hook_of_a_deleted_chat_is_unknown(server: Server) -> None:
    ann, chat_id, sender = await hooked(server)
    await ann.delete(f"/chats/{chat_id}")
    assert await sender.say("x") == (404, "unknown_key")


async def test_a_hook_mentions_members_but_not_all_and_counts_as_unread(server: Server) -> None:
    bob = await server.person("bob")
    ann, chat_id, sender = await hooked(server, bob)
    assert await sender.say("@all @channel nobody") == (200, "ok")
    assert await sender.say("@bob look") == (200, "ok")
    messages = (await ann.get(f"/chats/{chat_id}/messages"))["messages"]
    assert [(one["mentions"], one["mentions_all"]) for one in messages] == [([], False), ([bob.id], False)]
    chat = await bob.get(f"/chats/{chat_id}")
    assert (chat["unread_count"], chat["unread_mentions"]) == (2, 1)


async def test_slow_mode_is_not_for_hooks(server: Server) -> None:
    ann, chat_id, sender = await hooked(server)
    await ann.patch(f"/chats/{chat_id}", slow_mode_s=60)
    assert [await sender.say("x"), await sender.say("y")] == [(200, "ok")] * 2


async def test_a_sender_waits_for_no_body_that_is_refused(server: Server) -> None:
    """As tools that ask first do: nothing is sent before the server has said that it wants it."""
    _, _, sender = await hooked(server)
    host, _, path = sender.url.removeprefix("http://").partition("/")
    for target, size, expected in (
        (f"/{path}", 12, b"HTTP/1.1 100 Continue"),
        (f"/{path}", 300_000, b"HTTP/1.1 413"),
        ("/hooks/" + "x" * 43, 12, b"HTTP/1.1 404"),
    ):
        reader, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(
            f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert (await reader.readline()).startswith(expected)
        writer.close()


async def test_origins_and_their_settings_do_not_matter(serve: Serve) -> None:
    server = await serve(cors_origins=("https://chat.example.org",))
    _, _, sender = await hooked(server)
    options = {"json": {"text": "x"}, "headers": {"Origin": "https://tools.example.org"}}
    assert await sender.post(**options) == (200, "ok")


async def test_limits_that_are_off(serve: Serve) -> None:
    server = await serve(hook_messages_per_s=0, hook_misses_per_min=0)
    _, _, sender = await hooked(server)
    assert {await sender.say("x") for _ in range(250)} == {(200, "ok")}


async def test_keys_stand_in_no_log_and_no_metric(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = await serve(metrics_token=TOKEN)
    _, _, sender = await hooked(server)
    await sender.say("hello", "same")
    await sender.say("hello", "same")
    await sender.post(json={})
    key = sender.url.rpartition("/")[2]
    sender.url = sender.url[:-1]
    await sender.say("hello")
    scraped = await scrape(server.http, server.url)
    requests = {
        word: scraped("vestnik_incoming_hook_requests_total", outcome=word)
        for word in ("posted", "repeated", "no_text", "unknown_key", "paused")
    }
    assert requests == {"posted": 1, "repeated": 1, "no_text": 1, "unknown_key": 1, "paused": 0}
    assert scraped("vestnik_messages_total") == 1
    assert scraped("vestnik_http_requests_total", route="hooks", status="200") == 2
    assert key[:-1] not in scraped.text
    said = capsys.readouterr()
    assert key[:-1] not in said.out + said.err
