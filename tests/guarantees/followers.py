"""Clients that are cut off and recover: one that follows a chat, and one that keeps the list of chats."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError

from tests.chaos.crowd import PAUSE_S, is_retryable
from tests.clients.copy import Copy, Reader
from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire
from tests.guarantees.chat_model import ChatModel, subject_of, unread

NOT_IN_THE_LOG = frozenset({"timestamp"})

SUMMARY = ("unread_count", "unread_mentions", "read_seq")
"""What a list of chats shows of a chat, besides the newest message and the position."""


class CopyOfSeveral(Copy):
    """A copy that ignores what is said of a message after its deletion. The rows of a message lose what they say one
    after the other, so a node that reads them meanwhile tells of the deletion early, and of other changes after it."""

    def _apply(self, frame: Frame) -> None:
        if subject_of(frame) not in self._dead:
            super()._apply(frame)


class Follower(Reader):
    """Keeps a copy of a chat, and the mark of its own user, from which it counts what is unread."""

    def __init__(self, kind: str, person: Person, model: ChatModel) -> None:
        super().__init__(kind, person, model.chat_id)
        if model.several_nodes:
            self.copy = CopyOfSeveral(model.chat_id)
        self.read_seq = 0
        self.frames: list[Frame] = []
        """All numbered events that came, live or replayed."""

    async def catch_up(self) -> bool:
        try:
            if not await super().catch_up():
                return False
            summary = await self.person.get(f"/chats/{self.chat_id}")
        except (AssertionError, ClientError, OSError) as error:
            return await again(self, error)
        self.read_seq = max(self.read_seq, summary["read_seq"])
        return True

    def _see(self, frame: Frame) -> None:
        if frame.get("chat_id") == self.chat_id:
            if frame["type"] in NUMBERED_EVENTS:
                self.frames.append(frame)
            elif frame["type"] == "messages_read" and frame["user_id"] == self.person.id:
                self.read_seq = max(self.read_seq, frame["read_seq"])
        super()._see(frame)

    def check_against(self, model: ChatModel) -> None:
        """Asserts that the copy, and all that came on the way to it, is what the model has."""
        assert self.copy.messages == model.messages()
        assert self.copy.position == model.head
        assert self.read_seq == model.marks.get(self.person.id, 0)
        counted = unread(self.copy.messages.values(), self.person.id, self.read_seq)
        assert counted == model.unread(self.person.id, self.read_seq)
        for frame in self.frames:
            if model.several_nodes and model.now(subject_of(frame)) is None:
                continue  # what a node read after the deletion says less than was said
            if "message" in frame:
                assert model.changed(frame["message"]["id"], frame["seq"]) == frame["message"], frame
            elif frame["type"] == "message_deleted":
                assert model.changed(frame["message_id"], frame["seq"]) is None, frame
            else:
                assert without_time(model.log[frame["seq"] - 1]) == without_time(frame)


def without_time(frame: Frame) -> Frame:
    return {name: value for name, value in frame.items() if name not in NOT_IN_THE_LOG}


class ListKeeper:
    """Joins no chat: it loads the list of chats when it connects, and follows `chat_updated` from then on."""

    def __init__(self, kind: str, person: Person) -> None:
        self.kind, self.person = kind, person
        self.chats: dict[int, Frame] = {}
        self._wire: Wire | None = None
        self._loading: dict[int, Frame] | None = None

    async def connect(self) -> bool:
        """Connects and loads the list. False: the connection was lost meanwhile."""
        await self.close()
        self._loading = {}
        self._wire = WIRES[self.kind](self.person.http, self.person.url, self.person.token, self._see)
        if not await self._wire.open():
            return False
        try:
            page = await self.person.get("/chats")
        except (AssertionError, ClientError, OSError) as error:
            return await again(self, error)
        assert page["next_cursor"] is None
        listed = {chat["id"]: chat | {"head_seq": chat["seq"]} for chat in page["chats"]}
        # An event that came meanwhile is as new as the list, or a newer one will follow.
        self.chats = {chat_id: shown(chat) for chat_id, chat in listed.items()} | self._loading
        self._loading = None
        return True

    def _see(self, frame: Frame) -> None:
        if frame["type"] == "chat_updated":
            kept = self.chats if self._loading is None else self._loading
            kept[frame["chat_id"]] = shown(frame)

    @property
    def is_cut(self) -> bool:
        return self._wire is None or self._wire.over.is_set()

    def cut(self) -> None:
        if self._wire is not None:
            self._wire.cut()

    async def settle(self) -> None:
        while self.is_cut or self._loading is not None:
            await self.connect()

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()


async def again(client: "Follower | ListKeeper", error: Exception) -> bool:
    """Lets a client begin anew after a call without an answer, or one that may be asked again. Raises: the error."""
    if isinstance(error, AssertionError) and not is_retryable(error.args[0]):
        raise error
    client.cut()
    await asyncio.sleep(PAUSE_S)
    return False


def shown(chat: Mapping[str, Any]) -> Frame:
    """What a list shows of a chat: of a summary, with `head_seq`, or of a `chat_updated`."""
    return {name: chat[name] for name in (*SUMMARY, "head_seq", "last_message")}


def expected(model: ChatModel, user_id: int) -> Frame:
    """What a list has to show of a chat."""
    read_seq = model.marks.get(user_id, 0)
    count, mentions = model.unread(user_id, read_seq)
    messages = model.messages().values()
    return {
        "unread_count": count,
        "unread_mentions": mentions,
        "read_seq": read_seq,
        "head_seq": model.head,
        "last_message": max(messages, key=lambda message: int(message["seq"]), default=None),
    }
