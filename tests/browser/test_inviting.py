"""Invites by link, and public chats: two people and what they see of it."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenWindow
from tests.browser.window import EMPTY_PAGE, Window
from tests.clients.rest import PASSWORD
from tests.conftest import Server, serving

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "locale": "ru-RU"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One server for the tests of this module, whose people and chats do not meet."""
    async with serving(tmp_path_factory.mktemp("inviting")) as serve:
        yield await serve()


def dialog(window: Window) -> Locator:
    return window.page.get_by_role("dialog")


async def test_a_link_takes_a_stranger_into_the_chat_as_often_as_it_may(
    server: Server, open_window: OpenWindow
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat(name="Lobby")
    await ann.say(chat_id, "written before")
    window = await open_window(server, ann, f"/chats/{chat_id}", permissions=["clipboard-read"])
    page = window.page
    await window.button("About this chat").click()
    await dialog(window).get_by_role("button", name="Invite by link").click()
    await expect(dialog(window)).to_contain_text("There are no links.")
    assert not any("QrCode" in request.url for request in window.requests), "loaded before it is shown"
    await dialog(window).get_by_label("Works for").select_option("1 day")
    await dialog(window).get_by_label("For how many people").select_option("1")
    await window.button("Make a link").click()
    await expect(dialog(window).get_by_role("status")).to_contain_text("The link is made")
    link = await dialog(window).get_by_label("Invite link").input_value()
    assert link.startswith(f"{server.url}/invite/")
    await expect(dialog(window).get_by_role("img", name=f"QR code of the link {link}")).to_be_visible()
    await expect(dialog(window)).to_contain_text(re.compile(r"1 use left · until .* · by ann"))
    await window.button("Copy").click()
    assert await page.evaluate("navigator.clipboard.readText()") == link

    newcomer = await open_window(server, None, link.removeprefix(server.url), **PHONE)
    await expect(newcomer.page.get_by_text("Lobby")).to_be_visible()
    await newcomer.page.get_by_role("link", name="Создать аккаунт").click()
    await newcomer.page.get_by_label("Имя пользователя").fill("newcomer")
    await newcomer.page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    await newcomer.button("Создать аккаунт").click()
    await newcomer.shown("written before")
    await expect(newcomer.page).to_have_url(f"{server.url}/chats/{chat_id}")
    await newcomer.composer.fill("Привет!")
    await newcomer.button("Отправить").click()
    await window.shown("Привет!")

    await window.button("Back to the chat").click()
    await expect(dialog(window).get_by_role("button", name="Invite by link")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog(window)).to_contain_text("There are no links.")  # it is used up


async def test_a_revoked_link_is_dead(server: Server, open_window: OpenWindow) -> None:
    olga = await server.person("olga")
    chat_id = await olga.chat(name="Дача")
    invite = await olga.post(f"/chats/{chat_id}/invites")
    window = await open_window(server, olga, f"/chats/{chat_id}", **PHONE)
    await window.button("О чате").click()
    await dialog(window).get_by_role("button", name="Пригласить по ссылке").click()
    await expect(dialog(window)).to_contain_text("использована 0 раз · до ")
    await window.button("Отозвать").click()
    await window.page.get_by_role("alertdialog").get_by_role("button", name="Отозвать").click()
    await expect(dialog(window).get_by_role("status")).to_contain_text("Ссылка больше не действует.")
    await expect(dialog(window)).to_contain_text("Ссылок нет.")
    stranger = await open_window(server, path=EMPTY_PAGE)
    stranger.expects("status of 404")
    await stranger.goto(f"/invite/{invite['code']}")
    await expect(stranger.page.get_by_text("This invite does not work")).to_be_visible()
    await window.page.evaluate("history.back()")
    await expect(
        dialog(window).get_by_role("button", name="Пригласить по ссылке")
    ).to_be_visible()  # Back leads to the first page


async def test_a_public_chat_is_found_and_joined(server: Server, open_window: OpenWindow) -> None:
    vera, tom = await server.people("vera", "tom")
    chat_id = await vera.chat(name="Announcements")
    await vera.say(chat_id, "the first one")
    window = await open_window(server, vera, f"/chats/{chat_id}")
    await window.button("About this chat").click()
    public = dialog(window).get_by_role("switch", name="Public chat")
    await public.click()
    question = window.page.get_by_role("alertdialog")
    await expect(question).to_contain_text("read all of its history, also what was written until now")
    await question.get_by_role("button", name="Cancel").click()
    await expect(public).not_to_be_checked()
    await public.click()
    await question.get_by_role("button", name="Make public").click()
    await expect(public).to_be_checked()

    toms = await open_window(server, tom)
    await toms.page.get_by_role("button", name="Menu of").click()
    await toms.page.get_by_role("menuitem", name="Public chats").click()
    search = dialog(toms).get_by_label("Search for public chats")
    await expect(search).to_be_focused()
    await search.fill("nothing of this kind")
    await expect(dialog(toms)).to_contain_text("No public chat has such a name.")
    await search.fill("annou")
    await toms.button("Join “Announcements”").click()
    await toms.shown("the first one")
    await expect(toms.page).to_have_url(f"{server.url}/chats/{chat_id}")
    await toms.say("hello")
    await window.page.keyboard.press("Escape")
    await window.shown("hello")
    await toms.button("About this chat").click()
    await expect(dialog(toms)).to_contain_text("2 members · Public chat")
    await expect(dialog(toms).get_by_role("switch")).to_have_count(0)
