"""A window reports its errors, on which all other tests here rely."""

import asyncio

from tests.browser.conftest import OpenWindow
from tests.conftest import Server

WRONG = [
    ("console.error('said in the console')", "said in the console"),
    ("setTimeout(() => { throw new Error('thrown') })", "exception: thrown"),
    ("document.body.insertAdjacentHTML('beforeend', '<p style=\"top: 0\">')", "CSP style-src"),
    (
        "document.body.append(Object.assign(document.createElement('script'), { text: '1' }))",
        "CSP script-src",
    ),
    ("void fetch('http://127.0.0.1:9/').catch(() => {})", "CSP connect-src"),
    ("setTimeout(() => { location.href = 'http://127.0.0.1:9/' })", "foreign request"),
]


async def test_a_window_complains_of_what_is_wrong(server: Server, open_window: OpenWindow) -> None:
    window = await open_window(server, path="/login")
    for script, complaint in WRONG:
        await window.page.evaluate(script)
        async with asyncio.timeout(30):
            while not any(complaint in said for said in window.complaints):
                await asyncio.sleep(0.02)
    window.complaints.clear()
