"""Links in parts."""

from urllib.parse import parse_qsl, urlsplit


def parted(link: str) -> tuple[str, dict[str, str]]:
    """The path and the query of a link."""
    parts = urlsplit(link)
    return parts.path, dict(parse_qsl(parts.query))
