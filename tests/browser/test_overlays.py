"""The back button closes an open overlay and nothing else."""

import asyncio
import re

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Route, expect

from tests.browser.conftest import Windows
from tests.browser.window import Window
from tests.conftest import Server

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
WIDE = {"viewport": {"width": 1200, "height": 800}}


class Scene:
    window: Window
    first: str
    second: str


def looked_at(*wide_marks: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """On a phone, and in a wide window, where the test has these marks."""
    params = [pytest.param(PHONE, id="phone"), pytest.param(WIDE, id="wide", marks=wide_marks)]
    return pytest.mark.parametrize("stage", params, indirect=True, scope="module")


on_both = looked_at()
# What a wide window shows beside the chat, and where one finds a chat, differs; menus and questions are the same there.
on_a_phone = looked_at(pytest.mark.long)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(request: pytest.FixtureRequest, module_server: Server, module_windows: Windows) -> Scene:
    """Ann's window with the chats "First" and "Second", in which the tests leave nothing behind."""
    width = request.param["viewport"]["width"]
    ann, bob = await module_server.people(f"ann-{width}", f"bob-{width}")
    chats = [await ann.chat(bob, name=name) for name in ("First", "Second")]
    for chat_id in chats:
        await ann.say(chat_id, "a message of mine")
    scene = Scene()
    scene.first, scene.second = (f"{module_server.url}/chats/{chat_id}" for chat_id in chats)
    scene.window = await module_windows(module_server, ann, f"/chats/{chats[0]}", **request.param)
    await scene.window.connected()
    return scene


@pytest_asyncio.fixture(loop_scope="session")
async def scene(stage: Scene, kept_windows: Windows) -> Scene:
    """Ann's window: she went from the chat "First" to the chat "Second"."""
    page = stage.window.page
    if await page.locator("[role=dialog], [role=alertdialog], [role=menu]").count():  # of a test that failed
        await page.goto(stage.first)
    elif await heading(stage, "Second").count():
        await page.keyboard.press("Alt+ArrowDown")
    await expect(heading(stage, "First")).to_be_visible()
    await to_second(stage)
    return stage


def heading(scene: Scene, name: str) -> Locator:
    return scene.window.page.get_by_role("heading", name=name, level=1)


async def to_second(scene: Scene) -> None:
    """Goes to the second chat by keys."""
    await scene.window.page.keyboard.press("Alt+ArrowUp")
    await expect(heading(scene, "Second")).to_be_visible()


async def back(scene: Scene) -> None:
    await scene.window.page.evaluate("history.back()")


async def open_menu(scene: Scene) -> Locator:
    message = scene.window.message("a message of mine")
    await message.focus()
    await message.press("Enter")
    return scene.window.page.get_by_role("menu")


@on_both
async def test_back_closes_a_dialog_and_then_leaves_the_room(scene: Scene) -> None:
    page = scene.window.page
    await scene.window.button("About this chat").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await back(scene)
    await expect(dialog).to_have_count(0)
    await expect(page).to_have_url(scene.second)
    await expect(heading(scene, "Second")).to_be_visible()
    await back(scene)
    await expect(heading(scene, "First")).to_be_visible()
    await expect(page).to_have_url(scene.first)


@on_a_phone
@pytest.mark.parametrize("steps", [1, 2])
async def test_back_closes_a_dialog_whose_code_is_still_loading(scene: Scene, steps: int) -> None:
    page = scene.window.page
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.goto(scene.first)  # where nothing is loaded yet
    await expect(heading(scene, "First")).to_be_visible()
    await to_second(scene)
    await page.route("**/assets/ChatInfoDialog-*.js", held.put)
    await scene.window.button("About this chat").click()
    code = await held.get()
    await back(scene)
    await expect(page).to_have_url(scene.second)
    if steps == 2:
        await back(scene)
        await expect(heading(scene, "First")).to_be_visible()
    async with page.expect_response("**/assets/ChatInfoDialog-*.js"):
        await code.continue_()
    await page.unroute_all()
    await scene.window.button("About this chat").click()  # now it is there at once, and is the only one
    await expect(page.get_by_role("dialog")).to_have_count(1)
    await back(scene)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(heading(scene, "Second" if steps == 1 else "First")).to_be_visible()


@on_a_phone
async def test_back_closes_a_menu(scene: Scene) -> None:
    menu = await open_menu(scene)
    await expect(menu).to_be_visible()
    await back(scene)
    await expect(menu).to_have_count(0)
    await expect(scene.window.page).to_have_url(scene.second)


@on_both
async def test_back_closes_one_thing_after_the_other(scene: Scene) -> None:
    page = scene.window.page
    await scene.window.button("About this chat").click()
    await scene.window.button("Leave").click()
    question = page.get_by_role("alertdialog")
    await expect(question).to_be_visible()
    await back(scene)
    await expect(question).to_have_count(0)
    await expect(page.get_by_role("dialog")).to_be_visible()
    await back(scene)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page).to_have_url(scene.second)


@on_a_phone
@pytest.mark.parametrize("times", [1, 3])
async def test_what_was_closed_otherwise_takes_no_step_of_back(scene: Scene, times: int) -> None:
    page = scene.window.page
    for _ in range(times):
        await page.keyboard.press("Control+/")
        await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await back(scene)
    await expect(page).to_have_url(scene.first)
    await expect(heading(scene, "First")).to_be_visible()


@on_a_phone
async def test_a_menu_that_makes_way_for_a_question(scene: Scene) -> None:
    page = scene.window.page
    await (await open_menu(scene)).get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await back(scene)
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await expect(page).to_have_url(scene.second)
    await back(scene)
    await expect(page).to_have_url(scene.first)


@on_both
async def test_a_chat_chosen_after_a_dialog_is_one_step_from_the_last(scene: Scene) -> None:
    page = scene.window.page
    await page.keyboard.press("Control+/")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("combobox")).to_be_focused()
    await page.keyboard.type("First")
    await page.get_by_role("option", name="First").click()
    await expect(heading(scene, "First")).to_be_visible()
    await expect(page).to_have_url(scene.first)
    await back(scene)
    if page.viewport_size and page.viewport_size["width"] < 640:  # the field was on a page of its own
        await expect(page.get_by_role("combobox")).to_be_visible()
        await back(scene)
    await expect(page).to_have_url(scene.second)
    await back(scene)
    await expect(page).to_have_url(scene.first)


@on_a_phone
async def test_a_page_that_is_asked_for_twice_is_one_step_from_the_last(scene: Scene) -> None:
    page = scene.window.page
    await page.keyboard.press("Control+/")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.evaluate(
        """() => {
          const first = [...document.querySelectorAll('[data-chat]')].find((chat) => chat.textContent.includes('First'))
          first.click()
          first.click()
        }"""
    )
    await expect(heading(scene, "First")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await back(scene)
    await expect(heading(scene, "Second")).to_be_visible()


@on_a_phone
async def test_back_after_a_reload(scene: Scene) -> None:
    page = scene.window.page
    await scene.window.button("About this chat").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.reload()
    await expect(heading(scene, "Second")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await scene.window.button("About this chat").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await back(scene)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page).to_have_url(scene.second)


@on_a_phone
async def test_forward_opens_nothing_and_costs_nothing(scene: Scene) -> None:
    page = scene.window.page
    await scene.window.button("About this chat").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await back(scene)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("history.forward()")
    await expect(page).to_have_url(re.compile(re.escape(scene.second)))
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(heading(scene, "Second")).to_be_visible()


@on_both
async def test_several_steps_back_leave_no_dialog_behind(scene: Scene) -> None:
    page = scene.window.page
    await scene.window.button("About this chat").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.evaluate("history.go(-2)")
    await expect(page).to_have_url(scene.first)
    await expect(heading(scene, "First")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
