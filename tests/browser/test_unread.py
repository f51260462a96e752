"""A chat that was never read: where it opens, and which messages count as read."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Shared
from tests.browser.window import Window


class Scene:
    """Ann has written to Bob, who has never opened the chat."""

    shared: Shared
    ann: Any
    bob: Any
    chat_id: int

    async def unread(self) -> int:
        return int((await self.bob.get(f"/chats/{self.chat_id}"))["unread_count"])

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while await self.unread() != count:
                await asyncio.sleep(0.02)


async def never_read(shared: Shared, count: int) -> Scene:
    scene = Scene()
    scene.shared = shared
    scene.ann, scene.bob = await shared.people("ann", "bob")
    scene.chat_id = await scene.ann.chat(scene.bob, name="Lobby")
    await shared.fill(scene.ann, scene.chat_id, [f"unread {number:04}" for number in range(count)])
    return scene


def line_of(window: Window) -> Locator:
    return window.page.get_by_role("separator").filter(has_text="New messages")


@pytest.mark.parametrize(
    ("path", "count"),
    [
        pytest.param("/chats/{}", 30, id="by a link-30"),
        pytest.param("/chats/{}", 120, id="by a link-120", marks=pytest.mark.long),
        pytest.param("/chats/{}", 1_100, id="by a link-1100"),
        pytest.param("/", 30, id="by itself-30", marks=pytest.mark.long),
        pytest.param("/", 120, id="by itself-120"),
        pytest.param("/", 1_100, id="by itself-1100", marks=pytest.mark.long),
    ],
)
async def test_it_opens_at_the_first_message(shared: Shared, path: str, count: int) -> None:
    scene = await never_read(shared, count)
    window = await shared.window(scene.bob, path.format(scene.chat_id))
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


async def test_what_is_scrolled_through_is_read_at_its_end(shared: Shared) -> None:
    scene = await never_read(shared, 120)
    window = await shared.window(scene.bob, f"/chats/{scene.chat_id}")
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
