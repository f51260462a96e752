"""Drafts: they are kept, restored, sent as they were typed, and removed with their user."""

import json
from collections.abc import Sequence
from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow, Shared, Windows
from tests.browser.window import Window
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.conftest import Server


class Scene:
    ann: Any
    window: Window
    chat_id: int
    other: int

    async def kept(self) -> list[str]:
        """The keys of the drafts in the storage of the browser."""
        keys: list[str] = await self.window.page.evaluate("Object.keys(localStorage)")
        return [key for key in keys if key.startswith("vestnik:")]


async def arranged(server: Server, people: Sequence[Person], open_window: OpenWindow) -> Scene:
    """The first of the people in a chat with the other."""
    scene = Scene()
    scene.ann, bob = people
    scene.chat_id = await scene.ann.chat(bob, name="Lobby")
    scene.other = await scene.ann.chat(bob, name="Other")
    scene.window = await open_window(server, scene.ann, f"/chats/{scene.chat_id}")
    await scene.window.connected()
    await expect(scene.window.composer).to_be_editable()
    return scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(shared: Shared, kept_windows: Windows) -> Scene:
    return await arranged(shared.server, await shared.people("ann", "bob"), kept_windows.again)


async def test_code_keeps_its_blanks(scene: Scene) -> None:
    window = scene.window
    await window.say("    def f():\n        pass")
    await window.sent("def f():")
    [message] = (await scene.ann.get(f"/chats/{scene.chat_id}/messages"))["messages"]
    assert message["content"] == "    def f():\n        pass"
    await window.composer.press("ArrowUp")
    await expect(window.composer).to_have_value("    def f():\n        pass")
    await window.composer.press("Enter")
    await expect(window.composer).to_have_value("")
    await window.say("after")
    await window.sent("after")
    [message, _] = (await scene.ann.get(f"/chats/{scene.chat_id}/messages"))["messages"]
    assert message["edited_at"] is None


async def test_an_edit_survives_another_chat_and_a_reload(scene: Scene) -> None:
    window, page = scene.window, scene.window.page
    await window.say("as it was")
    await window.sent("as it was")
    await window.composer.press("ArrowUp")
    await window.composer.fill("as it is to be")
    await window.chats.get_by_role("link").filter(has_text="Other").click()
    await expect(window.composer).to_have_value("")
    await window.chats.get_by_role("link").filter(has_text="Lobby").click()
    await expect(window.composer).to_have_value("as it is to be")
    await page.reload()
    await expect(window.composer).to_have_value("as it is to be")
    await expect(page.get_by_text("Editing your message")).to_be_visible()
    await window.connected()
    await window.composer.press("Enter")
    await expect(window.message("as it is to be")).to_contain_text("(edited)")
    await expect(window.composer).to_have_value("")


async def test_an_edit_of_a_deleted_message_becomes_the_draft(scene: Scene) -> None:
    window = scene.window
    await window.say("not for long")
    await window.sent("not for long")
    await window.composer.press("ArrowUp")
    await window.composer.fill("worth keeping")
    [message] = (await scene.ann.get(f"/chats/{scene.chat_id}/messages"))["messages"]
    await scene.ann.delete(f"/messages/{message['id']}")
    await expect(window.page.get_by_text("Editing your message")).to_have_count(0)
    await expect(window.composer).to_have_value("worth keeping")


async def test_what_could_not_be_sent_goes_back_into_the_composer(scene: Scene) -> None:
    window, page = scene.window, scene.window.page
    entry = {"clientId": "x", "chatId": scene.chat_id, "content": "once more", "replyTo": None}
    entry |= {"writtenAt": 1, "state": "failed", "code": "forbidden"}
    key = f"vestnik:outbox:{scene.ann.id}:x"
    await page.evaluate("([key, value]) => localStorage.setItem(key, value)", [key, json.dumps(entry)])
    await page.reload()
    failed = window.message("once more")
    await failed.get_by_role("button", name="Edit", exact=True).click()
    await expect(failed).to_have_count(0)
    await expect(window.composer).to_have_value("once more")
    await expect(window.composer).to_be_focused()


async def test_a_logout_takes_along_what_is_not_sent(shared: Shared, open_window: OpenWindow) -> None:
    scene = await arranged(shared.server, await shared.people("nora", "bob"), open_window)
    window, page = scene.window, scene.window.page
    await window.composer.fill("nobody else’s business")
    assert await scene.kept() != []
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await expect(window.button("Log in")).to_be_visible()
    assert await scene.kept() == []


async def test_a_session_that_the_server_ends_is_over_here_with_a_reason(
    shared: Shared, open_window: OpenWindow
) -> None:
    scene = await arranged(shared.server, await shared.people("tom", "bob"), open_window)
    window, page = scene.window, scene.window.page
    window.expects("status of 401")
    await window.composer.fill("nobody else’s business")
    await scene.ann.post("/auth/logout")
    await expect(page.get_by_text("logged out here from another device")).to_be_visible()
    await expect(window.button("Log in")).to_be_visible()
    await expect(window.chats).to_have_count(0)
    assert await scene.kept() == []


async def test_the_token_is_in_no_address(shared: Shared, open_window: OpenWindow) -> None:
    await shared.people("bea")
    window = await open_window(shared.server, path="/login")
    addresses: list[str] = []
    window.page.on("websocket", lambda socket: addresses.append(socket.url))
    await window.page.get_by_label("Username", exact=True).fill("bea")
    await window.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.button("Log in").click()
    await window.connected()
    assert addresses == [shared.server.ws_url]


async def test_a_lost_network_is_said_at_once(scene: Scene) -> None:
    window, page = scene.window, scene.window.page
    window.expects("ERR_INTERNET_DISCONNECTED", "WebSocket connection to", "ERR_NETWORK_CHANGED")
    await window.context.set_offline(True)
    await expect(page.get_by_text("No network.")).to_be_visible()
    await expect(page).to_have_title("⚠ Lobby – Vestnik")
    await window.context.set_offline(False)
    await expect(page.get_by_text("No network.")).to_have_count(0)
    await expect(page).to_have_title("Lobby – Vestnik")
    await window.say("back again")
    await window.sent("back again")


async def test_the_quote_of_a_deleted_message_is_no_error(scene: Scene) -> None:
    window = scene.window
    first = await scene.ann.say(scene.chat_id, "to be deleted")
    await scene.ann.say(scene.chat_id, "the answer", reply_to=first["id"])
    await scene.ann.delete(f"/messages/{first['id']}")
    await window.page.reload()  # the window reports errors in its console
    await expect(window.message("the answer")).to_contain_text("Message deleted")
