"""A page hears of the end of its WebSocket at once, and with its reason."""

import asyncio

import pytest
from playwright.async_api import Page

from tests.conftest import Serve
from tests.socketio.conftest import PATIENCE_S

pytestmark = pytest.mark.stores("sqlite")

CLOSED = """
({ url, sent, times }) => new Promise((done) => {
  const socket = new WebSocket(url);
  let since = performance.now();
  socket.onopen = () => {
    since = performance.now();
    for (let time = 0; time < times; time += 1) socket.send(sent);
  };
  socket.onclose = ({ code, wasClean }) => done({ code, wasClean, ms: performance.now() - since });
})
"""

POLITE_MS = 1000
"""The close timeout, which a page had to wait for, is two seconds."""


CASES = [
    ("/ws?token={token}", "x" * 200_000, 1, 1009),
    ("/ws?token={token}", "x" * 4_000_000, 1, 1009),
    ("/ws?token={token}", "x" * 200_000, 50, 1009),
    ("/ws?token={token}", "not JSON", 32, 1008),
    ("/ws?token=none", "", 0, 4401),
    ("/socket.io/?EIO=4&transport=websocket", "x" * 200_000, 1, 1009),
    ("/socket.io/?EIO=4&transport=websocket", "x" * 4_000_000, 1, 1009),
    ("/socket.io/?EIO=4&transport=websocket", "42[]", 1, 1008),
]


async def test_onclose_has_the_reason_at_once(serve: Serve, page: Page) -> None:
    server = await serve()
    ann = await server.person("ann")
    for path, sent, times, code in CASES:
        url = server.url.replace("http", "ws") + path.format(token=ann.token)
        asked = {"url": url, "sent": sent, "times": times}
        seen = await asyncio.wait_for(page.evaluate(CLOSED, asked), PATIENCE_S)
        assert seen["code"] == code, (path, len(sent), times)
        assert seen["ms"] < POLITE_MS, (path, len(sent), times)
        # With megabytes of its own still to be sent, a browser has no time left for its close frame.
        assert seen["wasClean"] or len(sent) * times >= 4_000_000, (path, len(sent), times)
