"""Fetches the JWK set of an issuer over HTTP."""

import asyncio
import socket
import ssl
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, hdrs
from yarl import URL

from handlers.issuer.key_sources import FetchFailed
from server.hooks.addresses import is_global
from server.hooks.poster import tls_context
from server.hooks.resolver import AddressInfo, Resolver

WITHIN_S = 5.0

BYTES_MAX = 256 * 1024


class KeySetFetcher:
    """Gets what is at a URL: whole, with status 200, within `WITHIN_S`.

    No redirect is followed, no proxy of the environment is used, no cookie is kept, and no body is decompressed. Over
    plain http only an address that is not global is asked: whoever can change the answer on its way can log in as
    anybody.
    """

    def __init__(self, url: str, *, ca_file: Path | None = None) -> None:
        """`ca_file`: the certificates to trust in place of those of the system."""
        self._url = URL(url)
        self._ca_file = ca_file
        self._http: ClientSession | None = None
        self._tls: ssl.SSLContext | None = None

    async def fetch(self) -> bytes:
        """See `handlers.issuer.key_sources.Fetch`."""
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._get()
        except TimeoutError:
            raise FetchFailed(f"no answer within {WITHIN_S:g} s") from None
        except (ClientError, OSError, ValueError) as error:
            raise FetchFailed(_reason(error)) from None

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _get(self) -> bytes:
        async with (await self._session()).get(self._url, allow_redirects=False) as response:
            if response.status != 200:
                raise FetchFailed(f"the answer has status {response.status}")
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > BYTES_MAX:
                    response.close()
                    raise FetchFailed(f"the answer has more than {BYTES_MAX // 1024} KiB")
            return bytes(body)

    async def _session(self) -> ClientSession:
        if self._http is None:
            is_plain = self._url.scheme == "http"
            # In a thread: reading the certificates of the system takes tens of milliseconds.
            tls = True if is_plain else await asyncio.to_thread(tls_context, self._ca_file)
            self._http = ClientSession(
                connector=TCPConnector(
                    force_close=True,
                    ssl=tls,
                    resolver=Resolver(private=True),
                    socket_factory=_private_socket if is_plain else None,
                ),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                timeout=ClientTimeout(total=None, sock_connect=None),
                trust_env=False,
                headers={
                    hdrs.ACCEPT: "application/jwk-set+json, application/json",
                    hdrs.ACCEPT_ENCODING: "identity",
                },
            )
        return self._http


def _reason(error: Exception) -> str:
    """What went wrong. The texts of some errors of HTTP have the URL, whose query may have a key: of those the kind."""
    inner = getattr(error, "os_error", getattr(error, "certificate_error", error))
    return (str(inner) if isinstance(inner, OSError) else "") or type(inner).__name__


class _GlobalAddress(OSError):
    def __init__(self) -> None:
        super().__init__("plain http is for private addresses; over the Internet use https")


def _private_socket(info: AddressInfo) -> socket.socket:
    """A socket for the address that is about to be connected to. Raises: `_GlobalAddress`."""
    family, kind, proto, _, address = info
    if is_global(address[0]):
        raise _GlobalAddress
    return socket.socket(family, kind, proto)
