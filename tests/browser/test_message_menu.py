"""What the menu of a message offers besides writing: pins, links, its history, and who has read it."""

import re

from playwright.async_api import Locator, expect

from tests.browser.conftest import Shared
from tests.browser.window import Window
from tests.clients.people import Person


async def choose(window: Window, text: str, action: str) -> None:
    """Chooses an action in the menu of the message with this text."""
    message = window.message(text)
    await message.focus()
    await message.press("Enter")
    await window.page.get_by_role("menuitem", name=action).click()


async def long_chat(shared: Shared, count: int = 150) -> tuple[Person, Person, int, int]:
    """Ann, Bob, their group with many messages that both have read, and the id of its first one."""
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    first = await bob.say(chat_id, "the very first")
    await shared.fill(ann, chat_id, [f"line {number:03}" for number in range(count)])
    await bob.post(f"/chats/{chat_id}/read")
    await ann.post(f"/chats/{chat_id}/read")
    return ann, bob, chat_id, first["id"]


async def marked(message: Locator) -> None:
    await expect(message).to_be_in_viewport()
    await expect(message).to_be_focused()


async def test_pins_are_for_all_and_lead_to_the_message_and_back(shared: Shared) -> None:
    ann, bob, chat_id, first = await long_chat(shared)
    anns = await shared.window(ann, f"/chats/{chat_id}")
    bobs = await shared.window(bob, f"/chats/{chat_id}")
    for window in (anns, bobs):
        await window.connected()
        await window.shown("line 149")
    await ann.post(f"/messages/{first}/pin")  # it is not loaded in the windows
    for window in (anns, bobs):
        await expect(window.page.get_by_role("region", name="Pinned messages")).to_contain_text(
            "the very first"
        )
        await window.shown("line 149")
    await choose(anns, "line 149", "Pin")
    bar = bobs.page.get_by_role("region", name="Pinned messages")
    await expect(bar).to_contain_text("line 149")
    await expect(bobs.message("line 149").get_by_text("Pinned")).to_have_count(1)
    await bar.get_by_role("button", name="All pinned messages: 2").click()
    pins = bobs.page.get_by_role("dialog", name="Pinned messages")
    await expect(pins.get_by_role("listitem")).to_have_text(
        [re.compile("line 149"), re.compile("very first")]
    )
    await expect(pins.get_by_role("button", name="Unpin")).to_have_count(0)  # Bob is a plain member
    await pins.get_by_role("button", name=re.compile("very first")).click()
    await marked(bobs.message("the very first"))
    await bobs.button("Back to where you were").click()
    await bobs.shown("line 149")
    await expect(bobs.button("Back to where you were")).to_have_count(0)

    await anns.button("All pinned messages: 2").click()
    for _ in range(2):
        await anns.page.get_by_role("dialog").get_by_role("button", name="Unpin").first.click()
    await expect(anns.page.get_by_role("dialog")).to_contain_text("Nothing is pinned.")
    await expect(bar).to_have_count(0)
    await bobs.shown("line 149")


async def test_a_plain_member_pins_nothing_in_a_group(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    group = await ann.chat(bob, name="Lobby")
    private = await ann.chat(bob, chat_type="private")
    for chat_id, count in ((group, 0), (private, 1)):
        await ann.say(chat_id, "mark this")
        window = await shared.window(bob, f"/chats/{chat_id}")
        await window.message("mark this").focus()
        await window.message("mark this").press("Enter")
        await expect(window.page.get_by_role("menuitem", name="Copy link")).to_be_visible()
        await expect(window.page.get_by_role("menuitem", name="Pin")).to_have_count(count)


async def test_a_link_to_a_message_is_copied_and_opens_there(shared: Shared) -> None:
    ann, bob, chat_id, first = await long_chat(shared)
    window = await shared.window(ann, f"/chats/{chat_id}?message={first}")
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await marked(window.message("the very first"))
    await choose(window, "the very first", "Copy link")
    await expect(window.page.get_by_text("Link copied")).to_be_visible()
    link = await window.page.evaluate("navigator.clipboard.readText()")
    assert link == f"{shared.server.url}/chats/{chat_id}?message={first}"
    # In its own chat, it leads there and back again.
    gone = await bob.say(chat_id, "to be deleted")
    await bob.request("DELETE", f"/messages/{gone['id']}")
    await bob.say(chat_id, f"see {link} and {shared.server.url}/chats/{chat_id}?message={gone['id']} again")
    await window.page.get_by_role("button", name=re.compile("^(To|Jump to) the latest")).click()
    await window.shown("again")
    for _ in range(2):
        await window.message("again").get_by_role("link").first.click()
        await marked(window.message("the very first"))
        await window.button("Back to where you were").click()
        await window.shown("again")
    await window.message("again").get_by_role("link").last.click()
    await expect(window.page.get_by_text("This message was deleted, or is not in this chat.")).to_be_visible()


async def test_who_has_read_a_message(shared: Shared) -> None:
    ann, bob, cat = await shared.people("ann", "bob", "cat")
    chat_id = await ann.chat(bob, cat, name="Lobby")
    await ann.say(chat_id, "Please read this")
    window = await shared.window(ann, f"/chats/{chat_id}")
    await window.connected()
    await bob.post(f"/chats/{chat_id}/read")
    await expect(window.message("Please")).to_contain_text("Read")
    await choose(window, "Please", "Read by 1")
    dialog = window.page.get_by_role("dialog", name="Who has read it")
    await expect(dialog).to_contain_text(re.compile("Read by 1.*bob.*Not read by 1.*cat"))
    await cat.post(f"/chats/{chat_id}/read")
    await expect(dialog).to_contain_text(re.compile("Read by 2.*bob.*cat"))
