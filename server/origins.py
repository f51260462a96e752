"""What every gate reads from a request before it accepts it: the client's address, the page's origin, the token."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import structlog
from aiohttp import hdrs, web

from server.engine import header_tokens

log = structlog.get_logger("vestnik")

Networks = Sequence[IPv4Network | IPv6Network]

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PAGE_SCHEMES = {"ws": "http", "wss": "https"}
"""Some proxies forward the scheme of the WebSocket, others that of the page that opened it."""


ADDRESS = web.RequestKey("address", str)
"""The address of the client, where another server has said it in a way that can be trusted."""


class OriginPolicy:
    """Applies `CORS_ORIGINS` (empty: any origin) and `TRUSTED_PROXIES` at every gate."""

    def __init__(self, origins: Sequence[str], proxies: Networks) -> None:
        self._origins = frozenset(map(folded_origin, origins))
        self._proxies = proxies
        self._proxy_named = False
        """Whether the warning that a proxy may be missing in TRUSTED_PROXIES has been logged."""

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: the nearest one in X-Forwarded-For that does not belong to a trusted proxy."""
        if ADDRESS in request:
            return request[ADDRESS]
        address = _parsed(request.remote or "")
        if address is None:
            return request.remote or ""
        if not self._proxy_named and "X-Forwarded-For" in request.headers and not self._trusted(address):
            self._proxy_named = True
            log.warning(
                "a peer that is no trusted proxy sends X-Forwarded-For; if it is your proxy, list it in"
                " TRUSTED_PROXIES: until then all its users share the limits of one address",
                peer=str(address),
            )
        for hop in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
            nearer = _parsed(hop)
            if nearer is None or not self._trusted(address):
                break
            address = nearer
        return str(address)

    def admits(self, request: web.BaseRequest) -> bool:
        """Whether a page of this origin may use the server: it has no origin, ours, or a listed one. Logs a refusal."""
        origin = request.headers.get(hdrs.ORIGIN)
        if not self._origins or origin is None:
            return True
        folded = folded_origin(origin)
        if folded in self._origins or folded == self.own_origin(request):
            return True
        log.warning(
            "origin refused; list it in CORS_ORIGINS, or set TRUSTED_PROXIES if it is our own behind a proxy",
            origin=origin[:200],
        )
        return False

    def own_origin(self, request: web.BaseRequest) -> str:
        """The origin that the request came to, as the client wrote it: what a trusted proxy says, else the Host."""
        scheme, host = request.scheme, request.host
        peer = _parsed(request.remote or "")
        if peer is not None and self._trusted(peer):
            scheme = request.headers.get("X-Forwarded-Proto", scheme).split(",")[0].strip()
            host = request.headers.get("X-Forwarded-Host", host).split(",")[0].strip()
        return folded_origin(f"{_PAGE_SCHEMES.get(scheme.lower(), scheme)}://{host}")

    def _trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._proxies)


def folded_origin(origin: str) -> str:
    """An origin as a browser writes it: lower case, without a slash and without the default port of its scheme."""
    origin = origin.lower().rstrip("/")
    scheme, _, _ = origin.partition("://")
    return origin.removesuffix(f":{_DEFAULT_PORTS.get(scheme, '-')}")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address as a socket or a proxy writes it, possibly with a port; None if the text is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])  # the zone of an IPv6 address may be any text
    except ValueError:
        return None
    # A socket that listens on IPv6 and IPv4 shows IPv4 peers as mapped addresses.
    return getattr(address, "ipv4_mapped", None) or address


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header."""
    scheme, _, token = headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def raw_token(request: web.BaseRequest) -> str | None:
    """The token of a raw WebSocket's handshake, in any of the three places where it may be."""
    return request.query.get("token") or bearer(request.headers) or _subprotocol_token(request)


def _subprotocol_token(request: web.BaseRequest) -> str | None:
    """TOKEN of the subprotocol pair `bearer, TOKEN`, the only way for a browser to keep it out of the URL."""
    offered = header_tokens(request.headers, hdrs.SEC_WEBSOCKET_PROTOCOL)
    return offered[1] if len(offered) == 2 and offered[0] == "bearer" else None
