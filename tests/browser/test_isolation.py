"""Texts and names of users change nothing around them: no address looks like another, no sentence changes its
direction, and nothing is painted over the texts of others."""

import re
from typing import Any

from playwright.async_api import Locator, expect

from tests.browser.conftest import Shared
from tests.conftest import Server

RLO, PDI, RLI = "\u202e", "\u2069", "\u2067"

IN_SIGHT = """(element) => {
  // The text as the eye meets it: its letters by lines, each line from the left.
  const letters = []
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.length; at++) {
      const range = document.createRange()
      range.setStart(node, at)
      range.setEnd(node, at + 1)
      const { left, top, width } = range.getBoundingClientRect()
      if (width) letters.push({ letter: node.data[at], left, line: Math.round(top / 12) })
    }
  }
  letters.sort((a, b) => a.line - b.line || a.left - b.left)
  return letters.map(({ letter }) => letter).join('')
}"""


async def in_sight(element: Locator) -> str:
    return re.sub(r"\s+", " ", str(await element.evaluate(IN_SIGHT))).strip()


WIDE = {"viewport": {"width": 1500, "height": 900}}


async def test_a_link_reads_as_where_it_goes(shared: Shared) -> None:
    ann, bob = await shared.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    await window.connected()
    for number, text in enumerate(
        [
            f"look: {RLO}https://evil.example/moc.knab-ym//:sptth",
            f"look: {RLI}https://evil.example/moc.knab-ym//:sptth",
            f"look: {RLO}{PDI}https://evil.example/moc.knab-ym//:sptth{PDI}",
            f"look: \u202b\u202dx\u202c{RLO}https://evil.example/moc.knab-ym//:sptth",
            "שלום https://evil.example/moc.knab-ym//:sptth שלום",
            "\u200fhttps://evil.example/moc.knab-ym//:sptth",
        ]
    ):
        await bob.say(chat_id, text)
        message = window.log.get_by_role("article").nth(number)
        link = message.get_by_role("link")
        await expect(link).to_have_attribute("href", "https://evil.example/moc.knab-ym//:sptth")
        assert await in_sight(link) == "https://evil.example/moc.knab-ym//:sptth", ascii(text)
        assert "https://my-bank.com" not in await in_sight(message.locator(".text")), ascii(text)
        preview = window.chats.get_by_role("link").locator(".preview")
        assert "https://my-bank.com" not in await in_sight(preview), ascii(text)


async def test_what_is_not_seen_ends_a_link(shared: Shared) -> None:
    controls = [RLO, RLI, PDI, "\u200b", "\u00ad", "\u061c"]
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    for control in controls:
        await ann.say(chat_id, f"https://evil.example/{control}moc.knab-ym//:sptth")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    await expect(window.log.get_by_role("article")).to_have_count(len(controls))
    for number, control in enumerate(controls):
        link = window.log.get_by_role("article").nth(number).get_by_role("link")
        await expect(link).to_have_attribute("href", "https://evil.example/")
        assert await in_sight(link) == "https://evil.example/", ascii(control)


async def test_hosts_that_look_like_others_are_shown_as_they_are_asked_for(shared: Shared) -> None:
    [ann] = await shared.people("ann")
    chat_id = await ann.chat(name="Lobby")
    await ann.say(
        chat_id, "https://аррӏе.com/ https://pаypal.com/x https://пример.рф/ https://bank@evil.example/"
    )
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    links = window.log.get_by_role("link")
    await expect(links).to_have_text(
        ["https://xn--80ak6aa92e.com/", "https://xn--pypal-4ve.com/x", "https://пример.рф/"]
    )


async def test_a_name_turns_no_sentence_round(shared: Shared) -> None:
    ann, boris = await shared.people("ann", "boris")
    chat_id = await ann.chat(boris, name="Lobby")
    await boris.say(chat_id, "the first message")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    await window.connected()
    # An older server may have accepted such names.
    await rename(shared.server, boris.id, f"eve{RLO}lave{PDI}")
    await window.page.reload()
    await expect(window.message("the first message")).to_contain_text("evelave")
    client = await boris.joined(chat_id)
    await client.done("typing", chat_id=chat_id, is_typing=True)
    typing = window.page.get_by_text("is typing…")
    await expect(typing).to_be_visible()
    assert await in_sight(typing) == "evelave is typing…"
    preview = window.chats.get_by_role("link").locator(".preview")
    assert await in_sight(preview) == "evelave: the first message"
    await window.button("About this chat").click()
    await expect(window.button("What to do with evelave")).to_be_visible()
    await window.button("What to do with evelave").click()
    await window.page.get_by_role("menuitem", name="Remove from the chat").click()
    question = window.page.get_by_role("alertdialog").get_by_role("heading")
    assert await in_sight(question) == "Remove evelave from the chat?"


async def test_a_name_from_the_right_keeps_to_itself(shared: Shared) -> None:
    ann, moshe = await shared.people("ann", "moshe")
    await moshe.patch("/users/me", display_name="משה 12")
    chat_id = await ann.chat(moshe, name="Lobby")
    await moshe.say(chat_id, "34 apples")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    preview = window.chats.get_by_role("link").locator(".preview")
    await expect(preview).to_contain_text("34 apples")
    assert await in_sight(preview) == "12 השמ: 34 apples"


MARKS = "a" + "\u0301" * 60


async def test_a_pile_of_marks_paints_over_nothing(shared: Shared) -> None:
    ann, mark = await shared.people("ann", "mark")
    await mark.patch("/users/me", display_name=MARKS)
    chat_id = await ann.chat(mark, name=MARKS)
    for number in range(8):
        await ann.say(chat_id, f"fine {number}")
    await ann.post(f"/chats/{chat_id}/read")
    window = await shared.window(ann, f"/chats/{chat_id}", **WIDE)
    await window.shown("fine 7")
    page = window.page
    await page.wait_for_load_state("networkidle")
    bubble = await window.message("fine 6").locator(".bubble").bounding_box()
    assert bubble
    await mark.say(chat_id, f"{MARKS} {MARKS}")
    await window.shown(MARKS)
    after = await window.message("fine 6").locator(".bubble").bounding_box()
    assert after

    async def picture(box: Any) -> bytes:
        return await page.screenshot(clip=box)

    shown = await picture(after)
    await page.evaluate(
        """() => {
          for (const text of document.querySelectorAll('.message:not(.mine) .text')) text.style.visibility = 'hidden'
        }"""
    )
    assert await picture(after) == shown
    # The element around such a text clips it everywhere.
    loose = await page.evaluate(
        """(marks) => {
          const isPile = (node) => node.nodeType === 3 && node.data.includes(marks)
          const holds = (element) => [...element.childNodes].some(isPile)
          const clips = (element) => {
            for (; element && element.tagName !== 'BODY'; element = element.parentElement) {
              const { overflowY, contain, display } = getComputedStyle(element)
              if (display !== 'inline' && (overflowY !== 'visible' || /paint|strict|content/.test(contain))) {
                return element.getBoundingClientRect().height < 120
              }
            }
            return false
          }
          return [...document.querySelectorAll('body *')]
            .filter((element) => holds(element) && !clips(element))
            .map((element) => element.outerHTML.slice(0, 120))
        }""",
        MARKS.strip()[:20],
    )
    assert loose == []


async def rename(server: Server, user_id: int, name: str) -> None:
    await server.chat_app.context.store.users.rename(user_id, name)
