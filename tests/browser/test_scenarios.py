"""The five scenarios of the protocol document, in the windows of two people."""

from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow, Windows
from tests.browser.window import Window
from tests.conftest import Server

LOST = ("ERR_CONNECTION_REFUSED", "WebSocket connection to")
"""The messages of Chromium in the console while the server is away."""


class Scene:
    """Ann and Bob, each with a window on their chat."""

    server: Server
    ann: Any
    bob: Any
    anns: Window
    bobs: Window
    chat_id: int


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(module_server: Server, module_windows: Windows) -> Scene:
    scene = Scene()
    scene.server = module_server
    scene.ann, scene.bob = await module_server.people("ann", "bob")
    scene.anns = await module_windows(module_server, scene.ann)
    scene.bobs = await module_windows(module_server, scene.bob)
    return scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(stage: Scene, kept_windows: Windows) -> Scene:
    """The windows of Ann and Bob, newly loaded, on a chat that is new."""
    stage.chat_id = await stage.ann.chat(stage.bob, name="Lobby")
    for window in (stage.anns, stage.bobs):
        window.console.clear()
        await window.goto(f"/chats/{stage.chat_id}")
    for window in (stage.anns, stage.bobs):
        await window.connected()
        await expect(window.composer).to_be_editable()
    return stage


async def test_connecting_is_said_in_the_console(scene: Scene) -> None:
    await scene.anns.heard("✅ WebSocket connected")
    await scene.anns.heard("📨 WebSocket message:")
    assert await scene.anns.page.evaluate("websocket.isConnected()") is True


async def test_typing_is_seen_by_the_other_and_goes_by_itself(scene: Scene) -> None:
    await scene.bobs.composer.press_sequentially("hm")
    await expect(scene.anns.page.get_by_text("bob is typing…")).to_be_visible()
    await expect(scene.bobs.page.get_by_text("is typing…")).to_have_count(0)
    await expect(scene.anns.page.get_by_text("is typing…")).to_have_count(0)


async def test_a_message_is_there_at_once_and_in_sight(scene: Scene) -> None:
    for number in range(30):
        await scene.ann.say(scene.chat_id, f"earlier {number}")
    await scene.bobs.shown("earlier 29")
    await scene.anns.say("Привет!")
    for window in (scene.anns, scene.bobs):
        await window.shown("Привет!")
    await scene.bobs.say("and back")
    await scene.anns.shown("and back")
    await scene.anns.read("earlier 29", "Привет!", "and back")


async def test_an_edit_and_a_deletion_are_there_at_once(scene: Scene) -> None:
    await scene.anns.say("first wording")
    await scene.bobs.shown("first wording")
    await scene.anns.sent("first wording")
    await scene.anns.composer.press("ArrowUp")
    await scene.anns.say("second wording")
    await scene.bobs.shown("second wording")
    await expect(scene.bobs.message("second wording")).to_contain_text("(edited)")
    await expect(scene.bobs.message("first wording")).to_have_count(0)
    await scene.anns.message("second wording").hover()
    await scene.anns.message("second wording").get_by_role("button", name="Message menu").click()
    await scene.anns.page.get_by_role("menuitem", name="Delete").click()
    await scene.anns.page.get_by_role("button", name="Delete", exact=True).click()
    for window in (scene.anns, scene.bobs):
        await expect(window.message("second wording")).to_have_count(0)


async def test_it_reconnects_by_itself_and_catches_up(scene: Scene) -> None:
    for window in (scene.anns, scene.bobs):
        window.expects(*LOST)
    await scene.server.stop()
    for window in (scene.anns, scene.bobs):
        await window.heard("Reconnecting...")
    await expect(scene.anns.page.get_by_text("Reconnecting").first).to_be_visible()
    assert await scene.anns.page.evaluate("websocket.isConnected()") is False
    await scene.server.start()
    await scene.ann.say(scene.chat_id, "written elsewhere meanwhile")
    for window in (scene.anns, scene.bobs):
        await window.shown("written elsewhere meanwhile")
        await expect(window.page.get_by_text("Reconnecting")).to_have_count(0)
    await scene.anns.say("back again")
    await scene.bobs.shown("back again")


async def test_what_is_written_during_a_drop_arrives_once_and_in_order(scene: Scene) -> None:
    for window in (scene.anns, scene.bobs):
        window.expects(*LOST)
    await scene.anns.say("before")
    await scene.bobs.shown("before")
    await scene.server.stop()
    await scene.anns.heard("Reconnecting...")
    texts = [f"meanwhile {number}" for number in range(5)]
    for text in texts:
        await scene.anns.say(text)
    await expect(scene.anns.message(texts[-1])).to_contain_text("Sending")
    await scene.server.start()
    await scene.bobs.read("before", *texts)
    await scene.anns.read("before", *texts)
    await expect(scene.anns.log.get_by_text("Sending", exact=True)).to_have_count(0)
    history = (await scene.bob.get(f"/chats/{scene.chat_id}/messages"))["messages"]
    assert [message["content"] for message in history] == ["before", *texts]


async def test_presence_is_in_the_header_and_keeps_itself(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hello")  # before this, Bob has no such chat
    window = await open_window(server, ann, f"/chats/{chat_id}")
    header = window.page.locator("header", has=window.page.get_by_role("heading", name="bob"))
    await expect(header).to_contain_text("offline")
    client = await bob.connect()
    await expect(header).to_contain_text("online")
    await client.done("status", status="busy")
    await expect(header).to_contain_text("busy")
    await client.close()
    await expect(header).to_contain_text("last seen")
