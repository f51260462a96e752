"""The page of the server's admins."""

import re
from datetime import UTC, datetime

from playwright.async_api import Locator, expect

from domain.acts import AccountUpdate, Act
from tests.browser.conftest import OpenWindow
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "locale": "ru-RU"}


async def make_admin(server: Server, person: Person) -> None:
    users = server.chat_app.context.store.users
    await users.update(person.id, AccountUpdate(is_admin=True), Act(None, datetime.now(UTC)))


def account(window: Window, username: str) -> Locator:
    return window.page.get_by_role("listitem").filter(has_text=f"@{username}")


async def choose(window: Window, username: str, act: str, yes: str | None = None) -> None:
    """Picks an entry of the menu of an account, and says yes to the question that follows."""
    await window.button(f"What to do with {username}").click()
    await window.page.get_by_role("menuitem", name=act, exact=True).click()
    if yes is not None:
        await window.page.get_by_role("alertdialog").get_by_role("button", name=yes, exact=True).click()


async def test_an_admin_cares_for_the_accounts(server: Server, open_window: OpenWindow) -> None:
    ada, bob = await server.people("ada", "bob")
    await make_admin(server, ada)
    window = await open_window(server, ada)
    page = window.page
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Administration").click()
    await expect(page).to_have_url(f"{server.url}/admin")
    await expect(account(window, "ada")).to_contain_text("admin")

    window.expects("status of 40[49]")  # the name that is taken; later the deleted account, in the log
    await window.button("New account").click()
    await page.get_by_label("Username", exact=True).fill("bob")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This username is taken")).to_be_visible()
    await page.get_by_label("Username", exact=True).fill("carol")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="The account of carol is made")).to_be_visible()
    password = await page.get_by_label("Password", exact=True).input_value()
    await window.button("Done").click()
    await expect(account(window, "carol")).to_be_visible()
    carol = await open_window(server, None, "/login")
    await carol.page.get_by_label("Username", exact=True).fill("carol")
    await carol.page.get_by_label("Password", exact=True).fill(password)
    await carol.button("Log in").click()
    await carol.connected()

    await page.get_by_label("Search for people").fill("car")
    await expect(account(window, "bob")).to_have_count(0)
    carol.expects("status of 40[13]", "WebSocket connection to")
    await choose(window, "carol", "Ban", "Ban")
    await expect(account(window, "carol")).to_contain_text("banned")
    await expect(carol.button("Log in")).to_be_visible()  # at once
    await choose(window, "carol", "Lift the ban")
    await expect(account(window, "carol")).not_to_contain_text("banned")
    await choose(window, "carol", "New password", "New password")
    await expect(page.get_by_role("dialog", name="The new password of carol")).to_be_visible()
    assert await page.get_by_label("Password", exact=True).input_value() != password
    await window.button("Done").click()
    await choose(window, "carol", "Make an admin", "Make an admin")
    await expect(account(window, "carol")).to_contain_text("admin")
    await choose(window, "carol", "Take the admin right away", "Take the admin right away")
    await expect(account(window, "carol")).not_to_contain_text("admin")
    await choose(window, "carol", "Delete account", "Delete account")
    await expect(account(window, "carol")).to_have_count(0)
    await expect(
        page.get_by_label("Search for people")
    ).to_be_focused()  # as it was before the row that is gone

    await page.get_by_label("Search for people").fill("")
    await choose(window, "ada", "Take the admin right away", "Take the admin right away")
    await expect(page.get_by_text("A server needs an admin.")).to_be_visible()
    await page.get_by_role("link", name="Log", exact=True).click()
    entries = page.get_by_role("list", name="Log").get_by_role("listitem")
    await expect(entries.first).to_contain_text("ada deleted the account of carol")
    said = " | ".join(await entries.all_inner_texts())
    for words in ("lifted the ban of", "from the server", "made a new password for", "made the account of"):
        assert words in said

    await make_admin(server, bob)
    await bob.patch(f"/admin/users/{ada.id}", is_admin=False)
    await expect(page.get_by_text("You are not an admin of this server any more.")).to_be_visible()
    await page.get_by_role("button", name="Menu of").click()
    await expect(page.get_by_role("menuitem", name="Profile")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Administration")).to_have_count(0)
    await window.goto("/admin")
    await expect(page).not_to_have_url(re.compile("admin"))


async def test_the_other_sections_on_a_phone(server: Server, open_window: OpenWindow) -> None:
    ada, bob = await server.people("ada", "bob")
    await make_admin(server, ada)
    news = await bob.chat(name="Новости")
    await bob.patch(f"/chats/{news}", is_public=True)
    window = await open_window(server, ada, "/admin", **PHONE)
    page = window.page
    await page.get_by_role("link", name="Приглашения").click()
    await window.button("Создать ссылку").click()
    await expect(page.get_by_role("img", name=re.compile("QR-код ссылки"))).to_be_visible()
    await window.button("Отозвать").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Отозвать").click()
    await expect(page.get_by_text("Ссылок нет.")).to_be_visible()
    await page.get_by_role("link", name="Чаты", exact=True).click()
    await window.button("Удалить чат «Новости»").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Удалить чат").click()
    await expect(page.get_by_text("Открытых чатов нет.")).to_be_visible()
    await page.get_by_role("link", name="Статистика").click()
    await expect(page.get_by_text("Свободно на диске")).to_be_visible()
    await page.reload()  # each section has an address
    await expect(page.get_by_text("Работает с")).to_be_visible()
    await page.get_by_role("link", name="Журнал").click()
    await expect(page.get_by_text("ada: удалён чат «Новости»")).to_be_visible()
    await page.get_by_role("link", name="К списку чатов").click()
    await expect(window.chats).to_be_visible()
