"""The list of chats and the title of the tab: drafts, mentions, what notifies the user."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Shared
from tests.browser.window import Window

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}


def entry(window: Window, name: str) -> Locator:
    return window.chats.get_by_role("link").filter(has_text=name)


async def test_a_draft_is_in_the_list_until_it_is_sent(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chats = {name: await ann.chat(bob, name=name) for name in ("Lobby", "Other")}
    await bob.say(chats["Lobby"], "the last one")
    window = await shared.window(ann, f"/chats/{chats['Lobby']}")
    await window.composer.fill("half a\nthought")
    await expect(entry(window, "Lobby")).not_to_contain_text("Draft")
    await entry(window, "Other").click()
    await expect(entry(window, "Lobby").locator(".preview")).to_have_text("Draft: half a thought")
    await window.page.reload()
    await expect(entry(window, "Lobby").locator(".preview")).to_have_text("Draft: half a thought")
    await entry(window, "Lobby").click()
    await expect(window.composer).to_have_value("half a\nthought")
    await window.composer.press("Enter")
    await window.sent("half a")
    await entry(window, "Other").click()
    await expect(entry(window, "Lobby").locator(".preview")).to_have_text("You: half a thought")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
async def test_mentions_have_a_badge_and_a_level_of_their_own(shared: Shared, options: Any) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    other = await ann.chat(bob, name="Other")
    window = await shared.window(bob, "/" if options else f"/chats/{other}", **options)
    await window.connected()
    title = "Vestnik" if options else "Other – Vestnik"
    await expect(window.page).to_have_title(title)
    await ann.say(chat_id, "for everybody")
    await ann.say(chat_id, "hello @bob")
    lobby = entry(window, "Lobby")
    await expect(lobby.locator(".mention-badge")).to_contain_text("1 mention of you")
    await expect(lobby.locator(".unread-badge")).to_contain_text("2 unread messages")
    await expect(window.page).to_have_title(f"(2) {title}")

    async def choose(level: str) -> None:
        if options:
            box = await lobby.bounding_box()
            assert box is not None
            cdp = await window.context.new_cdp_session(window.page)
            point = {"x": box["x"] + 60, "y": box["y"] + 20}
            await cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
            await expect(window.page.get_by_role("menu")).to_be_visible()
            await cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        else:
            await lobby.click(button="right")
        await window.page.get_by_role("menuitemradio", name=level).click()

    await choose("Mentions only")
    await expect(window.page).to_have_title(f"(1) {title}")
    await ann.say(chat_id, "for everybody, once more")
    await expect(lobby.locator(".unread-badge")).to_contain_text("3 unread messages")
    await expect(window.page).to_have_title(f"(1) {title}")
    await ann.say(chat_id, "and @all")
    await expect(window.page).to_have_title(f"(2) {title}")
    await choose("None")
    await expect(window.page).to_have_title(title)
    await expect(lobby.locator(".mention-badge")).to_contain_text("2 mentions of you")
    await bob.post(f"/chats/{chat_id}/read")
    await expect(lobby.locator(".badge")).to_have_count(0)


async def test_an_open_chat_is_marked_as_unread_by_keys(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    other = await ann.chat(bob, name="Other")
    chat_id = await ann.chat(bob, name="Lobby")
    await ann.say(chat_id, "read already")
    window = await shared.window(bob, f"/chats/{chat_id}")
    await window.connected()
    await window.shown("read already")
    await expect(window.page).to_have_title("Lobby – Vestnik")
    await window.button("Actions for “Lobby”").press("Enter")
    await window.page.get_by_role("menuitem", name="Mark as unread").press("Enter")
    await expect(entry(window, "Lobby")).to_contain_text("Marked as unread")
    await expect(window.button("Actions for “Lobby”")).to_be_focused()
    await expect(window.page).to_have_title("(1) Lobby – Vestnik")
    await entry(window, "Other").click()
    await expect(window.page).to_have_title("(1) Other – Vestnik")
    await expect(window.page).to_have_url(re.compile(f"/chats/{other}$"))
    await entry(window, "Lobby").click()
    await expect(window.page).to_have_title("Lobby – Vestnik")
