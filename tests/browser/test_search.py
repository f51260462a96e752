"""The one field for chats, people and messages, and the way to what was found and back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Request, Route, expect

from tests.browser.conftest import OpenWindow, Windows, fill
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
OLD = 30


class Scene:
    """Ann and two groups: in the kitchen are many messages after the ones that are looked for."""

    server: Server
    ann: Person
    bob: Person
    kitchen: int
    garden: int
    wide: Window
    window: Window

    @property
    def field(self) -> Locator:
        return self.window.page.get_by_role("combobox")

    @property
    def hits(self) -> Locator:
        return self.window.page.get_by_role("group", name="Messages").get_by_role("option")

    def word(self, text: str) -> Locator:
        """What the page says; screen readers get it a second time."""
        return self.window.page.get_by_role("paragraph").filter(has_text=text)

    def heading(self, name: str) -> Locator:
        return self.window.page.get_by_role("heading", name=name, level=1)

    async def find(self, text: str) -> None:
        await self.window.page.keyboard.press("Control+k")
        await expect(self.field).to_be_focused()
        await self.field.press_sequentially(text)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(module_server: Server, module_windows: Windows) -> Scene:
    scene = Scene()
    scene.server = module_server
    scene.ann, scene.bob = await module_server.people("ann", "bob")
    scene.kitchen = await scene.ann.chat(scene.bob, name="Kitchen")
    scene.garden = await scene.ann.chat(scene.bob, name="Garden")
    soups = [f"Tomato soup, pot {number:02}" for number in range(OLD)]
    await fill(module_server, scene.bob, scene.kitchen, soups)
    await scene.ann.say(scene.kitchen, "The recipe: https://example.org/soup")
    await fill(module_server, scene.bob, scene.kitchen, [f"and so on {number:03}" for number in range(120)])
    await scene.bob.say(scene.garden, "Всё про ёлку")
    for chat_id in (scene.kitchen, scene.garden):
        await scene.ann.post(f"/chats/{chat_id}/read")
    scene.wide = await module_windows(module_server, scene.ann)
    return scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(stage: Scene, kept_windows: Windows) -> AsyncIterator[Scene]:
    """Ann's window in the garden. What Bob says in a test is gone after it."""
    stage.window = stage.wide
    stage.window.console.clear()
    await stage.window.goto(f"/chats/{stage.garden}")
    await stage.window.connected()
    await expect(stage.heading("Garden")).to_be_visible()
    yield stage
    await stage.wide.page.unroute_all()
    newest = (await stage.bob.get(f"/chats/{stage.kitchen}/messages"))["messages"]
    for message in newest:
        if not message["content"].startswith("and so on"):
            await stage.bob.delete(f"/messages/{message['id']}")


async def test_from_the_field_to_a_message_and_back(scene: Scene) -> None:
    page, keys = scene.window.page, scene.window.page.keyboard
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/messages/search" in request.url else None)
    await scene.find("tomato so")
    await expect(scene.hits).to_have_count(20)
    assert len(asked) <= 2, "no request for each key"
    await expect(scene.hits.first).to_contain_text("Kitchen")
    await expect(scene.hits.first).to_contain_text("bob: Tomato soup, pot 29")
    await expect(scene.hits.first.locator("mark")).to_have_text(["Tomato", "so"])
    await expect(page.get_by_role("status").filter(has_text="messages: 20+")).to_have_count(1)

    for _ in range(19):
        await keys.press("ArrowDown")
    await expect(scene.hits).to_have_count(OLD)  # the next page comes on the way
    for _ in range(10):
        await keys.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_be_in_viewport()
    await expect(page.get_by_role("option", selected=True)).to_contain_text("pot 00")
    await keys.press("Enter")
    await expect(scene.heading("Kitchen")).to_be_visible()
    await scene.window.shown("pot 00")
    found = scene.window.message("pot 00")
    await expect(found).to_be_focused()
    await expect(found).to_have_attribute("data-marked", "")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("pot 00")
    await expect(scene.field).to_have_value("tomato so")

    await keys.press("Control+k")
    await keys.press("ArrowUp")
    await keys.press("Enter")
    await expect(scene.window.message("pot 01")).to_be_focused()
    await scene.window.button("Back to where you were").click()
    await scene.window.shown("pot 00")
    await scene.window.button("Back to where you were").click()
    await expect(scene.heading("Garden")).to_be_visible()
    await expect(scene.window.button("Back to where you were")).to_have_count(0)
    await keys.press("Control+k")
    await keys.press("Escape")
    await expect(scene.window.chats.get_by_role("link")).to_have_count(2)


async def test_the_place_in_a_chat_is_kept_for_the_way_back(scene: Scene) -> None:
    await scene.window.goto(f"/chats/{scene.kitchen}")
    await scene.window.shown("and so on 119")
    await scene.find('"pot 07"')
    await expect(scene.hits).to_have_count(1)
    await scene.hits.click()
    await scene.window.shown("pot 07")
    await scene.window.page.go_back()
    await scene.window.shown("and so on 119")
    await expect(scene.window.button("Jump to the latest message")).to_have_count(0)
    # It counts once: who reads on and leaves comes back to where they were last.
    await scene.window.log.evaluate("(log) => { log.scrollTop = log.scrollHeight / 2 }")
    await expect(scene.window.button("Jump to the latest message")).to_be_visible()
    await scene.window.page.keyboard.press("Alt+ArrowDown")
    await expect(scene.heading("Garden")).to_be_visible()
    await scene.window.page.go_back()
    await expect(scene.heading("Kitchen")).to_be_visible()
    await expect(scene.window.button("Jump to the latest message")).to_be_visible()


async def test_a_long_message_is_unfolded_where_it_is_found(scene: Scene) -> None:
    await scene.bob.say(scene.kitchen, "A long list\n" + "- more\n" * 60 + "- a needle at its end")
    await scene.find("needle")
    await expect(scene.hits).to_have_count(1)
    await expect(scene.hits).to_contain_text("a needle at its end")
    await scene.hits.click()
    await expect(scene.window.message("A long list")).to_contain_text("a needle at its end")


async def test_markers_are_not_shown_in_what_is_found(scene: Scene) -> None:
    await scene.bob.say(scene.kitchen, "a **bold** word and [the menu](https://example.org/dishes)")
    await scene.find("bold wo")
    await expect(scene.hits).to_contain_text("a bold word and the menu")
    await scene.find("dishes")
    await expect(scene.hits.locator("mark")).to_have_text("dishes")


async def test_what_is_looked_for_is_narrowed(scene: Scene) -> None:
    page = scene.window.page
    await scene.find("все елк")
    await expect(scene.hits.locator("mark")).to_have_text(["Всё", "ёлк"])
    await page.keyboard.press("Escape")
    await scene.window.goto(f"/chats/{scene.kitchen}")
    await scene.window.button("Search in this chat").click()
    await expect(scene.field).to_be_focused()
    await expect(scene.word("Type what you look for.")).to_be_visible()
    await scene.field.press_sequentially("soup")
    await expect(scene.hits).to_have_count(20)
    await scene.window.button("With a link").click()
    await expect(scene.hits).to_have_count(1)
    await expect(scene.hits).to_contain_text("You")
    await scene.window.button("With a link").click()
    await expect(scene.hits).to_have_count(20)
    await scene.window.button("From…").click()
    await page.get_by_role("option", name="ann").click()
    await expect(scene.hits).to_have_count(1)
    await expect(scene.field).to_be_focused()
    await scene.window.button("In “Kitchen”").click()
    await expect(scene.hits).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(scene.field).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(scene.window.chats.get_by_role("link")).to_have_count(2)


async def test_it_says_why_nothing_is_found(scene: Scene) -> None:
    page, window = scene.window.page, scene.window
    window.expects(
        "status of 503", "status of 429", "ERR_INTERNET_DISCONNECTED", "Failed to load", "WebSocket"
    )
    await scene.find("nothing of the kind")
    await expect(scene.word("Nothing found.")).to_be_visible()
    await scene.field.fill("?!")
    await expect(scene.word("Type at least one.")).to_be_visible()

    errors: list[dict[str, Any]] = [
        {"code": "unavailable", "message": "older messages are being indexed, 37 % are done"},
        {"code": "rate_limited", "message": "slowly", "retry_after_ms": 1500},
    ]

    async def refuse(route: Route) -> None:
        if errors:
            status = 429 if errors[0]["code"] == "rate_limited" else 503
            await route.fulfill(status=status, json={"error": errors[0]})
        else:
            await route.fallback()

    await page.route("**/api/messages/search*", refuse)
    await scene.field.fill("soup")
    await expect(scene.word("37 % are done")).to_be_visible()
    errors.pop(0)
    await expect(scene.word("The search goes on in a moment.")).to_be_visible()
    errors.pop(0)
    await expect(scene.hits.nth(19)).to_be_attached()  # the next page may be there too

    await window.context.set_offline(True)
    await scene.field.fill("tomato")
    await expect(scene.word("Messages are searched when")).to_be_visible()
    await window.context.set_offline(False)
    await expect(scene.hits.nth(19)).to_be_attached()  # the next page may be there too
    await expect(scene.hits.first).to_contain_text("pot 29")


async def test_what_is_deleted_or_edited_meanwhile_is_gone(scene: Scene) -> None:
    await scene.window.goto(f"/chats/{scene.kitchen}")
    await scene.window.connected()
    deleted = await scene.bob.say(scene.kitchen, "a rare word")
    edited = await scene.bob.say(scene.kitchen, "rare too")
    await scene.window.shown("rare too")
    await scene.find("rare")
    await expect(scene.hits).to_have_count(2)
    await scene.bob.delete(f"/messages/{deleted['id']}")
    await expect(scene.hits).to_have_count(1)
    await scene.bob.patch(f"/messages/{edited['id']}", content="frequent")
    await expect(scene.hits).to_have_count(0)
    await expect(scene.word("Nothing found.")).to_be_visible()


async def test_on_a_phone(scene: Scene, open_window: OpenWindow) -> None:
    scene.window = await open_window(scene.server, scene.ann, f"/chats/{scene.kitchen}", **PHONE)
    page = scene.window.page
    await scene.window.button("Actions for “Kitchen”").click()
    await page.get_by_role("menuitem", name="Search in this chat").click()
    await expect(scene.field).to_be_focused()
    await scene.field.press_sequentially("pot 0")
    await expect(scene.hits).to_have_count(10)
    await scene.hits.last.tap()
    await scene.window.shown("pot 00")
    await page.get_by_role("link", name="To your chats").click()
    await expect(scene.field).to_have_value("pot 0")
    await expect(scene.hits).to_have_count(10)
    await expect(scene.hits.last).to_be_in_viewport()
    await scene.window.button("Clear the search").click()
    await expect(scene.window.chats.get_by_role("link")).to_have_count(2)


async def test_a_message_that_is_gone_is_said_to_be(scene: Scene) -> None:
    gone = await scene.bob.say(scene.kitchen, "soon deleted")
    await scene.bob.delete(f"/messages/{gone['id']}")
    await scene.window.goto(f"/chats/{scene.kitchen}?message={gone['id']}")
    await expect(
        scene.window.page.get_by_text("This message was deleted, or is not in this chat.")
    ).to_be_visible()
    await scene.window.shown("and so on 119")
