"""The layout on a phone, in dark mode, in Russian, and what screen readers get."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.places import chat_places, places, public_places, seeded
from tests.browser.places_of_admins import (
    admin_places,
    moderated_places,
    moderation_places,
    newcomer_places,
    settled,
)
from tests.browser.places_of_files import file_places
from tests.browser.places_of_messages import message_places, search_places
from tests.browser.window import Window
from tests.conftest import Server
from tests.patience import within

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

TOO_WIDE = """() => {
  const { scrollWidth, clientWidth } = document.scrollingElement
  const found = scrollWidth > clientWidth ? [`the page: ${scrollWidth} px`] : []
  const box = { left: 0, right: innerWidth + 0.5 }
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility()) continue
    const name = `${element.tagName}.${element.className}`
    const scrolls = ['auto', 'scroll'].includes(getComputedStyle(element).overflowX)
    if (scrolls && element.scrollWidth > element.clientWidth) found.push(`${name}: scrolls sideways`)
    const { left, right, width } = element.getBoundingClientRect()
    const isDialog = element.matches('[role=dialog], [role=alertdialog], [role=menu]')
    if (width && isDialog && (left < 0 || right > innerWidth + 0.5)) found.push(`${name}: sticks out`)
  }
  return found
}"""
"""Elements that scroll sideways or reach outside the window."""

FINDINGS = """async (isAll) => {
  // Colours that are on their way count when they have come: those that are inherited set off after one another.
  for (let rest = 3; rest > 0; rest--) {
    await new Promise((done) => requestAnimationFrame(done))
    for (const moving of document.getAnimations()) {
      if (!(moving instanceof CSSTransition)) continue
      moving.finish()
      rest = 3
    }
  }
  // What lies under an overlay was a place itself; only who is hidden from whom is another question then, which axe
  // leaves to people while a dialog is open.
  const overlays = document.querySelectorAll('[role=dialog], [role=alertdialog], [role=menu]')
  const top = [...overlays].filter((overlay) => overlay.checkVisibility()).at(-1)
  const found = async (context, more) =>
    (await axe.run(context, { resultTypes: ['violations'], preload: false, ...more })).violations
  const violations = await found(top ?? document, isAll ? {} : { runOnly: ['color-contrast'] })
  if (top?.role === 'menu' && isAll) violations.push(...(await found(document, { runOnly: ['aria-hidden-focus'] })))
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary])])
}"""


async def walk_of(
    name: str, server: Server, open_window: OpenWindow, **options: Any
) -> AsyncIterator[tuple[Window, str]]:
    """The places of a walk, each with the window that is there."""
    if name == "messages":
        seed = await seeded(server)
        ann = await open_window(server, seed.ann, **options)
        walks = [(ann, message_places(ann, seed)), (ann, search_places(ann))]
    elif name == "files":
        seed = await seeded(server)
        ann = await open_window(server, seed.ann, **options)
        walks = [(ann, file_places(ann, seed))]
    elif name == "members":
        seed = await seeded(server)
        stranger, ann = await open_window(server, **options), await open_window(server, seed.ann, **options)
        stranger.expects("status of 404")  # for the invite that does not exist
        walks = [(stranger, public_places(stranger, seed)), (ann, places(ann))]
    elif name == "chats":
        seed = await seeded(server)
        ann = await open_window(server, seed.ann, f"/chats/{seed.group}", **options)
        ann.expects("status of 404")  # for the chat that does not exist
        walks = [(ann, chat_places(ann, seed))]
    else:
        realm = await settled(server)
        vera = await open_window(server, realm.vera, **options)
        if name == "admins":
            walks = [(vera, admin_places(vera))]
        else:
            tom, lena = [await open_window(server, one, **options) for one in (realm.tom, realm.lena)]
            walks = [
                (vera, moderation_places(vera, realm)),
                (tom, moderated_places(tom, realm)),
                (lena, newcomer_places(lena)),
            ]
    for window, walk in walks:
        async for place in walk:
            yield window, place


SCHEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")
WALKS = ["members", "chats", "messages", "files", "admins", "moderators"]


# Russian words are the longer ones; the chats, which people see most, are looked at in English too.
@pytest.mark.parametrize(("walk", "locale"), [*((walk, "ru-RU") for walk in WALKS), ("chats", "en-US")])
async def test_nothing_scrolls_sideways_at_320_px(
    server: Server, open_window: OpenWindow, walk: str, locale: str
) -> None:
    phone = {
        "viewport": {"width": 320, "height": 568},
        "has_touch": True,
        "is_mobile": True,
        "locale": locale,
    }
    found: dict[str, Any] = {}
    async for window, place in walk_of(walk, server, open_window, **phone):
        if too_wide := await window.page.evaluate(TOO_WIDE):
            found[place] = too_wide
    assert not found, json.dumps(found, indent=1)


# The pages of admins and moderators are made of what the other walks have.
@pytest.mark.parametrize(
    "walk", [*WALKS[:4], *(pytest.param(walk, marks=pytest.mark.long) for walk in WALKS[4:])]
)
async def test_axe_finds_nothing_serious_in_the_light_or_in_the_dark(
    server: Server, open_window: OpenWindow, walk: str
) -> None:
    axe = AXE.read_text()
    found: dict[str, Any] = {}
    async for window, place in walk_of(walk, server, open_window):
        if not await window.page.evaluate("'axe' in window"):
            await window.page.evaluate(axe)
        # In the dark, only colours can be other ones.
        for scheme in SCHEMES:
            await window.page.emulate_media(color_scheme=scheme)
            if serious := await window.page.evaluate(FINDINGS, scheme == "light"):
                found[f"{place}, {scheme}"] = serious
    assert not found, json.dumps(found, indent=1)


async def test_dark_follows_the_system_or_the_preference(server: Server, open_window: OpenWindow) -> None:
    seed = await seeded(server)
    window = await open_window(server, seed.ann, f"/chats/{seed.group}", color_scheme="dark")
    page = window.page
    await expect(window.composer).to_be_visible()

    async def is_dark() -> bool:
        red, green, blue = await page.evaluate(
            r"getComputedStyle(document.body).color.match(/\d+/g).slice(0, 3).map(Number)"
        )
        return bool(red + green + blue > 384)  # light text

    async def becomes(dark: bool) -> None:
        async with within(5):
            while await is_dark() != dark:
                await asyncio.sleep(0.02)

    await becomes(True)
    await page.emulate_media(color_scheme="light")
    await becomes(False)
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Preferences").click()
    await page.get_by_text("Dark", exact=True).click()
    await becomes(True)
    await page.reload()
    await expect(window.composer).to_be_visible()
    await becomes(True)  # the preference is kept


async def test_in_russian(server: Server, open_window: OpenWindow) -> None:
    seed = await seeded(server)
    window = await open_window(server, seed.ann, f"/chats/{seed.group}", locale="ru-RU")
    page = window.page
    await expect(window.chats).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await expect(window.message("I will be there")).to_contain_text("(изменено)")
    await expect(page.get_by_text("4 участника")).to_be_visible()
    client = await seed.others[1].joined(seed.group)
    await client.done("typing", chat_id=seed.group, is_typing=True)
    await expect(page.get_by_text("Борис Петрович печатает…")).to_be_visible()
    await window.say("Всем привет")
    await window.shown("Всем привет")
    await page.get_by_role("button", name="Меню").first.click()
    await page.get_by_role("menuitem", name="Настройки").click()
    await page.get_by_text("English", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("dialog", name="Preferences")).to_be_visible()
