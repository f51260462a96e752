"""A window whose server goes back to an earlier state, as after a restored backup."""

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.clients.restored import go_back, keep_state
from tests.conftest import Server


async def test_a_window_that_was_ahead_shows_what_the_server_has(
    server: Server, open_window: OpenWindow
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await bob.say(chat_id, "kept")
    kept = keep_state(server)
    lost_chat = await ann.chat(bob, name="Lost")
    await bob.say(lost_chat, "in a lost chat")
    for number in range(3):
        await bob.say(chat_id, f"lost {number}")
    await ann.patch("/users/me", display_name="Name of before")
    window = await open_window(server, ann, f"/chats/{chat_id}")
    await window.read("kept", "lost 0", "lost 2")
    await expect(window.chats).to_contain_text("Lost")
    await server.stop()
    window.expects("WebSocket connection|ERR_CONNECTION_REFUSED|Failed to load resource")
    await window.say("not sent yet")
    await window.composer.fill("half a thought")
    await go_back(server, kept)

    failed = window.message("not sent yet")
    await expect(failed).to_contain_text("The server was restored from a backup", timeout=30_000)
    await window.read("kept")
    await expect(window.message("lost")).to_have_count(0)
    await expect(window.chats).not_to_contain_text("Lost")
    await expect(window.composer).to_have_value("half a thought")
    await expect(window.page.get_by_text("Name of before")).to_have_count(0)
    again = await ann.chat(bob, name="Another with the same number")
    assert again == lost_chat
    await bob.say(again, "in another chat")
    await bob.say(chat_id, "new")
    await window.read("kept", "new")
    await expect(window.chats).to_contain_text("in another chat")
    found = (await ann.get(f"/chats/{chat_id}/messages"))["messages"]
    assert [message["content"] for message in found] == ["kept", "new"]
    await failed.get_by_role("button", name="Try again").click()
    await window.sent("not sent yet")
    found = (await ann.get(f"/chats/{chat_id}/messages"))["messages"]
    assert [message["content"] for message in found] == ["kept", "new", "not sent yet"]
