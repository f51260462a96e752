"""Hooks of a chat in the web client: added, used, paused and removed by its owner."""

import re

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.conftest import Server


async def test_a_hook_is_added_used_paused_and_removed(server: Server, open_window: OpenWindow) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat(name="Lobby")
    window = await open_window(server, ann, f"/chats/{chat_id}", permissions=["clipboard-read"])
    page = window.page
    await window.button("About this chat").click()
    dialog = page.get_by_role("dialog")
    assert not any("HookList" in request.url for request in window.requests), "loaded before it is shown"
    await dialog.get_by_role("button", name="Hooks").click()
    await dialog.get_by_label("Name").fill("Alerts")
    await dialog.get_by_role("button", name="Add the hook").click()
    address = dialog.get_by_label("Address of Alerts")
    await expect(address).to_have_value(re.compile(f"^{server.url}/hooks/"))
    await dialog.get_by_role("button", name="Copy").click()
    url = await page.evaluate("navigator.clipboard.readText()")
    assert url == await address.input_value()
    await dialog.get_by_role("button", name="Done").click()
    await expect(dialog.get_by_role("button", name="New address for Alerts")).to_be_focused()
    assert url not in await page.content()

    async def post(text: str) -> int:
        async with server.http.post(url, json={"text": text}) as answer:
            return answer.status

    assert await post("the disk is full") == 200
    await window.shown("the disk is full")
    await expect(window.message("the disk is full")).to_contain_text("Alerts")

    await dialog.get_by_role("button", name="Pause Alerts").click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("Incoming · paused")
    assert await post("nobody hears") == 503
    await dialog.get_by_role("button", name="Resume Alerts").click()
    await expect(dialog.get_by_role("listitem")).to_contain_text("Incoming · works")

    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await expect(dialog.get_by_role("button", name="Edit Alerts")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("Alarms")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("button", name="Edit Alarms")).to_be_focused()
    assert await post("the disk is still full") == 200
    await window.shown("the disk is still full")
    await expect(window.message("the disk is full")).to_contain_text("Alarms")

    await dialog.get_by_role("button", name="Remove Alarms").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    await expect(dialog).to_contain_text("This chat has no hooks.")
    assert await post("nobody hears") == 404
