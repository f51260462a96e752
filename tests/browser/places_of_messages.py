"""What one does with messages, one thing after the other: their menus and dialogs, writing, and the search for them."""

import re
from collections.abc import AsyncIterator

from playwright.async_api import expect

from tests.browser.places import Seed, shown
from tests.browser.window import Window

ABOUT_MESSAGES = (
    re.compile("^(Edit history|История изменений)$"),
    re.compile("^(Who reacted|Кто отреагировал)$"),
    re.compile("^(Read by|Прочитали)"),
)
"""The items of a message's menu that open a dialog."""


async def message_places(window: Window, seed: Seed) -> AsyncIterator[str]:
    """What Ann does with her message in the group, and with the composer."""
    page = window.page
    await window.goto(f"/chats/{seed.group}")
    mine = window.message("I will be there")
    await mine.scroll_into_view_if_needed()
    await mine.focus()
    await mine.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    yield "menu of a message"
    await page.get_by_role("menuitem").last.click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    yield "question"
    await page.keyboard.press("Escape")
    for about in ABOUT_MESSAGES:
        await mine.focus()
        await mine.press("Enter")
        await page.get_by_role("menuitem", name=about).click()
        await shown(page.get_by_role("dialog"))
        await expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
        yield about.pattern
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator(".pins").get_by_role("button").last.click()
    await expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(2)
    yield "pinned messages"
    await page.keyboard.press("Escape")
    await mine.locator(".pill").first.focus()
    await page.keyboard.press("Tab")  # by keys the names are shown
    await expect(page.get_by_role("tooltip")).to_be_visible()
    yield "who reacts"
    await mine.focus()
    await mine.press("Enter")
    await page.get_by_role("menuitem", name=re.compile("^(Add a reaction|Добавить реакцию)$")).click()
    await expect(page.get_by_role("option").nth(100)).to_be_visible()
    yield "picker of reactions"
    await page.keyboard.press("Escape")
    for name, item in (("reply", "^(Reply|Ответить)$"), ("edit", "^(Edit|Изменить)$")):
        await mine.focus()
        await mine.press("Enter")
        await page.get_by_role("menuitem", name=re.compile(item)).click()
        await expect(window.composer).to_be_focused()
        yield name
    await page.keyboard.press("Escape")
    await window.composer.fill("@")
    await expect(page.get_by_role("option").first).to_be_visible()
    yield "names to mention"
    await window.composer.fill("")
    await page.get_by_role("button", name=re.compile("^(Emoji|Эмодзи)$")).click()
    await expect(page.get_by_role("option").nth(100)).to_be_visible()
    yield "emoji"


async def search_places(window: Window) -> AsyncIterator[str]:
    """What is found, for whom one searches, and nothing."""
    page = window.page
    await page.keyboard.press("Control+k")
    await page.keyboard.type("fin")
    await expect(page.locator("mark").first).to_be_visible()
    yield "messages that are found"
    await page.keyboard.press("Control+a")
    await page.keyboard.type("n")
    await expect(page.get_by_role("option").first).to_be_visible()
    yield "chats and messages that are found"
    filters = page.locator(".filters").get_by_role("button")
    await page.locator(".filters [aria-expanded]").click()
    await expect(page.locator(".picker").get_by_role("option").first).to_be_visible()
    yield "the person to search for"
    await page.locator(".picker").get_by_role("option").first.click()
    await filters.last.click()
    await expect(page.locator(".choice")).to_have_count(0)
    yield "nothing is found"
    await page.keyboard.press("Escape")
