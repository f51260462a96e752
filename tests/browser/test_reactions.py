"""Reactions: beside the message and under it, by mouse, keys and touch, and what the server refuses."""

import re
from urllib.parse import quote

from playwright.async_api import Locator, expect

from tests.browser.conftest import Shared
from tests.browser.window import Window
from tests.clients.people import Person

PHONE = {"viewport": {"width": 390, "height": 740}, "has_touch": True, "is_mobile": True}


async def react(person: Person, message_id: int, emoji: str) -> None:
    await person.post(f"/messages/{message_id}/reactions/{quote(emoji)}")


def pill(window: Window, text: str, emoji: str) -> Locator:
    """The pill of an emoji under the message with this text."""
    return window.message(text).get_by_role("button", name=re.compile(f"^{emoji}, "))


async def test_a_reaction_is_there_for_all_and_says_who(shared: Shared) -> None:
    ann, bob, cat = await shared.people("ann", "bob", "cat")
    chat_id = await ann.chat(bob, cat, name="Lobby")
    message = await ann.say(chat_id, "Lunch at one?")
    anns = await shared.window(ann, f"/chats/{chat_id}")
    bobs = await shared.window(bob, f"/chats/{chat_id}")
    for window in (anns, bobs):
        await window.connected()
    await bobs.message("Lunch").hover()
    await bobs.message("Lunch").get_by_role("button", name="React with 👍").click()
    for window, is_own in ((anns, "false"), (bobs, "true")):
        await expect(pill(window, "Lunch", "👍")).to_have_text("👍1")
        await expect(pill(window, "Lunch", "👍")).to_have_attribute("aria-pressed", is_own)
    await expect(bobs.composer).to_be_focused()
    await react(cat, message["id"], "👍")
    await pill(anns, "Lunch", "👍").click()
    await expect(pill(bobs, "Lunch", "👍")).to_have_text("👍3")
    await pill(anns, "Lunch", "👍").hover()
    await expect(anns.page.get_by_role("tooltip")).to_have_text("You, bob, and cat")
    await pill(anns, "Lunch", "👍").click()
    await expect(pill(bobs, "Lunch", "👍")).to_have_text("👍2")
    await pill(bobs, "Lunch", "👍").click()
    await cat.request("DELETE", f"/messages/{message['id']}/reactions/{quote('👍')}")
    await expect(pill(anns, "Lunch", "👍")).to_have_count(0)


async def test_any_emoji_by_keys(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await bob.say(chat_id, "We have landed")
    window = await shared.window(ann, f"/chats/{chat_id}")
    await window.connected()
    keys, message = window.page.keyboard, window.message("landed")
    await message.focus()
    await message.press("Enter")
    await expect(window.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await keys.press("ArrowDown")
    await expect(window.page.get_by_role("menuitem", name="Add a reaction")).to_be_focused()
    await keys.press("Enter")
    await expect(window.page.get_by_role("dialog", name="Add a reaction")).to_be_visible()
    await keys.type("rocket")
    await expect(window.page.get_by_role("option", name="rocket")).to_be_visible()
    await keys.press("Enter")
    await expect(pill(window, "landed", "🚀")).to_have_attribute("aria-pressed", "true")
    await expect(message).to_be_focused()
    # From the message, Tab leads through its reactions and its bar; the new one is the first of the recent ones there.
    await keys.press("Tab")
    await expect(message.get_by_role("button", name="React with 🚀")).to_be_focused()
    for _ in range(6):
        await keys.press("Tab")
    await expect(pill(window, "landed", "🚀")).to_be_focused()
    await expect(window.page.get_by_role("tooltip")).to_have_text("You")
    await keys.press("Space")
    await expect(pill(window, "landed", "🚀")).to_have_count(0)
    await expect(message).to_be_focused()


async def test_by_touch_in_the_sheet_of_the_message(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    message = await bob.say(chat_id, "Sunny here")
    await react(bob, message["id"], "☀️")
    window = await shared.window(ann, f"/chats/{chat_id}", **PHONE)
    await window.connected()
    page = window.page
    await window.message("Sunny").locator(".text").tap()
    await window.message("Sunny").get_by_role("button", name="Message menu").tap()
    sheet = page.get_by_role("menu")
    await expect(sheet).to_be_visible()
    box = await sheet.bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 740)
    await sheet.get_by_role("menuitem", name="React with ❤️").tap()
    await expect(pill(window, "Sunny", "❤️")).to_have_attribute("aria-pressed", "true")
    await pill(window, "Sunny", "☀️").tap()
    await expect(pill(window, "Sunny", "☀️")).to_have_text("☀️2")
    await window.message("Sunny").locator(".text").tap()
    await window.message("Sunny").get_by_role("button", name="Message menu").tap()
    await sheet.get_by_role("menuitem", name="Who reacted").tap()
    await expect(page.get_by_role("dialog", name="Reactions")).to_contain_text(
        re.compile("2.*bob.*ann.*1.*ann")
    )


async def test_what_the_server_refuses_is_taken_back_and_said(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    message = await ann.say(chat_id, "Twenty of them")
    for number in range(20):
        await react(bob, message["id"], chr(ord("🍀") + number))
    window = await shared.window(ann, f"/chats/{chat_id}")
    await window.connected()
    await window.message("Twenty").hover()
    await window.message("Twenty").get_by_role("button", name="React with 👍").click()
    await expect(window.page.get_by_text("as many reactions as it can have")).to_be_visible()
    await expect(pill(window, "Twenty", "👍")).to_have_count(0)
    await expect(window.message("Twenty").locator(".pill")).to_have_count(20)
    await pill(window, "Twenty", "🍀").click()
    await expect(pill(window, "Twenty", "🍀")).to_have_text("🍀2")
