"""Accounts and what people set for themselves: who comes in, invites, presence, sessions, blocks, the list of chats."""

import json
import re

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenWindow
from tests.browser.window import EMPTY_PAGE, Window
from tests.clients.rest import PASSWORD
from tests.conftest import Serve, Server

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}


async def fill(page: Page, **texts: str) -> None:
    """Fills in the fields of a form, by their names."""
    for name, text in texts.items():
        await page.locator(f"input[name={name}]").fill(text)


async def open_profile(window: Window) -> None:
    await window.page.get_by_role("button", name="Menu of").first.click()
    await window.page.get_by_role("menuitem", name="Profile").click()
    await expect(window.page.get_by_role("dialog", name="Profile")).to_be_visible()


async def test_the_login_offers_what_is_possible(serve: Serve, open_window: OpenWindow) -> None:
    closed = await open_window(await serve(registration="closed"), path="/login")
    await expect(closed.page.get_by_text("takes no new accounts")).to_be_visible()
    await expect(closed.page.get_by_role("link")).to_have_count(0)
    await closed.goto("/register")
    await expect(closed.page.get_by_text("takes no new accounts")).to_be_visible()
    await expect(closed.page.locator("form")).to_have_count(0)
    server = await serve(registration="invite")
    window = await open_window(server, path="/register", locale="ru-RU")
    await expect(window.page.get_by_text("создают по приглашению")).to_be_visible()
    await expect(window.page.locator("form")).to_have_count(0)
    await window.page.get_by_role("link", name="Войти").click()
    await expect(window.page.get_by_text("создают по приглашению")).to_be_visible()
    await expect(window.page.get_by_role("button", name="Войти")).to_be_visible()


async def test_an_invite_leads_into_its_chat(server: Server, open_window: OpenWindow) -> None:
    ann, _ = await server.people("ann", "bob")
    await ann.patch("/users/me", display_name="Ann Lindqvist")
    chat_id = await ann.chat(name="Weekend plans")
    code = (await ann.post(f"/chats/{chat_id}/invites", max_uses=2))["code"]

    stranger = await open_window(server, path=f"/invite/{code}")
    page = stranger.page
    await expect(page.get_by_text("Ann Lindqvist invites you to a group")).to_be_visible()
    await expect(page.get_by_text("Weekend plans")).to_be_visible()
    await expect(page.get_by_text("1 member", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Create account").click()
    await expect(page.get_by_text("Weekend plans")).to_be_visible()
    await fill(page, username="bob", password="seven77")
    await expect(page.get_by_text("1 more character")).to_be_visible()
    await fill(page, password="ж" * 40)
    await expect(page.get_by_text("4 characters too many")).to_be_visible()
    await fill(page, password=PASSWORD)
    await expect(page.get_by_text("Long enough")).to_be_visible()
    stranger.expects("status of 409")
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_text("This username is taken")).to_be_visible()
    await fill(page, username="newcomer")
    await expect(page.get_by_text("This username is taken")).to_have_count(0)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("heading", name="Weekend plans", level=1)).to_be_visible()
    await expect(page).to_have_url(f"{server.url}/chats/{chat_id}")

    known = await open_window(server, path=f"/invite/{code}", locale="ru-RU", **PHONE)
    page = known.page
    await page.get_by_role("link", name="У меня есть аккаунт").click()
    await fill(page, username="bob", password=PASSWORD)
    await page.get_by_role("button", name="Войти").click()
    await page.get_by_role("button", name="Вступить в группу").click()
    await expect(page.get_by_role("heading", name="Weekend plans", level=1)).to_be_visible()

    used = await open_window(server, path=EMPTY_PAGE)
    used.expects("status of 404")
    await used.goto(f"/invite/{code}")
    await expect(used.page.get_by_text("Ask for a new link")).to_be_visible()
    await used.page.get_by_role("link", name="Log in").click()
    await expect(used.page).to_have_url(f"{server.url}/login")

    known.expects("status of 403", "status of 401")
    await server.chat_app.operator.run("ban", {"user": "bob"})
    await expect(page.get_by_text("заблокирован или удалён")).to_be_visible()
    await fill(page, username="bob", password=PASSWORD)
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_text("Этот аккаунт заблокирован")).to_be_visible()


async def test_the_first_steps_and_an_empty_room(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    window = await open_window(server, ann)
    page = window.page
    await expect(page.get_by_role("heading", name="Welcome, ann!")).to_be_visible()
    await page.get_by_role("button", name="Make a group").click()
    dialog = page.get_by_role("dialog", name="New chat")
    await expect(dialog.get_by_role("radio", name="Group")).to_be_checked()
    await dialog.get_by_label("Name", exact=True).fill("Book club")
    await window.button("Create group").click()
    await expect(window.log.get_by_text("You are the only one here so far")).to_be_visible()
    await window.button("Add people").click()
    await expect(page.get_by_role("dialog", name="Add people")).to_be_visible()
    await window.button("Close").click()
    await window.button("Say hello").click()
    await window.composer.press("Enter")
    await window.shown("Hello! 👋")
    await expect(window.button("Say hello")).to_have_count(0)
    others = await open_window(server, bob, **PHONE)
    await others.page.get_by_role("button", name="Write to somebody").click()
    await others.page.get_by_role("option", name="ann").click()
    await expect(others.log.get_by_text("ann sees it with your first message")).to_be_visible()
    await expect(window.chats.get_by_role("link")).to_have_count(1)
    await others.composer.fill("Are you there?")
    await others.button("Send").tap()
    await expect(window.chats.get_by_role("link", name="bob")).to_contain_text("Are you there?")


async def test_chats_are_favourites_marked_quiet_and_hidden(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    chats = {name: await bob.chat(ann, name=name) for name in ("Reading", "Cycling", "Noise")}
    for chat_id in chats.values():
        await bob.say(chat_id, "hello")
        await ann.post(f"/chats/{chat_id}/read")
    window = await open_window(server, ann, f"/chats/{chats['Noise']}")
    other = await open_window(server, ann, f"/chats/{chats['Noise']}")
    page = window.page
    await other.connected()
    await window.connected()

    def item(name: str, where: Window = window) -> Locator:
        return where.chats.get_by_role("link", name=name)

    # By the mouse.
    await item("Reading").click(button="right")
    await page.get_by_role("menuitem", name="Add to favourites").click()
    for one in (window, other):
        await expect(one.chats.get_by_role("region", name="Favourites")).to_contain_text("Reading")
    # By the menu key.
    await item("Cycling").focus()
    await page.keyboard.press("Shift+F10")
    await expect(page.get_by_role("menu", name="Actions for “Cycling”")).to_be_visible()
    for _ in range(2):
        await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Mark as unread")).to_be_focused()
    await page.keyboard.press("Enter")
    for one in (window, other):
        await expect(item("Cycling", one)).to_contain_text("Marked as unread")
        await expect(one.page).to_have_title("(1) Noise – Vestnik")
    await expect(item("Cycling")).to_be_focused()
    await item("Cycling").click()
    for one in (window, other):
        await expect(item("Cycling", one)).not_to_contain_text("Marked as unread")
    await item("Reading").click(button="right")
    await page.get_by_role("menuitemradio", name="None").click()
    await bob.say(chats["Reading"], "an unread one")
    for one in (window, other):
        await expect(item("Reading", one)).to_contain_text("1 unread message")
        await expect(one.page).to_have_title(re.compile(r"^\w+ – Vestnik$"))
    # From the open chat.
    await window.button("Actions for “Cycling”").click()
    await page.get_by_role("menuitem", name="Hide until the next message").click()
    for one in (window, other):
        await expect(item("Cycling", one)).to_have_count(0)
    await page.reload()
    await expect(item("Reading")).to_be_visible()
    await expect(item("Cycling")).to_have_count(0)
    await page.get_by_role("button", name="Menu of ann").click()
    await page.get_by_role("menuitem", name="Hidden chats").click()
    await expect(page.get_by_role("dialog", name="Hidden chats")).to_contain_text("Cycling")
    await page.keyboard.press("Escape")
    await bob.say(chats["Cycling"], "it is back")
    for one in (window, other):
        await expect(item("Cycling", one)).to_contain_text("it is back")

    await item("Reading").click(button="right")
    await page.get_by_role("menuitem", name="Remove from favourites").click()
    for one in (window, other):
        await expect(one.chats.get_by_role("region", name="Favourites")).to_have_count(0)


async def test_nobody_sees_somebody_who_appears_offline(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    watcher = await bob.joined(chat_id)
    window = await open_window(server, ann, f"/chats/{chat_id}")
    assert (await watcher.next("user_status"))["status"] == "online"
    await open_profile(window)
    await window.page.get_by_text("Offline", exact=True).click()
    await watcher.next("user_offline")
    for _ in range(2):
        await window.page.reload()
        await expect(window.composer).to_be_visible()
        await expect(window.page.get_by_text("2 members")).to_be_visible()
    second = await open_window(server, ann, f"/chats/{chat_id}")
    await second.page.get_by_role("button", name="Menu of ann").click()
    chosen = second.page.get_by_role("menuitemradio", name="Appear offline")
    await expect(chosen).to_have_attribute("aria-checked", "true")
    await second.page.keyboard.press("Escape")
    await second.say("here all the same")
    await watcher.next("new_message")
    seen = [frame["type"] for frame in watcher.take()]
    assert not {"user_status", "user_offline"}.intersection(seen), seen
    await second.page.get_by_role("button", name="Menu of ann").click()
    await second.page.get_by_role("menuitemradio", name="Busy").click()
    assert (await watcher.next("user_status"))["status"] == "busy"
    await window.page.get_by_role("button", name="Menu of ann").click()
    await expect(window.page.get_by_role("menuitemradio", name="Busy")).to_have_attribute(
        "aria-checked", "true"
    )


async def test_sessions_blocks_and_the_end_of_an_account(server: Server, open_window: OpenWindow) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hello bob")
    window = await open_window(server, path=f"/chats/{chat_id}")
    page = window.page
    await fill(page, username="ann", password=PASSWORD)
    await window.button("Log in").click()
    bobs = await open_window(server, bob, f"/chats/{chat_id}")
    await bobs.say("hello ann")
    await window.shown("hello ann")

    # Sessions: this one is marked, the other one ends.
    await ann.login("ann")
    lost = await open_window(server, ann)
    lost.expects("status of 401")
    await lost.connected()
    await open_profile(window)
    await window.button("Where you are logged in").click()
    rows = page.get_by_role("dialog").get_by_role("listitem")
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("this one")
    await expect(rows.first).to_contain_text("Chrome")
    await window.button("Log out everywhere else").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Log out").click()
    await expect(rows).to_have_count(1)
    await expect(lost.page.get_by_text("logged out here from another device")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")

    # Blocks.
    await window.button("Actions for “bob”").click()
    await page.get_by_role("menuitem", name="Block this person").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Block this person").click()
    await expect(page.get_by_text("You have blocked bob.")).to_be_visible()
    await bobs.say("are you angry?")
    await expect(bobs.message("are you angry?")).to_contain_text("Not sent")
    await expect(bobs.message("are you angry?")).to_contain_text("cannot write to this person")
    await open_profile(window)
    await window.button("Blocked people").click()
    await window.button("Unblock bob").click()
    await expect(page.get_by_text("You have blocked nobody.")).to_be_visible()
    await page.keyboard.press("Escape")
    await bobs.message("are you angry?").get_by_role("button", name="Try again").click()
    await window.shown("are you angry?")

    # The end.
    await window.button("Delete account").click()
    window.expects("status of 403", "status of 401")
    await fill(page, password="not this one")
    await window.button("Delete my account").click()
    await expect(page.get_by_text("This is not your current password")).to_be_visible()
    await fill(page, password=PASSWORD)
    await window.button("Delete my account").click()
    await expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    await expect(bobs.page.get_by_text("has deleted their account")).to_be_visible()
    await fill(page, username="ann", password=PASSWORD)
    await window.button("Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    assert re.fullmatch(r".*/login", page.url)


async def test_the_setup_link_leads_to_the_first_account(server: Server, open_window: OpenWindow) -> None:
    """The page of the link. That the code makes an admin is the server's part, which answers here as if it had none."""
    window = await open_window(server, path="/login")
    page = window.page
    needed = {"registration": "closed", "setup_needed": True}
    await page.route("**/api/server", lambda route: route.fulfill(json=needed))
    await page.reload()
    await expect(page.get_by_text("This server has no admin yet")).to_be_visible()
    await expect(page.get_by_role("link")).to_have_count(0)
    await window.goto("/setup")
    await expect(page.get_by_text("with the code at its end")).to_be_visible()
    await window.goto("/setup?code=CODE")
    await window.button("Create admin account").click()
    await expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    refusal = {"error": {"code": "forbidden", "message": "wrong code"}}
    window.expects("status of 403")
    await page.route("**/api/auth/register", lambda route: route.fulfill(status=403, json=refusal))
    await fill(page, username="ann", password=PASSWORD)
    await window.button("Create admin account").click()
    await expect(page.get_by_text("only the newest works")).to_be_visible()
    await page.unroute("**/api/auth/register")
    code: list[str] = []

    async def register(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        code.append(body.pop("setup_code"))
        await route.continue_(post_data=json.dumps(body))

    await page.route("**/api/auth/register", register)
    await window.button("Create admin account").click()
    await expect(page.get_by_role("heading", name="Welcome, ann!")).to_be_visible()
    assert code == ["CODE"]
    done = {"registration": "closed", "setup_needed": False}
    await page.route("**/api/server", lambda route: route.fulfill(json=done))
    await window.goto("/setup?code=CODE")
    await expect(page.get_by_text("This server has an admin already")).to_be_visible()


async def test_a_private_chat_in_which_both_have_written_offers_no_deletion(
    server: Server, open_window: OpenWindow
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hello bob")
    window = await open_window(server, ann, f"/chats/{chat_id}")
    await window.shown("hello bob")
    await window.button("About this chat").click()
    await expect(window.button("Delete chat")).to_be_visible()
    await bob.say(chat_id, "hello ann")
    await expect(window.button("Delete chat")).to_have_count(0)
    await expect(window.button("Hide")).to_be_visible()
