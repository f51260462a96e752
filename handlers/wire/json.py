"""JSON as every gate reads and writes it."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import orjson


def dumps(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """JSON in UTF-8, without spaces. `default` turns an object that JSON cannot express into one that it can."""
    return orjson.dumps(value, default)


def loads(text: str | bytes) -> Any:
    """Any JSON value. Raises: `ValueError` for text that is not JSON, however deep or large it is.

    orjson refuses escapes of unpaired surrogates, which JavaScript writes. What orjson refuses goes to the standard
    library, which reads them, so that the command's schema can say which field is wrong.
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
    """Whether a string has no unpaired surrogates and can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
