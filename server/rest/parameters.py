"""What the path and the query of a request say: which parameters there are, and of which type, is the schema's."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from marshmallow import ValidationError
from yarl import URL

from handlers.chat_app import Command
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.json import is_unicode
from handlers.wire.schemas import EmojiString, StrictField, StrictInteger

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


def path_values(fields: Fields, texts: Mapping[str, str], url: URL) -> dict[str, Any]:
    """The parameters in the path of a URL. `texts` is percent-decoded already. The command's schema checks their bounds
    later.

    Raises: `ChatError` `not_found` for text that is no id; `invalid` for text of another type than the field's."""
    if not _is_utf8(url.raw_path):
        # Other texts in paths name what there is, and this names nothing.
        _refuse(name for name, field in fields.items() if isinstance(field, EmojiString))
    return {name: _path_value(name, field, texts[name]) for name, field in fields.items()}


def query_values(fields: Fields, texts: Mapping[str, str], url: URL) -> dict[str, Any]:
    """The parameters in the query of a URL; unknown names are ignored. Raises: `ChatError` `invalid`."""
    if not _is_utf8(url.raw_query_string):
        given = parse_qsl(url.raw_query_string, keep_blank_values=True, errors="surrogateescape")
        _refuse(name for name, value in given if name in fields and not is_unicode(value))
    return text_values(fields, texts)


def text_values(fields: Fields, texts: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that texts spell, as those in a query or a form; unknown names are ignored. Raises: `ChatError`
    `invalid`."""
    return {name: _value(name, field, texts[name]) for name, field in fields.items() if name in texts}


def _is_utf8(percent_encoded: str) -> bool:
    """Whether the bytes are UTF-8. If not, yarl has decoded them to some other text."""
    try:
        unquote_to_bytes(percent_encoded).decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse(names: Iterable[str]) -> None:
    """Raises: `ChatError` `invalid`, if there are any."""
    faults = dict.fromkeys(names, "must be UTF-8, percent-encoded")
    if faults:
        raise invalid(**faults)


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
