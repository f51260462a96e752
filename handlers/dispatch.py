"""Runs commands: a name and a payload become a result or a `ChatError`. No other exception leaves this module."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from domain.decisions.admins import ADMINS_ONLY, administers
from domain.models import Appended
from handlers.commands import COMMANDS
from handlers.context import Caller, Context
from handlers.live.counts import UNKNOWN_COMMAND
from handlers.live.identities import Identity
from handlers.registry import Command, Later, Result
from handlers.wire.errors import ChatError, invalid
from handlers.wire.exceptions import as_chat_error
from handlers.wire.schemas import read

PEOPLE_ONLY = "bots do not do this"

Outcome = Result | ChatError


def admit(context: Context, caller: Caller, name: str) -> None:
    """Called once for each REST request, before its body is read. A call of `/api/auth` is counted here, whatever its
    body holds; a user who is above a limit is refused without being counted. Raises: `ChatError` `rate_limited`."""
    limit = COMMANDS[name].limit
    try:
        if limit == "auth_calls":
            context.limiter.check(limit, caller.network)
        elif limit is not None:
            context.limiter.peek(limit, caller.user_id)
    except ChatError as error:
        context.counts.failed[name, error.code] += 1
        raise


async def authorize(context: Context, caller: Caller, name: str) -> None:
    """Raises: `ChatError` `forbidden` for a command that only admins of the server may run, if the caller is none, and
    for one that bots may not run, if the caller is one."""
    command = COMMANDS[name]
    if command.admin and not administers(await context.identities.user_for_answer(caller.user_id)):
        raise ChatError("forbidden", ADMINS_ONLY)
    if command.people and (user := await context.identities.user(caller.user_id)) and user.is_bot:
        raise ChatError("forbidden", PEOPLE_ONLY)


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
        error = _unknown(context, caller, name)
        context.counts.failed[UNKNOWN_COMMAND, error.code] += 1
        raise error
    try:
        if connection is not None:
            await connection.ready()
        if context.freshness.stale:
            await _catch_up(context, caller)
        if connection is not None:
            context.connections.check(connection)
            context.token_expiry.check(connection)
        if command.admin or command.people:
            await authorize(context, caller, name)
        # Malformed parameters cost a user nothing. A stranger has paid already: see `admit`.
        params = read(command.params, command.schema, payload)
        if command.limit is not None and command.limit != "auth_calls":
            context.limiter.check(command.limit, caller.user_id)
        result = await command.handler(context, caller, params)
    except Exception as raised:
        error = _whole(context, command, payload, as_chat_error(raised))
        context.counts.failed[name, error.code] += 1
        raise error from None
    if not isinstance(result, Later):
        context.counts.done[name] += 1
    elif connection is not None:
        connection.begin(result.write)
    return result


def _whole(
    context: Context, command: Command[Any], payload: Mapping[str, Any], error: ChatError
) -> ChatError:
    """An error that says all that is wrong with the fields."""
    found = error.fields or {}
    if command.more_faults is None or error.code != "invalid":
        return error
    rest = {name: value for name, value in payload.items() if name not in found and value is not None}
    return invalid(**{**command.more_faults(context.policy, rest), **found})


def _unknown(context: Context, caller: Caller, name: str) -> ChatError:
    """The error for a command that there is not, or not on a socket."""
    try:
        context.limiter.check("queries", caller.user_id)
    except ChatError as limited:
        return limited
    return ChatError("unknown_event", f"there is no command {name[:64]!r}")


async def _catch_up(context: Context, caller: Caller) -> None:
    """Waits until memory is not behind other nodes, and then checks the caller of a REST request again. Raises:
    `Refused`; `Unavailable`."""
    await context.freshness.caught_up()
    if caller.connection is None and caller.user_id:
        await context.identities.confirm(Identity(caller.user_id, caller.session_id, math.inf))


def then(context: Context, name: str, later: Later[Any], reply: Callable[[Outcome], None]) -> None:
    """Calls `reply` with the outcome of the `Later` that `start` returned for a command of this name, on the event
    loop, in the turn in which its events are published."""

    def done(write: "asyncio.Future[Any]") -> None:
        reply(_outcome(context, name, later, write))

    later.write.then(done)


def _outcome(context: Context, name: str, later: Later[Any], write: "asyncio.Future[Any]") -> Outcome:
    if write.cancelled():
        error = ChatError("unavailable", "the server is going away")
    elif (raised := write.exception()) is not None:
        error = as_chat_error(raised)
    else:
        written = write.result()
        if isinstance(written, Appended) and not written.duplicate:
            context.counts.sent[name] += 1
        else:
            context.counts.done[name] += 1
        return later.result(written)
    context.counts.failed[name, error.code] += 1
    return error


async def run(context: Context, caller: Caller, name: str, payload: Mapping[str, Any]) -> Result:
    """Runs a command to its end. Raises: `ChatError`."""
    result = await start(context, caller, name, payload)
    if not isinstance(result, Later):
        return result
    # The caller may be cancelled; the write may not.
    await asyncio.wait((result.write,))
    outcome = _outcome(context, name, result, result.write)
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome
