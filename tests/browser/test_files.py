"""Files on their way into a message: chosen, pasted, dropped, ordered, uploaded, refused, kept."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.conftest import OpenWindow, Shared, Windows
from tests.browser.files import Gate, Made, choose, document, drag, paste, photo, screenshot, sound, tray
from tests.browser.window import EMPTY_PAGE, Window
from tests.clients.people import Person
from tests.conftest import Serve, Server

UPLOADS = re.compile(r"/api/uploads$")


class Scene:
    server: Server
    ann: Any
    window: Window
    chat_id: int

    async def messages(self) -> Any:
        return (await self.ann.get(f"/chats/{self.chat_id}/messages"))["messages"]

    async def names(self) -> list[str]:
        """The names of the files in the tray."""
        await expect(tray(self.window).get_by_role("status").filter(has_text="Reading")).to_have_count(0)
        return [
            str(await item.locator("bdi").get_attribute("title"))
            for item in await tray(self.window).get_by_role("listitem").all()
        ]


async def arranged(
    server: Server, people: Sequence[Person], open_window: OpenWindow, **options: Any
) -> Scene:
    """The first of the people in a chat with the other."""
    scene = Scene()
    scene.server = server
    ann, bob = people
    scene.ann = ann
    scene.chat_id = await ann.chat(bob, name="Lobby")
    scene.window = await open_window(server, ann, f"/chats/{scene.chat_id}", **options)
    await scene.window.connected()
    await expect(scene.window.button("Attach files")).to_be_visible()
    return scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(shared: Shared, kept_windows: Windows) -> Scene:
    return await arranged(shared.server, await shared.people("ann", "bob"), kept_windows.again)


async def test_a_pasted_screenshot_is_sent_with_a_caption(scene: Scene) -> None:
    window = scene.window
    await paste(window.composer, screenshot())
    await expect(tray(window).get_by_role("img")).to_be_visible()
    (name,) = await scene.names()
    assert re.fullmatch(r"picture-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.png", name), name
    await expect(window.composer).to_be_focused()
    await window.say("the lake at noon")
    await expect(tray(window)).to_have_count(0)
    await window.sent("the lake at noon")
    [message] = await scene.messages()
    assert (message["message_type"], message["content"]) == ("image", "the lake at noon")
    [attachment] = message["attachments"]
    assert (attachment["name"], attachment["width"], attachment["height"]) == (name, 640, 400)
    shown = window.message("the lake at noon").get_by_role("img", name=name)
    await expect(shown).to_have_attribute("src", re.compile(r"/thumbnail\?"))
    assert await shown.evaluate("(image) => image.naturalWidth") == 512
    # A picture needs no text.
    await paste(window.composer, screenshot())
    await expect(tray(window).get_by_role("listitem")).to_have_count(1)
    await window.composer.press("Enter")
    await expect(window.log.get_by_role("article").last).to_contain_text("Sent")
    await expect(window.chats).to_contain_text("You: Picture")


async def test_formatted_texts_are_pasted_as_texts_and_files_dropped_beside_the_chat_do_nothing(
    scene: Scene,
) -> None:
    await scene.window.composer.evaluate("""(field) => {
      const transfer = new DataTransfer()
      transfer.setData('text/plain', 'a cell')
      transfer.setData('text/html', '<td>a cell</td>')
      transfer.items.add(new File(['x'], 'image.png', { type: 'image/png' }))
      window.isTaken = !field.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }))
    }""")
    assert await scene.window.page.evaluate("window.isTaken") is False
    await drag(scene.window.chats, "dragover", photo())
    await drag(scene.window.chats, "drop", photo())
    await expect(scene.window.page).to_have_url(re.compile(f"/chats/{scene.chat_id}$"))
    await expect(tray(scene.window)).to_have_count(0)


async def test_dropped_files_are_put_into_order_by_keys_and_sent_so(scene: Scene) -> None:
    window, page = scene.window, scene.window.page
    files = [photo("one.jpg"), document("two.pdf"), sound("three.wav")]
    await drag(window.log, "dragover", *files)
    await expect(page.get_by_text("Drop files to attach them")).to_be_visible()
    await drag(window.log, "drop", *files)
    await expect(page.get_by_text("Drop files to attach them")).to_have_count(0)
    await expect(tray(window).get_by_role("listitem")).to_have_count(3)
    assert await scene.names() == ["one.jpg", "two.pdf", "three.wav"]
    await window.button("Move three.wav one place forward").press("Enter")
    await expect(window.button("Move three.wav one place forward")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    assert await scene.names() == ["three.wav", "one.jpg", "two.pdf"]
    await expect(tray(window).get_by_text("three.wav: place 1 of 3")).to_have_count(1)
    await window.button("Remove one.jpg").click()
    assert await scene.names() == ["three.wav", "two.pdf"]
    await window.say("minutes")
    await window.sent("minutes")
    [message] = await scene.messages()
    assert message["message_type"] == "file"
    assert [one["name"] for one in message["attachments"]] == ["three.wav", "two.pdf"]


async def test_the_files_of_a_draft_survive_a_reload(scene: Scene) -> None:
    window = scene.window
    await choose(window, photo("one.jpg"), photo("two.jpg", hue=1))
    await expect(tray(window).get_by_role("img")).to_have_count(2)
    await window.page.reload()
    await expect(tray(window).get_by_role("img")).to_have_count(2)
    assert await scene.names() == ["one.jpg", "two.jpg"]
    await expect(tray(window).get_by_text("does not keep files")).to_have_count(0)
    await window.connected()
    await window.say("both")
    await window.sent("both")
    [message] = await scene.messages()
    assert [one["name"] for one in message["attachments"]] == ["one.jpg", "two.jpg"]
    await window.page.reload()
    await window.shown("both")
    await expect(tray(window)).to_have_count(0)


_NO_STORAGE = "Object.defineProperty(window, 'indexedDB', { value: undefined })"


async def test_a_browser_that_keeps_no_files_says_so(shared: Shared, open_window: OpenWindow) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    window = await open_window(shared.server, ann, EMPTY_PAGE)
    await window.context.add_init_script(_NO_STORAGE)
    await window.goto(f"/chats/{chat_id}")
    await window.connected()
    await choose(window, photo("lake.jpg"))
    await expect(tray(window).get_by_text("This browser does not keep files.")).to_be_visible()
    await window.page.reload()
    await expect(window.page.get_by_text("have to be added again: lake.jpg")).to_be_visible()
    await expect(tray(window)).to_have_count(0)
    await choose(window, photo("lake.jpg"))
    await expect(tray(window).get_by_role("img")).to_be_visible()
    await window.say("sent all the same")
    await window.sent("sent all the same")


async def test_an_unsent_message_with_files_survives_a_reload(scene: Scene) -> None:
    window, page = scene.window, scene.window.page
    window.expects("Failed to load resource", "ERR_FAILED")
    await page.route(UPLOADS, lambda route: route.abort())
    await choose(window, photo("lake.jpg"))
    await window.say("as soon as it goes")
    await expect(window.message("as soon as it goes")).to_contain_text("Sending")
    await expect(window.message("as soon as it goes").get_by_role("img", name="lake.jpg")).to_be_visible()
    await page.unroute(UPLOADS)
    await page.reload()
    await window.sent("as soon as it goes")
    [message] = await scene.messages()
    assert message["attachments"][0]["name"] == "lake.jpg"


async def test_a_text_does_not_wait_for_an_upload_and_an_upload_can_be_cancelled(scene: Scene) -> None:
    window, page = scene.window, scene.window.page
    gate = Gate()
    await page.route(UPLOADS, gate.hold)
    await choose(window, photo("one.jpg"), photo("two.jpg", hue=1))
    await window.say("two pictures")
    await window.say("meanwhile")
    await window.sent("meanwhile")
    waiting = window.message("two pictures")
    await expect(waiting.get_by_role("progressbar")).to_have_count(2)
    await waiting.get_by_role("button", name="Do not send one.jpg").click()
    await expect(waiting.get_by_role("progressbar")).to_have_count(1)
    await gate.waited(2)
    gate.open()
    await window.sent("two pictures")
    _, message = await scene.messages()
    assert [one["name"] for one in message["attachments"]] == ["two.jpg"]


async def test_a_file_over_the_limit_is_refused_before_its_upload(
    serve: Serve, open_window: OpenWindow
) -> None:
    server = await serve(max_upload_bytes=50_000)
    scene = await arranged(server, await server.people("ann", "bob"), open_window)
    window = scene.window
    await choose(window, document("small.pdf", 40_000), document("large.pdf", 60_000), taken=1)
    await expect(window.page.get_by_text(re.compile("Too large: .*large.pdf"))).to_be_visible()
    assert await scene.names() == ["small.pdf"]
    await expect(tray(window).get_by_text("Up to 10 files, 49 kB each")).to_be_visible()
    await choose(window, *(document(f"{number}.pdf", 1_000) for number in range(11)), taken=9)
    await expect(window.page.get_by_text("A message has up to 10 files")).to_be_visible()
    await expect(tray(window).get_by_role("listitem")).to_have_count(10)


async def test_a_message_that_is_over_the_quota_fails_alone_and_can_be_mended(
    serve: Serve, open_window: OpenWindow
) -> None:
    server = await serve(upload_quota_bytes=100_000)
    scene = await arranged(server, await server.people("ann", "bob"), open_window)
    window = scene.window
    window.expects("status of 413", "ERR_CONNECTION_RESET")
    await choose(window, document("fits.pdf", 60_000), document("does-not.pdf", 60_000))
    await window.say("two documents")
    failed = window.message("two documents")
    await expect(failed).to_contain_text("your files take all the space", timeout=30_000)
    await expect(failed).to_contain_text("does-not.pdf")
    await window.say("a text after it")
    await window.sent("a text after it")
    await failed.get_by_role("button", name="Edit", exact=True).click()
    assert await scene.names() == ["fits.pdf", "does-not.pdf"]
    await expect(window.composer).to_have_value("two documents")
    await window.button("Remove does-not.pdf").click()
    await window.composer.press("Enter")
    await window.sent("two documents")
    _, message = await scene.messages()
    assert [one["name"] for one in message["attachments"]] == ["fits.pdf"]


async def test_a_broken_picture_is_named_and_the_others_are_sent_without_it(scene: Scene) -> None:
    window = scene.window
    window.expects("status of 422")
    broken = photo("broken.jpg")
    broken = Made(broken.name, broken.content_type, broken.content[:2000])
    await choose(window, broken, photo("whole.jpg"))
    await window.composer.press("Enter")
    await expect(window.log).to_contain_text("“broken.jpg” is a broken picture")
    await window.button("Do not send broken.jpg").click()
    await expect(window.log.get_by_role("article")).to_contain_text("Sent")
    [message] = await scene.messages()
    assert [one["name"] for one in message["attachments"]] == ["whole.jpg"]


async def test_a_logout_takes_unsent_files_along(shared: Shared, open_window: OpenWindow) -> None:
    scene = await arranged(shared.server, await shared.people("nora", "bob"), open_window)
    window, page = scene.window, scene.window.page
    await choose(window, photo())
    await expect(tray(window).get_by_role("img")).to_be_visible()
    count = """() => new Promise((done) => {
      indexedDB.open('vestnik').onsuccess = ({ target }) => {
        const request = target.result.transaction('files').objectStore('files').count()
        request.onsuccess = () => done(request.result)
      }
    })"""
    assert await page.evaluate(count) == 1
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await expect(window.button("Log in")).to_be_visible()
    async with asyncio.timeout(30):
        while await page.evaluate(count):
            await asyncio.sleep(0.02)


async def test_on_a_phone_files_come_from_the_camera_too(shared: Shared, open_window: OpenWindow) -> None:
    phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
    scene = await arranged(shared.server, await shared.people("ann", "bob"), open_window, **phone)
    window, page = scene.window, scene.window.page
    await window.button("Attach files").tap()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("menuitem", name="Take a picture").tap()
    field = (await chooser.value).element
    assert await field.get_attribute("capture") == "environment"
    assert await field.get_attribute("accept") == "image/*"
    await (await chooser.value).set_files(photo("camera.jpg").payload)
    await expect(tray(window).get_by_role("img")).to_be_visible()
    await expect(page.get_by_role("menu")).to_have_count(0)


async def test_a_server_that_takes_no_files_offers_none(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    window = await shared.window(ann, EMPTY_PAGE)
    about = await shared.server.stranger().request("GET", "/server")
    for max_upload_bytes in (None, 0):  # an older server, and one that takes none
        answer = {**about[1], "max_upload_bytes": max_upload_bytes}
        await window.page.unroute("**/api/server")
        await window.page.route("**/api/server", partial(Route.fulfill, json=answer))
        await window.goto(f"/chats/{chat_id}")
        await expect(window.button("Emoji")).to_be_visible()
        await window.page.wait_for_load_state("networkidle")
        await expect(window.button("Attach files")).to_have_count(0)
        await paste(window.composer, screenshot())
        await expect(window.page.get_by_text("This server takes no files.")).to_be_visible()
        await expect(tray(window)).to_have_count(0)
