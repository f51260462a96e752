from collections.abc import AsyncIterator

import pytest

from tests.issuer.provider import Provider, provider_running


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with provider_running() as running:
        yield running
