"""The size of the web client and how smoothly it scrolls. `python -m tests.browser.figures` measures and prints."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from domain.models import Draft
from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.conftest import Server, serving

MESSAGES = 10_000
CHATS = 500
STEP_PX = 600

_SCROLL = """async ({ step, seq, limit }) => {
  const log = document.querySelector('[role=log]')
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  const oldest = () => Number(log.querySelector('[data-seq]').dataset.seq)
  const until = performance.now() + limit
  while (oldest() > seq && performance.now() < until) {
    log.scrollTop -= step
    await frame()
  }
  return { oldest: oldest(), elements: log.querySelectorAll('[data-seq]').length }
}"""


_SCROLL_CHATS = """async ({ step, count, limit }) => {
  const list = document.querySelector('.sidebar .scroll')
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  const chats = () => list.querySelectorAll('[data-chat]').length
  const until = performance.now() + limit
  const isDone = () => chats() >= count && list.scrollTop + list.clientHeight >= list.scrollHeight - 1
  while (!isDone() && performance.now() < until) {
    list.scrollTop += step
    await frame()
  }
  return chats()
}"""


@dataclass(frozen=True)
class Scrolled:
    """`oldest` is the `seq` of the first message in the page, `elements` how many are in it; `longest_ms` is what the
    longest task of the page took of the processor: how long it holds up a page that has one for itself."""

    oldest: int
    elements: int
    longest_ms: float


async def transferred(window: Window) -> int:
    """The bytes of bodies and headers that the page has received so far."""
    await window.page.wait_for_load_state("networkidle")
    sizes = [await request.sizes() for request in window.requests if request.url.startswith("http")]
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)


async def fill(server: Server, chat_id: int, user_ids: list[int], count: int = MESSAGES) -> None:
    """Writes messages of one to three lines directly into the store."""
    messages = server.chat_app.context.store.messages
    drafts = [
        Draft(
            chat_id, user_ids[number % 7 % len(user_ids)], f"{number} " + "words and more " * (number % 9), at
        )
        for number, at in ((number, datetime.now(UTC)) for number in range(count))
    ]
    await asyncio.gather(*(messages.append(draft) for draft in drafts))


async def scroll_up(window: Window, to_seq: int, *, limit_s: float) -> Scrolled:
    """Scrolls one screen per frame, up to a message or for a given time."""
    wanted = {"step": STEP_PX, "seq": to_seq, "limit": limit_s * 1000}
    async with traced(window) as events:
        received = await window.page.evaluate(_SCROLL, wanted)
    return Scrolled(received["oldest"], received["elements"], longest_ms(events))


async def scroll_chats(window: Window, count: int, *, limit_s: float) -> tuple[int, float]:
    """Scrolls the list of chats one screen per frame, to its end or for a given time. Returns how many chats it shows
    then, and the longest task in ms."""
    wanted = {"step": STEP_PX, "count": count, "limit": limit_s * 1000}
    async with traced(window) as events:
        shown = await window.page.evaluate(_SCROLL_CHATS, wanted)
    return shown, longest_ms(events)


def longest_ms(events: list[dict[str, Any]]) -> float:
    """What the longest task of the page took of the processor."""
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return float(
        max(event["tdur"] for event in events if (event["pid"], event["tid"]) in pages and "tdur" in event)
        / 1000
    )


@asynccontextmanager
async def traced(window: Window) -> AsyncIterator[list[dict[str, Any]]]:
    """Records a trace of Chromium; its events are there after the exit."""
    events: list[dict[str, Any]] = []
    complete = asyncio.Event()
    cdp = await window.context.new_cdp_session(window.page)
    cdp.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    cdp.on("Tracing.tracingComplete", lambda _: complete.set())
    await cdp.send("Tracing.start", {"traceConfig": {"includedCategories": ["toplevel"]}})
    yield events
    await cdp.send("Tracing.end")
    await complete.wait()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder)) as serve, chromium() as browser:
            server = await serve(messages_per_s=0)
            ann, bob = await server.people("ann", "bob")
            chat_id = await ann.chat(bob, name="Lobby")
            await fill(server, chat_id, [ann.id, bob.id])
            await ann.post(f"/chats/{chat_id}/read")
            window = await Window.open(browser, server.url, ann)
            await window.goto(f"/chats/{chat_id}")
            await window.shown(f"{MESSAGES - 1} ")
            sys.stdout.write(f"first load, a chat open: {await transferred(window) / 1024:.1f} KiB\n")
            scrolled = await scroll_up(window, 1, limit_s=120)
            sys.stdout.write(
                f"{MESSAGES} messages, from the last to the first: longest task {scrolled.longest_ms:.0f} ms,"
                f" {scrolled.elements} messages in the page\n"
            )
            for number in range(CHATS - 1):
                await ann.chat(bob, name=f"Chat {number}")
            await window.goto(f"/chats/{chat_id}")
            await expect(window.chats.get_by_role("link").first).to_be_visible()
            shown, task_ms = await scroll_chats(window, CHATS, limit_s=60)
            sys.stdout.write(f"{shown} chats, from the first to the last: longest task {task_ms:.0f} ms\n")
            await window.close()


if __name__ == "__main__":
    asyncio.run(main())
