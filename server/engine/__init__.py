"""python-socketio, hardened and fast: `AsyncServer` takes what `socketio.AsyncServer` takes and can stand in its place.

It knows nothing of chat. What it mends and what it adds is said where it is done. From applications down to the wire:

- `server` (what applications call), `namespaces` and `incoming` (what clients ask), `invoke` (handlers);
- `manager`, `rooms`, `room_events`, `fanout` and `deliveries` (which connection gets what), `links` (connections of
  other kinds);
- `engineio_server`, `engineio_session`, `session_life` and `host` (Engine.IO under aiohttp), `requests`,
  `http_answers`, `cors` and `environ` (HTTP), `polling`, `poll_requests` and `post_requests` (long-polling),
  `upgrades`, `foreign` (the sessions of other servers);
- `packets` and `decoder` (strict decoding, events as bytes), `frames`, `reader`, `receiver`, `handshake`, `takeover`,
  `websocket` and `close_handshake` (WebSockets without aiohttp);
- `pace`, `scheduler`, `budget` and `backlog` (what one client may cost), `heartbeat`, `clock`, `cancellation`;
- `internals` (what is used of libraries though they promise nothing about it).
"""

from .budget import BudgetPolicy, Rate
from .clock import Clock
from .engineio_server import EngineServer
from .fanout import FanOut
from .handshake import tokens as header_tokens
from .heartbeat import Beating, Heartbeat
from .invoke import Deferred
from .links import Dialect, Link
from .manager import FanOutManager
from .pace import Pace
from .packets import ProtocolError, SocketIODialect
from .reader import Message
from .room_events import ReadyEvent, RoomEvent
from .server import AsyncServer
from .takeover import HandedOver
from .websocket import INTERNAL_ERROR, WebSocket

__all__ = [
    "INTERNAL_ERROR",
    "AsyncServer",
    "Beating",
    "BudgetPolicy",
    "Clock",
    "Deferred",
    "Dialect",
    "EngineServer",
    "FanOut",
    "FanOutManager",
    "HandedOver",
    "Heartbeat",
    "Link",
    "Message",
    "Pace",
    "ProtocolError",
    "Rate",
    "ReadyEvent",
    "RoomEvent",
    "SocketIODialect",
    "WebSocket",
    "header_tokens",
]
