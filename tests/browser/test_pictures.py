"""Files in messages: pictures, the gallery, players, downloads, links that have run out, words in place of files."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Route, expect

from tests.browser.conftest import Shared
from tests.browser.files import Gate, Made, choose, document, photo, recorded, send, sound, tray
from tests.browser.window import EMPTY_PAGE, Window

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}

IS_LOADED = "(image) => image.complete && image.naturalWidth > 0"


class Scene:
    shared: Shared
    ann: Any
    bob: Any
    chat_id: int

    async def window(self, **options: Any) -> Window:
        """Ann looks at the chat."""
        return await self.shared.window(self.ann, f"/chats/{self.chat_id}", **options)


@pytest_asyncio.fixture(loop_scope="session")
async def scene(shared: Shared) -> Scene:
    scene = Scene()
    scene.shared = shared
    scene.ann, scene.bob = await shared.people("ann", "bob")
    scene.chat_id = await scene.ann.chat(scene.bob, name="Lobby")
    return scene


def gallery(window: Window) -> Locator:
    return window.page.get_by_role("dialog", name="Pictures")


async def loaded(image: Locator) -> None:
    await expect(image).to_be_visible()
    async with asyncio.timeout(30):
        while not await image.evaluate(IS_LOADED):
            await asyncio.sleep(0.02)


# Without a node: something in the browser's own players.
_NOTE_SHIFTS = """
window.shifts = []
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries())
    for (const { node } of sources) if (node) window.shifts.push([value, node.outerHTML?.slice(0, 200)])
}).observe({ type: 'layout-shift', buffered: true })
"""


async def test_pictures_keep_their_place_free_until_they_are_loaded(scene: Scene) -> None:
    await send(scene.bob, scene.chat_id, photo("wide.jpg"), content="a wide one")
    await send(scene.bob, scene.chat_id, *(photo(f"{n}.jpg", 600, 600 + n) for n in range(5)))
    await send(scene.bob, scene.chat_id, photo("high.jpg", 600, 1600), document("minutes.pdf"), sound())
    await scene.bob.say(scene.chat_id, "the last one")
    await scene.ann.post(f"/chats/{scene.chat_id}/read")
    window = await scene.shared.window(scene.ann, EMPTY_PAGE)
    await window.context.add_init_script(_NOTE_SHIFTS)
    gate = Gate()
    await window.page.route(re.compile(r"/api/uploads/|AttachmentTile"), gate.hold)
    await window.goto(f"/chats/{scene.chat_id}")
    await window.shown("the last one")
    await expect(window.message("a wide one")).to_be_attached()
    boxes = (
        "() => [...document.querySelectorAll('article')].map((one) => one.getBoundingClientRect().toJSON())"
    )
    before = await window.page.evaluate(boxes)
    await gate.waited(1)
    await window.page.evaluate("window.shifts = []")
    gate.open()
    await loaded(window.log.get_by_role("img", name="high.jpg"))
    await expect(window.log.locator("audio")).to_be_attached()
    await window.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert await window.page.evaluate("window.shifts") == []
    for image in await window.log.get_by_role("img").all():
        await image.scroll_into_view_if_needed()
    await loaded(window.log.get_by_role("img", name="wide.jpg"))
    await expect(window.log.get_by_role("link", name="Download minutes.pdf")).to_be_attached()
    after = await window.page.evaluate(boxes)
    assert [(box["width"], box["height"]) for box in after] == [
        (box["width"], box["height"]) for box in before
    ]


async def test_an_own_picture_stays_in_place_when_it_is_sent(scene: Scene) -> None:
    window = await scene.window()
    await window.connected()
    await window.page.locator("form.composer input[type=file]").set_input_files([photo("lake.jpg").payload])
    await expect(window.page.get_by_role("region", name="Attached files").get_by_role("img")).to_be_visible()
    gate = Gate()
    await window.page.route(re.compile("/api/uploads$"), gate.hold)
    await window.composer.press("Enter")
    picture = window.log.get_by_role("img", name="lake.jpg")
    await loaded(picture)
    before = await picture.bounding_box()
    await gate.waited(1)
    gate.open()
    await expect(picture).to_have_attribute("src", re.compile("/thumbnail"))
    assert await picture.bounding_box() == before


async def test_the_gallery_goes_by_keys_and_gives_the_focus_back(scene: Scene) -> None:
    names = ["old.jpg", "one.jpg", "two.jpg", "three.jpg"]
    await send(scene.bob, scene.chat_id, photo("old.jpg", 300, 200))
    texts = [f"text {number}" for number in range(60)]  # more than a page
    await scene.shared.fill(scene.bob, scene.chat_id, texts)
    await send(
        scene.bob, scene.chat_id, photo("one.jpg"), photo("two.jpg", 800, 1200, 1), content="from today"
    )
    await send(scene.bob, scene.chat_id, photo("three.jpg", 1000, 500, 2))
    await scene.ann.post(f"/chats/{scene.chat_id}/read")
    window = await scene.window()
    page = window.page
    await loaded(window.log.get_by_role("img", name="two.jpg"))
    message = window.message("from today")
    await message.focus()
    await page.keyboard.press("Tab")
    await expect(window.button("Open the picture one.jpg")).to_be_focused()
    await page.keyboard.press("Enter")
    await loaded(gallery(window).get_by_role("img", name="one.jpg"))
    moves = [("ArrowLeft", 0), ("End", 3), ("ArrowRight", 3), ("Home", 0), ("ArrowRight", 1)]
    for key, shown in moves:
        await page.keyboard.press(key)
        await loaded(gallery(window).get_by_role("img", name=names[shown]))
        await expect(gallery(window).get_by_text(f"{shown + 1} of 4")).to_be_visible()
    # At the end the button has nothing more to do, and the keys still work.
    for _ in range(2):
        await window.button("Next picture").click()
    await loaded(gallery(window).get_by_role("img", name="three.jpg"))
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowRight")
    await loaded(gallery(window).get_by_role("img", name="three.jpg"))
    await page.keyboard.press("+")
    await expect(gallery(window).locator(".frame.zoomed")).to_have_count(1)
    await page.keyboard.press("0")
    await expect(gallery(window).locator(".frame.zoomed")).to_have_count(0)
    await window.button("Zoom in").click()
    await window.button("Zoom out").press("Enter")
    await page.keyboard.press("+")
    await expect(gallery(window).locator(".frame.zoomed")).to_have_count(1)
    async with page.expect_download() as download:
        await gallery(window).get_by_role("link", name="Download three.jpg").click()
    assert (await download.value).suggested_filename == "three.jpg"
    await page.keyboard.press("Escape")
    await expect(gallery(window)).to_have_count(0)
    await expect(window.button("Open the picture one.jpg")).to_be_focused()


async def test_back_closes_the_gallery_and_so_does_the_end_of_its_message(scene: Scene) -> None:
    first = await send(scene.bob, scene.chat_id, photo("one.jpg"))
    window = await scene.window()
    await window.connected()
    await window.button("Open the picture one.jpg").click()
    await expect(gallery(window)).to_be_visible()
    await window.page.go_back()
    await expect(gallery(window)).to_have_count(0)
    await expect(window.page).to_have_url(re.compile(f"/chats/{scene.chat_id}$"))
    await window.button("Open the picture one.jpg").click()
    await expect(gallery(window)).to_be_visible()
    await scene.bob.delete(f"/messages/{first['id']}")
    await expect(gallery(window)).to_have_count(0)


_PINCH = """(frame) => {
  const point = (type, pointerId, clientX, clientY) =>
    frame.dispatchEvent(
      new PointerEvent(type, { pointerId, pointerType: 'touch', clientX, clientY, bubbles: true }))
  frame.setPointerCapture = () => {}
  point('pointerdown', 1, 150, 300)
  point('pointerdown', 2, 210, 300)
  point('pointermove', 1, 90, 300)
  point('pointermove', 2, 270, 300)
  point('pointerup', 1, 90, 300)
  point('pointerup', 2, 270, 300)
}"""


async def tap_twice(window: Window, x: int, y: int) -> None:
    """Sends all of it at once: on a busy machine the taps of `touchscreen` may be too far from each other."""
    cdp = await window.context.new_cdp_session(window.page)
    tap: list[tuple[str, list[Any]]] = [("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])]
    await asyncio.gather(
        *(
            cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            for kind, points in tap * 2
        )
    )
    await cdp.detach()


async def test_fingers_turn_pinch_and_tap_twice(scene: Scene) -> None:
    await send(scene.bob, scene.chat_id, photo("one.jpg"), photo("two.jpg", hue=1))
    window = await scene.window(**PHONE)
    await window.button("Open the picture one.jpg").tap()
    frame = gallery(window).locator(".frame")
    await loaded(gallery(window).get_by_role("img", name="one.jpg"))
    scale = "() => new DOMMatrix(getComputedStyle(document.querySelector('.gallery .picture')).transform).a"
    await frame.evaluate(_PINCH)
    async with asyncio.timeout(30):
        while abs(await window.page.evaluate(scale) - 3) > 0.01:
            await asyncio.sleep(0.02)
    for wanted in (1, 2.5, 1):
        await tap_twice(window, 180, 320)
        async with asyncio.timeout(30):
            while abs(await window.page.evaluate(scale) - wanted) > 0.01:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.35)  # a third tap would belong to the first two
    await frame.evaluate("""(frame) => {
      const point = (type, x) => frame.dispatchEvent(new PointerEvent(type,
        { pointerId: 3, pointerType: 'touch', clientX: x, clientY: 300, bubbles: true }))
      frame.setPointerCapture = () => {}
      point('pointerdown', 300)
      point('pointermove', 150)
      point('pointerup', 100)
    }""")
    await loaded(gallery(window).get_by_role("img", name="two.jpg"))


async def test_sounds_and_videos_play_one_at_a_time(scene: Scene) -> None:
    window = await scene.window()
    await window.connected()
    clip = await recorded(window)
    await choose(window, clip)
    await expect(tray(window).locator("video")).to_have_js_property("videoWidth", 320)
    await window.button("Remove clip.webm").click()
    await send(scene.bob, scene.chat_id, sound("note.wav", 2), clip, content="listen")
    half = Made("half.webm", clip.content_type, clip.content[:150])
    await send(scene.bob, scene.chat_id, half, content="look")
    await expect(window.message("look")).to_contain_text("Your browser cannot play this.")
    await expect(window.message("look").get_by_role("link", name="Download half.webm")).to_be_visible()
    audio = window.message("listen").locator("audio")
    video = window.message("listen").locator("video")
    await expect(audio).to_have_attribute("aria-label", "note.wav")
    await expect(video).to_have_attribute("aria-label", "clip.webm")
    async with asyncio.timeout(30):
        while not await audio.evaluate("(audio) => audio.duration > 1.9"):
            await asyncio.sleep(0.05)
        while not await video.evaluate("(video) => video.videoWidth === 320"):
            await asyncio.sleep(0.05)
    await audio.evaluate("(audio) => { audio.loop = true; audio.muted = true; return audio.play() }")
    assert await audio.evaluate("(audio) => audio.paused") is False
    await video.evaluate("(video) => { video.muted = true; return video.play() }")
    async with asyncio.timeout(30):
        while not await audio.evaluate("(audio) => audio.paused"):
            await asyncio.sleep(0.02)


async def test_a_file_is_downloaded_under_its_name(scene: Scene, tmp_path: Path) -> None:
    file = document("отчёт за ноябрь.pdf", 30_000)
    await send(scene.bob, scene.chat_id, file)
    window = await scene.window()
    link = window.log.get_by_role("link", name="Download отчёт за ноябрь.pdf")
    await expect(link).to_contain_text("PDF · 29 kB")
    async with window.page.expect_download() as download:
        await link.click()
    saved = await download.value
    assert saved.suggested_filename == file.name
    await saved.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == file.content


async def test_links_that_have_run_out_are_renewed(scene: Scene) -> None:
    await send(scene.bob, scene.chat_id, photo("lake.jpg"), document("minutes.pdf"), sound("note.wav"))
    window = await scene.shared.window(scene.ann, EMPTY_PAGE)
    window.expects("status of 403")

    async def stale(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(
            response=answer, body=re.sub(r"signature=[\w-]+", "signature=old", await answer.text())
        )

    await window.page.route(re.compile(r"/messages\?"), stale)
    await window.goto(f"/chats/{scene.chat_id}")
    await loaded(window.log.get_by_role("img", name="lake.jpg"))
    audio = window.log.locator("audio")
    async with asyncio.timeout(30):
        while not await audio.evaluate("(audio) => audio.duration > 0.9"):
            await asyncio.sleep(0.05)

    async def over(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=re.sub(r"expires=\d+", "expires=1", await answer.text()))

    await window.page.unroute(re.compile(r"/messages\?"))
    await window.page.route(re.compile(r"/messages\?"), over)
    await window.page.reload()
    await loaded(window.log.get_by_role("img", name="lake.jpg"))
    async with window.page.expect_download() as download:
        await window.log.get_by_role("link", name="Download minutes.pdf").click()
    assert (await download.value).suggested_filename == "minutes.pdf"


async def test_files_are_words_in_quotes_pins_the_list_and_the_search(scene: Scene) -> None:
    pictures = await send(scene.bob, scene.chat_id, photo("one.jpg"), photo("two.jpg"), content="the lake")
    report = await send(scene.bob, scene.chat_id, document("annual-report.pdf"))
    await scene.ann.post(f"/messages/{pictures['id']}/pin")
    await scene.ann.say(scene.chat_id, "which lake?", reply_to=pictures["id"])
    await scene.ann.say(scene.chat_id, "thank you", reply_to=report["id"])
    window = await scene.window()
    page = window.page
    await expect(window.message("which lake?")).to_contain_text("2 pictures · the lake")
    await expect(window.message("thank you")).to_contain_text("annual-report.pdf")
    await expect(page.get_by_role("region", name="Pinned messages")).to_contain_text("2 pictures · the lake")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("annual")
    await expect(page.get_by_role("option").filter(has_text="annual-report.pdf")).to_be_visible()
    await expect(page.locator("mark")).to_have_text("annual")


async def test_the_text_of_a_picture_can_be_edited_away(scene: Scene) -> None:
    await send(scene.ann, scene.chat_id, photo("lake.jpg"), content="a tpyo")
    window = await scene.window()
    await window.connected()
    await loaded(window.log.get_by_role("img", name="lake.jpg"))
    await window.composer.press("ArrowUp")
    await expect(window.composer).to_have_value("a tpyo")
    await window.composer.fill("")
    await window.composer.press("Enter")
    await expect(window.log.get_by_role("article")).to_contain_text("(edited)")
    await expect(window.log.get_by_role("article")).not_to_contain_text("tpyo")
    [message] = (await scene.ann.get(f"/chats/{scene.chat_id}/messages"))["messages"]
    assert (message["content"], len(message["attachments"])) == ("", 1)
