"""A bot: its handlers, and its life from the start to SIGTERM."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, overload
from uuid import uuid4

from vestnik_bot.chat_worker import ChatWorker
from vestnik_bot.connection import Connection
from vestnik_bot.cursor import Cursor, Position, file_name
from vestnik_bot.errors import Ended, Unsent, raise_error
from vestnik_bot.first_start import first_positions
from vestnik_bot.handlers import Handler, Handlers
from vestnik_bot.heard import Heard
from vestnik_bot.messages import Message
from vestnik_bot.pauses import Pauses
from vestnik_bot.rest import Rest
from vestnik_bot.signals import on_signals
from vestnik_bot.streaming import Growing
from vestnik_bot.users import Users, user_of

Json = dict[str, Any]
StartT = TypeVar("StartT", bound=Callable[[], Coroutine[Any, Any, None]])

LOG = logging.getLogger("vestnik_bot")
JOINS_AT_ONCE = 16
STEADY_S = 10.0
"""After a connection that lasted so long, the pauses begin anew."""

STOP_S = 5.0
"""How long handlers may go on after SIGTERM. If a handler does not end, the next start handles its message again."""


class Bot:
    """Handles each message of others once, in the order of its chat; chats do not wait for each other."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        cursor: str | Path | None = None,
        answer_old: bool = False,
        handler_timeout_s: float | None = 600,
        handlers_at_once: int = 100,
    ) -> None:
        """`url` and `token`: None stands for VESTNIK_URL and VESTNIK_TOKEN. `cursor`: the file for positions; None
        stands for VESTNIK_CURSOR, else for a file in the working directory, named after the bot. `answer_old`: whether
        the first start handles what was said since the bot was added to its chats. `handler_timeout_s` counts only time
        in which the bot is connected; None: no timeout."""
        self._url = (url or os.environ.get("VESTNIK_URL", "http://localhost:8000")).rstrip("/")
        self._token = token or os.environ.get("VESTNIK_TOKEN", "")
        self._cursor_path = cursor or os.environ.get("VESTNIK_CURSOR")
        self._answer_old = answer_old
        self._handlers = Handlers(handler_timeout_s, lambda: self._connected.is_set())
        self._handlers_at_once = asyncio.Semaphore(handlers_at_once)
        self._joins_at_once = asyncio.Semaphore(JOINS_AT_ONCE)
        self._starters: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._connected = asyncio.Event()
        self._stopping = asyncio.Event()
        self._workers: dict[int, ChatWorker] = {}
        self._background: set[asyncio.Task[None]] = set()
        self.heard = Heard()

    @overload
    def on_message(self, handler: Handler) -> Handler: ...
    @overload
    def on_message(self, *, from_bots: bool = False) -> Callable[[Handler], Handler]: ...
    def on_message(
        self, handler: Handler | None = None, *, from_bots: bool = False
    ) -> Handler | Callable[[Handler], Handler]:
        """Decorates a handler of every message that is no known command. Messages of bots come only with
        `from_bots=True`: two bots that answer each other never end."""
        if handler is not None:
            return self._handlers.add(handler, None, from_bots=from_bots)
        return lambda given: self._handlers.add(given, None, from_bots=from_bots)

    def command(self, name: str, *, from_bots: bool = False) -> Callable[[Handler], Handler]:
        """Decorates a handler of messages that begin with this word, such as `/weather`."""
        if not name or name != "".join(name.split()):
            raise ValueError("a command is one word")
        return lambda handler: self._handlers.add(handler, name.casefold(), from_bots=from_bots)

    def on_start(self, function: StartT) -> StartT:
        """Decorates an async function that runs beside the handlers, from the first connection on."""
        self._starters.append(function)
        return function

    def run(self) -> None:
        """Runs until SIGTERM or SIGINT; exits with a message if the token does not work."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        try:
            asyncio.run(self.start())
        except (Ended, OSError) as error:
            raise SystemExit(f"vestnik_bot: {error}") from None

    async def start(self) -> None:
        """As `run`, in a loop of your own."""
        self._rest = Rest(self._url, self._token)
        try:
            with on_signals(self.stop):
                await self._until_stop(self._live())
        finally:
            await self._rest.close()

    def stop(self) -> None:
        """Stops the bot once the handlers that run have ended."""
        self._stopping.set()

    async def send(self, chat_id: int, content: str, *, client_id: str | None = None) -> Message:
        """Sends a message that answers none. With a `client_id` of your own, a repeat sends nothing new."""
        ack = await self.call(
            "send_message", chat_id=chat_id, content=content, client_id=client_id or str(uuid4())
        )
        return Message(self, ack["message"], self.me)

    async def api(self, method: str, path: str, **options: Any) -> Any:
        """Calls the REST API: the JSON of the answer. The options (`params`, `json`) are those of aiohttp."""
        return await self._rest.call(method, path, **options)

    async def call(self, command: str, **payload: Any) -> Json:
        """Sends a command and returns its ack. Waits while the bot is not connected or too fast, and repeats the
        command until the server answers it. Raises `Refused`."""
        return await self.call_in(None, command, payload)

    async def call_in(self, epoch: str | None, command: str, payload: Json) -> Json:
        """As `call`, about things of an epoch: once the server has another one, this is refused as `not_found`."""
        pauses = Pauses()
        while True:
            await self._connected.wait()
            self.heard.check(epoch)
            try:
                return await self._call_once(command, payload)
            except Unsent as error:
                await asyncio.sleep(pauses.next_s(error.retry_in_s))

    async def hint(self, command: str, **payload: Any) -> None:
        """Sends a command that may be lost, as typing may."""
        if self._connected.is_set():
            await self._connection.send(command, payload)

    async def stream(self, chat_id: int, stream_id: str, chunks: AsyncIterable[str]) -> str:
        """Shows a text that grows, without sending it in the end; the whole text."""
        longest, epoch = self._content_chars_max, self.heard.epoch
        where = {"chat_id": chat_id, "stream_id": stream_id}

        async def show(text: str) -> None:
            if self.heard.epoch == epoch:  # else the id is that of another chat
                await self.hint("stream_message", **where, content=text[:longest])

        return await Growing(show).collect(chunks)

    async def join(self, payload: Json, on_ack: Callable[[Json], None]) -> Json:
        """Joins a chat; raises `Unsent` if the connection is lost."""
        async with self._joins_at_once:
            return await self._call_once("join_chat", payload, on_ack)

    async def _call_once(
        self, command: str, payload: Json, on_ack: Callable[[Json], None] | None = None
    ) -> Json:
        ack = await self._connection.call(command, payload, on_ack)
        if not ack["ok"]:
            raise_error(ack["error"])
        return ack

    async def _until_stop(self, living: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(living)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self._let_handlers_end()
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _live(self) -> None:
        raw = await self._rest.call("GET", "/users/me")
        self.me = user_of(raw)
        self._users = Users(self._rest)
        account = f"{raw['id']} {raw['created_at']}"
        self._cursor = Cursor(Path(self._cursor_path or file_name(self.me.username, account)), account)
        self._connection = Connection(self._url, self._token, self._event)
        try:
            if not self._cursor.has_begun:
                self._cursor.begin(await first_positions(self._rest, answers_old=self._answer_old))
            for chat_id, position in self._cursor.load().items():
                self._add(chat_id, position)
                self.heard.before(position.epoch, position.at)
            await self._stay_connected()
        finally:
            await self._end()

    async def _stay_connected(self) -> None:
        pauses = Pauses()
        while True:
            try:
                hello = await self._connection.open()
                since_s = time.monotonic()
                self._begin_connection(hello)
                try:
                    await self._connection.lost()
                finally:
                    if time.monotonic() - since_s > STEADY_S:
                        pauses.reset()
            except Unsent as error:
                pause_s = pauses.next_s(error.retry_in_s)
                LOG.warning("%s; next attempt in %.1f s", error, pause_s)
            finally:
                self._connected.clear()
                for worker in self._workers.values():
                    worker.lost()
            await asyncio.sleep(pause_s)

    def _begin_connection(self, hello: Json) -> None:
        if self.heard.connected(hello, (each.handled_at for each in self._workers.values())):
            self._users.forget()
        self._content_chars_max: int = hello["limits"]["max_content_chars"]
        self._connected.set()
        LOG.info("%s is connected to %s", self.me.username, self._url)
        for worker in list(self._workers.values()):
            worker.connected()
        self._in_background(self._find_chats())
        while self._starters:
            self._in_background(self._starters.pop(0)())

    async def _find_chats(self) -> None:
        """Finds the chats to which the bot was added while it was away."""
        async for chat in self._rest.chats():
            self._add(chat["id"])

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._logged(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            if not isinstance(error, Ended):  # the connection ends too, and says why
                LOG.exception("a task of the bot failed")

    def _add(self, chat_id: int, position: Position | None = None) -> None:
        if chat_id not in self._workers or self._workers[chat_id].is_removed:
            worker = ChatWorker(chat_id, self.me.id, position, self, self._cursor, self._handle)
            self._workers[chat_id] = worker
            if self._connected.is_set():
                worker.connected()

    def _event(self, name: str, payload: Json) -> None:
        chat_id = payload.get("chat_id")
        if name in ("chat_added", "chat_updated") and chat_id is not None:
            self.heard.now = payload["timestamp"]
            self._add(chat_id)
        elif name == "chat_removed" and chat_id is not None:
            self.heard.now = payload["timestamp"]
            worker = self._workers.pop(chat_id, None)
            if worker is not None:
                worker.remove()
        elif name == "user_changed":
            self._users.changed(payload["user"])
        elif "seq" in payload and chat_id in self._workers:
            self._workers[chat_id].change({**payload, "deleted": name == "message_deleted"})

    async def _handle(self, raw: Json, answers: dict[str, Json]) -> None:
        async with self._handlers_at_once:
            sender = await self._users.get(raw["sender_id"])
            await self._handlers.run(Message(self, raw, sender, answers))

    async def _let_handlers_end(self) -> None:
        """Begins no handler any more, and waits for those that run while the bot is still connected."""
        for worker in self._workers.values():
            worker.stop()
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=STOP_S)

    async def _end(self) -> None:
        """Ends all tasks, stores the positions, and closes everything."""
        for worker in self._workers.values():
            worker.stop()
        tasks = [*self._tasks(), *self._background]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in self._workers.values():
            worker.store()
        self._cursor.close()
        await self._connection.close()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [each.task for each in self._workers.values() if each.task and not each.task.done()]
