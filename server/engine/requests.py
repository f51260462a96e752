"""Requests to the Engine.IO path: which may do what, and what each is answered."""

import re
import urllib.parse
from typing import Any

from aiohttp import web
from engineio.packet import Packet as EngineIOPacket

from . import handshake, http_answers
from .engineio_session import Session
from .environ import environ_of
from .host import Host
from .http_answers import BAD_REQUEST, Headers, HttpAnswer, HttpRefused
from .packets import OPEN
from .poll_requests import packets_for, send_answer
from .post_requests import take_post
from .upgrades import take_websocket

Query = dict[str, list[str]]

_JSONP_INDEX = re.compile(r"[0-9]{1,16}")


class Requests:
    """The requests of all clients of a server."""

    def __init__(self, host: Host) -> None:
        self._host = host
        """The kinds of refusals that are in the log."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        environ = environ_of(request)
        query = urllib.parse.parse_qs(environ["QUERY_STRING"])
        polled: Session | None = None
        try:
            self._check(environ, query)
            elsewhere = await self._answer_from_elsewhere(environ, request, query)
            if elsewhere is not None:
                return elsewhere
            jsonp_index = int(query["j"][0]) if "j" in query else None
            if request.method == "GET" and "sid" in query and query["transport"][0] == "polling":
                polled = self._session(query)
                packets = await packets_for(self._host, polled, request)
                answer = http_answers.ok(packets, jsonp_index=jsonp_index)
            elif request.method == "GET":
                opened = await self._open_or_upgrade(environ, request, query, jsonp_index)
                if isinstance(opened, web.StreamResponse):  # a WebSocket
                    return opened
                answer = opened
            elif request.method == "OPTIONS":
                answer = http_answers.ok()
            else:
                await self._post(request, query)
                answer = http_answers.ok(jsonp_index=jsonp_index)
        except HttpRefused as refused:
            answer = http_answers.refusal(refused)
            polled = None
        response = self._response(answer, environ)
        if polled is not None:
            await send_answer(self._host, polled, request, response)
        return response

    def _check(self, environ: dict[str, Any], query: Query) -> None:
        """Raises: HttpRefused for a request that is refused whatever it wants."""
        if not self._host.cors.admits(environ):
            raise self._refused(f"{environ['HTTP_ORIGIN']} is not an accepted origin.")
        transport = query.get("transport", [""])[0]
        if transport not in self._host.transports:
            raise HttpRefused(BAD_REQUEST, "Invalid transport")
        if "sid" not in query and query.get("EIO") != ["4"]:
            raise self._refused(
                "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"
            )
        if "j" in query and not _JSONP_INDEX.fullmatch(query["j"][0]):
            raise HttpRefused(BAD_REQUEST, "Invalid JSONP index number")
        if (
            transport == "websocket"
            and environ["REQUEST_METHOD"] != "OPTIONS"
            and not handshake.wants_websocket(environ["aiohttp.request"])
        ):
            raise HttpRefused(BAD_REQUEST, "Invalid websocket upgrade")

    def _refused(self, message: str) -> HttpRefused:
        """The exception for a request of a page or a client that does not fit this server."""
        self._host.logger.info(message)
        return HttpRefused(BAD_REQUEST, message)

    async def _answer_from_elsewhere(
        self, environ: dict[str, Any], request: web.Request, query: Query
    ) -> web.StreamResponse | None:
        """The answer to a request for a session that another node holds."""
        foreign, sid = self._host.foreign, query.get("sid", [""])[0]
        if foreign is None or not sid or request.method not in ("GET", "POST"):
            return None
        if self._host.find_session(sid) is not None:
            return None
        return await foreign.answer(
            request, sid, self._headers(environ), websocket=query["transport"][0] == "websocket"
        )

    def _session(self, query: Query) -> Session:
        """The session that a request is for. Raises: HttpRefused."""
        session = self._host.find_session(query.get("sid", [""])[0])
        if not isinstance(session, Session) or not session.connected:
            raise HttpRefused(BAD_REQUEST)
        return session

    async def _open_or_upgrade(
        self, environ: dict[str, Any], request: web.Request, query: Query, jsonp_index: int | None
    ) -> HttpAnswer | web.StreamResponse:
        if "sid" not in query:
            return await self._open(environ, request, query["transport"][0], jsonp_index)
        session = self._session(query)
        if not self._host.allow_upgrades:
            raise HttpRefused(BAD_REQUEST)
        return await take_websocket(self._host, session, request)

    async def _open(
        self, environ: dict[str, Any], request: web.Request, transport: str, jsonp_index: int | None
    ) -> HttpAnswer | web.StreamResponse:
        """Opens a session, if the connect handler does not refuse it."""
        host = self._host
        sid = host.generate_id() if host.foreign is None else host.foreign.new_sid()
        session = host.sockets[sid] = Session(host, sid, host.budgets.stranger(host.address_of(request)))
        greeting = EngineIOPacket.json.dumps(self._greeting(sid, transport), separators=(",", ":"))
        session.push([OPEN + greeting])
        try:
            refusal = await host.connecting(sid, environ)
        except BaseException:
            # aiohttp reports in this way, with `handler_cancellation`, that the client has gone.
            session.abort(host.reason.TRANSPORT_ERROR)
            host.forget(session)
            raise
        if refusal is not None and refusal is not True:
            host.forget(session)
            return http_answers.unauthorized(refusal)
        if not session.is_closing:
            host.heartbeat.add(session)
        if transport == "websocket":
            return await take_websocket(host, session, request)
        session.connected = True
        packets = await session.polling.poll()
        return http_answers.ok(
            packets, headers=http_answers.cookie_headers(host.cookie, sid), jsonp_index=jsonp_index
        )

    def _greeting(self, sid: str, transport: str) -> dict[str, Any]:
        """What the OPEN packet of a session says."""
        host = self._host
        can_upgrade = host.allow_upgrades and transport == "polling"
        return {
            "sid": sid,
            "upgrades": ["websocket"] if can_upgrade else [],
            "pingTimeout": round(host.ping_timeout * 1000),
            "pingInterval": round((host.ping_interval + host.ping_interval_grace_period) * 1000),
            "maxPayload": host.max_http_buffer_size,
        }

    async def _post(self, request: web.Request, query: Query) -> None:
        """Takes a request that is no GET. Raises: HttpRefused."""
        session = self._session(query)
        if request.method != "POST" or query["transport"][0] == "websocket" or session.is_closing:
            raise HttpRefused(BAD_REQUEST)
        await take_post(self._host, session, request)

    def _response(self, answer: HttpAnswer, environ: dict[str, Any]) -> web.Response:
        host = self._host
        if host.http_compression and len(answer.body) >= host.compression_threshold:
            answer.compress(environ.get("HTTP_ACCEPT_ENCODING", ""))
        if host.on_answer is not None:
            host.on_answer(len(answer.body))
        headers = [*answer.headers, *self._headers(environ)]
        return web.Response(body=answer.body, status=answer.status, headers=headers)

    def _headers(self, environ: dict[str, Any]) -> Headers:
        """The headers of every answer."""
        return [("Cache-Control", "no-store"), *self._host.cors.headers(environ)]
