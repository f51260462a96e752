"""Log lines: for people or for machines, and never with a token, a password or a message in them."""

import logging
import re
import sys
from typing import Any

import structlog

_QUIET = (
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


def redact(line: str) -> str:
    """A line without tokens. Nothing here logs one, but exceptions and libraries say what they like."""
    return _SECRET.sub("[redacted]", line)


class _Redacting:
    """A structlog renderer whose lines are redacted."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer

    def __call__(self, logger: Any, name: str, event: Any) -> str:
        return redact(self._renderer(logger, name, event))


def configure_logs(level: str, style: str) -> None:
    """Sends all log lines to standard output: `style` is console or json."""
    renderer: Any = structlog.processors.JSONRenderer()
    if style == "console":
        # The plain formatter: that of `rich`, taken where rich is installed, shows the values of local variables.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    renderer = _Redacting(renderer)
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The libraries log requests and handshakes whole, with the tokens in them.
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
