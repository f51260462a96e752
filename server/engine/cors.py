"""Which pages of other origins may connect, and the headers that tell their browsers so."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

Environ = Mapping[str, Any]


class Settings(Protocol):
    """The settings of `engineio.AsyncServer` for other origins.

    `cors_allowed_origins`: None allows the page's own origin, `"*"` all, an empty list switches the check off; a
    function takes the origin, and the environ if it has room for it.
    """

    cors_allowed_origins: Any
    cors_credentials: bool


class Cors:
    """Applies the settings as they are when a request comes: an application may change them at any time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def admits(self, environ: Environ) -> bool:
        """Whether the request may be served."""
        origin = environ.get("HTTP_ORIGIN")
        if not origin or self._settings.cors_allowed_origins == []:
            return True
        return self._is_allowed(origin, environ)

    def headers(self, environ: Environ) -> list[tuple[str, str]]:
        """The headers of an answer. An answer that names an origin is no answer for another one."""
        if self._settings.cors_allowed_origins == []:
            return []
        headers: list[tuple[str, str]] = []
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and self._is_allowed(origin, environ):
            headers.append(("Access-Control-Allow-Origin", origin))
        if environ["REQUEST_METHOD"] == "OPTIONS":
            headers.append(("Access-Control-Allow-Methods", "OPTIONS, GET, POST"))
        if "HTTP_ACCESS_CONTROL_REQUEST_HEADERS" in environ:
            headers.append(("Access-Control-Allow-Headers", environ["HTTP_ACCESS_CONTROL_REQUEST_HEADERS"]))
        if self._settings.cors_credentials:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        return [*headers, ("Vary", "Origin")]

    def _is_allowed(self, origin: str, environ: Environ) -> bool:
        allowed = self._settings.cors_allowed_origins
        if allowed is None:
            return origin in _own_origins(environ)
        if isinstance(allowed, str):
            return allowed in ("*", origin)
        if callable(allowed):
            try:
                return bool(allowed(origin, environ))
            except TypeError:
                return bool(allowed(origin))
        origins: Collection[str] = allowed
        return "*" in origins or origin in origins


def _own_origins(environ: Environ) -> list[str]:
    """The origins under which this server was asked: directly, and as a reverse proxy says."""
    if "HTTP_HOST" not in environ:
        return []
    scheme, host = environ["wsgi.url_scheme"], environ["HTTP_HOST"]
    origins = [f"{scheme}://{host}"]
    if "HTTP_X_FORWARDED_PROTO" in environ or "HTTP_X_FORWARDED_HOST" in environ:
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", scheme).split(",")[0].strip()
        host = environ.get("HTTP_X_FORWARDED_HOST", host).split(",")[0].strip()
        origins.append(f"{scheme}://{host}")
    return origins
