"""A client's POST: packets that it sends by long-polling."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from time import perf_counter
from typing import NoReturn

from aiohttp import web

from .clock import sleep, timeout
from .engineio_session import Session
from .foreign import Body
from .host import Host
from .http_answers import BAD_REQUEST, TOO_LARGE, HttpRefused
from .packets import CLOSE, EnginePacket, ProtocolError, TooLarge, split_payload
from .repeats import refuse_repeat

POLL_FIRST_S = 0.2
"""How much later than the last poll a POST is answered that ends its session. The JavaScript client takes the refusal
of a POST for a broken transport and would come back; what its poll says has to reach it first."""

STRANGER_TIMES = 4
"""A stranger's body may be this many times as large as a stranger's message."""


async def take_post(host: Host, session: Session, request: web.Request) -> None:
    """Handles the packets in a POST. What cannot be served ends the session. Raises: HttpRefused."""
    refuse_repeat(host, session, request)
    if session.upgraded or session.posting:
        if session.posting:
            session.close(host.reason.TRANSPORT_ERROR, CLOSE)
        raise HttpRefused(BAD_REQUEST)
    session.posting = True
    try:
        posted = _posted(host, request)
        async with _large_body(host, session, posted.size):
            session.resume_reading()
            body = await _body(host, session, posted)
            session.resume_reading()
            if not await session.pace.turn():
                session.flooded()
            await _handle_all(session, split_payload(body, host.max_http_buffer_size), len(body))
    except TooLarge as error:
        await _refuse(host, session, error.code, TOO_LARGE)
    except (ProtocolError, ConnectionError, TimeoutError, web.RequestPayloadError):
        await _refuse(host, session, 1008, BAD_REQUEST)
    finally:
        session.posting = False


def _posted(host: Host, request: web.Request) -> Body:
    if host.foreign is not None:
        return host.foreign.body_of(request)
    return Body(request.content_length, request.content.iter_any())


def _large_body(host: Host, session: Session, size: int | None) -> AbstractAsyncContextManager[None]:
    """The lock to hold while a body is in memory. A large body may have to wait for others of its owner."""
    shared = session.pace.budget.shared
    if shared is None or not session.is_known or (size is not None and size <= host.max_http_buffer_size):
        return nullcontext()
    return _at_turn(session, shared.large_bodies)


@asynccontextmanager
async def _at_turn(session: Session, semaphore: asyncio.Semaphore) -> AsyncIterator[None]:
    """Holds the semaphore. Others of the session's owner may hold the session up meanwhile."""
    session.pause_reading()
    try:
        await semaphore.acquire()
    finally:
        session.resume_reading()
    try:
        yield
    finally:
        semaphore.release()


async def _handle_all(session: Session, packets: list[EnginePacket], size: int) -> None:
    """Handles the packets of a POST, at the session's pace. Raises: ProtocolError."""
    at, pace = 0, session.pace
    while at < len(packets):
        in_budget = await pace.turn()
        chunk = packets[at : at + pace.chunk_frames]
        if not pace.charge(len(chunk), 0 if at else size) or not in_budget:
            session.flooded()
        at += len(chunk)
        since = perf_counter()
        for packet in chunk:
            if session.is_closing:
                return
            since = await pace.go_on(since)
            await session.handle(packet)
        pace.scheduler.spent(since)
    pace.rest()


async def _body(host: Host, session: Session, posted: Body) -> bytes:
    """The whole body: a single read returns what happens to have arrived. Raises: HttpRefused above the limit."""
    limit = host.max_post_bytes
    if not session.is_known and host.stranger_max_bytes:
        limit = min(limit, STRANGER_TIMES * host.stranger_max_bytes)
    body = bytearray()
    if (posted.size or 0) <= limit:
        async with timeout(host.clock, host.ping_interval + host.ping_timeout):
            async for part in posted.parts:
                body += part
                session.resume_reading()  # a client on a slow line cannot send its PONG meanwhile
                if session.is_closing:
                    raise HttpRefused(BAD_REQUEST)
                if len(body) > limit:
                    break
            else:
                return bytes(body)
    return await _refuse(host, session, 1009, TOO_LARGE)


async def _refuse(host: Host, session: Session, code: int, status: int) -> NoReturn:
    session.violated(code)
    await sleep(host.clock, POLL_FIRST_S)
    raise HttpRefused(status)
