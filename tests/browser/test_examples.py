"""examples/js in a page of another origin, with the client of Socket.IO from the chat server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.restored import go_back, keep_state
from tests.conftest import Server

EXAMPLES = Path(__file__).parents[2] / "examples" / "js"


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """The page of the example, from a server of its own for static files."""
    app = web.Application()
    app.router.add_static("/", EXAMPLES)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{port}/browser.html")
    yield page
    await context.close()
    await runner.cleanup()


async def log_in(page: Page, server: Server, person: Person, chat_id: int) -> None:
    for label, value in (
        ("Server", server.url),
        ("Username", person.username),
        ("Password", PASSWORD),
        ("Chat", str(chat_id)),
    ):
        await page.get_by_label(label).fill(value)
    await page.get_by_role("button", name="Log in").click()


async def test_a_page_of_another_origin_chats_and_recovers(server: Server, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await ann.say(chat_id, "before")
    await log_in(page, server, bob, chat_id)
    items = page.get_by_role("listitem")
    await expect(items).to_have_text([f"{ann.id}: before"])
    await page.get_by_label("Message").fill("from the page")
    await page.get_by_role("button", name="Send").click()
    await expect(items).to_have_text([f"{ann.id}: before", f"{bob.id}: from the page"])
    await server.restart()
    message = await ann.say(chat_id, "while it was away")
    await expect(items.nth(2)).to_have_text(f"{ann.id}: while it was away")
    await ann.patch(f"/messages/{message['id']}", content="edited")
    await expect(items.nth(2)).to_have_text(f"{ann.id}: edited")
    await ann.delete(f"/messages/{message['id']}")
    await expect(items).to_have_count(2)

    kept = keep_state(server)
    for number in range(3):
        await ann.say(chat_id, f"lost {number}")
    await expect(items).to_have_count(5)
    await go_back(server, kept)
    for number in range(4):  # above the number that the page remembers
        await ann.say(chat_id, f"new {number}")
    new = [f"{ann.id}: new {number}" for number in range(4)]
    await expect(items).to_have_text([f"{ann.id}: before", f"{bob.id}: from the page", *new], timeout=30_000)
    assert errors == []
