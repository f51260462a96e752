"""Presence: the status of a connection."""

from typing import Annotated

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import Nothing
from handlers.wire.schemas import StrictString


@frozen
class Status:
    status: Annotated[str, StrictString(one_of=("online", "away", "busy", "offline"))]


@command("status", Status, Nothing, socket=True, limit="status", errors=())
async def status(context: Context, caller: Caller, params: Status) -> Result:
    """Sets the status of the caller's connection."""
    context.presence.set(caller.connected(), params.status)
    return {}
