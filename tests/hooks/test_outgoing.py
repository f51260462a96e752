"""Outgoing hooks of a running server: what is delivered, in which order, how often, and what stops it."""

import asyncio
import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import server.app
from domain.decisions import hooks as decisions
from domain.hooks import HOOK_EVENTS, Hook
from domain.models import Draft
from server.hooks.poster import Poster
from tests.clients.bots import make_bot
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.engine.peers import until
from tests.hooks.certificates import Certificates
from tests.hooks.receiver import Answer, Receiver
from tests.hooks.scene import SECRET, outgoing, state_of, store_of, update
from tests.patience import within

pytestmark = pytest.mark.stores

DOWN = Answer(500)


class Scene:
    """Ann, who owns a group that bob is in, and a server whose clock stands still unless it is turned."""

    def __init__(self, server: Server, clock: ManualClock, ann: Person, bob: Person, chat_id: int) -> None:
        self.server, self.clock, self.ann, self.bob, self.chat_id = server, clock, ann, bob, chat_id

    async def hook(self, receiver: Receiver, *events: Any, **more: Any) -> Hook:
        return await outgoing(
            self.server, self.ann, self.chat_id, receiver.url, events or ("new_message",), **more
        )

    async def say(self, *contents: str) -> list[Any]:
        return [await self.ann.say(self.chat_id, content) for content in contents]

    async def failed(self, hook: Hook, attempts: int) -> None:
        """Waits until so many failures in a row are stored."""
        async with within(20):
            while (await state_of(self.server, hook)).delivery.attempts != attempts:
                await asyncio.sleep(0.005)

    async def at(self, hook: Hook, position: int) -> None:
        """Waits until the hook is stored as done up to this change."""
        async with within(20):
            while (await state_of(self.server, hook)).delivery.position < position:
                await asyncio.sleep(0.005)

    async def paused(self, hook: Hook) -> None:
        async with within(20):
            while not (await state_of(self.server, hook)).paused:
                await asyncio.sleep(0.005)


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    clock = ManualClock()
    started = await serve(clock=clock, webhook_private=True)
    ann, bob = await started.people("ann", "bob")
    return Scene(started, clock, ann, bob, await ann.chat(bob))


# What is delivered.


async def test_a_message_is_delivered_as_its_raw_frame_signed(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver)
    listener = await scene.bob.open_raw()
    await listener.next()
    await listener.done("join_chat", chat_id=scene.chat_id)
    await listener.drain()
    (message,) = await scene.say("hello")
    (request,) = await receiver.count(1)
    assert request.frame == await listener.next()
    assert request.frame["message"]["id"] == message["id"]
    assert request.line == "POST /hook HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.delivery == f"{hook.id}-{message['seq']}"
    assert int(request.headers["x-vestnik-timestamp"]) == int(scene.clock.unix_s())
    assert re.fullmatch("sha256=[0-9a-f]{64}", request.headers["x-vestnik-signature"])
    assert request.is_signed_with(SECRET)
    await scene.at(hook, message["seq"])


async def test_only_what_comes_after_the_hook_is_delivered_and_only_of_its_chat(
    scene: Scene, receiver: Receiver
) -> None:
    await scene.say("before")
    await scene.hook(receiver)
    other = await scene.ann.chat(scene.bob, name="Other")
    await scene.ann.say(other, "elsewhere")
    await scene.say("after")
    await receiver.count(1)
    assert receiver.contents == ["after"]


async def test_a_hundred_come_in_order_one_at_a_time(scene: Scene, receiver: Receiver) -> None:
    await scene.hook(receiver)
    contents = [f"number {number}" for number in range(100)]
    await asyncio.gather(*(scene.ann.say(scene.chat_id, content) for content in contents[:50]))
    await scene.say(*contents[50:])
    await receiver.count(100)
    assert sorted(receiver.contents[:50]) == sorted(contents[:50])
    assert receiver.contents[50:] == contents[50:]
    seqs = [frame["seq"] for frame in receiver.frames]
    assert seqs == sorted(set(seqs))
    assert receiver.at_once_max == 1


async def test_edits_and_deletions_go_to_those_who_want_them(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver, *HOOK_EVENTS)
    (message,) = await scene.say("one")
    await receiver.count(1)
    await scene.ann.patch(f"/messages/{message['id']}", content="two")
    await receiver.count(2)
    await scene.bob.request("POST", f"/messages/{message['id']}/reactions/👍")
    await scene.ann.request("POST", f"/messages/{message['id']}/pin")
    await scene.ann.request("DELETE", f"/messages/{message['id']}")
    new, updated, deleted = await receiver.count(3)
    assert [request.frame["type"] for request in (new, updated, deleted)] == list(HOOK_EVENTS)
    assert updated.frame["content"] == updated.frame["message"]["content"] == "two"
    assert updated.delivery == f"{hook.id}-{updated.frame['seq']}"
    assert deleted.frame["message_id"] == message["id"]
    assert deleted.delivery == f"{hook.id}-{deleted.frame['seq']}"
    await scene.at(hook, deleted.frame["seq"])
    assert len(receiver.requests) == 3


async def test_a_reaction_to_an_edited_message_is_no_edit(scene: Scene, receiver: Receiver) -> None:
    await scene.hook(receiver, "new_message", "message_updated")
    (message,) = await scene.say("one")
    await scene.ann.patch(f"/messages/{message['id']}", content="two")
    await receiver.until(lambda: "message_updated" in [frame["type"] for frame in receiver.frames])
    count = len(receiver.requests)
    await scene.bob.request("POST", f"/messages/{message['id']}/reactions/👍")
    await scene.say("last")
    await receiver.until(lambda: receiver.contents[-1:] == ["last"])
    assert len(receiver.requests) == count + 1


async def test_only_edits_are_wanted(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver, "message_updated")
    (message,) = await scene.say("one")
    await scene.ann.patch(f"/messages/{message['id']}", content="two")
    (request,) = await receiver.count(1)
    assert request.frame["type"] == "message_updated"
    await scene.at(hook, request.frame["seq"])


async def test_hooks_deliver_messages_of_bots_only_if_they_want_and_never_those_of_hooks(
    scene: Scene, receiver: Receiver
) -> None:
    hook = await scene.hook(receiver)
    with_bots = await scene.hook(receiver, include_bots=True)
    store, now = store_of(scene.server), scene.clock.now()
    incoming = await store.hooks.create(
        Hook(0, scene.chat_id, "incoming", "in", 0, scene.ann.id, now), key_hash="x" * 64
    )
    robot = await make_bot(scene.ann, "robot")
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=robot.id, role="member")
    draft = Draft(scene.chat_id, incoming.user_id, "of a hook", now)
    await store.hooks.post(incoming.id, draft)
    await robot.say(scene.chat_id, "of a bot")
    await scene.say("of a person")
    await receiver.count(3)
    delivered = [
        (request.delivery.split("-")[0], request.frame["message"]["content"]) for request in receiver.requests
    ]
    assert sorted(delivered) == sorted(
        [
            (str(hook.id), "of a person"),
            (str(with_bots.id), "of a bot"),
            (str(with_bots.id), "of a person"),
        ]
    )


# What fails.


async def test_a_failure_is_repeated_after_1_2_4_seconds_and_says_so(
    scene: Scene, receiver: Receiver
) -> None:
    receiver.answers(DOWN, DOWN, DOWN, Answer(204))
    hook = await scene.hook(receiver)
    began = scene.clock.now()
    (message, _) = await scene.say("one", "two")
    for attempts, wait_s in ((1, 1), (2, 2), (3, 4)):
        await scene.failed(hook, attempts)
        delivery = (await state_of(scene.server, hook)).delivery
        assert delivery.failing_since == began
        assert delivery.last_error == "the target answered 500"
        assert delivery.next_try_at == scene.clock.now() + timedelta(seconds=wait_s)
        assert delivery.position == message["seq"] - 1
        scene.clock.advance(wait_s - 0.1)
        await asyncio.sleep(0.05)
        assert len(receiver.requests) == attempts
        scene.clock.advance(0.1)
        await receiver.count(attempts + 1)
    await receiver.count(5)
    await scene.at(hook, message["seq"] + 1)
    assert (await state_of(scene.server, hook)).delivery.failing_since is None
    assert receiver.contents == ["one"] * 4 + ["two"]
    assert len({request.delivery for request in receiver.requests[:4]}) == 1
    assert all(request.is_signed_with(SECRET) for request in receiver.requests)
    times = [int(request.headers["x-vestnik-timestamp"]) for request in receiver.requests]
    assert times[3] - times[0] in (6, 7, 8)


async def test_a_repeat_has_the_present_state_under_the_same_name(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(DOWN, Answer())
    hook = await scene.hook(receiver)
    (message,) = await scene.say("one")
    await scene.failed(hook, 1)
    await scene.ann.patch(f"/messages/{message['id']}", content="two")
    scene.clock.advance(1)
    first, second = await receiver.count(2)
    assert first.delivery == second.delivery
    assert second.frame["type"] == "new_message"
    assert second.frame["message"]["content"] == "two"
    assert second.frame["message"]["edited_at"] is not None


@pytest.mark.parametrize("wants", [True, False])
async def test_a_message_that_is_deleted_meanwhile_does_not_come_as_new(
    scene: Scene, receiver: Receiver, wants: bool
) -> None:
    receiver.answers(DOWN, Answer())
    hook = await scene.hook(receiver, "new_message", *(["message_deleted"] if wants else []))
    message, _ = await scene.say("one", "two")
    await scene.failed(hook, 1)
    await scene.ann.request("DELETE", f"/messages/{message['id']}")
    scene.clock.advance(1)
    await receiver.until(lambda: receiver.contents == ["one", "two"])
    if wants:
        assert receiver.frames[1]["type"] == "message_deleted"
        assert receiver.frames[1]["message_id"] == message["id"]
        assert receiver.requests[1].delivery == receiver.requests[0].delivery
    else:
        assert len(receiver.requests) == 2


async def test_a_deletion_comes_once_if_the_message_never_reached_the_receiver(
    scene: Scene, receiver: Receiver
) -> None:
    hook = await scene.hook(receiver, "new_message", "message_deleted")
    await scene.say("zero")
    await receiver.count(1)
    await receiver.stop()
    message, other = await scene.say("one", "two")
    await scene.failed(hook, 1)
    await scene.ann.request("DELETE", f"/messages/{message['id']}")
    await receiver.start()
    scene.clock.advance(1)
    await receiver.count(3)
    await scene.at(hook, other["seq"])
    await scene.say("three")
    await receiver.until(lambda: receiver.contents == ["zero", "two", "three"])
    assert [frame["type"] for frame in receiver.frames].count("message_deleted") == 1


async def test_the_receiver_says_when_it_wants_to_be_asked_again(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(503, headers=[("Retry-After", "100")]), Answer())
    hook = await scene.hook(receiver)
    await scene.say("one")
    await scene.failed(hook, 1)
    scene.clock.advance(99)
    await asyncio.sleep(0.05)
    assert len(receiver.requests) == 1
    scene.clock.advance(1)
    await receiver.count(2)


async def test_410_pauses_before_the_message_and_resuming_sends_it(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(), Answer(410), Answer())
    hook = await scene.hook(receiver)
    await scene.say("one", "two", "three")
    await scene.paused(hook)
    scene.clock.advance(10_000)
    await scene.say("four")
    assert receiver.contents == ["one", "two"]
    delivery = (await state_of(scene.server, hook)).delivery
    assert delivery.last_error == "the target answered 410"
    await update(scene.server, hook, scene.ann, paused=False)
    await receiver.until(lambda: receiver.contents == ["one", "two", "two", "three", "four"])
    assert receiver.requests[1].delivery == receiver.requests[2].delivery
    assert not (await state_of(scene.server, hook)).paused


async def test_a_day_of_failures_pauses(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(503, headers=[("Retry-After", "1000000")]))
    hook = await scene.hook(receiver)
    (message,) = await scene.say("one")
    await scene.failed(hook, 1)
    scene.clock.advance(24 * 3600 - 1)
    await asyncio.sleep(0.05)
    assert not (await state_of(scene.server, hook)).paused
    scene.clock.advance(1)
    await scene.paused(hook)
    assert len(receiver.requests) == 2
    assert (await state_of(scene.server, hook)).delivery.position == message["seq"] - 1


async def test_a_hook_that_is_resumed_far_behind_goes_on_from_the_newest(
    scene: Scene, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "BEHIND_MAX", 5)
    hook = await scene.hook(receiver)
    await update(scene.server, hook, scene.ann, paused=True)
    await scene.say(*(f"missed {number}" for number in range(5)))
    await update(scene.server, hook, scene.ann, paused=False)
    await receiver.count(5)
    await update(scene.server, hook, scene.ann, paused=True)
    await scene.say(*(f"lost {number}" for number in range(6)))
    await update(scene.server, hook, scene.ann, paused=False)
    await scene.say("new")
    await receiver.count(6)
    assert receiver.contents[5:] == ["new"]


async def test_a_receiver_that_is_gone_and_comes_back(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver)
    await receiver.stop()
    await scene.say("one", "two")
    await scene.failed(hook, 1)
    assert "could not be reached" in str((await state_of(scene.server, hook)).delivery.last_error)
    await receiver.start()
    scene.clock.advance(1)
    await receiver.count(2)
    assert receiver.contents == ["one", "two"]


async def test_a_timer_that_comes_too_early_does_no_harm(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(DOWN, Answer())
    hook = await scene.hook(receiver)
    await scene.say("one")
    await scene.failed(hook, 1)
    (waiting,) = scene.server.chat_app.hooks._hooks.values()
    await until(lambda: waiting._task is None)
    waiting._time_has_come()
    scene.clock.advance(1)
    await receiver.count(2)


async def test_a_receiver_that_hangs_delays_nobody_else(
    serve: Serve, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.app, "Poster", partial(Poster, within_s=0.5))
    started = await serve(webhook_private=True)
    ann = await started.person("ann")
    chat_id = await ann.chat()
    receiver.behave = lambda request: Answer(hang="hang" in request.line)
    hanging = await outgoing(started, ann, chat_id, receiver.url + "/hang")
    await outgoing(started, ann, chat_id, receiver.url)
    for number in range(5):
        await ann.say(chat_id, str(number))
    await receiver.until(lambda: sum("hang" not in request.line for request in receiver.requests) == 5)
    async with within(10):
        while not (await state_of(started, hanging)).delivery.attempts:
            await asyncio.sleep(0.01)
    assert "did not answer" in str((await state_of(started, hanging)).delivery.last_error)


async def test_another_target_is_tried_at_once(scene: Scene, receiver: Receiver) -> None:
    receiver.behave = lambda request: Answer(200 if "new" in request.line else 500)
    hook = await scene.hook(receiver)
    await scene.say("one")
    await scene.failed(hook, 1)
    await update(scene.server, hook, scene.ann, target_url=receiver.url + "/new")
    await receiver.count(2)
    await scene.failed(hook, 0)


# What pauses.


async def test_private_targets_are_refused_and_pause_the_hook(serve: Serve, receiver: Receiver) -> None:
    started = await serve()
    ann = await started.person("ann")
    chat_id = await ann.chat()
    urls = (receiver.url, f"https://127.0.0.1:{receiver.port}/", f"https://localhost:{receiver.port}/")
    hooks = [await outgoing(started, ann, chat_id, url) for url in urls]
    await ann.say(chat_id, "x")
    async with within(20):
        while not all([(await state_of(started, hook)).paused for hook in hooks]):
            await asyncio.sleep(0.01)
    for hook in hooks:
        error = (await state_of(started, hook)).delivery.last_error
        assert error is not None
        assert "public" in error
        assert "127.0.0.1" not in error
    assert receiver.connections == 0


@pytest.mark.parametrize("trusted", [True, False])
async def test_certificates_are_those_of_the_setting(
    serve: Serve, receiver: Receiver, tmp_path: Path, trusted: bool
) -> None:
    made = Certificates(tmp_path)
    await receiver.stop()
    await receiver.start(ssl=made.server_context())
    started = await serve(webhook_private=True, ssl_cert_file=made.ca_file if trusted else None)
    ann = await started.person("ann")
    chat_id = await ann.chat()
    hook = await outgoing(started, ann, chat_id, f"https://localhost:{receiver.port}/")
    await ann.say(chat_id, "x")
    if trusted:
        await receiver.count(1)
        return
    async with within(20):
        while not (await state_of(started, hook)).delivery.attempts:
            await asyncio.sleep(0.01)
    assert "certificate" in str((await state_of(started, hook)).delivery.last_error)
    assert receiver.requests == []


async def test_a_paused_hook_goes_on_from_its_position(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver)
    await scene.say("one")
    await receiver.count(1)
    await update(scene.server, hook, scene.ann, paused=True)
    await scene.say("two", "three")
    scene.clock.advance(1000)
    await asyncio.sleep(0.05)
    assert receiver.contents == ["one"]
    await update(scene.server, hook, scene.ann, paused=False)
    await receiver.count(3)
    assert receiver.contents == ["one", "two", "three"]


async def test_a_hook_is_paused_while_its_maker_does_not_manage_the_chat(
    scene: Scene, receiver: Receiver
) -> None:
    members = f"/chats/{scene.chat_id}/members/{scene.bob.id}"
    await scene.ann.patch(members, role="admin")
    hook = await outgoing(scene.server, scene.bob, scene.chat_id, receiver.url)
    await scene.say("one")
    await receiver.count(1)
    await scene.ann.patch(members, role="member")
    await scene.say("two")
    await scene.paused(hook)
    await asyncio.sleep(0.05)
    assert receiver.contents == ["one"]
    await update(scene.server, hook, scene.ann, paused=False)
    await receiver.count(2)
    assert receiver.contents == ["one", "two"]
    assert (await state_of(scene.server, hook)).hook.created_by == scene.ann.id


async def test_a_hook_is_paused_while_its_maker_is_banned(scene: Scene, receiver: Receiver) -> None:
    members = f"/chats/{scene.chat_id}/members/{scene.bob.id}"
    await scene.ann.patch(members, role="admin")
    hook = await outgoing(scene.server, scene.bob, scene.chat_id, receiver.url)
    await scene.say("one")
    await receiver.count(1)
    await store_of(scene.server).users.set_banned(scene.bob.id, True)
    await scene.say("two")
    await scene.paused(hook)
    await asyncio.sleep(0.05)
    assert receiver.contents == ["one"]
    await store_of(scene.server).users.set_banned(scene.bob.id, False)
    await receiver.count(2)
    assert receiver.contents == ["one", "two"]


async def test_members_who_come_and_go_cost_a_hook_nothing(scene: Scene, receiver: Receiver) -> None:
    await scene.hook(receiver)
    await scene.say("one")
    await receiver.count(1)
    (hook,) = scene.server.chat_app.hooks._hooks.values()
    carl = await scene.server.person("carl")
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=carl.id, role="member")
    await carl.patch(f"/chats/{scene.chat_id}/me", favorite=True)
    await carl.patch("/users/me", display_name="Carl")
    await carl.delete(f"/chats/{scene.chat_id}/members/{carl.id}")
    assert not hook._leased.has_changed()


async def test_another_secret_signs_from_then_on(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver)
    await scene.say("one")
    await receiver.count(1)
    await store_of(scene.server).hooks.renew_key(hook.id, scene.ann.id, scene.clock.now(), secret="new")
    await scene.say("two")
    first, second = await receiver.count(2)
    assert first.is_signed_with(SECRET)
    assert second.is_signed_with("new")
    assert not second.is_signed_with(SECRET)


async def test_a_hook_that_is_removed_delivers_nothing_more(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(DOWN)
    hook = await scene.hook(receiver)
    other = await outgoing(scene.server, scene.ann, scene.chat_id, receiver.url + "/other")
    await scene.say("one")
    await scene.failed(hook, 1)
    await scene.failed(other, 1)
    await store_of(scene.server).hooks.remove(hook.id, scene.ann.id, scene.clock.now())
    receiver.answers(Answer())
    scene.clock.advance(1)
    await scene.say("two")
    await scene.failed(other, 0)
    await receiver.count(4)
    assert [request.delivery.split("-")[0] for request in receiver.requests].count(str(hook.id)) == 1
    assert await scene.ann.request("DELETE", f"/chats/{scene.chat_id}") is not None
    scene.clock.advance(1000)
    await asyncio.sleep(0.05)
    assert len(receiver.requests) == 4


# Replies.


async def history(scene: Scene) -> list[Any]:
    page = await scene.ann.get(f"/chats/{scene.chat_id}/messages")
    return list(page["messages"])


async def test_an_answer_with_a_text_is_posted_as_a_reply(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(body=b'{"text": "pong @all"}'), Answer(body=b"ok"))
    hook = await scene.hook(receiver)
    (message,) = await scene.say("ping")
    async with within(20):
        while len(found := await history(scene)) < 2:
            await asyncio.sleep(0.01)
    reply = found[1]
    assert (reply["content"], reply["sender_id"], reply["reply_to"]) == (
        "pong @all",
        hook.user_id,
        message["id"],
    )
    assert reply["mentions_all"] is False
    await scene.say("last")
    await receiver.count(2)
    assert receiver.contents == ["ping", "last"]


async def test_a_reply_is_posted_once_however_often_its_delivery_is_taken(
    scene: Scene, receiver: Receiver
) -> None:
    """The position was not stored after the first time."""
    receiver.answers(Answer(body=b'{"text": "first"}'), Answer(body=b'{"text": "second"}'))
    hook = await scene.hook(receiver)
    store = store_of(scene.server)
    position = (await state_of(scene.server, hook)).delivery
    (ping,) = await scene.say("ping")
    await receiver.count(1)
    await scene.at(hook, position.position + 1)
    await scene.server.stop()
    await scene.server.start()
    store = store_of(scene.server)
    lease = await store.hooks.take(hook.id, scene.server.chat_app.hooks._living())
    assert lease is not None
    assert await store.hooks.save_delivery(hook.id, lease, position)
    await scene.server.restart()
    await receiver.count(2)
    await scene.say("last")
    await receiver.until(lambda: receiver.contents[-1] == "last")
    replies = [message["content"] for message in await history(scene) if message["reply_to"] == ping["id"]]
    assert replies == ["first"]
    assert [request.delivery for request in receiver.requests[:2]] == [receiver.requests[0].delivery] * 2


@pytest.mark.parametrize(
    "body", [b"[]", b'{"text": " "}', b'{"text": 1}', b'{"text": "' + b"x" * 70_000 + b'"}']
)
async def test_other_answers_are_no_replies(scene: Scene, receiver: Receiver, body: bytes) -> None:
    receiver.answers(Answer(body=body))
    hook = await scene.hook(receiver)
    await scene.say("one", "two")
    await receiver.count(2)
    await scene.at(hook, 2)
    assert len(await history(scene)) == 2


async def test_a_long_reply_is_cut_and_answers_to_edits_are_none(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(body=b'{"text": "' + b"x" * 12_000 + b'"}'))
    hook = await scene.hook(receiver, *HOOK_EVENTS)
    (message,) = await scene.say("one")
    await receiver.count(1)
    await scene.ann.patch(f"/messages/{message['id']}", content="two")
    await receiver.until(lambda: receiver.frames[-1]["type"] == "message_updated")
    await scene.at(hook, receiver.frames[-1]["seq"])
    replies = [message for message in await history(scene) if message["sender_id"] == hook.user_id]
    assert [len(reply["content"]) for reply in replies] == [10_000]


# Restarts.


async def test_a_restart_goes_on_where_it_was(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(), DOWN)
    hook = await scene.hook(receiver)
    await scene.say("one", "two", "three")
    await scene.failed(hook, 1)
    await scene.server.restart()
    await asyncio.sleep(0.1)
    assert receiver.contents == ["one", "two"]
    receiver.answers(Answer())
    scene.clock.advance(1)
    await receiver.count(4)
    assert receiver.contents == ["one", "two", "two", "three"]
    await scene.at(hook, 3)
    await scene.server.restart()
    await scene.say("four")
    await receiver.count(5)
    assert receiver.contents[4:] == ["four"]


async def test_a_stop_waits_for_no_receiver(scene: Scene, receiver: Receiver) -> None:
    receiver.answers(Answer(hang=True))
    await scene.hook(receiver)
    await scene.say("one")
    await receiver.count(1)
    async with within(4):
        await scene.server.stop()
    receiver.answers(Answer())
    await scene.server.start()
    await receiver.count(2)
    assert receiver.contents == ["one", "one"]


async def test_a_position_that_only_passed_over_is_stored(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver, "message_deleted")
    await scene.say("one", "two")
    upcoming = scene.server.chat_app.hooks._hooks[hook.id]._upcoming
    await until(lambda: upcoming.position == 2)
    await asyncio.sleep(0.05)
    assert (await state_of(scene.server, hook)).delivery.position == 0
    scene.clock.advance(10)
    await scene.at(hook, 2)
    await scene.say("three")
    await until(lambda: upcoming.position == 3)
    await scene.server.restart()
    await scene.at(hook, 3)
    assert receiver.requests == []


async def test_hooks_that_stand_still_have_no_tasks(scene: Scene, receiver: Receiver) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(10):
        await scene.hook(receiver)
    await scene.say("one")
    await receiver.count(10)
    hooks = scene.server.chat_app.hooks._hooks
    await until(lambda: all(hook._task is None for hook in hooks.values()))
    assert len(hooks) == 10
    assert len(asyncio.all_tasks()) < before + 25  # the receiver has one for each connection
