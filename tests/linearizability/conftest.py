"""Servers for histories, and a session for their clients."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from tests.guarantees.conftest import start  # noqa: F401 -- a fixture


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """Opens a connection for each request: aiohttp repeats a GET or DELETE by itself if a kept connection breaks, and
    a history would have two operations as one."""
    connector = TCPConnector(limit=0, force_close=True)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session:
        yield session
