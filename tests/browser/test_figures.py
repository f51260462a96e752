"""Bounds for what `tests.browser.figures` measures: wide, for machines that have other things to do."""

from tests.browser.conftest import OpenWindow
from tests.browser.figures import fill, scroll_up, transferred
from tests.conftest import Serve

FIRST_LOAD_BYTES = 200 * 1024
LONGEST_TASK_MS = 200
MESSAGES = 2_000


async def test_the_first_load_is_light_and_a_long_chat_scrolls(serve: Serve, open_window: OpenWindow) -> None:
    server = await serve()
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, name="Lobby")
    await fill(server, chat_id, [ann.id, bob.id], MESSAGES)
    await ann.post(f"/chats/{chat_id}/read")
    window = await open_window(server, ann, f"/chats/{chat_id}")
    await window.shown(f"{MESSAGES - 1} ")
    assert await transferred(window) <= FIRST_LOAD_BYTES
    scrolled = await scroll_up(window, MESSAGES - 500, limit_s=40)
    assert scrolled.oldest <= MESSAGES - 500, "it goes on, page after page"
    assert scrolled.longest_ms <= LONGEST_TASK_MS
    assert scrolled.elements <= 400, "only a part of the history is in the page"
