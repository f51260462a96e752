"""A stream in the web client: it grows at the end of the log, and its message takes its place without a jump."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow, Shared
from tests.browser.window import Window

LINES = 40
"""More than a message shows before it is folded."""


class Scene:
    """Bob watches a chat with some history; a connection of Ann streams into it."""

    window: Window

    async def set(self, shared: Shared) -> None:
        self.server = shared.server
        self.ann, self.bob = await shared.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob, name="Lobby")
        await shared.fill(self.ann, self.chat_id, [f"old {number:02}" for number in range(30)])
        self.anns = await self.ann.joined(self.chat_id)
        await self.bob.post(f"/chats/{self.chat_id}/read")
        self.window = await shared.window(self.bob, f"/chats/{self.chat_id}")
        await self.window.connected()
        await self.window.shown("old 29")

    async def stream(self, content: str) -> None:
        await self.anns.done("stream_message", chat_id=self.chat_id, stream_id="a", content=content)

    async def box(self, text: str) -> Any:
        return await self.window.message(text).locator(".bubble").bounding_box()


@pytest_asyncio.fixture(loop_scope="session")
async def scene(shared: Shared) -> AsyncIterator[Scene]:
    scene = Scene()
    await scene.set(shared)
    yield scene
    await scene.anns.close()  # its stream goes with it


def lines(count: int) -> str:
    return "\n".join(f"line {number:02} of **the** answer" for number in range(count))


async def test_a_stream_grows_and_its_message_takes_its_place(scene: Scene) -> None:
    window = scene.window
    announced = window.page.locator("[aria-live=polite]")
    await scene.stream("")
    writing = window.log.get_by_role("article").filter(has_text="Still writing")
    await expect(writing).to_be_in_viewport()
    for count in (1, 10, LINES):
        await scene.stream(lines(count))
        await expect(writing).to_contain_text(f"line {count - 1:02} of the answer")
    await expect(writing.locator("strong").first).to_have_text("the")
    await expect(announced.filter(has_text="answer")).to_have_count(0)
    assert (await scene.bob.get(f"/chats/{scene.chat_id}"))["unread_count"] == 0
    before = await scene.box("of the answer")
    element = await writing.element_handle()
    await scene.anns.done("send_message", chat_id=scene.chat_id, content=lines(LINES), client_id="a")
    await expect(writing).to_have_count(0)
    message = window.message("of the answer")
    await expect(message).to_have_count(1)
    assert await message.evaluate("(one, before) => one === before", element), "the page keeps the element"
    after = await scene.box("of the answer")
    assert (after["width"], after["height"]) == (before["width"], before["height"]), "it is not folded"
    assert abs(after["y"] - before["y"]) < 1
    await expect(announced.filter(has_text="answer").first).to_be_attached()
    await window.page.reload()
    await window.shown("line 00")
    await expect(window.message("of the answer")).to_have_count(1)


async def test_who_reads_further_up_is_not_moved_and_what_ends_without_a_message_goes(scene: Scene) -> None:
    window = scene.window
    await window.log.evaluate("(log) => log.scrollTo(0, log.scrollHeight - log.clientHeight - 150)")
    await expect(window.message("old 22")).to_be_in_viewport()
    before = await scene.box("old 22")
    await scene.stream(lines(5))
    await expect(window.message("line 04")).to_have_count(1)
    assert await scene.box("old 22") == before
    await scene.stream(lines(9))
    await expect(window.message("line 08")).to_have_count(1)
    assert await scene.box("old 22") == before
    await scene.server.chat_app.context.store.chats.remove_member(
        scene.chat_id, scene.ann.id, scene.ann.id, scene.server.chat_app.context.clock.now()
    )
    await expect(window.message("line 08")).to_have_count(0)
    assert await scene.box("old 22") == before


async def test_who_opens_the_chat_meanwhile_sees_it(scene: Scene, open_window: OpenWindow) -> None:
    await scene.stream("what it is so far")
    window = await open_window(scene.server, scene.bob, f"/chats/{scene.chat_id}")
    await window.shown("what it is so far")
