"""python-socketio, hardened and fast: `AsyncServer` takes what `socketio.AsyncServer` takes and can stand in its place.

It knows nothing of chat. What it mends and what it adds is told where it is done: `rooms` and `fanout` (who gets what),
`session`, `sockets` and `transport` (Engine.IO under aiohttp), `packets` (strict decoding, events as bytes), `frames`,
`handshake`, `reader` and `websocket` (WebSockets without aiohttp), `heartbeat`, `dispatch` (handlers), `clients` (what
clients send), `server` (what applications call).
"""

from .budget import BudgetPolicy, Rate
from .dispatch import Deferred
from .fanout import FanOutManager
from .handshake import tokens as header_tokens
from .heartbeat import Beating, Heartbeat
from .links import Dialect, Link
from .pace import Pace
from .packets import ProtocolError, SocketIODialect
from .reader import Message
from .server import AsyncServer
from .takeover import HandedOver
from .transport import EngineServer
from .websocket import INTERNAL_ERROR, WebSocket

__all__ = [
    "INTERNAL_ERROR",
    "AsyncServer",
    "Beating",
    "BudgetPolicy",
    "Deferred",
    "Dialect",
    "EngineServer",
    "FanOutManager",
    "HandedOver",
    "Heartbeat",
    "Link",
    "Message",
    "Pace",
    "ProtocolError",
    "Rate",
    "SocketIODialect",
    "WebSocket",
    "header_tokens",
]
