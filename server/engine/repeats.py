"""Requests of a polling client that come twice.

A proxy before several nodes asks the next one when a node breaks off, with a GET that another one has answered
already. What was in that answer would be missing from then on, and a POST would be done twice. Clients that give each
request a mark of its own (`t`, which the official ones do so that no cache answers) are recognized by it.
"""

from aiohttp import web

from .engineio_session import Session
from .host import Host
from .http_answers import BAD_REQUEST, HttpRefused
from .packets import CLOSE

MARK = "t"
MARK_CHARS_MAX = 64


def refuse_repeat(host: Host, session: Session, request: web.Request) -> None:
    """Ends the session if this is its last GET, or its last POST, again: the client then starts a new one, and knows
    that something may be missing. Does nothing on a server that is the only one. Raises: HttpRefused."""
    if host.foreign is None:
        return
    mark = request.query.get(MARK, "")[:MARK_CHARS_MAX]
    if mark and session.polling.is_repeat(request.method, mark):
        session.close(host.reason.TRANSPORT_ERROR, CLOSE)
        raise HttpRefused(BAD_REQUEST)
