"""Every view and dialog of the client, one after the other, filled with data."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from playwright.async_api import Locator, expect

from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3

FORMATTED = (
    f"""**Bold** _italic_ ~~struck out~~ `{LONG}`
> {LONG}
1. {LONG}
   - [{LONG[:150]}](https://example.org/)
```text
{LONG}
```
"""
    + "and so on\n" * 30
)


class Seed:
    """Ann and her chats: a group with many messages, a channel, and a private chat with an unread message."""

    ann: Person
    others: list[Person]
    group: int
    channel: int
    private: int
    empty: int
    invite: str


async def seeded(server: Server) -> Seed:
    seed = Seed()
    seed.ann, *seed.others = await server.people("ann", "bob", "boris", "eve-with-quite-a-long-name")
    bob, boris, eve = seed.others
    await boris.patch("/users/me", display_name="Борис Петрович")
    seed.group = await seed.ann.chat(*seed.others, name="Weekend plans and everything about them")
    seed.channel = await eve.chat(seed.ann, chat_type="channel", name="Новости")
    seed.private = await bob.chat(seed.ann, chat_type="private")
    await eve.say(seed.channel, "Only I write here.")
    first = await bob.say(
        seed.group, "Who has the key? See https://example.org/a/rather/long/way/to/say/it?q=1#top"
    )
    await boris.say(seed.group, "Ключ у меня.\nЗаберите вечером.", reply_to=first["id"])
    await eve.say(seed.group, LONG)
    await bob.say(seed.group, FORMATTED)
    mine = await seed.ann.say(seed.group, "I will be htere")
    await seed.ann.patch(f"/messages/{mine['id']}", content="I will be there")
    for person in seed.others:
        for number in range(2):
            await person.say(seed.group, f"Fine with me, {number + 1}")
    for person, emoji in zip((seed.ann, *seed.others), "👍👍❤🎉", strict=True):
        await person.post(f"/messages/{mine['id']}/reactions/{quote(emoji)}")
    for message in (mine, first):
        await seed.ann.post(f"/messages/{message['id']}/pin")
    await boris.say(seed.group, "And you, @ann?")
    await bob.say(seed.private, "Are you coming?")
    seed.invite = (await seed.ann.post(f"/chats/{seed.group}/invites"))["code"]
    seed.empty = await seed.ann.chat(*seed.others, name="Brand new")
    await seed.ann.patch(f"/chats/{seed.group}/me", favorite=True)
    await seed.ann.patch(f"/chats/{seed.empty}/me", hidden=True)
    return seed


async def public_places(window: Window, seed: Seed) -> AsyncIterator[str]:
    """The views without a login. The window is at a view when its name is yielded."""
    page = window.page
    await window.goto("/login")
    await expect(window.page.locator("form")).to_be_visible()
    yield "login"
    await window.goto("/register")
    await expect(window.page.locator("form")).to_be_visible()
    await window.page.locator("form").get_by_role("button").last.click()
    await expect(window.page.locator("[aria-invalid=true]")).to_have_count(2)
    yield "register, with errors"
    for path in ("/setup", "/invite/unknown", f"/invite/{seed.invite}"):
        await window.goto(path)
        await expect(page.locator("main a.button").first).to_be_visible()
        yield path
    await page.locator("main a.button.primary").click()
    await expect(page.locator("form")).to_be_visible()
    yield "register with an invite"
    await window.goto("/setup?code=CODE")
    await page.locator("form").get_by_role("button").last.click()
    await expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    yield "setup, with errors"


async def places(window: Window) -> AsyncIterator[str]:
    """The views of Ann, who is logged in, before she opens a chat."""
    page = window.page
    await window.goto("/")
    await expect(window.chats.get_by_role("link")).to_have_count(3)
    await expect(window.chats.locator(".mention-badge")).to_be_visible()
    yield "list"
    await window.chats.get_by_role("link").first.click(button="right")
    await expect(page.get_by_role("menu")).to_be_visible()
    yield "menu of a chat"
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    for number, name in enumerate(("hidden chats", "public chats", "profile", "preferences")):
        await page.locator(".trigger").click()
        await expect(page.get_by_role("menu")).to_be_visible()
        if number == 0:
            yield "menu"
        await page.get_by_role("menuitem").nth(number).click()
        await shown(page.get_by_role("dialog"))
        yield name
        pages = page.get_by_role("dialog").locator("[data-page]")
        for way in await pages.all() if name == "profile" else []:
            await way.click()
            await expect(pages).to_have_count(0)
            yield f"{name}, {await page.get_by_role('dialog').get_by_role('heading').first.inner_text()}"
            await page.keyboard.press("Escape")
            await expect(way).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("Control+/")
    await shown(page.get_by_role("dialog"))
    yield "keyboard"
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator(".sidebar header").get_by_role("button").last.click()
    for number, kind in enumerate(("person", "group", "channel")):
        await page.get_by_role("dialog").get_by_role("radio").nth(number).locator("xpath=..").click()
        await shown(page.get_by_role("dialog"))
        yield f"new {kind}"


async def chat_places(window: Window, seed: Seed) -> AsyncIterator[str]:
    """Ann's chats, and what is about them."""
    page = window.page
    for name, chat_id in (("group", seed.group), ("channel", seed.channel), ("private", seed.private)):
        await window.goto(f"/chats/{chat_id}")
        await expect(window.log.get_by_role("article").first).to_be_visible()
        yield name
        await page.locator("header").get_by_role("button").last.click()
        await shown(page.get_by_role("dialog"))
        yield f"about the {name}"
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await window.composer.fill("not sent yet")  # in the private chat
    await page.locator("header").get_by_role("button", name=re.compile("“|«")).click()
    await page.get_by_role("menu").locator(".menu-item:has(+ .menu-line)").click()
    await shown(page.get_by_role("dialog"))
    yield "go to a date"
    await window.goto("/")
    await expect(window.chats.locator(".draft")).to_be_visible()
    yield "list with a draft"
    await window.goto(f"/chats/{seed.empty}")
    await expect(window.log.get_by_role("button").first).to_be_visible()
    yield "empty group"
    await window.goto("/chats/999999")
    await expect(page.locator("main, .pane, body").first).to_be_visible()
    yield "no such chat"


async def shown(dialog: Locator) -> None:
    await expect(dialog).to_be_visible()
