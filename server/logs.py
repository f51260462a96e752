"""Log lines: for people or for machines, and never with a token, a password or a message in them."""

import asyncio
import errno
import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

import structlog
from structlog.typing import ExcInfo

from server.tracebacks import traceback_of

log = structlog.get_logger("vestnik")

_LIBRARIES_LEAST = logging.WARNING
"""What libraries say below this is not logged whatever `LOG_LEVEL` is: pymongo, for one, logs every command with the
documents in it."""

_QUIET = (
    "asyncio",  # its errors come to `report`; the rest quotes what is passed to callbacks
    "aiohttp.access",
    "aiohttp.server",
    "aiohttp.websocket",
    "aiohttp.web",
    "engineio.server",
    "socketio.server",
)

_SECRET = re.compile(
    r"eyJ[\w-]*\.[\w-]*\.[\w-]*"  # a JWT, wherever it stands
    r"|(?i:(?<=bearer )|(?<=bearer, ))[\w.~+/-]+"
    r"|(?<=[?&]token=)[^&\s\"']+"
    r"|(?<=[?&]sid=)[^&\s\"']+"
    r"|(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"  # the credentials in a URL
)


_ARGUMENTS = re.compile(r"\(.*\)", re.DOTALL)
"""In `Exception in callback f(1, 'text') at f.py:7`."""


def redact(line: str) -> str:
    """A line without tokens. Nothing here logs one, but exceptions and libraries say what they like."""
    return _SECRET.sub("[redacted]", line)


class _Redacting:
    """A structlog renderer whose lines are redacted."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer

    def __call__(self, logger: Any, name: str, event: Any) -> str:
        return redact(self._renderer(logger, name, event))


class _Output:
    """Standard output, when it can be written. A log on a full disk, or a pipe that nobody reads any more, must not
    break what wanted to log: a line is lost."""

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
    """An exception handler for the event loop. Of the context it tells only the message and the exception: the
    representation of a task or a handle quotes results and arguments."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return  # `server.open_files` says it once
    if "._start_serving" in str(context.get("message")):
        return  # asyncio begins to accept again after such an error, though the server may have stopped meanwhile
    message = _ARGUMENTS.sub("(…)", str(context.get("message")))
    log.error(message, exc_info=error)


def configure_logs(level: str, style: str) -> None:
    """Sends all log lines to standard output: `style` is console or json. `level` is that of the server's own lines;
    libraries are heard from warnings on."""
    out: Any = _Output(sys.stdout)
    renderer: Any = structlog.processors.JSONRenderer()
    if style == "console":
        # Not the formatter of `rich`, taken where rich is installed: it shows the values of local variables.
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
    # These log requests and handshakes whole, with the tokens in them, and not only below warnings.
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _write_traceback(out: TextIO, exc_info: ExcInfo) -> None:
    out.write("\n" + traceback_of(exc_info[1]))
