"""A limit for the whole head of a request. aiohttp limits each line and their number, which makes 1 MiB in all."""

from aiohttp.web_protocol import RequestHandler

from handlers.wire.errors import ChatError, error_view
from handlers.wire.json import dumps

HEAD_BYTES_MAX = 64 * 1024
HANG_UP_S = 1.0


def _refusal() -> bytes:
    error = ChatError("too_large", f"the head of a request has at most {HEAD_BYTES_MAX} bytes")
    body = dumps({"error": error_view(error, "rest")})
    head = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class HeadBoundHandler(RequestHandler):
    """aiohttp's protocol of a connection, which refuses a head that is longer than `HEAD_BYTES_MAX`."""

    __slots__ = ("_head_bytes",)

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiter is None or self._waiter.done():  # no head is awaited: a whole one has arrived
            self._head_bytes = 0
            return
        before, self._head_bytes = self._head_bytes, self._head_bytes + len(data)
        if before <= HEAD_BYTES_MAX < self._head_bytes:
            self._refuse()

    def _refuse(self) -> None:
        """Answers, reads nothing more, and closes a moment later: closing at once would make the peer's system drop the
        answer."""
        if self.transport is not None:
            self.transport.write(_refusal())
            self.transport.pause_reading()
            self._loop.call_later(HANG_UP_S, self.force_close)
