"""`GET /api/openapi.json` and `GET /api/asyncapi.json`."""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from aiohttp import hdrs, web

from handlers.wire.json import dumps

Build = Callable[[], Mapping[str, Any]]


class _Document:
    """A document as it is served. It is built at the first request, beside the event loop, and then kept."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._building: asyncio.Task[tuple[bytes, str]] | None = None

    async def serve(self, request: web.Request) -> web.Response:
        """Answers without a token; 304 to a client that has the document."""
        if self._building is None or (self._building.done() and self._building.exception() is not None):
            self._building = asyncio.create_task(asyncio.to_thread(self._encoded))
        # A client that goes away must not end what others wait for.
        body, tag = await asyncio.shield(self._building)
        headers = {hdrs.ETAG: f'"{tag}"', hdrs.CACHE_CONTROL: "no-cache"}
        if any(etag.value in (tag, "*") for etag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _encoded(self) -> tuple[bytes, str]:
        body = dumps(self._build())
        return body, sha256(body).hexdigest()[:32]


def _openapi() -> Mapping[str, Any]:
    # Imported at the first request: most servers never build a document, and apispec takes memory.
    from server.documents.openapi import openapi

    return openapi()


def _asyncapi() -> Mapping[str, Any]:
    from server.documents.asyncapi import asyncapi

    return asyncapi()


def add_documents(app: web.Application) -> None:
    """Adds the routes of both documents."""
    app.router.add_get("/api/openapi.json", _Document(_openapi).serve)
    app.router.add_get("/api/asyncapi.json", _Document(_asyncapi).serve)
