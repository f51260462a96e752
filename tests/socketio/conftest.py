"""Windows of every kind into one server: raw, the official client on each transport, python-socketio."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Page, Route, async_playwright

from tests.browser.chromium import chromium_program
from tests.clients.people import Person
from tests.conftest import Serve
from tests.socketio.node import Node, NodeClient, NodeProcess, need_node
from tests.socketio.windows import PythonWindow, RawWindow, Window

TRANSPORTS: dict[str, dict[str, Any]] = {
    "websocket": {"transports": ["websocket"]},
    "polling": {"transports": ["polling"], "upgrade": False},
    "upgrade": {"transports": ["polling", "websocket"], "rememberUpgrade": False},
}
"""How the official client connects."""

KINDS = ("raw", *TRANSPORTS, "python", "python polling")

PATIENCE_S = 20.0
"""For what a page does, which Playwright itself waits for without end."""

ORIGIN = "http://page.test"

_FLAGS = [
    *("--no-sandbox", "--disable-gpu"),
    # The page's answer comes from the test, which Chromium takes for the open internet, from where 127.0.0.1 is closed.
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
]

OpenWindow = Callable[..., Awaitable[Window]]


@pytest.fixture(scope="session")
def node_process() -> Iterator[NodeProcess]:
    """One process for all tests: Node takes its time to start."""
    process = NodeProcess()
    yield process
    process.stop()


@pytest.fixture
async def node(serve: Serve, node_process: NodeProcess) -> AsyncIterator[Node]:
    """Official clients; they are gone before the server is."""
    need_node()
    async with Node(node_process) as node:
        yield node


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """An empty page of another origin, in a real browser."""
    program = chromium_program()

    async def answer(route: Route) -> None:
        await route.fulfill(content_type="text/html", body="<!doctype html><meta charset=utf-8><body>")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(10_000)
        await page.route(f"{ORIGIN}/**", answer)
        await page.goto(ORIGIN)
        yield page
        await browser.close()


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options of the official client for each transport."""
    return TRANSPORTS[request.param]


@pytest.fixture
async def open_window(node: Node) -> AsyncIterator[OpenWindow]:
    """Opens windows: `await open_window(kind, person)`, with more fields for the connect if need be. All events of a
    window stay in its inbox."""
    windows: list[Window] = []

    async def opened(kind: str, person: Person, **fields: Any) -> Window:
        window: Window
        if kind == "raw":
            window = RawWindow(await person.open_raw(params=fields))
        elif kind.startswith("python"):
            transport = "polling" if kind.endswith("polling") else "websocket"
            window = await PythonWindow.open(
                person.http, person.url, person.token, transport=transport, **fields
            )
            windows.append(window)
        else:
            window = await node.open(person.url, person.token, auth=fields, **TRANSPORTS[kind])
        return window

    yield opened
    for window in windows:
        await window.close()


async def joined(window: Window, *chat_ids: int) -> Window:
    """The window, in these chats, with an empty inbox."""
    for chat_id in chat_ids:
        await window.done("join_chat", chat_id=chat_id)
    await window.drain()
    return window


async def connected(node: Node, person: Person, transport: dict[str, Any], **options: Any) -> NodeClient:
    """An official client that has got its `connected`."""
    client = await node.open(person.url, person.token, **transport, **options)
    assert (await client.next()).name == "connected"
    return client
