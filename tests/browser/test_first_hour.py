"""The first hour of a server: the link that it prints, the admin who opens it, and two people who come by invite."""

import re

import pytest
from playwright.async_api import expect

from server.first_admin import print_setup_link
from tests.browser.conftest import OpenWindow
from tests.browser.test_keyboard import tab_to
from tests.browser.window import Window
from tests.clients.rest import PASSWORD
from tests.conftest import Serve, Server

PHONE = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}


async def printed_link(server: Server, capsys: pytest.CaptureFixture[str]) -> str:
    """The path of the setup link, as a start of the server prints it."""
    await print_setup_link(server.chat_app, server.url)
    said = capsys.readouterr().out
    (link,) = re.findall(r"http\S+", said)
    assert link.startswith(f"{server.url}/setup?code="), said
    return str(link.removeprefix(server.url))


async def becomes_admin(window: Window) -> None:
    """Fills in the form of the setup link, by keys alone."""
    page, keys = window.page, window.page.keyboard
    await expect(page.get_by_label("Username", exact=True)).to_be_focused()
    await keys.press("Enter")
    await expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    for text in ("vera", "Vera Lindqvist"):
        await keys.type(text)
        await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")


async def test_the_first_admin_and_two_people(
    serve: Serve, open_window: OpenWindow, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await serve(default_chat="Lobby", registration="invite")
    setup = await printed_link(server, capsys)
    vera = await open_window(server, path=setup)
    page, keys = vera.page, vera.page.keyboard
    await becomes_admin(vera)
    await vera.connected()
    await tab_to(vera, page.get_by_role("link", name="Invite people"))
    await keys.press("Enter")
    await tab_to(vera, vera.button("Make a link"))
    await keys.press("Enter")
    await expect(page.get_by_role("img", name=re.compile("QR code of the link"))).to_be_visible()
    link = await page.get_by_label("Invite link").input_value()

    tom = await open_window(server, path=link.removeprefix(server.url), locale="ru-RU", **PHONE)
    await expect(tom.page.get_by_text("Vera Lindqvist приглашает вас на этот сервер")).to_be_visible()
    await tom.page.get_by_role("link", name="Создать аккаунт").tap()
    await tom.page.get_by_label("Имя пользователя").fill("т")
    await tom.page.get_by_label("Пароль", exact=True).fill("коротко")
    await tom.button("Создать аккаунт").tap()
    await expect(tom.page.get_by_text("От 3 до 32 латинских букв")).to_be_visible()
    await expect(tom.page.get_by_text("Не короче 8 символов")).to_be_visible()
    await tom.page.get_by_label("Имя пользователя").fill("tom")
    await tom.page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await tom.button("Создать аккаунт").tap()
    await tom.chats.get_by_role("link", name="Lobby").tap()
    await tom.button("Поздороваться").tap()
    await expect(tom.composer).to_have_value("Привет! 👋")
    await tom.button("Отправить").tap()
    await tom.shown("Привет! 👋")

    lena = await open_window(server, path=link.removeprefix(server.url), color_scheme="dark", **PHONE)
    await lena.page.get_by_role("link", name="Create account").tap()
    await lena.page.get_by_label("Username", exact=True).fill("lena")
    await lena.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await lena.button("Create account").tap()
    await lena.chats.get_by_role("link", name="Lobby").tap()
    await lena.read("Привет! 👋")
    await lena.composer.fill("Hello, you two")
    await lena.button("Send").tap()

    await keys.press("Control+k")
    await expect(page.get_by_role("combobox", name="Search for chats")).to_be_focused()
    await keys.type("Lob")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    await keys.press("Enter")
    await vera.read("Привет! 👋", "Hello, you two")
    await vera.goto("/admin/log")
    entries = page.get_by_role("list", name="Log").get_by_role("listitem")
    await expect(entries.last).to_contain_text("Vera Lindqvist became an admin of the server")
    await vera.goto("/admin/chats")
    await expect(page.get_by_role("listitem").filter(has_text="Every new account joins it.")).to_have_count(1)

    late = await open_window(server, path=setup)
    await expect(late.page.get_by_text("This server has an admin already")).to_be_visible()
    await late.page.get_by_role("link", name="Log in").click()
    await expect(late.page.get_by_text("For a new account you need an invite")).to_be_visible()


async def test_a_start_makes_earlier_setup_links_useless(
    server: Server, open_window: OpenWindow, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier, newer = [await printed_link(server, capsys) for _ in range(2)]
    window = await open_window(server, path=earlier)
    window.expects("status of 403")
    await becomes_admin(window)
    await expect(window.page.get_by_text("only the newest works")).to_be_visible()
    await window.goto(newer)
    await becomes_admin(window)
    await expect(window.page.get_by_role("heading", name="Welcome, Vera Lindqvist!")).to_be_visible()
    await expect(window.page.get_by_role("region", name="You run this server")).to_be_visible()
