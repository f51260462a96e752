"""The built web client in a real browser, before a real server."""

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.clients.people import Person
from tests.conftest import Serve, Server, serving

OpenWindow = Callable[..., Awaitable[Window]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser belongs to one event loop, so servers, windows and tests share the loop of the session."""
    for item in items:
        if Path(__file__).parent in item.path.parents and inspect.iscoroutinefunction(
            getattr(item, "function", None)
        ):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser per process; each window has a context of its own."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """As the fixture of the other tests, always with SQLite: what a browser shows does not depend on the store."""
    async with serving(tmp_path) as start:
        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def server(serve: Serve) -> Server:
    return await serve()


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(browser: Browser) -> AsyncIterator[OpenWindow]:
    """Opens windows: `await open_window(server, person, "/chats/1", locale="ru-RU")`.

    Without a person no user is logged in. At the end of the test it fails if a window has complaints.
    """
    windows: list[Window] = []

    async def opened(server: Server, person: Person | None = None, path: str = "/", **options: Any) -> Window:
        window = await Window.open(browser, server.url, person, **options)
        windows.append(window)
        await window.goto(path)
        return window

    yield opened
    complaints = {number: window.complaints for number, window in enumerate(windows) if window.complaints}
    for window in windows:
        await window.close()
    assert not complaints, json.dumps(complaints, indent=1)
