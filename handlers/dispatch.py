"""Runs commands: a name and a payload become a result or a `ChatError`. No other exception leaves this module."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from handlers.commands import COMMANDS
from handlers.context import Caller, Context
from handlers.live.identities import Identity
from handlers.registry import Later, Result
from handlers.wire.errors import ChatError
from handlers.wire.exceptions import as_chat_error
from handlers.wire.schemas import read

Outcome = Result | ChatError


def admit(context: Context, caller: Caller, name: str) -> None:
    """Called once for each REST request, before its body is read. A call of `/api/auth` is counted here, whatever its
    body holds; a user who is above a limit is refused without being counted. Raises: `ChatError` `rate_limited`."""
    limit = COMMANDS[name].limit
    if limit == "auth_calls":
        context.limiter.check(limit, caller.network)
    elif limit is not None:
        context.limiter.peek(limit, caller.user_id)


async def start(
    context: Context, caller: Caller, name: str, payload: Mapping[str, Any]
) -> Result | Later[Any]:
    """Runs a command until its place among the caller's commands is fixed.

    Gates start the commands of one connection one after the other. Once this returns, with a result or with a `Later`
    that has its place in the store's queue, the connection's next command may start. Raises: `ChatError`.
    """
    command = COMMANDS.get(name)
    connection = caller.connection
    if command is None or (connection is not None and not command.socket):
        context.limiter.check("queries", caller.user_id)
        raise ChatError("unknown_event", f"there is no command {name[:64]!r}")
    try:
        if connection is not None:
            await connection.ready()
        if context.freshness.stale:
            await _catch_up(context, caller)
        if connection is not None:
            context.connections.check(connection)
            context.token_expiry.check(connection)
        # Malformed parameters cost a user nothing. A stranger has paid already: see `admit`.
        params = read(command.params, command.schema, payload)
        if command.limit is not None and command.limit != "auth_calls":
            context.limiter.check(command.limit, caller.user_id)
        result = await command.handler(context, caller, params)
    except Exception as error:
        raise as_chat_error(error) from None
    if connection is not None and isinstance(result, Later):
        connection.begin(result.write)
    return result


async def _catch_up(context: Context, caller: Caller) -> None:
    """Waits until memory is not behind other servers, and then checks the caller of a REST request again. Raises:
    `Refused`; `Unavailable`."""
    await context.freshness.caught_up()
    if caller.connection is None and caller.user_id:
        context.identities.check(Identity(caller.user_id, caller.session_id, math.inf))


def then(later: Later[Any], reply: Callable[[Outcome], None]) -> None:
    """Calls `reply` with the outcome of a `Later`, on the event loop, in the turn in which its events are published."""

    def done(write: "asyncio.Future[Any]") -> None:
        reply(_outcome(later, write))

    later.write.then(done)


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
    # The caller may be cancelled; the write may not.
    await asyncio.wait((result.write,))
    outcome = _outcome(result, result.write)
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome
