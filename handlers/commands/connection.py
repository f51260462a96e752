"""Commands about the connection itself: a new token, a ping."""

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.live.tokens import expires_in_s
from handlers.registry import Result, command
from handlers.wire import events
from handlers.wire.answers import ConnectionTokenAnswer, Nothing
from handlers.wire.errors import ChatError
from handlers.wire.schemas import Text


@frozen
class RefreshToken:
    token: Text


@command(
    "refresh_token",
    RefreshToken,
    ConnectionTokenAnswer,
    socket=True,
    limit="queries",
    errors=("unauthenticated", "forbidden"),
)
async def refresh_token(context: Context, caller: Caller, params: RefreshToken) -> Result:
    """Replaces the connection's access token by a newer one of the same user; the connection goes on."""
    connection = caller.connected()
    identity = await context.identities.of(params.token)
    if identity.user_id != caller.user_id:
        raise ChatError("forbidden", "the token is of another user")
    context.connections.check(connection)
    connection.session_id = identity.session_id
    if connection.expires_at != identity.expires_at:
        connection.expires_at = identity.expires_at
        context.token_expiry.watch(connection)
    return {"token_expires_in": expires_in_s(identity.expires_at, context.clock.now())}


@frozen
class Ping:
    pass


@command(
    "ping",
    Ping,
    Nothing,
    socket=True,
    unlimited="it answers nobody but its sender, and costs less than counting it would",
    errors=(),
)
async def ping(context: Context, caller: Caller, _params: Ping) -> Result:
    """Answers `pong`. The documented client sends it from time to time; no client has to."""
    name, payload = events.pong(context.clock.now())
    context.hub.emit(name, payload, room=caller.connected().id)
    return {}
