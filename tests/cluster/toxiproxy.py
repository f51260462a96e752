"""Shopify's toxiproxy between two programs: lost connections, silence, delays."""

from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.clients.go_programs import need_built
from tests.clients.ports import HeldPort
from tests.cluster.process import Process

_SOURCES = Path(__file__).parent / "toxiproxy"


class Link:
    """A TCP proxy in front of one port."""

    def __init__(self, http: ClientSession, api: str, name: str, upstream_port: int) -> None:
        self._held_port = HeldPort()
        self.port = self._held_port.number
        self._http, self._api, self._name, self._upstream_port = http, api, name, upstream_port
        self._toxics: list[str] = []

    async def open(self) -> None:
        addresses = {
            "listen": f"127.0.0.1:{self.port}",
            "upstream": f"127.0.0.1:{self._upstream_port}",
        }
        await self._call("POST", "/proxies", {"name": self._name, "enabled": True, **addresses})

    async def cut(self) -> None:
        """Ends all connections and refuses new ones."""
        await self._call("POST", f"/proxies/{self._name}", {"enabled": False})

    async def mend(self) -> None:
        """Takes new connections again, without any fault."""
        while self._toxics:
            await self._call("DELETE", f"/proxies/{self._name}/toxics/{self._toxics.pop()}")
        await self._call("POST", f"/proxies/{self._name}", {"enabled": True})

    async def silence(self) -> None:
        """Connections stay open, and nothing passes in either direction until `mend`."""
        for stream in ("upstream", "downstream"):
            await self.add("timeout", stream, timeout=0)

    async def slow(self, delay_ms: int, jitter_ms: int = 0) -> None:
        """What the program behind the proxy answers comes this much later."""
        await self.add("latency", "downstream", latency=delay_ms, jitter=jitter_ms)

    async def add(self, toxic: str, stream: str, **attributes: int) -> None:
        """Adds one of toxiproxy's toxics to a stream: `upstream` or `downstream`."""
        name = f"{toxic}_{stream}"
        body = {"name": name, "type": toxic, "stream": stream, "attributes": attributes}
        await self._call("POST", f"/proxies/{self._name}/toxics", body)
        self._toxics.append(name)

    async def _call(self, method: str, path: str, body: Any = None) -> None:
        async with self._http.request(method, self._api + path, json=body) as answer:
            assert answer.status < 300, (method, path, body, await answer.text())


class Toxiproxy(Process):
    """The program with all proxies of a cluster. `seed`: what its random faults draw from."""

    def __init__(self, place: Path, http: ClientSession, seed: int = 1) -> None:
        super().__init__(place)
        self._http, self._seed = http, seed

    def command(self) -> list[str]:
        return [str(need_built(_SOURCES)), str(self.port), str(self._seed)]

    async def link(self, name: str, upstream_port: int) -> Link:
        """A new proxy in front of a port of this machine."""
        link = Link(self._http, f"http://127.0.0.1:{self.port}", name, upstream_port)
        await link.open()
        return link
