"""Drives clients of python-socketio, of the version that is first on PYTHONPATH: the lines of tests/node/client.mjs.

`version` of a connect order is the kind of client: `async`, `sync` or `simple`. Nothing of this project is imported.
"""

import asyncio
import base64
import inspect
import json
import sys
import threading
from typing import Any

import socketio

EVENTS = ("connected", "new_message", "pong", "error", "closing", "chat_updated", "chat_added")
CONNECT_S = 20
"""How long the namespace may take to connect: the libraries wait for 1 s, and a busy machine for longer."""

WAITS = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2}

_lock = threading.Lock()
_loop = asyncio.new_event_loop()


def report(client: int | None, what: str, **more: Any) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"client": client, "what": what, **more}) + "\n")
        sys.stdout.flush()


def run(coroutine: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, _loop).result(30)


def options(client: Any, auth: dict[str, Any]) -> dict[str, Any]:
    """Version 5.0 has neither `auth` nor `wait_timeout` yet."""
    known = inspect.signature(client.connect).parameters
    patience = {"wait_timeout": CONNECT_S} if "wait_timeout" in known else {}
    if "auth" in known:
        return {"auth": auth, **patience}
    return {"headers": {"Authorization": f"Bearer {auth['token']}"}, **patience}


class Client:
    """Ignores what it hears after its test is over: the next test has a client of the same number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.over = False

    def report(self, what: str, **more: Any) -> None:
        if not self.over:
            report(self.number, what, **more)


class Sync(Client):
    """`socketio.Client`; callbacks come in threads of its own."""

    def __init__(self, number: int, library: Any) -> None:
        super().__init__(number)
        self.client = library(**WAITS)
        for name in EVENTS:
            self.client.on(name, lambda *args, name=name: self.report("event", name=name, args=args))
        self.client.on("connect", lambda: self.report("connect"))
        self.client.on("disconnect", lambda *reason: self.report("disconnect", reason=str(reason)))

    def connect(self, url: str, auth: Any, transports: list[str]) -> None:
        self.client.connect(url, transports=transports, **options(self.client, auth))

    def burst(self, calls: list[dict[str, Any]]) -> None:
        for call in calls:
            self.client.emit(call["name"], tuple(call["args"]), callback=self.answer(call["call"]))

    def answer(self, call: int) -> Any:
        return lambda *answer: self.report("ack", call=call, answer=answer)

    def disconnect(self) -> None:
        self.client.disconnect()


class Async(Sync):
    """`socketio.AsyncClient`, in a loop that it has for itself."""

    def connect(self, url: str, auth: Any, transports: list[str]) -> None:
        run(self.client.connect(url, transports=transports, **options(self.client, auth)))

    def burst(self, calls: list[dict[str, Any]]) -> None:
        run(self._burst(calls))

    async def _burst(self, calls: list[dict[str, Any]]) -> None:
        for call in calls:
            await self.client.emit(call["name"], tuple(call["args"]), callback=self.answer(call["call"]))

    def disconnect(self) -> None:
        run(self.client.disconnect())


class Simple(Client):
    """`socketio.SimpleClient`: one call after the other, and events when they are asked for."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.client = socketio.SimpleClient(**WAITS)

    def connect(self, url: str, auth: Any, transports: list[str]) -> None:
        self.client.connect(url, auth=auth, transports=transports, wait_timeout=CONNECT_S)
        self.report("connect")
        threading.Thread(target=self.receive, daemon=True).start()

    def receive(self) -> None:
        while True:
            try:
                name, *args = self.client.receive()
            except Exception:
                return
            self.report("event", name=name, args=args)
            if name == "connected":
                self.report("connect")  # the library does not report that it has come back

    def burst(self, calls: list[dict[str, Any]]) -> None:
        for call in calls:
            answer = self.client.call(call["name"], tuple(call["args"]))
            self.report("ack", call=call["call"], answer=[answer])

    def disconnect(self) -> None:
        self.client.disconnect()


KINDS: dict[str, Any] = {
    "async": lambda number: Async(number, socketio.AsyncClient),
    "sync": lambda number: Sync(number, socketio.Client),
    "simple": lambda number: Simple(number),
}


def revive(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["$bytes"]) if "$bytes" in value else value


def main() -> None:
    threading.Thread(target=_loop.run_forever, daemon=True).start()
    clients: dict[int, Any] = {}
    for line in sys.stdin:
        order = json.loads(line, object_hook=revive)
        if order["do"] == "connect":
            client = clients[order["client"]] = KINDS[order["version"]](order["client"])
            client.connect(order["url"], order["options"]["auth"], order["options"]["transports"])
        elif order["do"] in ("burst", "ask"):
            clients[order["client"]].burst(order["calls"] if order["do"] == "burst" else [order])
        elif order["do"] == "disconnect":
            clients.pop(order["client"]).disconnect()
        elif order["do"] == "reset":
            for client in clients.values():
                client.over = True
                client.disconnect()
            clients.clear()
            report(None, "reset")


if __name__ == "__main__":
    main()
