"""What every gate asks before it lets somebody in: where from, from which page, with which token."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import structlog
from aiohttp import hdrs, web

log = structlog.get_logger("vestnik")

Networks = Sequence[IPv4Network | IPv6Network]


class Doors:
    """The rules of the house at every door: `CORS_ORIGINS` (empty: any) and `TRUSTED_PROXIES`."""

    def __init__(self, origins: Sequence[str], proxies: Networks) -> None:
        self._origins = frozenset(origins)
        self._proxies = proxies

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: the nearest one in X-Forwarded-For that is not of a trusted proxy."""
        address = request.remote or ""
        if not self._trusted(address):
            return address
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            if hop.strip():
                address = hop.strip()
                if not self._trusted(address):
                    break
        return address

    def admits(self, request: web.BaseRequest) -> bool:
        """Whether a page of this origin may talk to us: no origin, our own, or a listed one. Logs a refusal."""
        origin = request.headers.get(hdrs.ORIGIN)
        if not self._origins or origin is None:
            return True
        folded = origin.lower().rstrip("/")
        if folded in self._origins or folded == self._own_origin(request):
            return True
        log.warning(
            "origin refused; list it in CORS_ORIGINS, or set TRUSTED_PROXIES if it is our own behind a proxy",
            origin=origin[:200],
        )
        return False

    def _own_origin(self, request: web.BaseRequest) -> str:
        scheme, host = request.scheme, request.host
        if self._trusted(request.remote or ""):
            scheme = request.headers.get("X-Forwarded-Proto", scheme).split(",")[0].strip()
            host = request.headers.get("X-Forwarded-Host", host).split(",")[0].strip()
        return f"{scheme}://{host}".lower()

    def _trusted(self, address: str) -> bool:
        if not self._proxies:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header."""
    scheme, _, token = headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
