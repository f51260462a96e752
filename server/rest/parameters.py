"""What the path and the query of a request say: which parameters there are, and of which type, is the schema's."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import ValidationError

from handlers.chat_app import Command
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.schemas import StrictField, StrictInteger

_PATH_PARAMETER = re.compile(r"{(\w+)}")

Fields = Mapping[str, StrictField[Any]]


def path_fields(command: Command[Any], path: str) -> Fields:
    """The fields that a path names. Raises: `ValueError` for a name that is no parameter of the command."""
    names = _PATH_PARAMETER.findall(path)
    missing = [name for name in names if name not in command.schema.parameters]
    if missing:
        raise ValueError(f"{path}: {command.name} has no parameter {', '.join(missing)}")
    return {name: command.schema.parameters[name] for name in names}


def query_fields(command: Command[Any], elsewhere: Collection[str]) -> Fields:
    """All fields but those that are given elsewhere."""
    return {name: field for name, field in command.schema.parameters.items() if name not in elsewhere}


def path_values(fields: Fields, texts: Mapping[str, str]) -> dict[str, Any]:
    """The parameters in a path, which is percent-decoded already. The command's schema checks their bounds later.

    Raises: `ChatError` `not_found` for text that is no id; `invalid` for text of another type than the field's."""
    return {name: _path_value(name, field, texts[name]) for name, field in fields.items()}


def query_values(fields: Fields, texts: Mapping[str, str]) -> dict[str, Any]:
    """The parameters in a query; unknown names are ignored. Raises: `ChatError` `invalid`."""
    return {name: _value(name, field, texts[name]) for name, field in fields.items() if name in texts}


def _path_value(name: str, field: StrictField[Any], text: str) -> Any:
    if not isinstance(field, StrictInteger):
        return _value(name, field, text)
    try:
        return field.check(field.from_text(text))
    except ValidationError:
        raise not_found(name.removesuffix("_id")) from None


def _value(name: str, field: StrictField[Any], text: str) -> Any:
    try:
        return field.from_text(text)
    except ValidationError as error:
        raise _invalid(name, error) from None


def _invalid(name: str, error: ValidationError) -> ChatError:
    return invalid(**{name: str(error.messages[0])})
