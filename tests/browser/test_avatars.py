"""Pictures of users and chats: chosen, cut, shown everywhere, taken away."""

import re
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import Shared
from tests.browser.files import Made, drag, paste, photo, screenshot, tray
from tests.browser.window import EMPTY_PAGE, Window

AVATAR = re.compile(r"/api/avatars/")


class Scene:
    shared: Shared
    ann: Any
    bob: Any
    chat_id: int


@pytest_asyncio.fixture(loop_scope="session")
async def scene(shared: Shared) -> Scene:
    scene = Scene()
    scene.shared = shared
    scene.ann, scene.bob = await shared.people("ann", "bob")
    await scene.ann.request("DELETE", "/users/me/avatar")  # of another test
    scene.chat_id = await scene.ann.chat(scene.bob, name="Lobby")
    await scene.ann.say(scene.chat_id, "hello")
    return scene


def picture(within: Locator) -> Locator:
    return within.locator(".avatar img")


async def open_profile(window: Window) -> Locator:
    await window.page.get_by_role("button", name="Menu of").click()
    await window.page.get_by_role("menuitem", name="Profile").click()
    await window.button("Change the picture").click()
    return window.page.get_by_role("dialog", name="Picture")


async def test_an_own_picture_is_cut_and_others_see_it_at_once(scene: Scene) -> None:
    window = await scene.shared.window(scene.ann, f"/chats/{scene.chat_id}")
    other = await scene.shared.window(scene.bob, f"/chats/{scene.chat_id}")
    await other.connected()
    await window.connected()
    dialog = await open_profile(window)
    nothing = Made("me.jpg", "image/jpeg", b"no picture at all")
    await dialog.locator("input[type=file]").set_input_files([nothing.payload])
    await expect(dialog.get_by_role("alert")).to_have_text("The browser cannot read this as a picture.")
    await dialog.locator("input[type=file]").set_input_files([photo("me.jpg", 1200, 800).payload])
    crop = dialog.get_by_role("group", name="Part of the picture that is shown")
    await expect(crop).to_be_focused()
    await window.page.keyboard.press("ArrowRight")
    await dialog.get_by_label("Zoom").fill("2")
    await dialog.get_by_role("button", name="Use this picture").click()
    await expect(window.page.get_by_text("The picture is changed.")).to_be_visible()
    await expect(window.button("Change the picture")).to_be_focused()
    await window.page.keyboard.press("Escape")
    user = await scene.ann.get("/users/me")
    assert AVATAR.match(user["avatar_url"])
    for within in (window.page.get_by_role("button", name="Menu of"), other.message("hello")):
        await expect(picture(within)).to_have_attribute("src", user["avatar_url"])
    # Half of 800: what was zoomed out of sight is not in it.
    assert await picture(other.message("hello")).evaluate("(image) => image.naturalWidth") == 400


async def test_a_picture_that_is_taken_away_leaves_the_initials(scene: Scene) -> None:
    await scene.ann.request("PUT", "/users/me/avatar", data=photo().content)
    other = await scene.shared.window(scene.bob, f"/chats/{scene.chat_id}")
    await expect(picture(other.message("hello"))).to_be_visible()
    await other.connected()
    window = await scene.shared.window(scene.ann, f"/chats/{scene.chat_id}")
    dialog = await open_profile(window)
    await dialog.get_by_role("button", name="Remove the picture").click()
    await expect(window.page.get_by_text("The picture is removed.")).to_be_visible()
    await expect(picture(other.message("hello"))).to_have_count(0)
    await expect(other.message("hello").locator(".disc")).to_have_attribute("data-initials", "A")
    assert (await scene.ann.get("/users/me"))["avatar_url"] is None


async def test_a_chat_gets_a_picture_from_those_who_manage_it(scene: Scene) -> None:
    window = await scene.shared.window(scene.ann, f"/chats/{scene.chat_id}")
    other = await scene.shared.window(scene.bob, f"/chats/{scene.chat_id}")
    await other.connected()
    await window.button("About this chat").click()
    await window.button("Change the picture").click()
    dialog = window.page.get_by_role("dialog", name="Picture")
    # The panel is beside the chat: each takes what is meant for it.
    await paste(window.composer, screenshot())
    await expect(tray(window).get_by_role("listitem")).to_have_count(1)
    crop = dialog.get_by_role("group", name="Part of the picture that is shown")
    await expect(crop).to_have_count(0)
    await drag(dialog.locator(".editor"), "drop", photo("us.jpg", 500, 900, 1))
    await expect(crop).to_be_focused()
    await expect(tray(window).get_by_role("listitem")).to_have_count(1)
    await dialog.get_by_role("button", name="Use this picture").click()
    await expect(picture(window.chats)).to_have_attribute("src", AVATAR)
    await expect(picture(other.chats)).to_have_attribute("src", AVATAR)
    await expect(picture(other.page.locator("header"))).to_have_attribute("src", AVATAR)
    await other.button("About this chat").click()
    await expect(other.page.get_by_role("dialog", name="Group")).to_be_visible()
    await expect(other.button("Change the picture")).to_have_count(0)
    code = (await scene.ann.post(f"/chats/{scene.chat_id}/invites"))["code"]
    stranger = await scene.shared.window(None, f"/invite/{code}")
    await expect(picture(stranger.page.get_by_role("main"))).to_have_attribute("src", AVATAR)


async def test_an_avatar_that_cannot_be_loaded_is_initials(scene: Scene) -> None:
    await scene.ann.request("PUT", "/users/me/avatar", data=photo().content)
    window = await scene.shared.window(scene.bob, EMPTY_PAGE)
    window.expects("ERR_FAILED")
    await window.page.route(AVATAR, lambda route: route.abort())
    await window.goto(f"/chats/{scene.chat_id}")
    await window.shown("hello")
    await window.page.wait_for_load_state("networkidle")
    await expect(picture(window.message("hello"))).to_have_count(0)
