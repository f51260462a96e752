"""Bodies of requests: read whole, within a limit of size and time, as JSON or as a form."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import hdrs, web

from handlers.wire.errors import ChatError
from handlers.wire.json import loads
from server.rest.forms import multipart_fields, urlencoded_fields

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


async def read_body(
    request: web.Request, *, max_bytes: int, timeout_s: float, form: bool
) -> Mapping[str, Any]:
    """The fields of a body: a JSON object or, with `form`, a form; none for a request without a body.

    Raises: `ChatError` `unsupported_media`, `too_large`, `bad_request`.
    """
    kind = request.content_type if "Content-Type" in request.headers else "application/json"
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise ChatError("unsupported_media", "the body has to be uncompressed")
    if form and kind == URLENCODED:
        return urlencoded_fields(await read_bytes(request, max_bytes, timeout_s))
    if form and kind == MULTIPART:
        body = await read_bytes(request, max_bytes, timeout_s)
        return multipart_fields(body, request.headers[hdrs.CONTENT_TYPE])
    if request.content_length == 0 or not request.can_read_body:
        return {}
    if kind != "application/json" and not kind.endswith("+json"):
        raise ChatError("unsupported_media", "the body has to be application/json")
    try:
        fields = loads(await read_bytes(request, max_bytes, timeout_s))
    except ValueError:
        raise ChatError("bad_request", "the body is not JSON") from None
    if type(fields) is not dict:
        raise ChatError("bad_request", "the body has to be a JSON object")
    return fields


async def read_bytes(request: web.Request, max_bytes: int, timeout_s: float) -> bytes:
    """A whole body. Raises: `ChatError` `too_large`, `bad_request` for one that does not come in time."""
    if (request.content_length or 0) <= max_bytes:
        parts, size = [], 0
        async with _within(timeout_s):
            async for part in request.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > max_bytes:
                    break
            else:
                return b"".join(parts)
    raise ChatError("too_large", f"a body has at most {max_bytes} bytes")


@asynccontextmanager
async def _within(timeout_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise ChatError("bad_request", "the body did not come in time") from None
