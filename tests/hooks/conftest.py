"""What tests of hooks share."""

from collections.abc import AsyncIterator

import pytest

from tests.hooks.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes all that it gets."""
    async with receiving() as started:
        yield started
