"""The status that a connection gives its user."""

from typing import Annotated

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.schemas import StrictString


@frozen
class Status:
    status: Annotated[str, StrictString(one_of=("online", "away", "busy", "offline"))]


@command("status", Status, socket=True, limit="status")
async def status(context: Context, caller: Caller, params: Status) -> Result:
    """Sets the status of the caller's connection."""
    context.presence.set(caller.connected(), params.status)
    return {}
