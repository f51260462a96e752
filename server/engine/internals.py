"""What the engine uses of libraries though they promise nothing about it: each use by name, with its reason.

setup.cfg keeps these libraries within a minor version, and tests/test_internals.py fails with the name of what has
moved when one of them is upgraded.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import engineio
import socketio
from aiohttp import web

# --- aiohttp -----------------------------------------------------------------------------------------------------


def let_go(request: web.Request, parser: Any) -> None:
    """Makes aiohttp forget the connection of a request whose WebSocket is not its own.

    `RequestHandler.set_parser` gives what was read beyond the handshake to the parser. Without a `transport`,
    `connection_lost` ends what aiohttp keeps of the connection and does not close it. Its own way, `WebSocketResponse`,
    keeps the request, two tasks, a parser and a queue for as long as the WebSocket lives: 15 KiB a connection.
    """
    request.protocol.set_parser(parser)
    request.protocol.transport = None
    request.protocol.connection_lost(None)


# --- python-socketio ---------------------------------------------------------------------------------------------


def next_ack_id(manager: socketio.AsyncManager, sid: str, callback: Callable[..., Any]) -> int:
    """A new ack id of a connection, under which `AsyncManager.trigger_callback` finds the callback.

    A manager that reaches other processes takes its own ids from the same table, so there cannot be a second one.
    """
    ack_id: int = manager._generate_ack_id(sid, callback)
    return ack_id


def use_engine(server: socketio.AsyncServer, engine_class: type[engineio.AsyncServer]) -> None:
    """Has `AsyncServer.__init__`, called after this, make its Engine.IO server of a class.

    There is no parameter for it: the library's `_engineio_server_class` is a method for subclasses to override.
    """
    server._engineio_server_class = lambda: engine_class


def replace_handlers(
    server: socketio.AsyncServer,
    *,
    trigger: Callable[..., Awaitable[Any]],
    opened: Callable[[str, dict[str, Any]], Awaitable[None]],
    closed: Callable[[str, str], Awaitable[None]],
) -> None:
    """Puts functions in the place of three methods that the admin page of `AsyncServer.instrument` knows by name.

    `trigger` calls the application's handler for an event. The page puts a method of its own in the place of
    `_trigger_event`, which counts and calls the one that was there; so the engine calls `server._trigger_event`.
    `opened` and `closed` take the beginning and the end of a connection of Engine.IO. The page has methods of its own
    called for them, which count and call `_handle_eio_connect` and `_handle_eio_disconnect`.
    """
    server._trigger_event = trigger
    server._handle_eio_connect = opened
    server._handle_eio_disconnect = closed
