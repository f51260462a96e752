"""JSON as the wire has it, for every gate."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import orjson


def dumps(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """UTF-8 without spaces; `default` makes something else of what JSON has no words for."""
    return orjson.dumps(value, default)


def loads(text: str | bytes) -> Any:
    """Any JSON value. Raises: `ValueError` for everything that is not JSON, however deep or large it is.

    orjson refuses escapes of unpaired surrogates, which JavaScript writes; the standard library reads them, and the
    command's schema then says which field is wrong. It is only asked about what orjson refused.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if b"\\u" not in text if isinstance(text, bytes) else "\\u" not in text:
            raise
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def is_unicode(text: str) -> bool:
    """Whether a string has no unpaired surrogates, and so can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
