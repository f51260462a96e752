"""aiohttp's HTTP server, with answers in the words of the wire even where no handler and no middleware was reached."""

import asyncio
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from handlers.wire.errors import ChatError
from server.headers import HEADERS, SERVER
from server.http_heads import HeadBoundHandler
from server.middlewares import error_answer

log = structlog.get_logger("vestnik")

READ_BYTES = 32 * 1024

_read_buffer = memoryview(bytearray(READ_BYTES))
"""Shared by all connections: what is read is copied out of it in the same call of the event loop."""


class HttpServer(web.Server):
    """Replaces the server that aiohttp makes of an application."""

    def __init__(self, made: web.Server) -> None:
        super().__init__(
            _with_plain_expectations(made.request_handler),
            request_factory=made.request_factory,
            loop=made._loop,
            **made._kwargs,
        )

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(HeadBoundHandler, asyncio.BufferedProtocol):
    """One connection, read a little at a time. uvloop would read 256 KiB at once, before any limit is checked: 400
    peers that send as fast as they can would take 100 MiB."""

    __slots__ = ()

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_read_buffer[:nbytes]))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that are no HTTP request, which it does not repeat, and to an unforeseen exception, which
        is logged."""
        if status >= 500:
            log.error("request failed unforeseen", method=request.method, path=request.path, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer has been sent")
        error = ChatError("bad_request", "this is no HTTP request that can be understood")
        if status >= 500:
            error, status = ChatError("unavailable", "something went wrong on the server"), 503
        answer = error_answer(error, status=status)
        answer.headers.update({hdrs.SERVER: SERVER, **HEADERS})
        answer.force_close()
        return answer


def _with_plain_expectations(handle: Any) -> Any:
    """Answers a bad `Expect` header in the words of the wire: aiohttp checks it before the middlewares, and its refusal
    repeats the header."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handle(request)
        except web.HTTPExpectationFailed as refused:
            error = ChatError("bad_request", "only 100-continue can be expected")
            return error_answer(error, status=refused.status)
        return answer

    return serve
