"""A name and a payload become a result or a `ChatError`; nothing else escapes."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from domain.refusals import Forbidden
from handlers.commands import COMMANDS
from handlers.context import Caller, Context
from handlers.live.limits import network_of
from handlers.registry import Later, Result
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.schemas import read
from storage import errors as storage
from storage.batching import when_settled

log = structlog.get_logger("vestnik")

Outcome = Result | ChatError

_TROUBLES: Mapping[storage.Trouble, str] = {
    "full": "the store is full; nothing was changed",
    "read_only": "the store may not be written; nothing was changed",
    "locked": "the store is locked by another program; nothing was changed",
    "broken": "the store is damaged; nothing was changed",
    "gone": "the store is gone; nothing was changed",
    "unreachable": "the store cannot be reached; try again",
    "unconfirmed": "the store did not confirm the change; try again",
    "slow": "the store is too slow; try again",
    "failing": "the store fails; try again",
    "contested": "others change the same thing all the time; try again",
    "closed": "the server is going away",
}
"""What clients are told. Why it is so, the operator reads in the log."""

# Searched along the MRO of what was raised.
_AS_CHAT_ERROR: dict[type[BaseException], Callable[[Any], ChatError]] = {
    storage.Unavailable: lambda error: ChatError("unavailable", _TROUBLES[error.trouble]),
    Forbidden: lambda error: ChatError("forbidden", str(error)),
    storage.NotFound: lambda _: not_found("chat or message"),
    storage.Duplicate: lambda error: ChatError(
        "conflict", f"this {error.field} is taken", fields={error.field: "is taken"}
    ),
    storage.ClientIdTaken: lambda _: ChatError(
        "conflict",
        "this client_id was used in another chat",
        fields={"client_id": "was used in another chat"},
    ),
    storage.UnknownUsers: lambda error: invalid(
        user_id=f"no such user: {', '.join(map(str, error.user_ids))}"
    ),
    storage.BadReference: lambda error: invalid(**{error.field: "names nothing of this chat"}),
    storage.LastOwner: lambda _: ChatError("conflict", "a chat keeps at least one owner"),
}


def as_chat_error(error: BaseException) -> ChatError:
    """What the wire says of an exception. One that nobody foresaw is logged and told without a word of it."""
    if isinstance(error, ChatError):
        return error
    for kind in type(error).__mro__:
        if kind in _AS_CHAT_ERROR:
            return _AS_CHAT_ERROR[kind](error)
    log.error("command failed unforeseen", exc_info=error)
    return ChatError("unavailable", "something went wrong on the server")


def admit(context: Context, caller: Caller, name: str) -> None:
    """To be called once for a request over REST, before its body is read: calls of strangers count here, whatever is in
    them; a user who is above a limit is told so without more ado. Raises: `ChatError` `rate_limited`."""
    limit = COMMANDS[name].limit
    if limit == "auth_calls":
        context.limiter.check(limit, network_of(caller.address))
    elif limit is not None:
        context.limiter.look(limit, caller.user_id)


async def start(
    context: Context, caller: Caller, name: str, payload: Mapping[str, Any]
) -> Result | Later[Any]:
    """Runs a command up to where its order among the caller's commands is settled.

    Commands of one connection are started one after the other; a `Later` is in its place in the store, and the next
    may start. Raises: `ChatError`.
    """
    command = COMMANDS.get(name)
    connection = caller.connection
    if command is None or (connection is not None and not command.socket):
        context.limiter.check("queries", caller.user_id)
        raise ChatError("unknown_event", f"there is no command {name[:64]!r}")
    try:
        if connection is not None:
            await connection.calm()
            context.connections.check(connection)
            context.token_expiry.check(connection)
        # What is malformed costs a user nothing, and a stranger a try: see `admit`.
        params = read(command.params, command.schema, payload)
        if command.limit is not None and command.limit != "auth_calls":
            context.limiter.check(command.limit, caller.user_id)
        result = await command.handler(context, caller, params)
    except Exception as error:
        raise as_chat_error(error) from None
    if connection is not None and isinstance(result, Later):
        connection.begin(result.write)
    return result


def then(later: Later[Any], reply: Callable[[Outcome], None]) -> None:
    """Calls back, on the event loop, with what came of a `Later`, in the turn in which its events are told."""

    def done(write: "asyncio.Future[Any]") -> None:
        reply(_outcome(later, write))

    when_settled(later.write, done)


def _outcome(later: Later[Any], write: "asyncio.Future[Any]") -> Outcome:
    if write.cancelled():
        return ChatError("unavailable", "the server is going away")
    error = write.exception()
    return later.result(write.result()) if error is None else as_chat_error(error)


async def run(context: Context, caller: Caller, name: str, payload: Mapping[str, Any]) -> Result:
    """Runs a command to its end. Raises: `ChatError`."""
    result = await start(context, caller, name, payload)
    if not isinstance(result, Later):
        return result
    # Who waits may be cancelled; what is being written may not.
    await asyncio.wait((result.write,))
    outcome = _outcome(result, result.write)
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome
