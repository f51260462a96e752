"""No log line shows a token, from any logger and after any failure."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from server.logs import redact

TOKEN = jwt.encode({"sub": "1", "exp": 4_000_000_000}, "k" * 32, "HS256")
OPAQUE = "Zm9vYmFyLXNlY3JldA"
BOT = "vb_" + "Zm9-_" * 8 + "Zm9"

SAY = """
import asyncio, inspect, logging, sys
import structlog
from server.logs import configure_logs

def formatter_of_rich(sio, exc_info):  # where rich is installed, structlog's own choice shows local variables
    sio.write(repr(exc_info[2].tb_frame.f_locals))

init = structlog.dev.ConsoleRenderer.__init__
init.__defaults__ = tuple(
    formatter_of_rich if default is structlog.dev.plain_traceback else default for default in init.__defaults__
)
configure_logs("DEBUG", sys.argv[1])
jwt_token, opaque, bot_token = sys.argv[2:]
loggers = [logging.getLogger(name) for name in (
    "asyncio", "aiohttp.access", "aiohttp.server", "aiohttp.web", "aiohttp.websocket", "engineio.server",
    "socketio.server", "pymongo", "somebody.else",
)]
texts = [
    f"GET /ws?token={jwt_token} HTTP/1.1",
    f"GET /ws?a=b&token={opaque} HTTP/1.1",
    f"GET /socket.io/?EIO=4&sid={opaque}",
    f"http://localhost:8000/setup?code={opaque}",
    f"GET /api/invites/{opaque} HTTP/1.1",
    f"POST /api/invites/{opaque}/accept",
    f"https://chat.example.org/invite/{opaque}",
    f"POST /hooks/{opaque} HTTP/1.1",
    f"https://chat.example.org/hooks/{opaque}",
    f"Authorization: Bearer {jwt_token}",
    f"Sec-WebSocket-Protocol: bearer, {opaque}",
    f"mongodb://ann:{opaque}@db.example.org/name",
    repr({"token": jwt_token}),
    repr({"token": bot_token}),
    f"the answer was {bot_token}",
]

def fail(text):
    secret = opaque
    raise ValueError(text)

for text in texts:
    for logger in loggers:
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            logger.log(level, "said %s", text)
    structlog.get_logger("vestnik").info("said", text=text)
    try:
        fail(text)
    except ValueError as error:
        structlog.get_logger("vestnik").error("failed", exc_info=error)
        logging.getLogger("somebody.else").exception("failed")

async def background():
    task = asyncio.ensure_future(asyncio.sleep(0))
    await task
    asyncio.get_running_loop().call_exception_handler({"message": texts[0], "exception": ValueError(texts[3])})

asyncio.run(background(), debug=True)
print("end")
"""


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_logger_at_any_level_and_no_exception_shows_a_token(style: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SAY, style, TOKEN, OPAQUE, BOT],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    text = said.stdout + said.stderr
    assert text.rstrip().endswith("end")
    assert text.count("[redacted]") > 100
    assert "ValueError" in text
    assert "Traceback" in text
    assert [secret for secret in (*TOKEN.split("."), OPAQUE, BOT) if secret in text] == []


@pytest.mark.parametrize(
    "line",
    [
        "serving url=http://localhost:8000",
        "WebSocket connected address=2001:db8::1 user_id=7",
        "origin refused; list it in CORS_ORIGINS origin=https://evil.example.org",
        "mail ann@example.org: http://localhost/@x",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == line
