"""python-socketio, hardened and fast: `AsyncServer` takes what `socketio.AsyncServer` takes and can stand in its place.

It knows nothing of chat. What it mends and what it adds is told where it is done: `rooms` and `fanout` (who gets what),
`session`, `sockets` and `transport` (Engine.IO under aiohttp), `packets` (strict decoding, events as bytes), `frames`
(WebSocket), `heartbeat`, `dispatch` (handlers), `clients` (what clients send), `server` (what applications call).
"""

from .fanout import FanOutManager
from .heartbeat import Beating, Heartbeat
from .links import Dialect, Link
from .packets import ProtocolError, SocketIODialect
from .server import AsyncServer
from .transport import EngineServer

__all__ = [
    "AsyncServer",
    "Beating",
    "Dialect",
    "EngineServer",
    "FanOutManager",
    "Heartbeat",
    "Link",
    "ProtocolError",
    "SocketIODialect",
]
