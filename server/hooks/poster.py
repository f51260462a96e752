"""Sends the deliveries of hooks over HTTP."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
    hdrs,
)
from yarl import URL

from handlers.hooks.posting import ANSWER_WITHIN_S, BODY_BYTES_MAX, Failure, Posted
from handlers.hooks.targets import target_fault
from server.hooks.addresses import is_global
from server.hooks.resolver import AddressInfo, AddressRefused, Resolver

KEPT_ALIVE_S = 10.0
"""How long an idle connection to a target is kept."""

KEPT_MAX = 200
"""To how many targets idle connections are kept: one with TLS takes up to 100 KiB."""

READ_AHEAD_BYTES = 16 * 1024


class Poster:
    """Implements `handlers.hooks.posting.Post`.

    No redirect is followed, no proxy of the environment is used, no cookie is kept, and no body is decompressed. A
    target that is private is refused at the connection, by the address that is about to be connected to.
    """

    def __init__(
        self,
        *,
        private: bool,
        ca_file: Path | None = None,
        resolver: Resolver | None = None,
        within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        """`ca_file`: the certificates to trust in place of those of the system."""
        self._private = private
        self._ca_file = ca_file
        self._resolver = resolver or Resolver(private=private)
        self._within_s = within_s
        self._http: dict[bool, ClientSession] = {}
        """By whether connections are kept."""
        self._tls: ssl.SSLContext | None = None
        self._kept: dict[URL, float] = {}
        """By origin of a target, until when a connection to it may be idle; the first one comes first."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, read: bool) -> Posted:
        try:
            target = URL(url)
        except ValueError:
            return Posted(failure="refused", sent=False)
        if target_fault(url, private=self._private) is not None:
            return Posted(failure="refused", sent=False)
        progress = _Progress()
        try:
            tls = await self._context() if target.scheme == "https" else True
            async with asyncio.timeout(self._within_s):
                await self._post(target, headers, body, tls, read, progress)
        except TimeoutError:
            if progress.posted is None:
                return Posted(failure="timeout")
        except (ClientError, OSError, RuntimeError, ValueError) as error:  # RuntimeError: of uvloop
            if progress.posted is None:
                return _failed(error)
        assert progress.posted is not None
        return progress.posted

    async def _post(
        self,
        target: URL,
        headers: Mapping[str, str],
        body: bytes,
        tls: ssl.SSLContext | bool,
        read: bool,
        progress: "_Progress",
    ) -> None:
        async with self._session(keep=self._may_keep(target.origin())).post(
            target, data=body, headers=headers, allow_redirects=False, ssl=tls
        ) as response:
            retry_after = response.headers.get(hdrs.RETRY_AFTER, "")
            progress.posted = Posted(status=response.status, retry_after=retry_after)
            if read and 200 <= response.status < 300:
                found = await _beginning(response)
                progress.posted = Posted(status=response.status, retry_after=retry_after, body=found)
            if not response.content.at_eof():
                response.close()

    async def close(self) -> None:
        for http in self._http.values():
            await http.close()

    def _may_keep(self, origin: URL) -> bool:
        """Whether a connection to a target may stay open after the answer."""
        now = asyncio.get_running_loop().time()
        while self._kept and next(iter(self._kept.values())) <= now:
            del self._kept[next(iter(self._kept))]
        if origin not in self._kept and len(self._kept) >= KEPT_MAX:
            return False
        self._kept.pop(origin, None)
        self._kept[origin] = now + KEPT_ALIVE_S
        return True

    def _session(self, *, keep: bool) -> ClientSession:
        if keep not in self._http:
            self._http[keep] = ClientSession(
                connector=TCPConnector(
                    limit=0,  # those who deliver bound how much goes on at once
                    force_close=not keep,
                    keepalive_timeout=KEPT_ALIVE_S if keep else None,
                    resolver=self._resolver,
                    socket_factory=None if self._private else _global_socket,
                ),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                timeout=ClientTimeout(total=None, sock_connect=None),
                trust_env=False,
                read_bufsize=READ_AHEAD_BYTES,
                headers={hdrs.ACCEPT: "application/json", hdrs.ACCEPT_ENCODING: "identity"},
            )
        return self._http[keep]

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # In a thread: reading the certificates of the system takes tens of milliseconds.
            self._tls = await asyncio.to_thread(tls_context, self._ca_file)
        return self._tls


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """How targets are connected to: with a certificate for their name by an authority in the file, else of this system.
    Raises: `OSError` for a file without certificates."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


class _Progress:
    """What is known of the answer so far. Without its body, if the time is over before that came."""

    def __init__(self) -> None:
        self.posted: Posted | None = None


def _global_socket(info: AddressInfo) -> socket.socket:
    """A socket for the address that is about to be connected to, whether it was looked up or stands in the URL. Raises:
    `AddressRefused`."""
    family, kind, proto, _, address = info
    if not is_global(address[0]):
        raise AddressRefused
    return socket.socket(family, kind, proto)


async def _beginning(response: ClientResponse) -> bytes | None:
    """The body; None if it is too long."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


_FAILURES: tuple[tuple[Callable[[Exception], bool], Failure], ...] = (
    (lambda error: isinstance(getattr(error, "os_error", error), AddressRefused), "refused"),
    (lambda error: isinstance(error, ClientConnectorDNSError), "name"),
    (lambda error: isinstance(error, ClientConnectorCertificateError | ClientConnectorSSLError), "tls"),
    (lambda error: isinstance(error, ssl.SSLError), "tls"),
    # After those for certificates, some of which are errors of values too.
    (lambda error: isinstance(error, InvalidURL | ValueError), "refused"),
    (lambda error: isinstance(error, ClientConnectorError), "connection"),
)


def _failed(error: Exception) -> Posted:
    for matches, failure in _FAILURES:
        if matches(error):
            return Posted(failure=failure, sent=False)
    return Posted(failure="broken")
