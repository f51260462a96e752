"""Examples of what a command takes."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.chat_app import Command
from server.documents.shapes import JsonSchema
from server.documents.words import EXAMPLES, MORE

Values = Mapping[str, Any]


def example_of(
    command: Command[Any], schemas: Mapping[str, JsonSchema], names: Iterable[str], *, at_least: int = 0
) -> Values:
    """A value for each of these parameters that an example has: those that are required, and some that are not.
    `at_least` so many, if there are any: a change of nothing is no example."""
    fields = command.schema.parameters
    names = list(names)
    chosen = [name for name in names if fields[name].required or name in MORE.get(command.name, ())]
    return {name: value_of(command.name, name, schemas[name]) for name in chosen or names[:at_least]}


def value_of(command: str, name: str, schema: JsonSchema) -> Any:
    """An example of one parameter."""
    known = EXAMPLES.get(f"{command}.{name}", EXAMPLES.get(name))
    return _made_up(schema) if known is None else known


def _made_up(schema: JsonSchema) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
        case "array":
            return []
        case _:
            return "text"
