"""Details that users notice: texts, focus, overlapping elements, and the settings of the system."""

import asyncio
import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenWindow, Shared
from tests.browser.window import EMPTY_PAGE, Window
from tests.clients.rest import PASSWORD
from tests.conftest import Serve

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}

SELECTED = "(field) => field.selectionEnd - field.selectionStart === field.value.length && field.value !== ''"


def overlap(one: Any, other: Any) -> float:
    """The area that two boxes share, in square pixels."""
    width = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    height = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return float(max(width, 0) * max(height, 0))


async def box(element: Locator) -> Any:
    found = await element.bounding_box()
    assert found
    return found


# Login.


async def test_after_a_wrong_password_it_is_typed_again(shared: Shared) -> None:
    await shared.people("ann")
    window = await shared.window(path="/login")
    window.expects("status of 401")
    page = window.page
    await page.get_by_label("Username", exact=True).fill("ann")
    password = page.get_by_label("Password", exact=True)
    await password.fill("wrong password")
    await window.button("Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    await expect(password).to_be_focused()
    assert await password.evaluate(SELECTED)
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await window.connected()


async def test_after_a_wrong_current_password_it_is_typed_again(shared: Shared) -> None:
    [nora] = await shared.people("nora")
    window = await shared.window(nora)
    window.expects("status of 403")
    page = window.page
    await page.get_by_role("button", name="Menu of").click()
    await page.get_by_role("menuitem", name="Profile").click()
    await window.button("Change password").click()
    old = page.get_by_label("Current password")
    await old.fill("not this one")
    await page.get_by_label("New password").fill("another password")
    await window.button("Change password").click()
    await expect(page.get_by_role("alert")).to_contain_text("This is not your current password")
    await expect(old).to_be_focused()
    assert await old.evaluate(SELECTED)
    await window.button("Back to the profile").click()
    await page.get_by_label("Name shown to others").fill("Nora")
    save = window.button("Save")
    await save.click()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(save).to_be_focused()


async def test_registration_shows_all_errors_at_once(shared: Shared) -> None:
    window = await shared.window(path="/register")
    page = window.page
    await page.get_by_label("Username", exact=True).fill("a b")
    await page.get_by_label("Name shown to others").fill("x" * 101)
    await page.get_by_label("Password", exact=True).fill("short")
    await window.button("Create account").click()
    await expect(page.locator("[aria-invalid=true]")).to_have_count(3)
    await expect(page.get_by_label("Username", exact=True)).to_be_focused()
    await expect(page.get_by_text("3 to 32 letters")).to_be_visible()
    await expect(page.get_by_text("1 to 100 characters")).to_be_visible()
    await expect(page.get_by_text("At least 8 characters")).to_be_visible()
    await page.get_by_label("Username", exact=True).fill("newcomer")
    await page.get_by_label("Name shown to others").fill("")
    await page.get_by_label("Password", exact=True).fill("длинный пароль из сорока букв кириллицы")
    await window.button("Create account").click()
    await expect(page.get_by_text("36 letters of another alphabet")).to_be_visible()
    await expect(page.get_by_text(re.compile("byte"))).to_have_count(0)
    await expect(page.get_by_label("Password", exact=True)).to_be_focused()
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.button("Create account").click()
    await window.connected()


async def test_the_words_for_a_password_are_those_of_this_server(
    serve: Serve, open_window: OpenWindow
) -> None:
    server = await serve(min_password_chars=12)
    window = await open_window(server, path="/register", locale="ru-RU")
    window.expects("status of 422")
    page = window.page
    await page.get_by_label("Имя пользователя", exact=True).fill("newcomer")
    await page.get_by_label("Пароль", exact=True).fill("11 letters.")
    await window.button("Создать аккаунт").click()
    await expect(page.get_by_text("Не короче 12 символов")).to_be_visible()


async def test_a_tab_says_that_it_has_another_account_now(shared: Shared, open_window: OpenWindow) -> None:
    vera, tom = await shared.people("vera", "tom")
    await vera.chat(name="Chat of Vera")
    await tom.chat(name="Chat of Tom")
    first = await open_window(shared.server, vera)
    first.expects("status of 404")  # for the chat of Vera, which Tom cannot open
    await expect(first.chats.get_by_role("link")).to_contain_text("Chat of Vera")
    second = await first.context.new_page()
    await second.goto(shared.server.url)
    await second.get_by_role("button", name="Menu of").click()
    await second.get_by_role("menuitem", name="Log out").click()
    await second.get_by_label("Username", exact=True).fill("tom")
    await second.get_by_label("Password", exact=True).fill(PASSWORD)
    # A notice stays for some seconds, which are over soon on a busy machine.
    told = asyncio.ensure_future(expect(first.page.get_by_text("You are tom here now")).to_be_visible())
    await second.get_by_role("button", name="Log in").click()
    await told
    await expect(second.get_by_role("button", name="Menu of tom")).to_be_visible()
    await expect(second.get_by_text("You are tom here now")).to_have_count(0)
    await expect(first.page.get_by_role("button", name="Menu of tom")).to_be_visible()
    await expect(first.chats.get_by_role("link")).to_have_text(re.compile("Chat of Tom"))


async def test_icons_and_the_manifest_are_there(shared: Shared) -> None:
    window = await shared.window(path="/login")
    asked = await window.page.evaluate(
        """[...document.querySelectorAll('link[rel~=icon], link[rel=apple-touch-icon], link[rel=manifest]')]
          .map(({ href }) => href)"""
    )
    for url in [*asked, *(f"{shared.server.url}/{name}" for name in ("favicon.ico", "apple-touch-icon.png"))]:
        async with shared.server.http.get(url) as answer:
            assert answer.status == 200, url
    async with shared.server.http.get(f"{shared.server.url}/manifest.webmanifest") as answer:
        assert answer.content_type == "application/manifest+json"
        manifest = json.loads(await answer.text())
    for icon in manifest["icons"]:
        async with shared.server.http.get(shared.server.url + icon["src"]) as answer:
            assert (answer.status, answer.content_type) == (200, icon["type"])
    session = await window.context.new_cdp_session(window.page)
    received = await session.send("Page.getAppManifest")
    assert received["url"] == f"{shared.server.url}/manifest.webmanifest"
    assert received["errors"] == []


# Texts.


async def test_an_empty_channel_does_not_ask_its_readers_to_write(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    channel = await ann.chat(bob, name="News", chat_type="channel")
    window = await shared.window(bob, f"/chats/{channel}")
    await expect(window.log).to_contain_text("Nothing has been posted yet")
    await expect(window.log.get_by_role("button")).to_have_count(0)
    owner = await shared.window(ann, f"/chats/{channel}")
    await owner.button("Say hello").click()
    await expect(owner.composer).to_have_value("Hello! 👋")
    await expect(owner.composer).to_be_focused()


async def test_without_chats_there_is_no_hint_to_pick_one(shared: Shared) -> None:
    lena, bob = await shared.people("lena", "bob")
    window = await shared.window(lena)
    await expect(window.page.get_by_text("No chats yet")).to_be_visible()
    await expect(window.page.get_by_text("Pick a chat")).to_have_count(0)
    await window.connected()
    await bob.chat(lena, name="Lobby")
    await expect(window.page.get_by_role("heading", name="Lobby", level=1)).to_be_visible()


@pytest.mark.parametrize("options", [PHONE, {}], ids=["phone", "wide"])
async def test_a_text_too_long_says_by_how_much_beside_the_button(shared: Shared, options: Any) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    window = await shared.window(ann, f"/chats/{chat_id}", **options)
    await window.connected()
    await window.composer.fill("x" * 9_998)
    await expect(window.page.get_by_text("2 characters left")).to_be_visible()
    await window.composer.fill("😀" * 10_001)
    words = window.page.get_by_text("1 character too many")
    await expect(words).to_be_visible()
    send = await box(window.button("Send"))
    said = await box(words)
    assert abs((said["y"] + said["height"] / 2) - (send["y"] + send["height"] / 2)) <= 4
    assert 0 <= send["x"] - (said["x"] + said["width"]) <= 16
    await window.composer.fill("x" * 10_003)
    await expect(window.page.get_by_text("3 characters too many")).to_be_visible()
    await window.composer.fill("x" * 10_000)
    await expect(window.page.get_by_text("0 characters left")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "time"),
    [
        ("de-DE", r"^\d\d:\d\d$"),
        ("en-US", r"^\d{1,2}:\d\d\s[AP]M$"),
        pytest.param("en-GB", r"^\d\d:\d\d$", marks=pytest.mark.long),
    ],
)
async def test_times_follow_the_browsers_first_language(shared: Shared, locale: str, time: str) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    await ann.say(chat_id, "now")
    opened = await shared.window(ann, f"/chats/{chat_id}", locale=locale)
    await expect(opened.page.locator("article time")).to_have_text(re.compile(time))


# Links, copying.


async def test_a_link_to_this_server_is_followed_in_the_same_tab(shared: Shared) -> None:
    [ann] = await shared.people("ann")
    lobby, other = await ann.chat(name="Lobby"), await ann.chat(name="Other")
    target = await ann.say(other, "the one that is meant")
    await ann.say(
        lobby,
        f"see {shared.server.url}/chats/{other}?message={target['id']} and {shared.server.url}/docs/protocol",
    )
    window = await shared.window(ann, f"/chats/{lobby}")
    await window.connected()
    links = window.log.get_by_role("link")
    await expect(links.nth(1)).to_have_attribute("target", "_blank")
    await window.page.evaluate("window.isSamePage = true")
    await links.nth(0).click()
    await expect(window.page.get_by_role("heading", name="Other", level=1)).to_be_visible()
    await expect(window.message("the one that is meant")).to_be_visible()
    assert await window.page.evaluate("window.isSamePage")
    assert len(window.context.pages) == 1
    await window.page.go_back()
    async with window.context.expect_page() as opened:
        await links.nth(0).click(modifiers=["Control"])
    await (await opened.value).close()


WITHOUT_CLIPBOARD = "Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })"
"""As in pages over plain HTTP."""


async def test_copying_works_without_a_secure_context(shared: Shared) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    await ann.say(chat_id, "copy me\nall of me")
    window = await shared.window(ann, f"/chats/{chat_id}")
    page = window.page
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate(WITHOUT_CLIPBOARD)
    message = window.message("copy me")
    await message.focus()
    await message.press("Enter")
    await page.get_by_role("menuitem", name="Copy text").click()
    await expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    await window.composer.fill("")
    await window.composer.press("Control+v")
    await expect(window.composer).to_have_value("copy me\nall of me")


async def select(page: Page, first: str, last: str) -> None:
    await page.evaluate(
        """([first, last]) => {
          const texts = [...document.querySelectorAll('.text')]
          const find = (words) => texts.find((text) => text.textContent.includes(words)).firstChild
          const nodeOf = (words) => {
            let node = find(words)
            while (!node.data?.includes(words)) node = node.nextSibling
            return node
          }
          const range = document.createRange()
          range.setStart(nodeOf(first), 0)
          range.setEnd(nodeOf(last), nodeOf(last).length)
          getSelection().removeAllRanges()
          getSelection().addRange(range)
        }""",
        [first, last],
    )


async def copied(window: Window) -> str:
    await window.page.evaluate("document.execCommand('copy')")
    await window.composer.fill("")
    await window.composer.press("Control+v")
    return await window.composer.input_value()


async def test_what_is_copied_from_several_messages_says_who_wrote_it(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await bob.say(chat_id, "a motion?")
    answered = await bob.say(chat_id, "announce me")
    await ann.say(chat_id, "yes\nat once", reply_to=answered["id"])
    window = await shared.window(ann, f"/chats/{chat_id}")
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await expect(window.message("yes").locator(".quote")).to_contain_text("announce me")
    await select(window.page, "motion", "at once")
    # A narrow space is between the time and AM.
    text = re.sub(r", \d+/\d+/\d+, \d+:\d+\s[AP]M", " at T", await copied(window))
    assert text == "bob at T\na motion?\n\nbob at T\nannounce me\n\nann at T\nyes\nat once"
    await select(window.page, "announce me", "announce me")
    assert await copied(window) == "announce me"


async def test_what_is_not_seen_is_not_copied(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await bob.chat(ann, chat_type="private")
    first = await bob.say(chat_id, "a question")
    await ann.say(chat_id, "an answer", reply_to=first["id"])
    window = await shared.window(ann, f"/chats/{chat_id}")
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await expect(window.message("an answer").locator(".quote")).to_contain_text("a question")
    await window.page.evaluate(
        """() => {
          const [, message] = document.querySelectorAll('article')
          getSelection().selectAllChildren(message)
        }"""
    )
    text = await copied(window)
    assert "an answer" in text
    assert "You" not in text
    assert "Go to" not in text


# Overlaps.


async def test_notices_are_in_the_middle_of_the_room_and_over_nothing(shared: Shared) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    await ann.say(chat_id, "a message")
    window = await shared.window(ann, f"/chats/{chat_id}", viewport={"width": 1300, "height": 700})
    await window.connected()
    message = window.message("a message")
    await message.focus()
    await message.press("Enter")
    await window.page.get_by_role("menuitem", name="Edit").click()
    await window.composer.fill("\n".join(map(str, range(9))))
    await message.focus()
    await message.press("Enter")
    await window.page.get_by_role("menuitem", name="Copy text").click()
    notice = window.page.locator(".notices p")
    await expect(notice).to_be_visible()
    shown, foot, room = (
        await box(notice),
        await box(window.page.locator("form.composer")),
        await box(window.page.get_by_role("main")),
    )
    assert overlap(shown, foot) == 0
    assert shown["y"] < foot["y"]
    assert abs((shown["x"] + shown["width"] / 2) - (room["x"] + room["width"] / 2)) <= 2


async def long_chat(shared: Shared) -> tuple[Any, int]:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    for number in range(20):
        text = f"{number} " + "a message that is as wide as it can be, " * 6
        await shared.fill((ann, bob)[number % 2], chat_id, [text])
    await ann.post(f"/chats/{chat_id}/read")
    return ann, chat_id


@pytest.mark.parametrize(
    "options", [PHONE, {"viewport": {"width": 1000, "height": 700}}], ids=["phone", "wide"]
)
async def test_the_way_to_the_end_covers_no_message(shared: Shared, options: Any) -> None:
    ann, chat_id = await long_chat(shared)
    window = await shared.window(ann, f"/chats/{chat_id}", **options)
    await window.shown("19 ")
    await window.page.wait_for_load_state("networkidle")
    await window.log.evaluate("(log) => { log.scrollTop -= 300 }")
    jump = window.button("Jump to the latest message")
    await expect(jump).to_be_visible()
    for step in (0, 7, 31, 60):
        await window.log.evaluate("(log, step) => { log.scrollTop -= step }", step)
        shown, log = await box(jump), await box(window.log)
        assert overlap(shown, log) <= 0.25 * shown["width"] * shown["height"]
        assert shown["y"] + shown["height"] <= (await box(window.composer))["y"] + 1
    await jump.click()
    await window.shown("19 ")
    await expect(jump).to_have_count(0)
    if options is not PHONE:
        await expect(window.composer).to_be_focused()


@pytest.mark.parametrize("options", [PHONE, {}], ids=["phone", "wide"])
async def test_the_menu_button_covers_neither_text_nor_time(shared: Shared, options: Any) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    for person in (ann, bob):
        await person.say(chat_id, "ok")
        await person.say(chat_id, "a message that is as wide as it can be, " * 9)
    window = await shared.window(ann, f"/chats/{chat_id}", **options)
    messages = window.log.get_by_role("article")
    await expect(messages).to_have_count(4)
    for number in range(4):
        message = messages.nth(number)
        await (message.locator(".text").tap() if options is PHONE else message.locator(".text").hover())
        more = message.get_by_role("button", name="Message menu")
        await expect(more).to_have_css("opacity", "1")
        shown = await box(more)
        assert overlap(shown, await box(message.locator("time"))) == 0
        assert overlap(shown, await box(message.locator(".text"))) == 0
        assert shown["x"] >= 0
        assert shown["x"] + shown["width"] <= window.page.viewport_size["width"]  # type: ignore[index]


# Settings of the system.


# What moves while answers are held up is in test_layout.
@pytest.mark.long
async def test_nothing_moves_while_a_chat_is_loaded(shared: Shared, open_window: OpenWindow) -> None:
    ann, chat_id = await long_chat(shared)
    window = await open_window(shared.server, ann, EMPTY_PAGE, reduced_motion="no-preference")
    await window.page.add_init_script(
        """
        window.moved = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.moved += entry.value
        }).observe({ type: 'layout-shift', buffered: true })
        """
    )
    await window.goto(f"/chats/{chat_id}")
    await window.shown("19 ")
    await window.page.wait_for_load_state("networkidle")
    await window.page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    assert await window.page.evaluate("window.moved") < 0.05


async def test_in_forced_colours_things_have_edges(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    other = await ann.chat(bob, name="Other")
    chat_id = await ann.chat(bob, name="Lobby")
    await ann.say(chat_id, "a message")
    await bob.say(other, "unread")
    window = await shared.window(ann, f"/chats/{chat_id}", forced_colors="active")
    page = window.page
    await expect(window.message("a message")).to_be_visible()

    async def edge(element: Locator) -> str:
        return str(
            await element.evaluate(
                "(e) => getComputedStyle(e).borderTopStyle + getComputedStyle(e).outlineStyle"
            )
        )

    assert "solid" in await edge(window.log.locator(".bubble"))
    assert "solid" in await edge(window.chats.locator(".unread-badge").first)
    assert "solid" in await edge(window.chats.locator("[aria-current=page]"))
    await window.composer.fill("something")
    assert "solid" in await edge(window.button("Send"))
    await page.keyboard.press("Control+/")
    assert "solid" in await edge(page.get_by_role("dialog"))


async def test_larger_letters_make_everything_larger(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    other = await ann.chat(bob, name="Other")
    chat_id = await ann.chat(bob, name="Lobby")
    for number in range(3):
        await bob.say(other, f"unread {number}")
    window = await shared.window(ann, f"/chats/{chat_id}", viewport={"width": 1400, "height": 900})
    page = window.page
    badge = window.chats.locator(".unread-badge").first
    await expect(badge).to_be_visible()
    await expect(window.composer).to_be_visible()
    things = {
        "badge": badge,
        "icon": window.button("About this chat").locator("svg"),
        "button": window.button("About this chat"),
        "avatar": window.chats.locator(".avatar").first,
        "list": page.locator(".sidebar"),
        "composer": window.composer,
    }
    before = {name: await box(thing) for name, thing in things.items()}
    await page.evaluate("document.documentElement.style.fontSize = '32px'")
    # With reduced motion a change of size still takes one frame.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    for name, thing in things.items():
        after = await box(thing)
        assert after["height"] >= 1.4 * before[name]["height"] or name == "list", name
        if name not in ("composer",):
            assert after["width"] >= 1.4 * before[name]["width"], name
        fits = await thing.evaluate("(e) => e.scrollHeight <= e.clientHeight + 1 || e.tagName === 'svg'")
        assert fits or name == "list", name


async def test_smileys_are_of_a_font_of_smileys(shared: Shared) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    await ann.say(chat_id, "12 😀")
    window = await shared.window(ann, f"/chats/{chat_id}")
    await expect(window.message("12")).to_be_visible()
    ranges = await window.page.evaluate(
        """() => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
          .filter((rule) => rule instanceof CSSFontFaceRule)
          .map((rule) => [rule.style.getPropertyValue('font-family'), rule.style.getPropertyValue('unicode-range')])"""
    )
    ((family, unicode_range),) = ranges
    spans = [part.strip()[2:].split("-") for part in unicode_range.split(",")]
    covers = [range(int(span[0], 16), int(span[-1], 16) + 1) for span in spans]
    assert all(any(ord(sign) in cover for cover in covers) for sign in "😀❌✨🚀🥲🇩⌚\ufe0f\u200d")
    assert not any(ord(sign) in cover for cover in covers for sign in "aЯ0123456789#*©®→א…")
    assert (await window.message("12").evaluate("(e) => getComputedStyle(e).fontFamily")).startswith(family)
