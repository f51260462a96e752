"""The Chromium of this machine: the one without windows where it is installed, which has the same engine and takes half
of the processor time."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from server.config import WEB_CLIENT_DIR
from tests.clients.programs import need

_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    "--renderer-process-limit=1",  # for each context: else the first page throws away the process of about:blank
]


def chromium_program() -> str:
    """The path of the program. Without any the test is skipped or fails, as in `need`."""
    return need("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser. Without Chromium or a built client the test is skipped or fails, as in `need`."""
    program = chromium_program()
    if not (WEB_CLIENT_DIR / "index.html").is_file():
        lack = "the web client is not built: run make frontend/dist/index.html"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lack)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        await browser.close()
