"""Bots: making one and its token in the profile, and how others see it."""

import re

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.clients.people import Person
from tests.conftest import Server


async def test_a_bot_is_made_gets_another_token_and_is_deleted(
    server: Server, open_window: OpenWindow
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat(name="Lobby")
    window = await open_window(server, ann, f"/chats/{chat_id}")
    page = window.page
    await window.connected()
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Profile").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Bots").click()
    await dialog.get_by_label("Username of the bot").fill("echo")
    await dialog.get_by_label("Name shown to others").fill("Echo")
    await dialog.get_by_role("button", name="Create a bot").click()
    shown = dialog.get_by_label("Token of Echo")
    await expect(shown).to_have_value(re.compile("^vb_"))
    bot = Person(ann.http, ann.url, ann.ws_url, "echo")
    bot.token = await shown.input_value()
    bot.id = (await bot.get("/users/me"))["id"]
    await dialog.get_by_role("button", name="Done").click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("Echo")
    await expect(dialog.get_by_text("bot", exact=True)).to_be_visible()
    assert bot.token not in await page.content()

    await ann.post(f"/chats/{chat_id}/members", user_id=bot.id)
    await bot.say(chat_id, "I am here")
    article = window.message("I am here")
    await expect(article.get_by_text("bot", exact=True)).to_be_attached()

    await dialog.get_by_role("button", name="New token for Echo").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="New token").click()
    await expect(shown).to_have_value(re.compile("^vb_"))
    assert (await bot.request("GET", "/users/me"))[0] == 401
    bot.token = await shown.input_value()
    await bot.get("/users/me")
    await dialog.get_by_role("button", name="Done").click()

    await dialog.get_by_role("button", name="Delete Echo").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(dialog.get_by_text("You have no bots.")).to_be_visible()
    assert (await bot.request("GET", "/users/me"))[0] == 401


async def test_bots_are_marked(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    made = await ann.post("/bots", username="echo", display_name="Echo")
    bot = Person(ann.http, ann.url, ann.ws_url, "echo")
    bot.id, bot.token = made["bot"]["id"], made["token"]
    lobby = await ann.chat(bob, bot, name="Lobby")
    await bot.say(lobby, "from a bot")
    await ann.say(lobby, "from a person")
    private = await bob.chat(bot, chat_type="private", name=None)
    await bob.say(private, "hello")
    window = await open_window(server, bob, f"/chats/{lobby}")
    await window.read("from a bot", "from a person")
    for text, count in (("from a bot", 1), ("from a person", 0)):
        await expect(window.message(text).get_by_text("bot", exact=True)).to_have_count(count)
    await expect(window.chats.get_by_role("link", name="Echo").get_by_text("bot", exact=True)).to_be_visible()
    await expect(window.chats.get_by_role("link", name="Lobby").get_by_text("bot", exact=True)).to_have_count(
        0
    )
    await window.chats.get_by_role("link", name="Echo").click()
    await expect(window.page.get_by_role("heading", name="Echo bot")).to_be_visible()
