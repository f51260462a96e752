"""Where files and avatars are, one place after the other."""

import re
from collections.abc import AsyncIterator

from playwright.async_api import expect

from tests.browser.files import choose, document, photo, recorded, send, sound
from tests.browser.places import LONG, Seed, shown
from tests.browser.window import Window

UPLOADS = re.compile(r"/api/uploads$")


async def file_places(window: Window, seed: Seed) -> AsyncIterator[str]:
    """Messages with files of all kinds, the gallery, files that Ann sends, avatars."""
    page, bob = window.page, seed.others[0]
    for person in (seed.ann, bob):
        await person.request("PUT", "/users/me/avatar", data=photo().content)
    await window.goto(f"/chats/{seed.group}")
    clip = await recorded(window)
    await send(bob, seed.group, photo("lake.jpg"), content="Look at this")
    await send(bob, seed.group, *(photo(f"{n}.jpg", 500 + 200 * n, 700, n) for n in range(5)))
    await send(seed.ann, seed.group, photo("high.jpg", 500, 1500, 1))
    await send(bob, seed.group, photo("small.jpg", 40, 30))
    await send(
        seed.ann, seed.group, document(f"{LONG}.pdf"), sound(f"{LONG}.wav"), clip, content="All that we have"
    )
    await expect(window.message("All that we have").locator("video")).to_be_attached()
    yield "messages with files"
    await window.log.get_by_role("button", name=re.compile("lake.jpg")).click()
    await shown(page.get_by_role("dialog"))
    await expect(page.get_by_role("dialog").get_by_role("img", name="lake.jpg").last).to_be_visible()
    yield "gallery"
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await choose(window, photo("one.jpg"), document(f"{LONG}.pdf"), photo("two.jpg", hue=2))
    await expect(page.locator(".tray").get_by_role("img")).to_have_count(2)
    yield "files to be sent"
    await page.route(UPLOADS, lambda route: route.abort())
    window.expects("ERR_FAILED")
    await window.composer.fill("On its way")
    await page.locator(".send").click()
    await expect(window.message("On its way").get_by_role("progressbar")).to_have_count(3)
    yield "files on their way"
    await window.goto("/")
    await page.locator(".trigger").click()
    await page.get_by_role("menuitem").nth(2).click()
    await page.get_by_role("dialog").locator("[data-page=picture]").click()
    yield "own picture"
    await page.get_by_role("dialog").locator("input[type=file]").set_input_files([photo().payload])
    await expect(page.get_by_role("dialog").get_by_role("group")).to_be_focused()
    yield "part of a picture"
