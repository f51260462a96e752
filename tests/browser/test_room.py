"""A chat with a history: the position in it, and the new messages."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from domain.models import Message
from tests.browser.conftest import Shared
from tests.browser.window import Window


class Scene:
    """A chat of Ann and Bob, in which Bob has read the first 40 of 80 messages of Ann."""

    shared: Shared
    ann: Any
    bob: Any
    chat_id: int
    messages: Sequence[Message]

    async def say(self, count: int, word: str) -> Sequence[Message]:
        """Before a window looks at the chat."""
        return await self.shared.fill(
            self.ann, self.chat_id, [f"{word} {number:03}" for number in range(count)]
        )


@pytest_asyncio.fixture(loop_scope="session")
async def scene(shared: Shared) -> Scene:
    scene = Scene()
    scene.shared = shared
    scene.ann, scene.bob = await shared.people("ann", "bob")
    scene.chat_id = await scene.ann.chat(scene.bob, name="Lobby")
    scene.messages = await scene.say(80, "old")
    await scene.bob.post(f"/chats/{scene.chat_id}/read", up_to=scene.messages[39].id)
    return scene


async def open_room(scene: Scene, path: str = "") -> Window:
    window = await scene.shared.window(scene.bob, path or f"/chats/{scene.chat_id}")
    await window.connected()
    return window


async def unread(scene: Scene) -> int:
    return int((await scene.bob.get(f"/chats/{scene.chat_id}"))["unread_count"])


async def until(scene: Scene, count: int) -> None:
    async with asyncio.timeout(30):
        while await unread(scene) != count:
            await asyncio.sleep(0.02)


async def test_it_opens_at_the_unread_line_which_stays(scene: Scene) -> None:
    window = await open_room(scene)
    line = window.page.get_by_role("separator").filter(has_text="New messages")
    await expect(line).to_be_in_viewport()
    await window.shown("old 040")
    await (
        window.button("Jump to the latest message")
        .or_(window.page.get_by_role("button", name=re.compile("^To the latest")))
        .click()
    )
    await window.shown("old 079")
    await until(scene, 0)
    await scene.ann.say(scene.chat_id, "while reading")
    await window.shown("while reading")
    await expect(line).to_have_count(1)
    await expect(line).not_to_be_in_viewport()


async def test_at_the_end_it_stays_at_the_end_when_names_and_quotes_come(shared: Shared) -> None:
    ann, *others = await shared.people("ann", *(f"person{number}" for number in range(8)))
    chat_id = await ann.chat(*others, name="Lobby")
    first = await others[0].say(chat_id, "what is answered")
    for number in range(16):
        await others[number % 8].say(chat_id, f"answer {number:02}", reply_to=first["id"])
    await ann.post(f"/chats/{chat_id}/read")
    window = await shared.window(ann, f"/chats/{chat_id}")
    await expect(window.message("answer 15")).to_contain_text("person7")
    await expect(window.message("answer 15")).to_contain_text("what is answered")
    await window.page.wait_for_load_state("networkidle")
    await window.shown("answer 15")
    await expect(window.button("Jump to the latest message")).to_have_count(0)


async def test_only_who_sees_the_end_has_read_it(scene: Scene) -> None:
    window = await open_room(scene)
    await window.shown("old 040")
    await scene.ann.say(scene.chat_id, "further down")
    jump = window.page.get_by_role("button", name=re.compile("^To the latest"))
    await expect(jump).to_be_visible()
    await expect(window.message("further down")).not_to_be_in_viewport()
    assert await unread(scene) > 0
    await jump.click()
    await window.shown("further down")
    await until(scene, 0)
    await expect(jump).to_have_count(0)


async def test_the_history_comes_as_one_goes_up_without_a_jump(scene: Scene) -> None:
    await scene.bob.post(f"/chats/{scene.chat_id}/read")
    await scene.say(150, "new")
    await scene.bob.post(f"/chats/{scene.chat_id}/read")
    window = await open_room(scene)
    await window.shown("new 149")
    await window.log.hover()
    moves: list[float] = []
    for _ in range(400):
        if await window.message("old 000").count():
            break
        place = await window.page.evaluate(
            """async () => {
              const log = document.querySelector('[role=log]')
              // As it is painted: what a change moves is put back before that; an observer is told the place after.
              const topOf = (element) =>
                new Promise((done) => {
                  const observer = new IntersectionObserver(([entry]) => {
                    observer.disconnect()
                    done(entry.boundingClientRect.top)
                  })
                  observer.observe(element)
                })
              const middle = log.getBoundingClientRect().top + 40
              const seen = [...log.querySelectorAll('article')].find((e) => e.getBoundingClientRect().bottom > middle)
              const before = await topOf(seen)
              log.scrollTop -= 200
              await new Promise(requestAnimationFrame)
              const after = await topOf(seen)
              return seen.isConnected ? after - before : 200
            }"""
        )
        moves.append(place)
    await expect(window.message("old 000")).to_have_count(1)
    assert [move for move in moves[:-3] if not -1 <= move <= 201] == []
    shown = await window.log.get_by_role("article").count()
    assert shown <= 320, "only a part of the history is in the page"


async def test_a_link_to_a_message_opens_there(scene: Scene) -> None:
    await scene.bob.post(f"/chats/{scene.chat_id}/read")
    message = scene.messages[5]
    window = await open_room(scene, f"/chats/{scene.chat_id}?message={message.id}")
    await window.shown("old 005")


async def test_an_unread_count_comes_and_goes_in_the_list_and_in_the_title(scene: Scene) -> None:
    await scene.bob.post(f"/chats/{scene.chat_id}/read")
    other = await scene.ann.chat(scene.bob, name="Other")
    window = await open_room(scene, f"/chats/{other}")
    entry = window.chats.get_by_role("link").filter(has_text="Lobby")
    await expect(entry).to_be_visible()
    await scene.ann.say(scene.chat_id, "one")
    await scene.ann.say(scene.chat_id, "two")
    await expect(entry).to_contain_text("two")
    await expect(entry.get_by_text("2 unread messages")).to_have_count(1)
    await expect(window.page).to_have_title(re.compile(r"^\(2\) "))
    await entry.click()
    await window.shown("two")
    await expect(window.page).to_have_title(re.compile(r"^(?!\()"))


async def test_a_draft_is_kept(scene: Scene) -> None:
    other = await scene.ann.chat(scene.bob, name="Other")
    window = await open_room(scene)
    await window.composer.fill("not yet sent")
    await window.goto(f"/chats/{other}")
    await expect(window.composer).to_have_value("")
    await window.goto(f"/chats/{scene.chat_id}")
    await expect(window.composer).to_have_value("not yet sent")


async def test_text_stays_text_and_links_are_links(scene: Scene) -> None:
    await scene.bob.post(f"/chats/{scene.chat_id}/read")
    window = await open_room(scene)
    await scene.ann.say(
        scene.chat_id, "<img src=x onerror=alert(1)> https://example.org/x javascript:alert(1)"
    )
    message = window.message("<img src=x onerror=alert(1)>")
    await expect(message).to_be_in_viewport()
    links = message.get_by_role("link")
    await expect(links).to_have_count(1)
    await expect(links).to_have_attribute("href", "https://example.org/x")
    await expect(links).to_have_attribute("rel", "noopener noreferrer")


async def test_a_removed_member_is_led_out_and_an_added_one_sees_the_chat(scene: Scene) -> None:
    window = await open_room(scene)
    await expect(window.composer).to_be_visible()
    window.expects("status of 404")  # the client may be asking for it, and for whether the chat is gone
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{scene.bob.id}")
    await expect(window.chats.get_by_role("link")).to_have_count(0)
    await expect(window.composer).to_have_count(0)
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=scene.bob.id)
    await expect(window.chats.get_by_role("link").filter(has_text="Lobby")).to_be_visible()
