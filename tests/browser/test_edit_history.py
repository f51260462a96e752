"""The edit history of a message."""

import re

from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.conftest import Server


async def test_edited_opens_what_a_message_said_before(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    message = await ann.say(chat_id, "We meet at **six**")
    window = await open_window(server, bob, f"/chats/{chat_id}")
    await window.connected()
    await ann.patch(f"/messages/{message['id']}", content="We meet at seven")
    await window.message("seven").get_by_role("button", name="(edited)").click()
    dialog = window.page.get_by_role("dialog", name="Edit history")
    versions = dialog.get_by_role("listitem")
    await expect(versions).to_have_text(
        [re.compile("As it was written.*We meet at six"), re.compile("Now.*We meet at seven")]
    )
    await ann.patch(f"/messages/{message['id']}", content="We meet at eight")
    await expect(versions).to_have_count(3)
    await expect(versions.last).to_have_text(re.compile("Now.*We meet at eight"))
    await ann.request("DELETE", f"/messages/{message['id']}")
    await expect(dialog).to_contain_text("This does not exist any more.")
