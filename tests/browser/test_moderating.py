"""Moderation: what an owner does in the menus of a chat, and what the others are told."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenWindow
from tests.browser.window import Window
from tests.conftest import Server, serving

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "locale": "ru-RU"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One server for the tests of this module, whose people and chats do not meet."""
    async with serving(tmp_path_factory.mktemp("moderating")) as serve:
        yield await serve()


def dialog(window: Window) -> Locator:
    return window.page.get_by_role("dialog")


def question(window: Window) -> Locator:
    return window.page.get_by_role("alertdialog")


async def choose(window: Window, username: str, act: str) -> None:
    """Picks an entry of the menu of a member, by keys."""
    await window.button(f"What to do with {username}").focus()
    await window.page.keyboard.press("Enter")
    await window.page.get_by_role("menuitem", name=act, exact=True).press("Enter")


async def test_a_member_is_muted_removed_and_banned_and_told_so(
    server: Server, open_window: OpenWindow
) -> None:
    ann, bob = await server.people("ann", "bob")
    lobby, other = await ann.chat(bob, name="Lobby"), await ann.chat(bob, name="Other")
    await bob.say(lobby, "buy this")
    anns, bobs = await open_window(server, ann, f"/chats/{lobby}"), await open_window(server, bob, **PHONE)
    await bobs.chats.get_by_role("link").filter(has_text="Lobby").click()
    await expect(bobs.composer).to_be_visible()

    await anns.message("buy this").focus()
    await anns.page.keyboard.press("Enter")
    await anns.page.get_by_role("menuitem", name="Delete").press("Enter")
    await expect(question(anns)).to_contain_text("Delete the message of bob?")
    await question(anns).get_by_role("button", name="Delete").click()
    await expect(bobs.message("buy this")).to_have_count(0)

    await bobs.composer.fill("half a thought")
    await anns.button("About this chat").click()
    await choose(anns, "bob", "Mute…")
    hours = question(anns).get_by_label("For how long")
    await expect(hours).to_be_focused()
    await hours.select_option("8 hours")
    await question(anns).get_by_role("button", name="Mute").click()
    await expect(dialog(anns)).to_contain_text(re.compile(r"muted until .* · @bob"))
    await expect(bobs.page.get_by_text("Вам запрещено писать здесь до")).to_be_visible()
    await expect(bobs.composer).to_have_count(0)
    await choose(anns, "bob", "Lift the mute")
    await expect(anns.button("What to do with bob")).to_be_focused()
    await expect(bobs.composer).to_have_value("half a thought")

    await choose(anns, "bob", "Remove from the chat")
    await question(anns).get_by_role("button", name="Remove").click()
    await expect(bobs.page.get_by_role("alert")).to_have_text("Вас удалили из чата «Lobby».")
    await anns.page.keyboard.press("Escape")

    await anns.chats.get_by_role("link").filter(has_text="Other").click()
    await anns.button("About this chat").click()
    await choose(anns, "bob", "Ban…")
    await expect(question(anns)).to_contain_text("Ban bob from “Other”?")
    reason = question(anns).get_by_label("Reason")
    await expect(reason).to_be_focused()
    await reason.fill("selling things")
    await anns.page.keyboard.press("Enter")
    await expect(bobs.page.get_by_text("Вас заблокировали в чате «Other».")).to_be_visible()
    await expect(bobs.chats.get_by_role("link")).to_have_count(0)

    await ann.patch(f"/chats/{other}", is_public=True)
    await bobs.page.get_by_role("link", name="К списку чатов").click()
    await bobs.page.get_by_role("button", name="Меню").first.click()
    await bobs.page.get_by_role("menuitem", name="Открытые чаты").click()
    bobs.expects("status of 403")
    await bobs.button("Вступить в чат «Other»").click()
    await expect(bobs.page.get_by_text("Вы заблокированы в чате «Other».")).to_be_visible()

    await dialog(anns).get_by_role("button", name="Banned people").click()
    await expect(dialog(anns)).to_contain_text("selling things")
    await anns.button("Lift the ban of bob").click()
    await expect(dialog(anns)).to_contain_text("Nobody is banned.")
    await bobs.button("Вступить в чат «Other»").click()
    await expect(bobs.composer).to_be_visible()

    await anns.page.keyboard.press("Escape")
    await expect(dialog(anns).get_by_role("button", name="Banned people")).to_be_focused()
    await dialog(anns).get_by_role("button", name="Change log").click()
    entries = dialog(anns).get_by_role("listitem")
    await expect(entries.first).to_contain_text("bob joined")
    said = " | ".join(await entries.all_inner_texts())
    for words in (
        "ann lifted the ban of bob",
        "ann made the chat public",
        "ann banned bob: “selling things”",
    ):
        assert words in said


async def test_slow_mode_counts_down_in_the_composer(server: Server, open_window: OpenWindow) -> None:
    vera, tom = await server.people("vera", "tom")
    chat_id = await vera.chat(tom, name="Busy")
    veras, toms = [await open_window(server, one, f"/chats/{chat_id}") for one in (vera, tom)]
    await veras.button("About this chat").click()
    await dialog(veras).get_by_label("Slow mode").select_option("1 minute")
    await expect(toms.composer).to_have_attribute("placeholder", "Message (one per 1 minute)")
    await toms.say("the first one")
    countdown = toms.page.locator(".composer .wait")
    await expect(countdown).to_have_text(re.compile(r"^(1:00|0:[1-5]\d)$"))
    await toms.say("too early")
    await expect(toms.composer).to_have_value("too early")
    await expect(toms.message("too early")).to_have_count(0)
    await toms.page.reload()
    await expect(countdown).to_be_visible()
    await expect(toms.composer).to_have_value("too early")
    await dialog(veras).get_by_label("Slow mode").select_option("off")
    await toms.button("Send").click()
    await toms.shown("the first one", "too early")
