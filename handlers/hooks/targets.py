"""Which URLs a hook may be delivered to, as far as the URL alone says. The address is checked at the connection."""

from urllib.parse import urlsplit

URL_CHARS_MAX = 2048


def target_fault(url: str, *, private: bool) -> str | None:
    """What is wrong with the URL of a target, None if nothing. `private`: the settings allow targets in this network,
    and without TLS."""
    if not 0 < len(url) <= URL_CHARS_MAX:
        return f"must be 1 to {URL_CHARS_MAX} characters"
    if not url.isprintable() or any(character.isspace() or character == "\\" for character in url):
        return "must not hold blanks, backslashes or control characters"
    schemes = ("https", "http") if private else ("https",)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "must be a URL such as https://example.org/hook"
    if parts.scheme not in schemes:
        return f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if not parts.hostname or port == 0:
        return "must be a URL such as https://example.org/hook"
    return None
