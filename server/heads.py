"""The heads of requests: bounded as a whole. aiohttp bounds each line and their number, which together are 1 MiB."""

from aiohttp.web_protocol import RequestHandler

from handlers.wire.json import dumps
from handlers.wire.views import error_view

HEAD_BYTES_MAX = 64 * 1024
HANG_UP_S = 1.0


def _refusal() -> bytes:
    message = f"the head of a request has at most {HEAD_BYTES_MAX} bytes"
    body = dumps({"error": error_view("too_large", message, None, None)})
    head = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class HeadBoundHandler(RequestHandler):
    """aiohttp's protocol of a connection. One that sends more than a head may have, and has not come to its end, is
    ended."""

    __slots__ = ("_head_bytes",)

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiter is None or self._waiter.done():  # nothing is waited for: there is a whole head
            self._head_bytes = 0
            return
        before, self._head_bytes = self._head_bytes, self._head_bytes + len(data)
        if before <= HEAD_BYTES_MAX < self._head_bytes:
            self._refuse()

    def _refuse(self) -> None:
        """Reads nothing more, and closes a moment later: who closes at once makes the peer throw the answer away."""
        if self.transport is not None:
            self.transport.write(_refusal())
            self.transport.pause_reading()
            self._loop.call_later(HANG_UP_S, self.force_close)
