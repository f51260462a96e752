"""The built web client in a real browser, before a real server."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from domain.acts import Act
from domain.models import Draft, Message
from tests.browser.chromium import chromium
from tests.browser.window import CHANGEABLE, EMPTY_PAGE, Window
from tests.clients.people import Person
from tests.conftest import Serve, Server, serving

OpenWindow = Callable[..., Awaitable[Window]]


class Windows:
    """Opens windows: `await windows(server, person, "/chats/1", locale="ru-RU")`. Without a person no user is logged
    in."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._opened: list[Window] = []
        self._kept: dict[str, Window] = {}
        self._in_use: list[Window] = []

    async def __call__(
        self, server: Server, person: Person | None = None, path: str = "/", **options: Any
    ) -> Window:
        window = await Window.open(self._browser, server.url, person, **options)
        self._opened.append(window)
        await window.goto(path)
        return window

    async def again(
        self, server: Server, person: Person | None = None, path: str = "/", **options: Any
    ) -> Window:
        """A window that stays, one for each person and kind: with the page loaded anew, and with what it has stored;
        but nothing is stored where no user was logged in at first. It costs half of a new one. Who needs two windows
        of one person at a time opens the second one as a new one."""
        kind = {name: value for name, value in options.items() if name not in CHANGEABLE}
        key = json.dumps([server.url, person and person.id, kind], sort_keys=True)
        window = self._kept.get(key)
        if window is None:
            window = self._kept[key] = await self(server, person, path, **options)
            self._in_use.append(window)
            return window
        if window not in self._in_use:
            self._in_use.append(window)
        await window.change({**CHANGEABLE, **options})
        if person is None:
            await window.empty()
        window.console.clear()
        await window.goto(path)
        return window

    async def rest(self) -> None:
        """Empties the windows that stay and were in use."""
        for window in self._in_use:
            await window.goto(EMPTY_PAGE)
            await window.forget()
        self._in_use.clear()

    def take_complaints(self) -> dict[int, list[str]]:
        """The complaints of each window since the last call."""
        complaints = {number: window.complaints for number, window in enumerate(self._opened)}
        for window in self._opened:
            window.complaints = []
        return {number: told for number, told in complaints.items() if told}

    async def close(self) -> None:
        for window in self._opened:
            await window.close()


async def fill(server: Server, writer: Person, chat_id: int, texts: Sequence[str]) -> Sequence[Message]:
    """Writes messages into the store: much faster than they are sent, but nobody hears of them."""
    drafts = [Draft(chat_id, writer.id, text, datetime.now(UTC)) for text in texts]
    append = server.chat_app.context.store.messages.append
    return [appended.message for appended in await asyncio.gather(*map(append, drafts))]


class Shared:
    """What the tests of a module share: the server, people and windows. Their chats are gone when a test ends. Who logs
    out, or is changed, is somebody whom no other test knows."""

    def __init__(self, server: Server, people: dict[str, Person], windows: Windows) -> None:
        self.server = server
        self._people = people
        self._windows = windows

    async def people(self, *usernames: str) -> list[Person]:
        """Those with these names, who are new only once."""
        for username in usernames:
            if username not in self._people:
                self._people[username] = await self.server.person(username)
        return [self._people[username] for username in usernames]

    async def fill(self, writer: Person, chat_id: int, texts: Sequence[str]) -> Sequence[Message]:
        """See `fill`."""
        return await fill(self.server, writer, chat_id, texts)

    async def window(self, person: Person | None = None, path: str = "/", **options: Any) -> Window:
        """See `Windows.again`."""
        return await self._windows.again(self.server, person, path, **options)


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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_people(module_server: Server) -> dict[str, Person]:
    """Those whom the tests of a module share, by name."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def shared(
    module_server: Server, module_people: dict[str, Person], kept_windows: Windows
) -> AsyncIterator[Shared]:
    yield Shared(module_server, module_people, kept_windows)
    await kept_windows.rest()
    chats = module_server.chat_app.context.store.chats
    for person in module_people.values():
        for chat_id in await chats.ids_of(person.id):
            await chats.delete_any(chat_id, Act(None, datetime.now(UTC)))
