"""Name and schema stand on the handler; one explicit list installs them; a duplicate fails at start."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.live.limits import Limit
from handlers.wire.schemas import CommandSchema, schema_for

Result = Mapping[str, Any]
Params = TypeVar("Params")
Written = TypeVar("Written")


@frozen
class Later(Generic[Written]):
    """A result that is there once its write is on disk: the handler has done its part and the next may start."""

    write: "Future[Written]"
    result: Callable[[Written], Result]


Handler = Callable[[Context, Caller, Params], Awaitable[Result | Later[Any]]]


@frozen
class Command(Generic[Params]):
    """A command. `socket`: the sockets have it, not REST alone. `limit`: what it counts against, by user;
    `auth_calls` by address. `unlimited` says why a command has none."""

    name: str
    params: type[Params]
    schema: CommandSchema
    handler: Handler[Params]
    socket: bool
    limit: Limit | None
    unlimited: str


def command(
    name: str, params: type[Params], *, socket: bool = False, limit: Limit | None = None, unlimited: str = ""
) -> Callable[[Handler[Params]], Command[Params]]:
    """Makes a handler a command, which has a limit or says why not. Raises: `ValueError` for one with neither."""
    if (limit is None) != bool(unlimited):
        raise ValueError(f"{name} needs a limit, or the reason why it has none")

    def install(handler: Handler[Params]) -> Command[Params]:
        return Command(name, params, schema_for(params), handler, socket, limit, unlimited)

    return install


def by_name(commands: Iterable[Command[Any]]) -> Mapping[str, Command[Any]]:
    """Raises: `ValueError` when two commands have one name."""
    table: dict[str, Command[Any]] = {}
    for entry in commands:
        if entry.name in table:
            raise ValueError(f"two commands are named {entry.name}")
        table[entry.name] = entry
    return table
