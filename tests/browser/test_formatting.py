"""Formatted messages, and what the composer does for them: keys, completion of names, the picker of emoji."""

from dataclasses import dataclass, replace

import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenWindow, Windows
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server

TYPED = """**Now** or _then_, ~~never~~ `*as is*`
> quoted
- one
- two
```py
a  =  1
```
[here](https://example.org/a) <img src=x onerror=alert(1)> & 2*3*4"""

MEMBERS = ("ann", "bob", "boris")


@dataclass(frozen=True)
class Scene:
    """Ann, and a chat of hers with others that is new in each test; `window` is hers, and is newly loaded."""

    server: Server
    ann: Person
    others: list[Person]
    window: Window
    chat_id: int = 0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(module_server: Server, module_windows: Windows) -> Scene:
    ann, *others = await module_server.people(*MEMBERS)
    await others[1].patch("/users/me", display_name="Борис Петрович")
    return Scene(module_server, ann, others, await module_windows(module_server, ann))


@pytest_asyncio.fixture(loop_scope="session")
async def scene(stage: Scene, kept_windows: Windows) -> Scene:
    scene = replace(stage, chat_id=await stage.ann.chat(*stage.others, name="Lobby"))
    scene.window.console.clear()
    await scene.window.goto(f"/chats/{scene.chat_id}")
    await ready(scene.window)
    return scene


async def opened(stage: Scene, open_window: OpenWindow, **options: object) -> Window:
    """A window of Ann's with other options, on a new chat."""
    chat_id = await stage.ann.chat(*stage.others, name="Lobby")
    window = await open_window(stage.server, stage.ann, f"/chats/{chat_id}", **options)
    await ready(window)
    return window


async def ready(window: Window) -> None:
    await window.connected()
    await expect(window.composer).to_be_editable()


async def content_of_last(person: Person, chat_id: int) -> str:
    page = await person.get(f"/chats/{chat_id}/messages")
    return str(page["messages"][-1]["content"])


async def test_a_message_is_shown_formatted_and_sent_as_typed(scene: Scene) -> None:
    window, ann, chat_id = scene.window, scene.ann, scene.chat_id
    await window.say(TYPED)
    await window.sent("2*3*4")
    message = window.message("2*3*4")
    for selector, text in (
        ("strong", "Now"),
        ("em", "then"),
        ("s", "never"),
        (":not(pre) > code", "*as is*"),
        ("blockquote", "quoted"),
        ("li", "onetwo"),
        ("pre", "a  =  1"),
        ("a[href='https://example.org/a']", "here (example.org)"),
    ):
        texts = await message.locator(selector).all_text_contents()
        assert "".join(texts) == text
    await expect(message.locator("img")).to_have_count(0)
    assert await content_of_last(ann, chat_id) == TYPED
    await expect(window.chats.get_by_role("link").first).to_contain_text(
        "Now or then, never *as is* quoted one"
    )
    await message.get_by_role("button", name="Copy the code").click()
    await expect(window.page.get_by_text("Copied")).to_be_visible()
    await window.composer.press("ArrowUp")
    await expect(window.composer).to_have_value(TYPED)


async def test_keys_format_and_can_be_undone(scene: Scene) -> None:
    window, composer = scene.window, scene.window.composer
    await composer.press_sequentially("make it so")
    await composer.evaluate("(field) => field.setSelectionRange(5, 7)")
    await composer.press("Control+b")
    await expect(composer).to_have_value("make **it** so")
    await composer.press("Control+b")
    await expect(composer).to_have_value("make it so")
    await composer.press("Control+i")
    await expect(composer).to_have_value("make _it_ so")
    await composer.press("Control+z")
    await expect(composer).to_have_value("make it so")
    await composer.press("Control+e")
    await expect(composer).to_have_value("make `it` so")
    await composer.evaluate("(field) => field.setSelectionRange(10, 12)")
    await window.page.get_by_role("toolbar").get_by_role("button", name="Bold").click()
    await expect(composer).to_have_value("make `it` **so**")
    await expect(composer).to_be_focused()
    await composer.press("ArrowRight")
    await expect(window.page.get_by_role("toolbar")).to_have_count(0)


async def test_names_are_completed_by_keyboard(scene: Scene) -> None:
    window, ann, chat_id = scene.window, scene.ann, scene.chat_id
    composer, options = window.composer, window.page.get_by_role("option")
    await composer.press_sequentially("hi @b")
    await expect(options).to_have_count(2)
    for name, is_selected in (("bob", "true"), ("Борис Петрович", "false")):
        await expect(options.filter(has_text=name)).to_have_attribute("aria-selected", is_selected)
    active = await options.first.get_attribute("id")
    await expect(composer).to_have_attribute("aria-activedescendant", str(active))
    await composer.press("ArrowDown")
    await composer.press("Enter")
    await expect(composer).to_have_value("hi @boris ")
    await expect(options).to_have_count(0)
    await composer.press_sequentially("@пет")
    await expect(options).to_have_count(1)
    await composer.press("Escape")
    await expect(options).to_have_count(0)
    await composer.press("Enter")
    await window.sent("hi @boris @пет")
    assert await content_of_last(ann, chat_id) == "hi @boris @пет"
    await composer.press_sequentially("`@b")
    await expect(composer).to_have_value("`@b")
    await expect(options).to_have_count(0)


async def test_names_and_emoji_are_picked_by_touch(stage: Scene, open_window: OpenWindow) -> None:
    phone = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}
    window = await opened(stage, open_window, **phone)
    composer, page = window.composer, window.page
    await composer.tap()
    await composer.press_sequentially("@bo")
    await page.get_by_role("option").filter(has_text="bob").tap()
    await expect(composer).to_have_value("@bob ")
    await page.get_by_role("button", name="Emoji").tap()
    picker = page.get_by_role("dialog", name="Emoji")
    await picker.get_by_role("button", name="Flags").tap()
    await picker.get_by_role("option", name="chequered flag").tap()
    await expect(composer).to_have_value("@bob 🏁")
    await expect(picker).to_be_visible()  # for the next one
    await page.go_back()
    await expect(picker).to_have_count(0)
    await expect(composer).to_have_value("@bob 🏁")


async def test_emoji_are_found_by_name(stage: Scene, open_window: OpenWindow) -> None:
    window = await opened(stage, open_window, locale="ru-RU")
    composer, page = window.composer, window.page
    assert not any("data" in request.url for request in window.requests)
    await composer.press_sequentially("ура :tad")
    await expect(page.get_by_role("option").first).to_contain_text(":tada:")
    await composer.press_sequentially("a:")
    await expect(composer).to_have_value("ура 🎉")
    await page.get_by_role("button", name="Эмодзи").click()
    search = page.get_by_role("combobox", name="Поиск эмодзи")
    await expect(search).to_be_focused()
    await search.fill("кот")
    found = page.get_by_role("listbox", name="Эмодзи").get_by_role("option")
    await expect(found.first).to_have_attribute("aria-label", "кошка")
    await search.press("Enter")
    await expect(composer).to_be_focused()
    await expect(composer).to_have_value("ура 🎉🐈")
    await composer.press("Enter")
    await expect(window.log.locator(".large")).to_have_count(0)
    await window.say("🎉")
    await expect(window.log.locator(".large")).to_have_count(1)


async def top_of(message: Locator) -> float:
    box = await message.bounding_box()
    assert box is not None
    return box["y"]


async def test_a_long_message_is_folded_until_it_is_wanted(scene: Scene) -> None:
    window, ann, chat_id = scene.window, scene.ann, scene.chat_id
    for number in range(20):
        await ann.say(chat_id, f"before {number}")
    await ann.say(chat_id, "first line\n" + "and one more\n" * 99 + "the end")
    message = window.message("first line")
    await expect(message).not_to_contain_text("the end")
    await window.shown("first line")
    more = message.get_by_role("button", name="Show more")
    await expect(more).to_have_attribute("aria-expanded", "false")
    top = await top_of(message)
    await more.click()
    await expect(message).to_contain_text("the end")
    assert abs(await top_of(message) - top) < 2, "it stays where it is read"
    await message.get_by_role("button", name="Show less").click()
    await expect(message).not_to_contain_text("the end")
    await window.shown("first line")
