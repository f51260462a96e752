"""A connection of any kind, seen the same way: events as (name, payload), answers as Socket.IO has them."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import socketio
from aiohttp import ClientSession

from tests.clients.raw import RawClient
from tests.engine.peers import CONNECT_S
from tests.patience import SLACK

TIMEOUT_S = 10.0 * SLACK

_log = logging.getLogger("engineio of the tests")

Payload = dict[str, Any]


class Event(NamedTuple):
    """An event of the server; `args` is all that came with it."""

    name: str
    args: tuple[Any, ...]

    @property
    def payload(self) -> Payload:
        (payload,) = self.args
        assert isinstance(payload, dict)
        return payload


class Ack(NamedTuple):
    """The answer to the command with this number."""

    call: int
    args: tuple[Any, ...]


class Notice(NamedTuple):
    """What the client library itself reports: connect, connect_error, upgrade, disconnect."""

    what: str
    details: Payload


Seen = Event | Ack | Notice


class Window:
    """A Socket.IO client that keeps everything it sees, in order, in `everything`."""

    def __init__(self) -> None:
        self.everything: list[Seen] = []
        self._inbox: deque[Seen] = deque()
        self._updates: asyncio.Queue[Event] = asyncio.Queue()
        self._arrived = asyncio.Event()
        self._calls = itertools.count(1)

    async def emit(self, name: str, *args: Any) -> None:
        """An event without a callback."""
        raise NotImplementedError

    async def start(self, name: str, *args: Any) -> int:
        """An event with a callback; the number of the ack to come."""
        raise NotImplementedError

    async def ask(self, name: str, *args: Any) -> Payload:
        """The answer to an event with a callback; all else that comes meanwhile stays in the inbox."""
        return await self.answer_to(await self.start(name, *args))

    async def answer_to(self, call: int) -> Payload:
        ack = await self._first(lambda seen: isinstance(seen, Ack) and seen.call == call)
        (answer,) = ack.args
        assert isinstance(answer, dict)
        return answer

    async def done(self, name: str, **fields: Any) -> Payload:
        """The answer to a command that has to succeed."""
        answer = await self.ask(name, fields)
        assert answer["ok"] is True, answer
        return answer

    async def error(self, name: str, *args: Any) -> Payload:
        """The error of a command that has to fail."""
        answer = await self.ask(name, *args)
        assert answer.keys() == {"ok", "error"}, answer
        assert answer["ok"] is False
        error = answer["error"]
        assert isinstance(error, dict)
        return error

    async def next(self, name: str | None = None) -> Event:
        """The next event, or the next of this name; what came before it stays in the inbox."""
        event = await self._first(lambda seen: isinstance(seen, Event) and name in (None, seen.name))
        assert isinstance(event, Event)
        return event

    async def notice(self, what: str) -> Payload:
        """The next notice of this kind."""
        notice = await self._first(lambda seen: isinstance(seen, Notice) and seen.what == what)
        assert isinstance(notice, Notice)
        return notice.details

    async def drain(self) -> list[Event]:
        """Every event the server had for this client up to the answer to a ping; the inbox holds none then."""
        await self.done("ping")
        events = [seen for seen in self._inbox if isinstance(seen, Event)]
        self._inbox = deque(seen for seen in self._inbox if not isinstance(seen, Event))
        return [event for event in events if event.name != "pong"]

    async def nothing_more(self, *names: str) -> None:
        """Nothing (of these names; none given: of any) has come, up to the answer to a ping."""
        assert [event for event in await self.drain() if not names or event.name in names] == []

    async def update(self) -> Event:
        """The next `chat_updated`. It has a queue of its own: it comes in its own time, to members that
        have not joined."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self._updates.get()

    async def ended(self) -> tuple[Payload, str]:
        """The event `closing`, which has to be the last one, and the reason the library gives for the end."""
        closing = (await self.next("closing")).payload
        reason = (await self.notice("disconnect"))["reason"]
        assert [seen.name for seen in self.everything if isinstance(seen, Event)][-1] == "closing"
        return closing, reason

    async def close(self) -> None:
        """Leaves, as a user would."""

    def see(self, seen: Seen) -> None:
        if isinstance(seen, Event) and seen.name == "chat_updated":
            self._updates.put_nowait(seen)
            return
        self.everything.append(seen)
        self._inbox.append(seen)
        self._arrived.set()

    async def _first(self, wanted: Callable[[Seen], bool]) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    self._arrived.clear()
                    for seen in self._inbox:
                        if wanted(seen):
                            self._inbox.remove(seen)
                            return seen
                    await self._arrived.wait()
        except TimeoutError:
            raise TimeoutError(f"never came; in the inbox: {list(self._inbox)}") from None


class PythonWindow(Window):
    """python-socketio's client."""

    def __init__(self, http: ClientSession) -> None:
        super().__init__()
        # Its warnings are in the report of a failed test. By itself it gives up a request after 5 s.
        self._client = socketio.AsyncClient(
            http_session=http, reconnection=False, request_timeout=TIMEOUT_S, engineio_logger=_log
        )
        self._client.on("*", lambda name, *args: self.see(Event(name, args)))
        self._client.on("disconnect", lambda reason: self.see(Notice("disconnect", {"reason": reason})))

    @classmethod
    async def open(
        cls, http: ClientSession, url: str, token: str | None, *, transport: str, **auth: Any
    ) -> "PythonWindow":
        window = cls(http)
        await window._client.connect(
            url, auth={"token": token, **auth}, transports=[transport], wait_timeout=CONNECT_S
        )
        return window

    async def emit(self, name: str, *args: Any) -> None:
        await self._client.emit(name, args)

    async def start(self, name: str, *args: Any) -> int:
        call = next(self._calls)
        await self._client.emit(name, args, callback=lambda *answer: self.see(Ack(call, answer)))
        return call

    async def close(self) -> None:
        await self._client.disconnect()


class RawWindow(Window):
    """A raw connection, with the methods of the others."""

    def __init__(self, client: RawClient) -> None:
        super().__init__()
        self._client = client

    async def emit(self, name: str, *args: Any) -> None:
        await self._client.send({"type": name, **(args[0] if args else {})})

    async def ask(self, name: str, *args: Any) -> Payload:
        frame = await self._client.command(name, **(args[0] if args else {}))
        kind = frame.pop("type")
        del frame["id"]
        return frame if kind == "ack" else {"ok": False, "error": frame}

    async def next(self, name: str | None = None) -> Event:
        return _event(await self._client.next(name))

    async def drain(self) -> list[Event]:
        return [_event(frame) for frame in await self._client.drain()]

    async def update(self) -> Event:
        return _event(await self._client.update())

    async def ended(self) -> tuple[Payload, str]:
        code = await self._client.closed()
        return {"code": code, "reason": self._client.close_reason}, "closed"


def _event(frame: Payload) -> Event:
    return Event(frame.pop("type"), (frame,))
