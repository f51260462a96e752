"""A client that keeps a copy of a chat by the rules of docs/protocol.md, and fails when the server breaks them."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire


def _reacted(message: Frame, frame: Frame) -> Frame:
    before = message["reactions"]
    users = before.get(frame["emoji"], [])
    assert frame["user_id"] not in users, ("the same reaction twice", frame)
    return {"reactions": {**before, frame["emoji"]: [*users, frame["user_id"]]}}


def _unreacted(message: Frame, frame: Frame) -> Frame:
    users = message["reactions"][frame["emoji"]]
    assert frame["user_id"] in users, ("a reaction that is not there", frame)
    changed = {**message["reactions"], frame["emoji"]: [one for one in users if one != frame["user_id"]]}
    return {"reactions": {emoji: some for emoji, some in changed.items() if some}}


def _pinned(message: Frame, frame: Frame) -> Frame:
    """Whether the message is pinned from this event on: it was not so before."""
    pinned = frame["type"] == "message_pinned"
    assert message["pinned"] is not pinned, ("nothing has changed", frame)
    return {"pinned": pinned}


PARTS = {
    "reaction_added": _reacted,
    "reaction_removed": _unreacted,
    "message_pinned": _pinned,
    "message_unpinned": _pinned,
}
"""The events that say a part of a message: what they change, given the message as it was."""


class Copy:
    """The messages of one chat as one client knows them. `position` is the `seq` of the last change it has received."""

    def __init__(self, chat_id: int) -> None:
        self.chat_id = chat_id
        self.position = 0
        self.messages: dict[int, Frame] = {}
        self.whole = True
        self._dead: set[int] = set()
        self._joined = False
        self._asked_after: int | None = None
        self._during: list[int] = []
        self._parts: list[Frame] = []
        """While pages are loading: the events that say a part of a message, which may be on a page that is older."""

    def disconnected(self) -> None:
        self._joined, self._asked_after = False, None

    def joining(self) -> int:
        """Call when a `join_chat` is about to be sent; returns its `after_seq`."""
        if not self.whole:
            self.position = 0
        self._asked_after, self._during = self.position, []
        return self.position

    def see(self, frame: Frame) -> None:
        if frame["type"] not in NUMBERED_EVENTS or frame["chat_id"] != self.chat_id:
            return
        if self._asked_after is None:
            assert self._joined, ("not in the room", frame)
            assert frame["seq"] == self.position + 1, ("a hole or a repetition", self.position, frame)
            self.position = frame["seq"]
        else:
            self._during.append(frame["seq"])
        self._apply(frame)

    def joined(self, ack: Frame) -> None:
        """Call with the ack of the join, in its place among the frames."""
        after, self._asked_after = self._asked_after, None
        assert after is not None
        live, replay = self._split(ack["replayed"])
        assert live == list(range(after + 1, after + 1 + len(live))), ("live before the replay", after, live)
        assert not live or self._joined, ("live, and not in the room", live)
        assert replay == sorted(set(replay)), ("a replay out of order", replay)
        assert not replay or after < replay[0] <= replay[-1] <= ack["head_seq"], (after, replay, ack)
        self._joined, self.position, self.whole = True, ack["head_seq"], not ack["gap"]
        if ack["gap"]:
            self.messages, self._dead, self._parts = {}, set(), []

    def _split(self, replayed: int) -> tuple[list[int], list[int]]:
        at = len(self._during) - replayed
        assert at >= 0, ("fewer frames than were replayed", replayed, self._during)
        return self._during[:at], self._during[at:]

    def page(self, messages: Iterable[Frame]) -> None:
        """Applies a page of history, which may be older than the events that came live."""
        for message in messages:
            if message["id"] not in self._dead:
                self._keep(message)
        for frame in self._parts:
            self._alter(frame)

    def _apply(self, frame: Frame) -> None:
        if frame["type"] == "message_deleted":
            self.messages.pop(frame["message_id"], None)
            self._dead.add(frame["message_id"])
            return
        if frame["type"] in PARTS:
            assert frame["message_id"] not in self._dead, ("back from the dead", frame)
            assert frame["message_id"] in self.messages or not self.whole, ("of no message", frame)
            if self._asked_after is not None:
                return  # the replay has the whole message
            if not self.whole:
                self._parts.append(frame)
            self._alter(frame)
            return
        message = frame["message"]
        assert message["changed_seq"] == frame["seq"], ("a state of another time", frame)
        assert message["id"] not in self._dead, ("back from the dead", frame)
        self._keep(message)

    def _alter(self, frame: Frame) -> None:
        """Applies an event of reactions or pins to its message, unless that is not loaded, or is newer."""
        known = self.messages.get(frame["message_id"])
        if known is not None and known["changed_seq"] < frame["seq"]:
            changed = PARTS[frame["type"]](known, frame)
            self._keep({**known, **changed, "changed_seq": frame["seq"]})

    def _keep(self, message: Frame) -> None:
        known = self.messages.get(message["id"])
        if known is None or known["changed_seq"] < message["changed_seq"]:
            self.messages[message["id"]] = message


class Reader:
    """A person who reads a chat over one wire, and connects again after each lost connection."""

    def __init__(self, kind: str, person: Person, chat_id: int) -> None:
        self.kind, self.person, self.chat_id = kind, person, chat_id
        self.copy = Copy(chat_id)
        self.wire: Wire | None = None
        self.broken: AssertionError | None = None

    def _see(self, frame: Frame) -> None:
        try:
            if frame["type"] == "ack" and "replayed" in frame:
                self.copy.joined(frame)
            else:
                self.copy.see(frame)
        except AssertionError as error:
            self.broken = self.broken or error

    async def connect(self) -> bool:
        self.wire = WIRES[self.kind](self.person.http, self.person.url, self.person.token, self._see)
        return await self.wire.open()

    async def catch_up(self) -> bool:
        """Joins after the last known change, connecting first if need be. False: the connection was lost meanwhile, or
        the server cannot answer just now."""
        if (self.wire is None or self.wire.over.is_set()) and not await self.connect():
            return False
        assert self.wire is not None
        after_seq = self.copy.joining()
        ack = await self.wire.ask("join_chat", chat_id=self.chat_id, after_seq=after_seq)
        if ack is None or ack.get("code") == "unavailable":
            return False
        assert ack["type"] == "ack", ack
        return self.copy.whole or await self._load(self.wire)

    async def _load(self, wire: Wire) -> bool:
        async for page in pages(self.person, self.chat_id):
            if wire.over.is_set():
                return False
            self.copy.page(page["messages"])
        self.copy.whole = True
        return True

    async def settle(self) -> None:
        """Returns when the copy holds all that has been acked by now."""
        while not await self.catch_up():
            pass
        assert self.wire is not None
        assert await self.wire.ask("ping") is not None

    def cut(self) -> None:
        if self.wire is not None:
            self.wire.cut()
        self.copy.disconnected()

    async def close(self) -> None:
        if self.wire is not None:
            await self.wire.close()

    async def check(self) -> None:
        """Asserts that the copy is what the server has stored. Nobody may write meanwhile."""
        if self.broken is not None:
            raise self.broken
        stored, head_seq = await everything(self.person, self.chat_id)
        assert self.copy.position == head_seq
        assert self.copy.messages == stored


async def pages(person: Person, chat_id: int) -> AsyncIterator[Any]:
    """The history of a chat, the newest page first."""
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = await person.get(f"/chats/{chat_id}/messages", **query)
        yield page
        if not page["has_more_before"]:
            return
        query["before"] = page["messages"][0]["id"]


async def everything(person: Person, chat_id: int) -> tuple[dict[int, Frame], int]:
    """The stored messages of a chat by id, and its `head_seq`."""
    found: dict[int, Frame] = {}
    head_seq = None
    async for page in pages(person, chat_id):
        head_seq = page["head_seq"] if head_seq is None else head_seq
        for message in page["messages"]:
            assert message["id"] not in found, ("twice in the history", message)
            found[message["id"]] = message
    assert head_seq is not None
    return found, head_seq
