"""The layout on a phone, in dark mode, in Russian, and what screen readers get."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import OpenWindow, Windows
from tests.browser.places import Seed, chat_places, places, public_places, seeded
from tests.browser.places_of_admins import (
    admin_places,
    moderated_places,
    moderation_places,
    newcomer_places,
    settled,
)
from tests.browser.places_of_files import file_places
from tests.browser.places_of_messages import message_places, search_places
from tests.browser.window import EMPTY_PAGE, Window
from tests.clients.people import Person
from tests.conftest import Serve, Server, serving

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
  // What lies under an overlay was a place itself; only who is hidden from whom is another question then, which axe
  // leaves to people while a dialog is open.
  const overlays = document.querySelectorAll('[role=dialog], [role=alertdialog], [role=menu]')
  const top = [...overlays].filter((overlay) => overlay.checkVisibility()).at(-1)
  const found = async (context, more) =>
    (await axe.run(context, { resultTypes: ['violations'], preload: false, ...more })).violations
  const violations = await found(top ?? document, { rules: { region: { enabled: false } } })  // takes long, is moderate
  if (top?.role === 'menu') violations.push(...(await found(document, { runOnly: ['aria-hidden-focus'] })))
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary])])
}"""


PHONE = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}

# Russian words are the longer ones.
LOOKS: dict[str, dict[str, Any]] = {
    "phone": {**PHONE, "locale": "ru-RU"},
    "dark phone": {**PHONE, "locale": "ru-RU", "color_scheme": "dark"},
    "wide": {},
    "dark and wide": {"color_scheme": "dark"},
    "English phone": PHONE,
}

WALKS = ["members", "chats", "messages", "files", "admins", "moderators"]

# They are made of what the other walks have, which are looked through with axe.
OF_ADMINS = ["admins", "moderators"]

# Every walk once on a phone, half of them in the dark, and the view that people see most beside the list of chats.
OFTEN = {
    *(("phone", walk) for walk in ("members", "chats", "admins")),
    *(("dark phone", walk) for walk in ("messages", "files", "moderators")),
    ("dark and wide", "chats"),
}


class Stage:
    """The servers and windows of a look, which its walks share: what a walk leaves is in nobody's way."""

    def __init__(self, serve: Serve, windows: Windows, options: dict[str, Any]) -> None:
        self._serve = serve
        self.windows = windows
        self._options = options
        self._seeds: dict[Callable[[Server], Awaitable[Any]], tuple[Server, Any]] = {}

    async def walk(self, name: str) -> AsyncIterator[tuple[Window, str]]:
        """The places of a walk, each with the window that is there."""
        await self.windows.rest()
        walks = await (self._of_admins if name in OF_ADMINS else self._of_members)(name)
        for window, places_of_window in walks:
            async for place in places_of_window:
                yield window, place

    async def _of_members(self, name: str) -> list[tuple[Window, AsyncIterator[str]]]:
        server, seed = await self._seeded(seeded)
        ann = await self._window(server, seed.ann)
        if name == "messages":
            return [(ann, message_places(ann, seed)), (ann, search_places(ann))]
        if name == "files":
            return [(ann, file_places(ann, seed))]
        if name == "chats":
            ann.expects("status of 404")  # for the chat that does not exist
            return [(ann, chat_places(ann, seed))]
        stranger = await self._window(server)
        stranger.expects("status of 404")  # for the invite that does not exist
        return [(stranger, public_places(stranger, seed)), (ann, places(ann))]

    async def _of_admins(self, name: str) -> list[tuple[Window, AsyncIterator[str]]]:
        server, realm = await self._seeded(settled)
        vera = await self._window(server, realm.vera)
        if name == "admins":
            return [(vera, admin_places(vera))]
        tom, lena = [await self._window(server, one) for one in (realm.tom, realm.lena)]
        return [
            (vera, moderation_places(vera, realm)),
            (tom, moderated_places(tom, realm)),
            (lena, newcomer_places(lena)),
        ]

    async def _seeded(self, seed: Callable[[Server], Awaitable[Any]]) -> tuple[Server, Any]:
        if seed not in self._seeds:
            server = await self._serve()
            self._seeds[seed] = (server, await seed(server))
        return self._seeds[seed]

    async def _window(self, server: Server, person: Person | None = None) -> Window:
        """At a page without anything, as a walk loads its first one."""
        return await self.windows.again(server, person, EMPTY_PAGE, **self._options)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[Stage]:
    async with serving(tmp_path_factory.mktemp("look")) as serve:
        windows = Windows(browser)
        yield Stage(serve, windows, LOOKS[request.param])
        await windows.close()


@pytest.mark.parametrize(
    ("stage", "walk", "has_axe"),
    [
        pytest.param(look, walk, True, id=f"{look}-{walk}", marks=pytest.mark.long)
        if (look, walk) not in OFTEN
        else pytest.param(look, walk, walk not in OF_ADMINS, id=f"{look}-{walk}")
        for look in LOOKS
        for walk in WALKS
    ],
    indirect=["stage"],
)
async def test_nothing_scrolls_sideways_and_axe_finds_nothing_serious(
    stage: Stage, walk: str, has_axe: bool
) -> None:
    found: dict[str, Any] = {}
    async for window, place in stage.walk(walk):
        faults = await window.page.evaluate(TOO_WIDE)
        if has_axe:
            if not await window.page.evaluate("'axe' in window"):
                await window.page.evaluate(AXE.read_text())
            faults += await window.page.evaluate(FINDINGS)
        if faults:
            found[place] = faults
    if complaints := stage.windows.take_complaints():
        found["what the windows complain of"] = complaints
    assert not found, json.dumps(found, indent=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seed(module_server: Server) -> Seed:
    return await seeded(module_server)


async def test_dark_follows_the_system_or_the_preference(
    module_server: Server, seed: Seed, open_window: OpenWindow
) -> None:
    window = await open_window(module_server, seed.ann, f"/chats/{seed.group}", color_scheme="dark")
    page = window.page
    await expect(window.composer).to_be_visible()

    async def is_dark() -> bool:
        red, green, blue = await page.evaluate(
            r"getComputedStyle(document.body).color.match(/\d+/g).slice(0, 3).map(Number)"
        )
        return bool(red + green + blue > 384)  # light text

    async def becomes(dark: bool) -> None:
        async with asyncio.timeout(30):
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


async def test_in_russian(module_server: Server, seed: Seed, open_window: OpenWindow) -> None:
    window = await open_window(module_server, seed.ann, f"/chats/{seed.group}", locale="ru-RU")
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
