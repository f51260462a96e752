"""What a connection asks about itself: a fresh token, a sign of life."""

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire import events
from handlers.wire.errors import ChatError
from handlers.wire.schemas import Text


@frozen
class RefreshToken:
    token: Text


@command("refresh_token", RefreshToken, socket=True, limit="queries")
async def refresh_token(context: Context, caller: Caller, params: RefreshToken) -> Result:
    """Puts a fresh access token of the same user in place of the connection's; the connection goes on."""
    connection = caller.connected()
    identity = await context.identities.of(params.token)
    if identity.user_id != caller.user_id:
        raise ChatError("forbidden", "the token is of another user")
    context.connections.check(connection)
    connection.session_id = identity.session_id
    if connection.expires_at != identity.expires_at:
        connection.expires_at = identity.expires_at
        context.token_expiry.watch(connection)
    return {"token_expires_in": int(identity.expires_at - context.clock.now().timestamp())}


@frozen
class Ping:
    pass


@command(
    "ping",
    Ping,
    socket=True,
    unlimited="it tells nobody but the one who asks, and costs less than counting it",
)
async def ping(context: Context, caller: Caller, _params: Ping) -> Result:
    """Answers `pong`; the documented client asks now and then, nobody has to."""
    name, payload = events.pong(context.clock.now())
    context.hub.emit(name, payload, room=caller.connected().id)
    return {}
