"""Slow answers: they do not undo the events that came meanwhile."""

import asyncio
import contextlib
import re

from playwright.async_api import Error, Route, expect

from tests.browser.conftest import OpenWindow, Shared
from tests.browser.window import Window
from tests.conftest import Server

LATENCY_S = 0.06


async def slow(window: Window) -> None:
    """Delays each answer, so that it may be outdated when it comes."""

    async def handle(route: Route) -> None:
        # A page that was closed meanwhile waits for no answer.
        with contextlib.suppress(Error):
            response = await route.fetch()
            await asyncio.sleep(LATENCY_S)
            await route.fulfill(response=response)

    await window.page.route("**/api/**", handle)


async def test_messages_deleted_in_a_row_are_gone_from_the_list(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    other = await ann.chat(bob, name="Other")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "this one stays")
    window = await shared.window(bob, f"/chats/{other}")
    await window.connected()
    await slow(window)
    entry = window.chats.get_by_role("link").filter(has_text="ann")
    for round_ in range(3):
        said = [await ann.say(chat_id, f"round {round_}, {number}") for number in range(6)]
        await expect(entry).to_contain_text(f"round {round_}, 5")
        for message in reversed(said):
            await ann.delete(f"/messages/{message['id']}")
        await expect(entry).to_contain_text("this one stays")
        await expect(entry.get_by_text("1 unread message", exact=True)).to_have_count(1)
        await expect(window.page).to_have_title("(1) Other – Vestnik")


async def test_what_is_read_elsewhere_message_by_message_is_read_here(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    other = await ann.chat(bob, name="Other")
    window = await shared.window(bob, f"/chats/{other}")
    await window.connected()
    await slow(window)
    for chat_type in ("private", "group"):
        chat_id = await ann.chat(bob, chat_type=chat_type, name="Lobby")
        said = [await ann.say(chat_id, f"{chat_type} {number}") for number in range(8)]
        await expect(window.page).to_have_title("(8) Other – Vestnik")
        for message in said:
            await bob.post(f"/chats/{chat_id}/read", up_to=message["id"])
        await expect(window.page).to_have_title("Other – Vestnik")


async def test_members_added_in_a_row_are_all_there(shared: Shared) -> None:
    ann, bob, *others = await shared.people("ann", "bob", *(f"person{number}" for number in range(8)))
    chat_id = await ann.chat(bob, name="Lobby")
    window = await shared.window(bob, f"/chats/{chat_id}")
    await window.connected()
    header = window.page.locator("header", has=window.page.get_by_role("heading", name="Lobby"))
    await expect(header).to_contain_text("2 members")
    await slow(window)
    await header.get_by_role("button", name="About this chat").click()
    dialog = window.page.get_by_role("dialog")
    await expect(dialog.get_by_role("listitem")).to_have_count(2)
    for other in others:
        await ann.post(f"/chats/{chat_id}/members", user_id=other.id)
    await expect(dialog.get_by_role("listitem")).to_have_count(10)
    await expect(dialog).to_contain_text("10 members")
    await window.page.keyboard.press("Escape")
    await expect(header).to_contain_text("10 members")


async def test_more_chats_than_a_page_count_in_the_title(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    for number in range(70):
        chat_id = await ann.chat(bob, name=f"Room {number}")
        if number < 60:
            await ann.say(chat_id, "unread")
    window = await open_window(server, bob, "/chats/70")
    await expect(window.page).to_have_title(re.compile(r"^\(60\) "))
