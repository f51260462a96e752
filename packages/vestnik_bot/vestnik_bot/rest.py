"""Calls of the REST API, repeated until the server has answered them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from vestnik_bot.errors import Ended, Unsent, raise_error
from vestnik_bot.pauses import Pauses

LOG = logging.getLogger("vestnik_bot")
CALL_S = 60


class Rest:
    """The API with the token of the bot."""

    def __init__(self, url: str, token: str) -> None:
        """Raises `Ended` if they cannot be right, whatever the server says."""
        _check(url, token)
        self._url = url
        self._http = ClientSession(
            headers={"Authorization": f"Bearer {token}"}, timeout=ClientTimeout(total=CALL_S)
        )

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of the answer (None: no body); the options are those of aiohttp. Repeats the call while the server
        is away or busy. Raises `Refused`, or `Ended` if the token does not work."""
        pauses = Pauses()
        while True:
            try:
                return await self._once(method, path, options)
            except Unsent as error:
                LOG.warning("%s; it is tried again", error)
                await asyncio.sleep(pauses.next_s(error.retry_in_s))

    async def chats(self) -> AsyncIterator[Any]:
        """All chats of the bot, those too that it has hidden."""
        for hidden in ("false", "true"):
            cursor: str | None = None
            while True:
                params = {"hidden": hidden} | ({} if cursor is None else {"cursor": cursor})
                page = await self.call("GET", "/chats", params=params)
                for chat in page["chats"]:
                    yield chat
                cursor = page["next_cursor"]
                if cursor is None:
                    break

    async def _once(self, method: str, path: str, options: dict[str, Any]) -> Any:
        try:
            async with self._http.request(method, f"{self._url}/api{path}", **options) as answer:
                if answer.status == 204:
                    return None
                if answer.status >= 502 and answer.content_type != "application/json":
                    raise Unsent(f"HTTP {answer.status}")
                body = await answer.json()
        except (ClientError, TimeoutError, OSError) as error:
            raise Unsent(f"{method} {path}: {error}") from None
        if answer.status == 401:
            raise Ended("the token does not work")
        if answer.status >= 400:
            raise_error(body["error"])
        return body

    async def close(self) -> None:
        await self._http.close()


def _check(url: str, token: str) -> None:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise Ended(f"VESTNIK_URL is {url!r}, and has to be such as https://chat.example.org")
    if not token:
        raise Ended("VESTNIK_TOKEN is not set")
    if not (token.isascii() and token.isprintable()):
        raise Ended("the token does not work")
