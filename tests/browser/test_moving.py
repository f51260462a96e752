"""Ways through the history of a chat: the place where one was, dates, mentions."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from domain.models import Draft
from tests.browser.conftest import Shared
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Server

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
WIDE = {"viewport": {"width": 1000, "height": 700}}
FIRST_DAY = datetime(2025, 3, 1, 12, tzinfo=UTC)
PER_DAY = 8

# The first visible message, and how far below the top of the log it is.
_PLACE = """() => {
  const log = document.querySelector('[role=log]')
  const { top } = log.getBoundingClientRect()
  const first = [...log.querySelectorAll('[data-seq]')].find((e) => e.getBoundingClientRect().bottom > top)
  return [Number(first.dataset.seq), Math.round(first.getBoundingClientRect().top - top)]
}"""


async def fill(server: Server, chat_id: int, writer: Person, days: int) -> None:
    """Writes some messages for each of the days into the store: `day 0, 1`."""
    messages = server.chat_app.context.store.messages
    for day in range(days):
        at = FIRST_DAY + timedelta(days=day)
        await asyncio.gather(
            *(
                messages.append(Draft(chat_id, writer.id, f"day {day}, {number}", at))
                for number in range(PER_DAY)
            )
        )


async def place(window: Window) -> Any:
    return await window.page.evaluate(_PLACE)


async def scroll_to(window: Window, share: float) -> None:
    await window.log.evaluate(
        "(log, share) => { log.scrollTop = (log.scrollHeight - log.clientHeight) * share }", share
    )
    await frames(window)


async def frames(window: Window) -> None:
    """Waits until what was changed is drawn."""
    await window.page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def dates(window: Window) -> Any:
    return window.page.locator(".floating-date")


@pytest.mark.parametrize(
    "options", [pytest.param(PHONE, id="phone", marks=pytest.mark.long), pytest.param(WIDE, id="wide")]
)
async def test_the_place_is_kept_while_one_is_in_another_chat(shared: Shared, options: Any) -> None:
    ann, bob = await shared.people("ann", "bob")
    await ann.say(await ann.chat(bob, name="Other"), "elsewhere")
    chat_id = await ann.chat(bob, name="Lobby")
    await fill(shared.server, chat_id, ann, 40)
    await bob.post(f"/chats/{chat_id}/read")
    window = await shared.window(bob, f"/chats/{chat_id}", **options)
    await window.connected()
    await window.shown("day 39, 7")
    for share in (0.0, 0.4):  # up, and as far as the first page goes: then further up
        await scroll_to(window, share)
        await expect(window.button("Jump to the latest message")).to_be_visible()
    before = await place(window)

    async def leave_and_return() -> None:
        if options is PHONE:
            await window.page.get_by_role("link", name="To your chats").click()
        await window.chats.get_by_role("link").filter(has_text="Other").click()
        await window.shown("elsewhere")
        if options is PHONE:
            await window.page.get_by_role("link", name="To your chats").click()
        await window.chats.get_by_role("link").filter(has_text="Lobby").click()

    await leave_and_return()
    await expect(window.page.locator(f"[data-seq='{before[0]}']")).to_be_in_viewport()
    after = await place(window)
    assert (after[0], abs(after[1] - before[1]) <= 1) == (before[0], True), (before, after)
    # What comes meanwhile does not move it, and is counted.
    await ann.say(chat_id, "meanwhile")
    await expect(window.page.get_by_role("button", name="To the latest: 1 unread message")).to_be_visible()
    await leave_and_return()
    await expect(window.page.locator(f"[data-seq='{before[0]}']")).to_be_in_viewport()
    assert (await place(window))[0] == before[0]
    # One who leaves from the end comes back to the end.
    await window.page.get_by_role("button", name="To the latest: 1 unread message").click()
    await window.shown("meanwhile")
    await leave_and_return()
    await window.shown("meanwhile")


async def test_the_day_floats_over_the_messages_while_one_scrolls(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await fill(shared.server, chat_id, ann, 12)
    await bob.post(f"/chats/{chat_id}/read")
    window = await shared.window(bob, f"/chats/{chat_id}", **WIDE)
    await window.shown("day 11, 7")
    await expect(dates(window)).to_have_count(0)
    await scroll_to(window, 0.5)
    for _ in range(20):  # until no separator of a day is near the top
        await window.log.evaluate("(log) => { log.scrollTop -= 40 }")
        await frames(window)
        if await dates(window).is_visible():
            break
    day = FIRST_DAY + timedelta(days=((await place(window))[0] - 1) // PER_DAY)
    await expect(dates(window)).to_have_text(f"March {day.day}, 2025")
    await dates(window).click()
    await expect(window.page.get_by_role("dialog", name="Go to a date")).to_be_visible()
    await window.page.keyboard.press("Escape")
    await window.composer.hover()  # under the pointer it stays
    await expect(dates(window)).not_to_be_visible()


async def test_a_date_is_gone_to_by_keys(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await fill(shared.server, chat_id, ann, 60)
    await bob.post(f"/chats/{chat_id}/read")
    window = await shared.window(bob, f"/chats/{chat_id}", **WIDE)
    page = window.page
    await window.shown("day 59, 7")

    async def go(date: str) -> None:
        await window.button("Actions for “Lobby”").press("Enter")
        await page.get_by_role("menuitem", name="Go to a date").press("Enter")
        field = page.get_by_label("Date", exact=True)
        await expect(field).to_be_focused()
        await field.fill(date)
        await field.press("Enter")
        await expect(page.get_by_role("dialog")).to_have_count(0)

    await go("2025-03-11")
    await window.shown("day 10, 0")
    await expect(window.message("day 10, 0")).to_be_focused()
    await go("2025-04-29")
    await window.shown("day 59, 0")
    await go("2025-02-01")
    await window.shown("day 0, 0")
    await expect(page.get_by_text(re.compile("^Nothing was written on that day"))).to_be_visible()


async def test_from_mention_to_mention(shared: Shared) -> None:
    ann, bob, eve = await shared.people("ann", "bob", "eve")
    chat_id = await ann.chat(bob, eve, name="Lobby")
    other = await ann.chat(bob, name="Other")
    for number in range(90):
        whom = {10: " @bob", 40: " @eve", 70: " @all"}.get(number, "")
        await ann.say(chat_id, f"number {number:02}{whom}")
    window = await shared.window(bob, f"/chats/{other}", **WIDE)
    await window.connected()
    entry = window.chats.get_by_role("link").filter(has_text="Lobby")
    await expect(entry).to_contain_text("2 mentions of you")
    await expect(entry).to_contain_text("90 unread messages")
    await entry.click()
    await window.shown("number 00")
    following = window.page.get_by_role("button", name=re.compile("^Next mention"))
    if not await window.message("number 10").is_visible():
        await following.click()
    await expect(window.message("number 10")).to_be_in_viewport()
    await expect(following).to_have_accessible_name("Next mention: 1 mention of you")
    await following.click()
    await window.shown("number 70")
    await expect(following).to_have_count(0)
    # An edit takes a mention away, and another one brings it.
    message = await ann.say(chat_id, "one more")
    await expect(following).to_have_count(0)
    await ann.patch(f"/messages/{message['id']}", content="one more @bob")
    await expect(following).to_have_accessible_name("Next mention: 1 mention of you")
    await ann.patch(f"/messages/{message['id']}", content="one more")
    await expect(following).to_have_count(0)
