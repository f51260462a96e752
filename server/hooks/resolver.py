"""Looks up the names of targets, and lets only global addresses through."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from server.hooks.addresses import is_global

LOOKUPS_MAX = 256
"""How many lookups go on at once. A name server that does not answer keeps one for half a minute, longer than the
request waits for it, so these are more than the requests that go on at once."""

AddressInfo = tuple[Any, ...]
"""A tuple of `socket.getaddrinfo`."""

LookUp = Callable[[str, int], Sequence[AddressInfo]]


class AddressRefused(OSError):
    """The target has an address that is not global. The text names no address: it is shown to people who may not know
    what the names of this network stand for."""

    def __init__(self) -> None:
        super().__init__("the address of the target is not a public one")


def look_up(host: str, port: int) -> Sequence[AddressInfo]:
    """Asks the system. Raises: `OSError`; `UnicodeError` for a host that is no name."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Resolver(AbstractResolver):
    """A resolver for aiohttp. Unless `private`, a name all of whose addresses are global has them, and any other name
    has none: one that names a private host beside a public one is not what it seems."""

    def __init__(self, *, private: bool, look_up: LookUp = look_up) -> None:
        self._private = private
        self._look_up = look_up
        self._free = LOOKUPS_MAX

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: `AddressRefused`; `OSError`."""
        try:
            infos = await self._in_thread(host, port)
        except UnicodeError as error:
            raise OSError(f"no name: {error}") from None
        found = [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=0)
            for kind, _, proto, _, address in infos
            if kind in (socket.AF_INET, socket.AF_INET6) and family in (socket.AF_UNSPEC, kind)
        ]
        if not self._private and not all(is_global(result["host"]) for result in found):
            raise AddressRefused
        if not found:
            raise OSError("the name has no address")
        return found

    async def _in_thread(self, host: str, port: int) -> Sequence[AddressInfo]:
        """Looks up in a daemon thread: a pool of threads would wait for the last answer when the server stops, and its
        other users for a free thread."""
        if not self._free:
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[AddressInfo]] = loop.create_future()

        def finish(infos: Sequence[AddressInfo], error: Exception | None) -> None:
            self._free += 1
            if answer.done():
                return
            if error is None:
                answer.set_result(infos)
            else:
                answer.set_exception(error)

        def run() -> None:
            infos: Sequence[AddressInfo] = ()
            failure: Exception | None = None
            try:
                infos = self._look_up(host, port)
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(finish, infos, failure)

        try:
            Thread(target=run, name="hook target lookup", daemon=True).start()
        except RuntimeError as error:  # the system has no thread for it
            raise OSError(f"names cannot be looked up: {error}") from None
        self._free -= 1
        return await answer

    async def close(self) -> None:
        return None
