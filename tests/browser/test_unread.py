"""A chat that was never read: where it opens, and which messages count as read."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from domain.models import Draft
from tests.browser.conftest import OpenWindow
from tests.browser.window import Window
from tests.conftest import Serve


class Scene:
    """Ann has written to Bob, who has never opened the chat."""

    server: Any
    ann: Any
    bob: Any
    chat_id: int

    async def unread(self) -> int:
        return int((await self.bob.get(f"/chats/{self.chat_id}"))["unread_count"])

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while await self.unread() != count:
                await asyncio.sleep(0.02)


async def never_read(serve: Serve, count: int) -> Scene:
    scene = Scene()
    scene.server = await serve(messages_per_s=0)
    scene.ann, scene.bob = await scene.server.people("ann", "bob")
    scene.chat_id = await scene.ann.chat(scene.bob, name="Lobby")
    messages = scene.server.chat_app.context.store.messages
    now = datetime.now(UTC)
    drafts = [Draft(scene.chat_id, scene.ann.id, f"unread {number:04}", now) for number in range(count)]
    await asyncio.gather(*map(messages.append, drafts))  # over the wire they would take longer than the test
    return scene


def line_of(window: Window) -> Locator:
    return window.page.get_by_role("separator").filter(has_text="New messages")


@pytest.mark.parametrize("count", [30, 120, 1_100])
@pytest.mark.parametrize("path", ["/chats/1", "/"], ids=["by a link", "by itself"])
async def test_it_opens_at_the_first_message(
    serve: Serve, open_window: OpenWindow, count: int, path: str
) -> None:
    scene = await never_read(serve, count)
    window = await open_window(scene.server, scene.bob, path)
    await window.connected()
    await expect(line_of(window)).to_be_in_viewport()
    await window.shown("unread 0000")
    await expect(window.page.locator(".floating-date.shown")).to_have_count(0)  # it would cover the line
    await window.page.wait_for_load_state("networkidle")
    await expect(window.page).to_have_title(re.compile(r"^\(\d+\+?\) "))
    assert await scene.unread() == min(count, 1_000), "nothing was seen but the first of them"
    await window.page.get_by_role("button", name=re.compile("^To the latest")).click()
    await window.shown(f"unread {count - 1:04}")
    await scene.until(0)
    await expect(window.page).to_have_title("Lobby – Vestnik")


async def test_what_is_scrolled_through_is_read_at_its_end(serve: Serve, open_window: OpenWindow) -> None:
    scene = await never_read(serve, 120)
    window = await open_window(scene.server, scene.bob, f"/chats/{scene.chat_id}")
    await expect(line_of(window)).to_be_in_viewport()
    await window.log.hover()
    for _ in range(200):
        if await window.message("unread 0119").count():
            break
        assert await scene.unread() == 120
        await window.page.mouse.wheel(0, 400)
        await window.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    await window.log.evaluate("(log) => { log.scrollTop = log.scrollHeight }")
    await window.shown("unread 0119")
    await scene.until(0)
