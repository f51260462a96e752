"""What an outgoing hook has told and tried, over edits while it is behind and over restarts."""

import asyncio
import random

import pytest

from domain.hooks import HOOK_EVENTS, Hook
from tests.hooks.receiver import Answer, Receiver
from tests.hooks.scene import state_of
from tests.hooks.test_outgoing import Scene, scene

__all__ = ["scene"]

pytestmark = pytest.mark.stores

DOWN = Answer(500)


async def test_an_edit_is_told_though_a_reaction_came_after_it(scene: Scene, receiver: Receiver) -> None:
    hook = await scene.hook(receiver, *HOOK_EVENTS)
    (message,) = await scene.say("one")
    await receiver.count(1)
    await scene.at(hook, message["seq"])
    receiver.answers(DOWN)
    await scene.say("two")
    await scene.failed(hook, 1)
    await scene.ann.patch(f"/messages/{message['id']}", content="edited")
    await scene.say("three")
    await scene.bob.request("POST", f"/messages/{message['id']}/reactions/👍")
    receiver.answers(Answer())
    scene.clock.advance(1)
    await scene.say("last")
    await receiver.until(lambda: receiver.contents[-1:] == ["last"])
    assert [frame["content"] for frame in receiver.frames if frame["type"] == "message_updated"] == ["edited"]


async def test_an_edit_is_told_once_however_late_reactions_come(scene: Scene, receiver: Receiver) -> None:
    await scene.hook(receiver, *HOOK_EVENTS)
    message, other = await scene.say("one", "two")
    await receiver.count(2)
    await scene.ann.patch(f"/messages/{message['id']}", content="edited")
    await receiver.until(lambda: receiver.frames[-1]["type"] == "message_updated")
    await scene.bob.request("POST", f"/messages/{message['id']}/reactions/👍")
    await scene.bob.request("POST", f"/messages/{other['id']}/reactions/👍")
    await scene.say("last")
    await receiver.until(lambda: receiver.contents[-1:] == ["last"])
    await scene.bob.request("DELETE", f"/messages/{message['id']}/reactions/👍")
    await scene.say("very last")
    await receiver.until(lambda: receiver.contents[-1:] == ["very last"])
    assert [frame["type"] for frame in receiver.frames].count("message_updated") == 1


async def test_what_is_passed_over_is_stored_before_the_next_one_is_tried(
    scene: Scene, receiver: Receiver
) -> None:
    """So who goes on after a crash does not deliver what this server passed over."""
    hook = await scene.hook(receiver)
    (first,) = await scene.say("one")
    await receiver.count(1)
    receiver.answers(Answer(hang=True))
    await scene.bob.request("POST", f"/messages/{first['id']}/reactions/👍")
    (tried,) = await scene.say("two")
    await receiver.count(2)
    assert (await state_of(scene.server, hook)).delivery.position == tried["seq"] - 1 > first["seq"]


@pytest.mark.long_on_mongo
@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 10))])
async def test_a_hook_that_falls_behind_now_and_then_tells_the_last_state_of_all(
    scene: Scene, receiver: Receiver, seed: int
) -> None:
    """Edits, reactions and deletions of the same messages, while the receiver fails."""
    dice = random.Random(seed)
    hook = await scene.hook(receiver, *HOOK_EVENTS)
    receiver.behave = lambda request: DOWN if dice.random() < 0.4 else Answer()
    messages: list[int] = []
    for number in range(60):
        chance = dice.random()
        path = f"/messages/{dice.choice(messages) if messages else 0}"
        if chance < 0.3 or not messages:
            messages.append((await scene.say(f"message {number}"))[0]["id"])
        elif chance < 0.6:
            await scene.ann.request("PATCH", path, json={"content": f"edit {number}"})
        elif chance < 0.9:
            await scene.ann.request(dice.choice(("POST", "DELETE")), f"{path}/reactions/👍")
        else:
            await scene.ann.request("DELETE", path)
        scene.clock.advance(dice.choice((0, 0, 2)))
    receiver.answers(Answer())
    await scene.say("last")
    while receiver.contents[-1:] != ["last"]:
        scene.clock.advance(1)
        await asyncio.sleep(0.02)
    await told_all(scene, receiver, hook)


async def told_all(scene: Scene, receiver: Receiver, hook: Hook) -> None:
    """Holds the last words to the receiver against what is stored."""
    head = (await scene.ann.get(f"/chats/{scene.chat_id}"))["seq"]
    await scene.at(hook, head)
    last = {}
    for frame in receiver.frames:
        message = frame.get("message")
        last[frame["message_id"] if message is None else message["id"]] = message and message["content"]
    page = await scene.ann.get(f"/chats/{scene.chat_id}/messages", limit=200)
    stored = {message["id"]: message["content"] for message in page["messages"]}
    assert {one: content for one, content in last.items() if content is not None} == stored
