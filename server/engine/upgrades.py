"""A session's WebSocket: its only transport, or the one it moves to from long-polling."""

import asyncio

from aiohttp import web

from . import frames
from .clock import timeout
from .engineio_session import Session
from .host import Host
from .packets import NOOP, PING, PONG, UPGRADE
from .takeover import HandedOver
from .websocket import WebSocket

_PROBE = "probe"


async def take_websocket(host: Host, session: Session, request: web.Request) -> web.StreamResponse:
    """Takes a WebSocket from aiohttp and gives it to the session, or closes it. Raises: as `EngineServer.accept`."""
    is_new = not session.connected
    session.connected = True
    try:
        socket = await host.accept(request, max_bytes=session.max_message_bytes, pace=session.pace)
    except BaseException:
        if is_new:
            session.abort(host.reason.TRANSPORT_ERROR)
        raise
    if is_new:
        _move(session, socket)
    else:
        # With `handler_cancellation`, aiohttp cancels the handler of a connection that it has let go of.
        await asyncio.shield(host.spawn(_try_upgrade(host, session, socket)))
    return HandedOver()


def _move(session: Session, socket: WebSocket) -> None:
    session.move_to(socket)
    socket.serve(session)


async def _try_upgrade(host: Host, session: Session, socket: WebSocket) -> None:
    """Moves the session to the WebSocket if the client goes through the steps of an upgrade, else closes it."""
    moved = False
    try:
        moved = await _upgrade(host, session, socket)
    finally:
        if moved:
            _move(session, socket)
        else:
            socket.close(1008)


async def _upgrade(host: Host, session: Session, socket: WebSocket) -> bool:
    """Whether the client has gone through the steps of an upgrade; if not, polling goes on as it was."""
    if session.upgraded or session.upgrade_over is not None or session.is_closing:
        return False
    over = session.upgrade_over = asyncio.get_running_loop().create_future()
    moved = False
    try:
        async with timeout(host.clock, host.upgrade_timeout_s) as session.upgrade_until:
            if await _next_text(socket) == PING + _PROBE:
                socket.send(frames.text((PONG + _PROBE).encode()))
                session.polling.noop_only = True
                session.polling.release([NOOP])
                moved = await _next_text(socket) == UPGRADE and not session.is_closing
    except TimeoutError:
        moved = False
    finally:
        session.upgraded = moved
        session.polling.noop_only = False
        session.upgrade_over = session.upgrade_until = None
        over.set_result(None)
    return moved


async def _next_text(socket: WebSocket) -> str | None:
    """The next message; None if it is no text."""
    while (message := await socket.next()).opcode == frames.PONG:
        pass
    return str(message.data) if message.opcode == frames.TEXT else None
