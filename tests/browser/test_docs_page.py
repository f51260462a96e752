"""The page of the API: everything of both documents is on it, and its code can be copied."""

import re

from playwright.async_api import expect

from handlers.wire.events import EVENT_NAMES
from server.documents.openapi import operations
from tests.browser.conftest import OpenWindow
from tests.browser.test_look import AXE, FINDINGS
from tests.clients.documented import asyncapi, openapi
from tests.conftest import Server


async def test_the_page_shows_both_documents_and_copies_code(server: Server, open_window: OpenWindow) -> None:
    window = await open_window(
        server, None, "/docs#create_message", permissions=["clipboard-write", "clipboard-read"]
    )
    page = window.page
    call = page.locator("#create_message")
    await expect(call).to_be_in_viewport()
    titles = await page.locator("article").evaluate_all(
        "all => Object.fromEntries(all.map((one) => [one.id, one.querySelector('h3').innerText]))"
    )
    assert {operation.id: re.sub(r"\s", "", titles.get(operation.id, "")) for operation in operations()} == {
        operation.id: operation.method + operation.path for operation in operations()
    }
    commands = [one["title"] for name, one in asyncapi()["operations"].items() if one["action"] == "receive"]
    ids = {*(f"command-{name}" for name in commands), *(f"event-{name}" for name in EVENT_NAMES)}
    ids |= {hook["post"]["operationId"] for hook in openapi()["webhooks"].values()}
    ids |= {f"object-{name}" for name in openapi()["components"]["schemas"]}
    assert set(titles) == ids | {operation.id for operation in operations()}

    samples = openapi()["paths"]["/api/messages"]["post"]["x-codeSamples"]
    for sample in samples:
        await call.get_by_role("button", name=sample["label"], exact=True).click()
        await call.get_by_role("button", name="Copy the code").click()
        await expect(call.get_by_role("button", name="Copy the code")).to_have_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == sample["source"]

    await page.get_by_role("searchbox").fill("pin message")
    await expect(page.locator("#pin_message")).to_be_visible()
    await expect(call).to_be_hidden()
    await page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate(FINDINGS) == []


async def test_the_chat_loads_nothing_of_the_page(server: Server, open_window: OpenWindow) -> None:
    window = await open_window(server, await server.person("ann"))
    await window.page.wait_for_load_state("networkidle")
    assert [request.url for request in window.requests if "docs" in request.url] == []
