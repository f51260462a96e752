"""The client without a mouse."""

from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenWindow
from tests.browser.window import Window
from tests.clients.rest import PASSWORD
from tests.conftest import Server


async def tab_to(window: Window, target: Locator) -> None:
    """Presses Tab until the target has the focus."""
    await expect(target).to_be_visible()
    for _ in range(60):
        if await target.evaluate("(element) => element === document.activeElement"):
            return
        await window.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}")


async def test_from_login_to_leaving_a_chat(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    await ann.chat(bob, name="Other")
    chat_id = await ann.chat(bob, name="Lobby")
    await ann.chat(bob, name="Third")
    window = await open_window(server)
    page, keys = window.page, window.page.keyboard
    await tab_to(window, page.get_by_label("Username", exact=True))
    await keys.type("bob")
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await window.connected()

    await expect(window.chats.get_by_role("link")).to_have_count(3)
    await keys.press("Control+k")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await keys.type("Lob")
    await expect(page.get_by_role("option")).to_have_count(1)
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Lobby", level=1)).to_be_visible()
    await expect(window.composer).to_be_focused()

    await keys.type("first lien")
    await keys.press("Shift+Enter")
    await keys.type("and a second")
    await keys.press("Enter")
    await window.sent("first lien")
    await keys.press("ArrowUp")
    await keys.press("Control+a")
    await keys.type("first line")
    await keys.press("Enter")
    await expect(window.message("first line")).to_contain_text("(edited)")
    await expect(window.message("and a second")).to_have_count(0)
    await expect(window.composer).to_have_value("")
    await keys.press("ArrowUp")
    await keys.press("Escape")
    await expect(window.composer).to_have_value("")

    question = await ann.say(chat_id, "a question?")
    await window.shown("a question?")
    await keys.press("Shift+Tab")
    await tab_to(window, window.log)
    await keys.press("ArrowUp")
    await keys.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await keys.press("Enter")
    await expect(window.composer).to_be_focused()
    await keys.type("an answer")
    await keys.press("Enter")
    await expect(window.message("an answer")).to_contain_text("Sent")
    answer = (await ann.get(f"/chats/{chat_id}/messages"))["messages"][-1]
    assert (answer["content"], answer["reply_to"]) == ("an answer", question["id"])

    await keys.press("Alt+ArrowDown")
    await expect(page.get_by_role("heading", name="Lobby", level=1)).to_have_count(0)
    await keys.press("Alt+ArrowUp")
    await expect(page.get_by_role("heading", name="Lobby", level=1)).to_be_visible()

    await tab_to(window, window.button("About this chat"))
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await tab_to(window, window.button("Leave"))
    await keys.press("Enter")
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await tab_to(window, page.get_by_role("alertdialog").get_by_role("button", name="Leave"))
    await keys.press("Enter")
    await expect(window.chats.get_by_role("link")).to_have_count(2)
    assert len((await bob.get("/chats"))["chats"]) == 2
