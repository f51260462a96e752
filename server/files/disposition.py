"""The `Content-Disposition` of a part of a form: the name of its field, and of its file."""

from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import quote, unquote

from domain.frozen import frozen


@frozen
class Disposition:
    """`filename` is None for a field without a file."""

    name: str
    filename: str | None


def disposition_of(header: str) -> Disposition | None:
    """What the header says; None for one that does not name a field. Unlike aiohttp's own reader it takes names of
    files with semicolons, which browsers send."""
    message = Message()
    # aiohttp leaves surrogates where a client has sent no UTF-8.
    message["Content-Disposition"] = header.encode(errors="surrogateescape").decode(errors="replace")
    found: list[tuple[str, Any]] = message.get_params([], header="Content-Disposition")
    kind, *parameters = found
    values: dict[str, str] = {}
    for name, value in parameters:
        # `filename*` comes as a tuple, and says better than `filename` what the name is.
        if isinstance(value, tuple) or name.lower() not in values:
            values[name.lower()] = collapse_rfc2231_value(value)
    if kind[0].lower() != "form-data" or "name" not in values:
        return None
    filename = values.get("filename")
    return Disposition(values["name"], None if filename is None else _decoded(filename))


def _decoded(filename: str) -> str:
    """A file name, without the percent-encoding that some clients add, aiohttp among them. A name that only happens to
    have percent signs stays as it is, unless that is how such a client would have sent another one."""
    decoded = unquote(filename)
    return decoded if decoded != filename and quote(decoded, safe="") == filename else filename
