"""A window of the web client, whose elements are found by their accessible names."""

import json
import re
import time
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.clients.people import Person

TIMEOUT_S = 30.0

EMPTY_PAGE = "/icon.svg"
"""Of the client's origin, without the client."""

CHANGEABLE: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 720},
    "color_scheme": "light",
    "forced_colors": "none",
    "reduced_motion": "reduce",
}
"""The options that an open window can change, as they are if none is named."""

WORDS = {
    "en": {"Message": "Message", "Messages": "Messages", "Chats": "Chats", "Send": "Send"},
    "ru": {"Message": "Сообщение", "Messages": "Сообщения", "Chats": "Чаты", "Send": "Отправить"},
}

_TELL_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) => {
  console.error('CSP', event.violatedDirective, event.blockedURI, event.sourceFile, event.lineNumber)
})
"""

_LOG_IN = """
if (location.origin === %s && !sessionStorage.isLoggedIn) {
  sessionStorage.isLoggedIn = true
  localStorage.setItem('vestnik.session', %s)
}
"""
"""Stores a session as the first page is loaded, and never again in that tab."""

expect.set_options(timeout=TIMEOUT_S * 1000)


class Window:
    """A browser window of its own storage. `complaints`: errors in the console, exceptions, violations of the
    Content-Security-Policy, requests to other origins; but none that matches one of `expected`."""

    def __init__(self, context: BrowserContext, page: Page, url: str, language: str) -> None:
        self.context = context
        self.page = page
        self.url = url
        self.words = WORDS.get(language, WORDS["en"])  # as the client, which knows no other
        self.console: list[str] = []
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        self._expected: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._complain(f"exception: {error}"))
        page.on("request", self._asked)

    @classmethod
    async def open(cls, browser: Browser, url: str, person: Person | None, **options: Any) -> "Window":
        """Opens a window; options are those of a browser context."""
        options = {"locale": "en-US", "timezone_id": "Europe/Berlin", **CHANGEABLE, **options}
        context = await browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_S * 1000)
        await context.add_init_script(_TELL_VIOLATIONS)
        page = await context.new_page()
        if person is not None:
            await page.add_init_script(_LOG_IN % (json.dumps(url), json.dumps(await _session(person))))
        return cls(context, page, url, options["locale"][:2])

    async def goto(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def forget(self) -> None:
        """Forgets what a test has expected, heard and rerouted."""
        await self.page.unroute_all()
        await self.context.set_offline(False)
        self.console, self.requests, self._expected = [], [], []

    async def change(self, options: dict[str, Any]) -> None:
        """Changes those of the options that a page need not be opened for: all of `CHANGEABLE`."""
        await self.page.set_viewport_size(options["viewport"])
        await self.page.emulate_media(**{name: options[name] for name in CHANGEABLE if name != "viewport"})

    async def empty(self) -> None:
        """Takes away what the client has stored; an empty page is in the window."""
        await self.page.evaluate("localStorage.clear(), sessionStorage.clear()")

    async def close(self) -> None:
        await self.context.close()

    def expects(self, *patterns: str) -> None:
        """Complaints that match one of these do not count."""
        self._expected += patterns

    @property
    def log(self) -> Locator:
        """The messages of the chat."""
        return self.page.get_by_role("log", name=self.words["Messages"], exact=True)

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name=self.words["Message"], exact=True)

    @property
    def chats(self) -> Locator:
        """The list of chats."""
        return self.page.get_by_role("navigation", name=self.words["Chats"], exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def message(self, text: str) -> Locator:
        """The message with this text in it."""
        return self.log.get_by_role("article").filter(has_text=text)

    async def say(self, text: str) -> None:
        """Writes a message and sends it by keyboard."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def read(self, *texts: str) -> None:
        """Waits until the log holds each of these texts once, in this order."""
        for text in texts:
            await expect(self.message(text)).to_have_count(1)
        said = "\n".join(await self.log.get_by_role("article").all_inner_texts())
        places = [said.index(text) for text in texts]
        assert places == sorted(places), said

    async def shown(self, *texts: str) -> None:
        """Waits until the messages with these texts are visible."""
        for text in texts:
            await expect(self.message(text)).to_be_in_viewport()

    async def sent(self, text: str) -> None:
        """Waits until the server has acked an own message, so that it can be changed."""
        await expect(self.message(text)).to_contain_text(re.compile("Sent|Read"))

    async def heard(self, line: str) -> None:
        """Waits until the console has a line that begins with this text."""
        if not any(said.startswith(line) for said in self.console):
            await self.page.wait_for_event("console", lambda message: message.text.startswith(line))

    async def connected(self) -> None:
        await self.heard("✅ WebSocket connected")

    def _said(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)
        if message.type == "error":
            self._complain(f"{message.text} ({message.location['url']})")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        if not re.match(rf"{re.escape(self.url)}/|data:|blob:", request.url):
            self._complain(f"foreign request: {request.url}")

    def _complain(self, what: str) -> None:
        if not any(re.search(pattern, what) for pattern in self._expected):
            self.complaints.append(what)


async def _session(person: Person) -> str:
    """The stored session of a person who is logged in."""
    session = {
        "access_token": person.token,
        "refresh_token": person.refresh_token,
        "expires_at": int(time.time() * 1000) + 24 * 3600 * 1000,
        "user": await person.get("/users/me"),
    }
    return json.dumps(session)
