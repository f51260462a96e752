"""How a handler becomes a command: its name, its parameters and its answer are declared on it.

`handlers.commands` lists all commands. A declaration that is incomplete, and a name that comes twice, fail at start.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, is_typeddict

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.live.limits import Limit
from handlers.policy import Policy
from handlers.wire.descriptions import description_of
from handlers.wire.errors import Code
from handlers.wire.schemas import CommandSchema, schema_for
from storage.promise import Promise

Result = Mapping[str, Any]
Params = TypeVar("Params")
Written = TypeVar("Written")


@frozen
class Later(Generic[Written]):
    """A result that `result` makes once `write` is on disk; the connection's next command may start before the write is
    done."""

    write: Promise[Written]
    result: Callable[[Written], Result]


MoreFaults = Callable[[Policy, Mapping[str, Any]], Mapping[str, str]]
"""What the settings say against the values that the schema lets pass, by field."""

Handler = Callable[[Context, Caller, Params], Awaitable[Result | Later[Any]]]


@frozen
class Command(Generic[Params]):
    """A command. `answer` is the type of its result, one of `handlers.wire.answers`. `socket`: the sockets have the
    command too, not REST alone. `limit`: what it counts against, by user, but `auth_calls` by address. `unlimited`
    says why a command has no limit. `admin`: only admins of the server may. `people`: bots may not. `more_faults` is
    asked where the schema has found a fault, so that all are told at once. `errors`: the codes with which the command
    itself fails, besides those that its gate, its schema and its limit give; None if nobody has declared them."""

    name: str
    params: type[Params]
    answer: type[Any]
    schema: CommandSchema
    handler: Handler[Params]
    socket: bool
    limit: Limit | None
    unlimited: str
    admin: bool = False
    people: bool = False
    more_faults: MoreFaults | None = None
    errors: tuple[Code, ...] | None = None

    @property
    def description(self) -> str:
        """What the docstring of the handler says, for documents."""
        return description_of(self.handler)


def command(
    name: str,
    params: type[Params],
    answer: type[Any],
    *,
    socket: bool = False,
    limit: Limit | None = None,
    unlimited: str = "",
    admin: bool = False,
    people: bool = False,
    more_faults: MoreFaults | None = None,
    errors: tuple[Code, ...] | None = None,
) -> Callable[[Handler[Params]], Command[Params]]:
    """Makes a handler a command. Raises: `ValueError` if `answer` is no TypedDict, or if the command has neither a
    limit nor a reason for having none."""
    if not is_typeddict(answer):
        raise ValueError(f"{name} has to declare its answer, as a TypedDict")
    if (limit is None) != bool(unlimited):
        raise ValueError(f"{name} needs a limit, or the reason why it has none")

    def install(handler: Handler[Params]) -> Command[Params]:
        schema = schema_for(params)
        return Command(
            name,
            params,
            answer,
            schema,
            handler,
            socket,
            limit,
            unlimited,
            admin,
            people,
            more_faults,
            errors,
        )

    return install


def by_name(commands: Iterable[Command[Any]]) -> Mapping[str, Command[Any]]:
    """Raises: `ValueError` when two commands have one name."""
    table: dict[str, Command[Any]] = {}
    for entry in commands:
        if entry.name in table:
            raise ValueError(f"two commands are named {entry.name}")
        table[entry.name] = entry
    return table
