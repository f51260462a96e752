"""The panes of the window, and the keys that lead to writing."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Route, expect

from tests.browser.conftest import OpenWindow, Shared
from tests.browser.window import EMPTY_PAGE, Window

WIDE = {"viewport": {"width": 1200, "height": 800}}
HELD_S = 0.4

_SHIFTS = """
window.shifts = []
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value)
}).observe({ type: 'layout-shift', buffered: true })
const look = () => {
  window.hadBones = [...document.querySelectorAll('.bone')].some((bone) => bone.checkVisibility())
  if (!window.hadBones) requestAnimationFrame(look)
}
look()
"""


def panel(window: Window) -> Locator:
    return window.page.get_by_role("dialog", name="Group")


async def test_two_panes_from_640_px(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    window = await shared.window(ann, f"/chats/{chat_id}", viewport={"width": 640, "height": 800})
    await expect(window.composer).to_be_visible()
    await expect(window.chats).to_be_visible()
    await expect(window.page.get_by_role("link", name="To your chats")).not_to_be_visible()
    room = await window.page.get_by_role("main").bounding_box()
    assert room is not None
    assert room["width"] >= 360
    assert await window.page.evaluate("document.documentElement.scrollWidth") == 640
    await window.page.set_viewport_size({"width": 639, "height": 800})
    await expect(window.chats).not_to_be_visible()
    await window.page.get_by_role("link", name="To your chats").click()
    await expect(window.chats).to_be_visible()
    await expect(window.composer).to_have_count(0)


async def test_about_a_chat_is_a_panel_beside_it(shared: Shared) -> None:
    ann, bob, eve = await shared.people("ann", "bob", "eve")
    other = await ann.chat(bob, name="Other")
    chat_id = await ann.chat(bob, eve, name="Lobby")
    text = "a longer message whose lines break elsewhere in a narrow chat: {:02} " * 3
    await shared.fill(bob, chat_id, [text.format(number, number, number) for number in range(40)])
    await ann.post(f"/chats/{chat_id}/read")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    page = window.page
    await window.shown(": 39 ")
    await window.log.evaluate("(log) => { log.scrollTop = log.scrollHeight / 2 }")
    await expect(window.button("Jump to the latest message")).to_be_visible()
    first = await first_visible(window)
    about = window.button("About this chat")
    await about.press("Enter")
    await expect(panel(window)).to_be_focused()
    await expect(panel(window).get_by_role("listitem")).to_have_count(3)
    await expect(about).to_have_attribute("aria-expanded", "true")
    assert await first_visible(window) == first, "the narrower chat shows the same messages"
    # The chat stays usable.
    await window.composer.fill("beside the panel")
    await window.composer.press("Enter")
    await window.sent("beside the panel")
    # The panel goes along to another chat and leaves the focus alone.
    await window.chats.get_by_role("link").filter(has_text="Other").click()
    await expect(page).to_have_url(re.compile(f"/chats/{other}$"))
    await expect(panel(window)).to_contain_text("Other")
    await expect(panel(window).get_by_role("listitem")).to_have_count(2)
    await expect(window.composer).to_be_focused()
    # Back closes it and nothing else; Escape closes it from the chat.
    await page.evaluate("history.back()")
    await expect(panel(window)).to_have_count(0)
    await expect(page).to_have_url(re.compile(f"/chats/{other}$"))
    await about.press("Enter")
    await expect(panel(window)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(panel(window)).to_have_count(0)
    await expect(about).to_be_focused()
    await about.click()
    await page.set_viewport_size({"width": 1000, "height": 800})
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await about.click()
    await expect(page.locator(".veil")).to_be_visible()


async def first_visible(window: Window) -> Any:
    return await window.page.evaluate(
        """() => {
          const log = document.querySelector('[role=log]')
          const { top } = log.getBoundingClientRect()
          const seen = [...log.querySelectorAll('[data-seq]')].find((e) => e.getBoundingClientRect().bottom > top)
          return seen.dataset.seq
        }"""
    )


async def test_letters_go_to_the_composer_from_anywhere(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await bob.say(chat_id, "click me")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    keys = window.page.keyboard
    await window.message("click me").click()
    await expect(window.composer).not_to_be_focused()
    await keys.type("Hello, ")
    await expect(window.composer).to_have_value("Hello, ")
    await window.chats.get_by_role("link").first.focus()
    await keys.type("wörld")
    await expect(window.composer).to_have_value("Hello, wörld")
    await window.button("About this chat").click()
    await expect(panel(window)).to_be_focused()
    await keys.type("!")
    await expect(window.composer).to_have_value("Hello, wörld!")
    # A field, a menu and a dialog keep what is typed in them.
    search = window.page.get_by_role("combobox", name="Search for chats")
    await search.click()
    await keys.type("lob")
    await expect(search).to_have_value("lob")
    await window.button("Actions for “Lobby”").press("Enter")
    await expect(window.page.get_by_role("menu")).to_be_visible()
    await keys.type("mark")
    await expect(window.page.get_by_role("menuitem", name="Mark as unread")).to_be_focused()
    await keys.press("Escape")
    await expect(window.composer).to_have_value("Hello, wörld!")


@pytest.mark.parametrize("width", [390, 1200])
async def test_nothing_moves_while_the_page_loads(
    shared: Shared, open_window: OpenWindow, width: int
) -> None:
    ann, bob = await shared.people("ann", "bob")
    chats = [await ann.chat(bob, name=f"Chat {number}") for number in range(12)]
    [*_, message] = await shared.fill(bob, chats[0], [f"said {number}" for number in range(40)])
    await ann.post(f"/messages/{message.id}/pin")
    await ann.post(f"/chats/{chats[0]}/read")
    window = await open_window(shared.server, ann, EMPTY_PAGE, viewport={"width": width, "height": 800})
    await window.context.add_init_script(_SHIFTS)

    async def held(route: Route) -> None:
        await asyncio.sleep(HELD_S)
        await route.continue_()

    await window.page.route("**/api/chats**", held)
    await window.goto(f"/chats/{chats[0]}")
    await window.shown("said 39")
    await window.page.wait_for_load_state("networkidle")
    await expect(window.page.locator(".bone")).to_have_count(0)
    await expect(window.page.get_by_role("region", name="Pinned messages")).to_be_visible()
    assert await window.page.evaluate("window.hadBones"), "nothing was shown while the answers were held up"
    assert sum(await window.page.evaluate("window.shifts")) <= 0.05
