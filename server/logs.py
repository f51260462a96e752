"""Log lines, for people or for machines, never with a token, a password or a message in them."""

import asyncio
import errno
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import structlog
from structlog.typing import ExcInfo

from server.tracebacks import traceback_of

log = structlog.get_logger("vestnik")

_LIBRARIES_LEAST = logging.WARNING
"""Below this level no line of a library is logged, whatever `LOG_LEVEL` is: pymongo, for one, logs every command with
its documents."""

_OURS = "storage"
"""What the loggers of the standard library begin with that are our own: their lines follow `LOG_LEVEL`."""

_QUIET = (
    "asyncio",  # its errors reach `report`; other lines quote the arguments of callbacks
    "aiohttp.access",
    "aiohttp.server",
    "aiohttp.websocket",
    "aiohttp.web",
    "engineio.server",
    "socketio.server",
)

_SECRET = re.compile(
    r"eyJ[\w-]*\.[\w-]*\.[\w-]*"  # a JWT, wherever it stands
    r"|vb_[\w-]{20,}"  # the token of a bot
    r"|(?i:(?<=bearer )|(?<=bearer, ))[\w.~+/-]+"
    r"|(?<=[?&]token=)[^&\s\"']+"
    r"|(?<=[?&]sid=)[^&\s\"']+"
    r"|(?<=[?&]code=)[^&\s\"']+"
    r"|(?:(?<=/invite/)|(?<=/invites/))[^/?\s\"']+"
    r"|(?<=/hooks/)(?<!/api/hooks/)[^/?\s\"']+"
    r"|(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"  # the credentials in a URL
)


_ARGUMENTS = re.compile(r"\(.*\)", re.DOTALL)
"""In `Exception in callback f(1, 'text') at f.py:7`."""


def redact(line: str) -> str:
    """A line without tokens. Nothing here logs a token, but the text of an exception may have one."""
    return _SECRET.sub("[redacted]", line)


class _Redacting:
    """A structlog renderer whose lines are redacted."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer

    def __call__(self, logger: Any, name: str, event: Any) -> str:
        return redact(self._renderer(logger, name, event))


class _Output:
    """Standard output that never fails: on a full disk, or on a pipe that nobody reads any more, lines are lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def report(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """The exception handler of the event loop. It logs the message and the exception only: the representation of a task
    or a handle quotes results and arguments."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return  # `server.open_files` logs it once
    if "._start_serving" in str(context.get("message")):
        return  # after such an error asyncio accepts again, though the server may have stopped meanwhile
    message = _ARGUMENTS.sub("(…)", str(context.get("message")))
    log.error("error in the event loop", what=message, exc_info=error)


def configure_logs(level: str, style: str) -> None:
    """Sends all log lines to standard output. `style` is console or json. `level` is for the server's own lines;
    libraries are logged from WARNING on."""
    out: Any = _Output(sys.stdout)
    renderer: Any = structlog.processors.JSONRenderer()
    if style == "console":
        # structlog would use `rich` where it is installed, which shows the values of local variables.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=_write_traceback
        )
    renderer = _Redacting(renderer)
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if style == "json":
        shared.append(structlog.processors.ExceptionRenderer(lambda exc_info: traceback_of(exc_info[1])))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    least = max(logging.getLevelName(level), _LIBRARIES_LEAST)
    logging.basicConfig(level=least, handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(level)
    # These log whole requests and handshakes, with tokens in them, at all levels.
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def nothing_logged() -> Iterator[None]:
    """For a command, which says itself, in one line, what went wrong."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable()
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.disable(logging.NOTSET)


def _write_traceback(out: TextIO, exc_info: ExcInfo) -> None:
    out.write("\n" + traceback_of(exc_info[1]))
