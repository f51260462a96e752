"""The `Content-Disposition` of a part of a form: the name of its field, and of its file."""

import re
from itertools import islice
from urllib.parse import quote, unquote, unquote_to_bytes

from domain.frozen import frozen

_PARAMETER = re.compile(
    r""";\s*+ (?P<name>[^\s=;"]++) \s*+=\s*+ (?: "(?P<quoted>(?:[^"\\]|\\.)*+)" \s*+ (?=;|\Z) | (?P<plain>[^;]*+) )""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)

_PARAMETERS_MAX = 32


@frozen
class Disposition:
    """`filename` is None for a field without a file."""

    name: str
    filename: str | None


def disposition_of(header: str) -> Disposition | None:
    """What the header says; None for one that does not name a field. Takes time in proportion to its length. Unlike
    aiohttp's own reader it takes names of files with semicolons, which browsers send."""
    # aiohttp leaves surrogates where a client has sent no UTF-8.
    header = header.encode(errors="surrogateescape").decode(errors="replace")
    kind = header.partition(";")[0]
    values = _parameters(header, len(kind))
    if kind.strip().lower() != "form-data" or "name" not in values:
        return None
    filename = values.get("filename")
    if "filename*" in values:  # it says better than `filename` what the name is
        filename = _extended(values["filename*"])
    return Disposition(values["name"], None if filename is None else _decoded(filename))


def _parameters(header: str, at: int) -> dict[str, str]:
    """The first parameters behind a position, by name in lower case; of several with the same name, the first."""
    values: dict[str, str] = {}
    for found in islice(_PARAMETER.finditer(header, at), _PARAMETERS_MAX):
        name, quoted, plain = found.groups()
        value = plain.strip() if quoted is None else quoted.replace("\\\\", "\\").replace('\\"', '"')
        values.setdefault(name.lower(), value)
    return values


def _extended(value: str) -> str:
    """The value of `filename*`: a charset, a language, and percent-encoded text (RFC 8187)."""
    charset, _, rest = value.partition("'")
    text = rest.partition("'")[2]
    is_latin = charset.strip().lower() == "iso-8859-1"
    return unquote_to_bytes(text).decode("iso-8859-1" if is_latin else "utf-8", errors="replace")


def _decoded(filename: str) -> str:
    """A file name, without the percent-encoding that some clients add, aiohttp among them. A name that only happens to
    have percent signs stays as it is, unless that is how such a client would have sent another one."""
    decoded = unquote(filename)
    return decoded if decoded != filename and quote(decoded, safe="") == filename else filename
