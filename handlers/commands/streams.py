"""Streams: answers that grow."""

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import Nothing
from handlers.wire.errors import invalid
from handlers.wire.schemas import AnyText, ClientId, Id


@frozen
class StreamMessage:
    chat_id: Id
    stream_id: ClientId
    content: AnyText


@command(
    "stream_message",
    StreamMessage,
    Nothing,
    socket=True,
    unlimited="counted by its handler: above the limit it is ignored, not refused",
    errors=("not_found", "forbidden", "conflict"),
)
async def stream_message(context: Context, caller: Caller, params: StreamMessage) -> Result:
    """Shows the room what the caller is writing, until they send it as a message with the `client_id` of the stream;
    `forbidden` for a member who may not send, `conflict` for a sixth stream. Nothing is stored. Above the limit it is
    ignored: the next call has the whole content again."""
    longest = context.policy.max_content_chars
    if len(params.content) > longest:
        raise invalid(content=f"must be at most {longest} characters")
    ignored = context.limiter.take("streams", caller.user_id)
    if ignored:  # an ignored call must not load a chat either
        return {}
    connection = caller.connected()
    await context.directory.for_sender(caller.user_id, params.chat_id, context.clock.now())
    context.connections.check(
        connection
    )  # a revocation in the meantime has ended no stream that was not there
    context.streams.update(
        params.chat_id, caller.user_id, params.stream_id, params.content, session_id=connection.session_id
    )
    return {}
