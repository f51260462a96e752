"""A client's poll: the GET that fetches what waits for it."""

import asyncio

from aiohttp import web

from .engineio_session import Session
from .host import Host
from .http_answers import BAD_REQUEST, HttpRefused
from .packets import CLOSE, NOOP, EnginePacket
from .polling import PACKETS_PER_POLL, SETTLE_S
from .repeats import refuse_repeat


async def packets_for(host: Host, session: Session, request: web.Request) -> list[EnginePacket]:
    """The packets of the answer to a poll. Raises: HttpRefused."""
    refuse_repeat(host, session, request)
    polling, reason = session.polling, host.reason
    if session.is_closing and not polling.is_waiting and polling.has_packets:
        return polling.take(PACKETS_PER_POLL)
    await polling.settle()
    if session.upgrade_over is not None:
        # The packet that ends an upgrade under way may be on the other connection.
        await asyncio.wait([session.upgrade_over], timeout=SETTLE_S)
    if session.upgraded or session.is_closing:
        raise HttpRefused(BAD_REQUEST)
    if polling.noop_only:
        return [NOOP]
    if polling.is_waiting or polling.is_answering:
        # Two polls would share the packets and lose their order.
        session.close(reason.TRANSPORT_ERROR, CLOSE)
        raise HttpRefused(BAD_REQUEST)
    if host.heartbeat.overdue(session):
        session.expire()
        raise HttpRefused(BAD_REQUEST)
    try:
        packets = await polling.poll()
    except asyncio.CancelledError:
        # aiohttp reports in this way, with `handler_cancellation`, that the client has gone.
        session.abort(reason.TRANSPORT_ERROR)
        raise
    if request.transport is None:
        session.abort(reason.TRANSPORT_ERROR)
    return packets


async def send_answer(host: Host, session: Session, request: web.Request, response: web.Response) -> None:
    """Sends the answer to a poll; a client that does not take it within a heartbeat loses its session."""
    try:
        await session.polling.send_answer(request, response, host.ping_interval + host.ping_timeout)
    except (TimeoutError, ConnectionError):
        session.abort(host.reason.TRANSPORT_ERROR)
