"""A replay waits for its peer, and gives up on one that reads nothing."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from domain.models import Chat, ChatState, Member, Message
from handlers.context import Caller, Context
from handlers.live.connections import Connection, Connections
from handlers.live.directory import Directory
from handlers.live.freshness import AlwaysFresh
from handlers.live.loaded_chat import LoadedChat
from handlers.live.recovery import PIECE_BYTES_MAX, STUCK_S, UNSENT_BYTES_MAX, replay
from handlers.policy import Policy
from handlers.wire.endings import Ending, Refused
from handlers.wire.file_links import FileLinks
from storage.sizes import message_bytes
from tests.storage.world import START

MESSAGES = [Message(seq, 1, seq, seq, "\x01" * 10_000, 1, START) for seq in range(1, 101)]


class Peer:
    """Hub, store, clock and directory of one peer. `unread_bytes` says how much the peer has unread at a time."""

    def __init__(self, unread_bytes: Callable[[float], int]) -> None:
        self._unread_bytes = unread_bytes
        self.now_s = 0.0
        self.ended: list[Ending] = []
        self.pieces: list[int] = []
        self.emitted: list[int] = []
        self.is_member = True
        self.connections = Connections()
        self.connection = Connection("c", 1, None, 0)
        self.connections.add(self.connection)
        chat = Chat(1, "Room", "group", START, 1, len(MESSAGES), 1)
        self.messages = MESSAGES
        self.chat = LoadedChat(ChatState(chat, {1: Member(1, "owner", START)}), cast(Directory, None))

    async def _turn(self, _id: str, size: int) -> None:
        """Returns at once."""

    async def replay(self) -> tuple[int, bool]:
        context = SimpleNamespace(
            links=FileLinks(b"key", lambda: 0),
            policy=Policy(),
            hub=SimpleNamespace(
                unread_bytes=lambda _id: self._unread_bytes(self.now_s),
                emit=lambda _name, payload, room: self.emitted.append(payload["seq"]),
                end=lambda _id, ending: self.ended.append(ending),
                turn=self._turn,
            ),
            store=SimpleNamespace(messages=self),
            freshness=AlwaysFresh(),
            clock=SimpleNamespace(monotonic=lambda: self.now_s, sleep=self._sleep, now=lambda: START),
            directory=self,
            connections=self.connections,
        )
        caller = Caller(1, "address", None, self.connection)
        return await replay(cast(Context, context), caller, 1, 0)

    async def for_member(self, _user_id: int, _chat_id: int) -> LoadedChat:
        if not self.is_member:
            raise LookupError
        return self.chat

    async def changed_since(self, _chat_id: int, after_seq: int, *, limit: int, max_bytes: int) -> Any:
        newer = [message for message in self.messages if message.changed_seq > after_seq]
        piece = newer[: min(max_bytes // message_bytes(MESSAGES[0]), limit)]
        self.pieces.append(sum(map(message_bytes, piece)))
        return piece

    async def count_changed_since(self, _chat_id: int, after_seq: int, *, limit: int) -> int:
        return min(len(MESSAGES) - after_seq, limit)

    async def _sleep(self, delay_s: float) -> None:
        self.now_s += delay_s


async def test_a_replay_is_read_in_pieces() -> None:
    peer = Peer(lambda _now: 0)
    assert await peer.replay() == (100, False)
    assert peer.emitted == list(range(1, 101))
    assert max(peer.pieces) <= PIECE_BYTES_MAX
    assert len(list(filter(None, peer.pieces))) == 25


async def test_a_message_that_changes_once_more_behind_the_last_piece_is_sent() -> None:
    """The last piece ends at the head of the room, and four messages have changed on disk since."""
    peer = Peer(lambda _now: 0)
    changed = [replace(message, changed_seq=message.seq + 51) for message in MESSAGES[49:53]]
    peer.messages = [*MESSAGES[:49], *MESSAGES[53:], *changed]
    read = peer.changed_since

    async def read_and_publish(chat_id: int, after_seq: int, **bounds: Any) -> Any:
        piece = await read(chat_id, after_seq, **bounds)
        if after_seq == 100:
            peer.chat.head_seq = 104
        return piece

    peer.changed_since = read_and_publish  # type: ignore[assignment,method-assign]
    assert await peer.replay() == (100, False)
    assert peer.emitted == [*range(1, 50), *range(54, 105)]


async def test_a_replay_waits_until_little_is_unsent() -> None:
    peer = Peer(lambda now: UNSENT_BYTES_MAX if now < 10 else UNSENT_BYTES_MAX - 1)
    assert await peer.replay() == (100, False)
    assert peer.now_s == pytest.approx(10, abs=0.1)
    assert not peer.ended


async def test_a_client_that_takes_nothing_is_ended() -> None:
    peer = Peer(lambda _now: UNSENT_BYTES_MAX)
    with pytest.raises(Refused):
        await peer.replay()
    assert peer.ended == [Ending.TOO_SLOW]
    assert peer.now_s == pytest.approx(STUCK_S, abs=0.1)
    assert not peer.emitted


async def test_a_client_that_takes_a_little_is_not_ended_though_more_comes_from_elsewhere() -> None:
    def unread_bytes(now: float) -> int:
        """Every 15 s a thousand bytes are read, and twice as many come in between."""
        rounds, passed = divmod(now, 15)
        return int(UNSENT_BYTES_MAX + rounds * 1000 + (2000 if passed > 7 else 0)) * (now < 200)

    peer = Peer(unread_bytes)
    assert await peer.replay() == (100, False)
    assert peer.now_s == pytest.approx(200, abs=0.1)


@pytest.mark.parametrize("left", ["chat", "server"])
async def test_a_client_that_leaves_meanwhile_is_sent_nothing_more(left: str) -> None:
    peer = Peer(lambda now: UNSENT_BYTES_MAX if now < 5 else 0)
    sleep = peer._sleep

    async def leave(delay_s: float) -> None:
        await sleep(delay_s)
        if left == "chat":
            peer.is_member = False
        elif peer.connections.get("c"):
            peer.connections.remove(peer.connection)

    peer._sleep = leave  # type: ignore[method-assign]
    with pytest.raises((LookupError, Refused)):
        await peer.replay()
    assert not peer.emitted
    assert not peer.ended
