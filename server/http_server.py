"""aiohttp's HTTP server, which answers in the wire's words too where no handler and no middleware was reached."""

import asyncio
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from handlers.wire.errors import ChatError
from server.headers import SAID, SERVER
from server.heads import HeadBoundHandler
from server.middlewares import error_answer

log = structlog.get_logger("vestnik")

READ_BYTES = 32 * 1024

_read_buffer = memoryview(bytearray(READ_BYTES))
"""Of all connections: what is read is taken out of it in the same call of the event loop."""


class HttpServer(web.Server):
    """Takes the place of the server that aiohttp makes of an application."""

    def __init__(self, made: web.Server) -> None:
        super().__init__(
            _with_told_expectations(made.request_handler),
            request_factory=made.request_factory,
            loop=made._loop,
            **made._kwargs,
        )

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(HeadBoundHandler, asyncio.BufferedProtocol):
    """One connection. It reads a little at a time: uvloop would read 256 KiB at once, before there is anybody who could
    say that it is too much, and 400 peers that pour would have 100 MiB."""

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
        """The answer to what is no HTTP request, without a word of it; and to what nobody foresaw, which is logged."""
        if status >= 500:
            log.error("request failed unforeseen", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer has been sent")
        error = ChatError("bad_request", "this is no HTTP request that can be understood")
        if status >= 500:
            error, status = ChatError("unavailable", "something went wrong on the server"), 503
        answer = error_answer(error, status=status)
        answer.headers.update({hdrs.SERVER: SERVER, **SAID})
        answer.force_close()
        return answer


def _with_told_expectations(handle: Any) -> Any:
    """Looking at `Expect` comes before the middlewares, and its refusal repeats the header."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handle(request)
        except web.HTTPExpectationFailed as refused:
            error = ChatError("bad_request", "only 100-continue can be expected")
            return error_answer(error, status=refused.status)
        return answer

    return serve
