"""The layout on a phone, in dark mode, in Russian, and what screen readers get."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.places import places, public_places, seeded
from tests.conftest import Server

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

FINDINGS = """async () => {
  // Colours that are on their way count when they have come: those that are inherited set off after one another.
  for (let rest = 3; rest > 0; rest--) {
    await new Promise((done) => requestAnimationFrame(done))
    for (const moving of document.getAnimations()) {
      if (!(moving instanceof CSSTransition)) continue
      moving.finish()
      rest = 3
    }
  }
  const { violations } = await axe.run(document, { resultTypes: ['violations'], preload: false })
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary])])
}"""


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
async def test_nothing_scrolls_sideways_at_320_px(
    server: Server, open_window: OpenWindow, locale: str
) -> None:
    phone = {
        "viewport": {"width": 320, "height": 568},
        "has_touch": True,
        "is_mobile": True,
        "locale": locale,
    }
    seed = await seeded(server)
    found: dict[str, Any] = {}
    stranger, ann = await open_window(server, **phone), await open_window(server, seed.ann, **phone)
    for window in (stranger, ann):
        window.expects("status of 404")  # for the invite and the chat that do not exist
    for window, walk in ((stranger, public_places(stranger)), (ann, places(ann, seed))):
        async for place in walk:
            if too_wide := await window.page.evaluate(TOO_WIDE):
                found[place] = too_wide
    assert not found, json.dumps(found, indent=1)


async def test_axe_finds_nothing_serious_in_the_light_or_in_the_dark(
    server: Server, open_window: OpenWindow
) -> None:
    seed = await seeded(server)
    axe = AXE.read_text()
    found: dict[str, Any] = {}
    stranger, ann = await open_window(server), await open_window(server, seed.ann)
    for window in (stranger, ann):
        window.expects("status of 404")  # for the invite and the chat that do not exist
    for window, walk in ((stranger, public_places(stranger)), (ann, places(ann, seed))):
        async for place in walk:
            if not await window.page.evaluate("'axe' in window"):
                await window.page.evaluate(axe)
            for scheme in ("light", "dark"):
                await window.page.emulate_media(color_scheme=scheme)
                if serious := await window.page.evaluate(FINDINGS):
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
        async with asyncio.timeout(5):
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
