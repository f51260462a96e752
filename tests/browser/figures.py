"""What the web client weighs and how it scrolls. `python -m tests.browser.figures` measures and prints."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.models import Draft
from domain.permissions import may_send
from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.conftest import Server, serving

MESSAGES = 10_000
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


@dataclass(frozen=True)
class Scrolled:
    """`oldest` is the `seq` of the first message in the page, `elements` how many are in it; `longest_ms` is what the
    longest task of the page took of the processor: how long it holds up a page that has one for itself."""

    oldest: int
    elements: int
    longest_ms: float


async def transferred(window: Window) -> int:
    """How many bytes of bodies and headers the page has been sent so far."""
    await window.page.wait_for_load_state("networkidle")
    sizes = [await request.sizes() for request in window.requests if request.url.startswith("http")]
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)


async def fill(server: Server, chat_id: int, user_ids: list[int], count: int = MESSAGES) -> None:
    """Messages of a line or three, straight into the store."""
    messages = server.chat_app.context.store.messages
    drafts = [
        Draft(
            chat_id, user_ids[number % 7 % len(user_ids)], f"{number} " + "words and more " * (number % 9), at
        )
        for number, at in ((number, datetime.now(UTC)) for number in range(count))
    ]
    await asyncio.gather(*(messages.append(draft, may_send) for draft in drafts))


async def scroll_up(window: Window, to_seq: int, *, limit_s: float) -> Scrolled:
    """Scrolls a screen a frame, up to a message or for so long."""
    wanted = {"step": STEP_PX, "seq": to_seq, "limit": limit_s * 1000}
    async with traced(window) as events:
        told = await window.page.evaluate(_SCROLL, wanted)
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event["tdur"] / 1000 for event in events if (event["pid"], event["tid"]) in pages and "tdur" in event
    ]
    return Scrolled(told["oldest"], told["elements"], max(tasks))


@asynccontextmanager
async def traced(window: Window) -> AsyncIterator[list[dict[str, Any]]]:
    """The events of Chromium's trace; they are there when it is exited."""
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
            await window.close()


if __name__ == "__main__":
    asyncio.run(main())
