"""A world in which every documented call can be made."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import serving
from tests.documents.world import METRICS_TOKEN, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with serving(tmp_path) as serve:
        server = await serve(metrics_token=METRICS_TOKEN, auth_calls_per_min=0)
        yield await World.made(server, tmp_path)
