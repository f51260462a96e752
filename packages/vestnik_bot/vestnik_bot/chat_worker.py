"""One chat of a bot: recovers it, and handles its messages one after the other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from vestnik_bot.cursor import Cursor, Position
from vestnik_bot.errors import Ended, Refused, Unsent
from vestnik_bot.feed import Feed, State
from vestnik_bot.heard import Heard
from vestnik_bot.pauses import Pauses

Json = dict[str, Any]

LOG = logging.getLogger("vestnik_bot")
PAGE = 200
OF_BEFORE = "before"
"""Stands for the epoch of a server that was restored since: no epoch is the same."""


class Server(Protocol):
    """What a worker needs of its bot."""

    heard: Heard

    async def join(self, payload: Json, on_ack: Callable[[Json], None]) -> Json: ...
    async def api(self, method: str, path: str, **options: Any) -> Any: ...


class ChatWorker:
    """Has a task while there is something to do. `handle` gets each message, and the answers that were sent before."""

    def __init__(
        self,
        chat_id: int,
        own_id: int,
        position: Position | None,
        server: Server,
        cursor: Cursor,
        handle: Callable[[Json, dict[str, Json]], Awaitable[None]],
    ) -> None:
        self.feed = None if position is None else Feed(own_id, position)
        self.task: asyncio.Task[None] | None = None
        self._chat_id, self._own_id = chat_id, own_id
        self._server, self._cursor, self._handle = server, cursor, handle
        self._stored = position
        self._is_connected = False
        self._is_stopped = False
        self._begins_after = 0
        self.is_removed = False

    @property
    def handled_at(self) -> str:
        """The time of the message that was handled last; empty: none was."""
        return "" if self.feed is None else self.feed.position.at

    def connected(self) -> None:
        """A new connection is there, on which the chat is not joined yet."""
        self._is_connected = True
        if self.feed is not None:
            self.feed.lose()
        self.wake()

    def lost(self) -> None:
        self._is_connected = False
        if self.feed is not None:
            self.feed.lose()

    def change(self, event: Json) -> None:
        """Takes an event with a number."""
        if self.feed is not None:
            if not self.feed.change(event):
                self.feed.lose()
            self.wake()

    def wake(self) -> None:
        if not self._is_stopped and (self.task is None or self.task.done()) and self._has_work():
            self.task = asyncio.create_task(self._work())

    def stop(self) -> None:
        """Begins nothing more. The task ends after the message that it handles."""
        self._is_stopped = True

    def remove(self) -> None:
        """The bot is no longer in the chat. If it is added again, it begins there anew."""
        self.stop()
        self.is_removed = True
        self._cursor.forget(self._chat_id)

    def store(self) -> None:
        """Stores the position, if it has moved."""
        position = None if self.feed is None or self.is_removed else self.feed.rest()
        if position is not None and position != self._stored:
            self._cursor.store(self._chat_id, position)
            self._stored = position

    def _has_work(self) -> bool:
        return self._has_to_join() or bool(self.feed and self.feed.waiting)

    def _has_to_join(self) -> bool:
        if not self._is_connected:
            return False
        return (
            self.feed is None
            or self.feed.state is State.APART
            or (self.feed.state is State.BEHIND and not self.feed.waiting)
        )

    async def _work(self) -> None:
        pauses = Pauses()
        while not self._is_stopped and self._has_work():
            try:
                if self._has_to_join():
                    await self._recover(self.feed or await self._begin())
                    pauses.reset()
                elif self.feed is not None:
                    await self._next(self.feed)
            except Unsent as error:
                await asyncio.sleep(pauses.next_s(error.retry_in_s))
            except Ended:
                return  # the connection ends too, and says why
            except Exception as error:
                if isinstance(error, Refused) and error.code == "not_found":
                    self.remove()
                    return
                LOG.exception("chat %d: failed, and is tried again", self._chat_id)
                await asyncio.sleep(pauses.next_s())

    async def _next(self, feed: Feed) -> None:
        """Handles the next message, and stores the position behind it."""
        message = feed.take()
        if message is None:
            return
        epoch = self._server.heard.epoch
        await self._handle(message, feed.answers)
        if self._server.heard.epoch == epoch:
            feed.handled(message)
            self.store()
        else:  # if the restored history has the message too, it is handled again there, where its answers count
            feed.undone()

    async def _begin(self) -> Feed:
        """Begins a chat to which the bot was added, where it was added; but after a restored backup the bot may have
        been there before: what is older than what it heard last, it has heard."""
        now, heard_until = self._server.heard.now, self._server.heard.until
        chat = await self._server.api("GET", f"/chats/{self._chat_id}")
        self._begins_after = chat["read_seq"]
        if heard_until is not None:
            self.feed = Feed(self._own_id, Position(OF_BEFORE, chat["read_seq"], heard_until))
        else:
            self.feed = Feed(self._own_id, Position(self._server.heard.epoch, chat["read_seq"], now))
            self._cursor.store(self._chat_id, self.feed.position)
        return self.feed

    async def _recover(self, feed: Feed) -> None:
        """Joins the chat, and replays what has happened since the position."""
        epoch = feed.position.epoch or self._server.heard.epoch
        if epoch != self._server.heard.epoch:
            await self._read_history(feed, since=feed.position.at)
        elif not feed.position.epoch:
            feed.position = Position(epoch, feed.position.seq, feed.position.at)
        after_seq = feed.begin_join()
        payload = {"chat_id": self._chat_id, "after_seq": after_seq, "epoch": feed.position.epoch}

        def joined(ack: Json) -> None:  # before any later event
            if ack.get("ok") and not ack["gap"]:
                feed.joined(ack["head_seq"])

        try:
            ack = await self._server.join(payload, joined)
        except (Unsent, Refused):
            feed.lose()
            raise
        if ack["gap"]:
            feed.lose()
            if feed.position.epoch == self._server.heard.epoch:
                await self._read_history(feed)

    async def _read_history(self, feed: Feed, since: str | None = None) -> None:
        """Handles all messages behind the position from pages of history: more has happened than the server replays, or
        the server was restored from a backup (`since`: the time of the position)."""
        LOG.info("chat %d: reading history from position %d", self._chat_id, feed.known)
        start = None if since is None else datetime.fromisoformat(since)
        while feed.waiting and not self._is_stopped and since is None:
            await self._next(feed)

        def is_old(message: Json) -> bool:
            if start is not None:
                return datetime.fromisoformat(message["created_at"]) <= start
            return int(message["seq"]) <= feed.known

        page = await self._page()
        while page["has_more_before"] and page["messages"] and not any(map(is_old, page["messages"])):
            page = await self._page(before=page["messages"][0]["id"])
        old = [message["seq"] for message in page["messages"] if is_old(message)]
        if start is not None:
            feed.rebase(self._server.heard.epoch, max([self._begins_after, *old]))
            start = None
        while True:
            messages, head_seq = page["messages"], page["head_seq"]
            # Behind the head of a page there may be messages that it lacks.
            sure = [message for message in messages if message["seq"] <= head_seq]
            is_last = not page["has_more_after"] or len(sure) < len(messages) or not messages
            if is_last and head_seq < feed.known:
                feed.rebase(self._server.heard.epoch, head_seq)
            feed.fill(sure, head_seq if is_last else sure[-1]["seq"])
            while feed.waiting and not self._is_stopped:
                await self._next(feed)
            if is_last or self._is_stopped:
                return
            page = await self._page(after=messages[-1]["id"])

    async def _page(self, **where: int) -> Any:
        return await self._server.api(
            "GET", f"/chats/{self._chat_id}/messages", params={"limit": PAGE, **where}
        )
