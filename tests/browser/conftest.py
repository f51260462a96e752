"""The built web client in a real browser, before a real server."""

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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


class Windows:
    """Opens windows: `await windows(server, person, "/chats/1", locale="ru-RU")`. Without a person no user is logged
    in."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._opened: list[Window] = []

    async def __call__(
        self, server: Server, person: Person | None = None, path: str = "/", **options: Any
    ) -> Window:
        window = await Window.open(self._browser, server.url, person, **options)
        self._opened.append(window)
        await window.goto(path)
        return window

    def take_complaints(self) -> dict[int, list[str]]:
        """The complaints of each window since the last call."""
        complaints = {number: window.complaints for number, window in enumerate(self._opened)}
        for window in self._opened:
            window.complaints = []
        return {number: told for number, told in complaints.items() if told}

    async def close(self) -> None:
        for window in self._opened:
            await window.close()


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
    """Opens the windows of a test; see `Windows`. At its end it fails if a window has complaints."""
    windows = Windows(browser)
    yield windows
    complaints = windows.take_complaints()
    await windows.close()
    assert not complaints, json.dumps(complaints, indent=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One server for the tests of a module that leave everything as they found it."""
    async with serving(tmp_path_factory.mktemp("module")) as start:
        yield await start(messages_per_s=0)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_windows(browser: Browser) -> AsyncIterator[Windows]:
    """Opens windows that stay for all tests of the module: a window costs more than most tests do in it."""
    windows = Windows(browser)
    yield windows
    await windows.close()


@pytest.fixture
def kept_windows(module_windows: Windows) -> Iterator[Windows]:
    """The windows of the module, in a test that fails if one of them has had complaints meanwhile."""
    yield module_windows
    complaints = module_windows.take_complaints()
    assert not complaints, json.dumps(complaints, indent=1)
