"""Name and shape stand on the handler; one explicit list installs them; a duplicate fails at start."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.live.limits import Limit
from handlers.wire.schemas import CommandSchema, schema_for

Result = Mapping[str, Any]
Shape = TypeVar("Shape")
Written = TypeVar("Written")


@frozen
class Later(Generic[Written]):
    """A result that is there once its write is on disk: the handler has done its part and the next may start."""

    write: "Future[Written]"
    shape: Callable[[Written], Result]


Handler = Callable[[Context, Caller, Shape], Awaitable[Result | Later[Any]]]


@frozen
class Command(Generic[Shape]):
    """A command. `socket`: the sockets have it, not REST alone. `limit`: what it counts against, by user;
    `auth_calls` by address. `unlimited` says why a command has none."""

    name: str
    shape: type[Shape]
    schema: CommandSchema
    handler: Handler[Shape]
    socket: bool
    limit: Limit | None
    unlimited: str


def command(
    name: str, shape: type[Shape], *, socket: bool = False, limit: Limit | None = None, unlimited: str = ""
) -> Callable[[Handler[Shape]], Command[Shape]]:
    """Makes a handler a command, which has a limit or says why not. Raises: `ValueError` for one with neither."""
    if (limit is None) != bool(unlimited):
        raise ValueError(f"{name} needs a limit, or the reason why it has none")

    def install(handler: Handler[Shape]) -> Command[Shape]:
        return Command(name, shape, schema_for(shape), handler, socket, limit, unlimited)

    return install


def by_name(commands: Iterable[Command[Any]]) -> Mapping[str, Command[Any]]:
    """Raises: `ValueError` when two commands have one name."""
    table: dict[str, Command[Any]] = {}
    for entry in commands:
        if entry.name in table:
            raise ValueError(f"two commands are named {entry.name}")
        table[entry.name] = entry
    return table
