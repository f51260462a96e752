"""What a hook reads from the store in pieces is all that it has to deliver, in order."""

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from domain.decisions.notices import Notice, due
from domain.hooks import HOOK_EVENTS, Hook, HookEvent
from domain.models import Message, Page
from handlers.hooks import upcoming
from handlers.hooks.senders import Senders
from handlers.hooks.upcoming import Upcoming
from storage.ports import Messages

AT = datetime(2025, 11, 23, 10, tzinfo=UTC)
PERSON, HOOK = 5, 6


class Stored:
    """The messages of a chat, as a store gives them. `change` makes one change at random."""

    def __init__(self, dice: random.Random) -> None:
        self.messages: dict[int, Message] = {}
        self.head = 0
        self._dice = dice

    def change(self) -> None:
        self.head += 1
        alive = [message for message in self.messages.values() if not message.deleted]
        chance = self._dice.random()
        if not alive or chance < 0.5:
            self.messages[self.head] = Message(
                id=self.head,
                chat_id=1,
                seq=self.head,
                changed_seq=self.head,
                content="x",
                sender_id=self._dice.choice((PERSON, PERSON, HOOK)),
                created_at=AT,
            )
            return
        message = replace(self._dice.choice(alive), changed_seq=self.head)
        if chance < 0.7:
            message = replace(message, edited_at=AT + timedelta(seconds=self.head))
        elif chance < 0.85:
            message = replace(message, deleted=True)
        self.messages[message.id] = message

    async def get(self, message_id: int) -> Message | None:
        return self.messages.get(message_id)

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        changed = [message for message in self.messages.values() if message.changed_seq > after_seq]
        return sorted(changed, key=lambda message: message.changed_seq)[:limit]

    async def history(
        self, chat_id: int, *, limit: int, after_seq: int, max_bytes: int | None = None
    ) -> Page:
        alive = [each for each in self.messages.values() if each.seq > after_seq and not each.deleted]
        alive.sort(key=lambda message: message.seq)
        return Page(tuple(alive[:limit]), False, len(alive) > limit)


class Kinds:
    async def delivered(self, hook: Hook, user_ids: Collection[int]) -> Collection[int]:
        return {user_id for user_id in user_ids if user_id == PERSON}


def reader(stored: Stored, position: int) -> Upcoming:
    found = Upcoming(cast(Messages, stored), cast(Senders, Kinds()))
    found.restart(position)
    return found


def hook(events: Sequence[HookEvent]) -> Hook:
    return Hook(1, 1, "outgoing", "hook", HOOK, PERSON, AT, target_url="https://a.b/", events=events)


def is_lost(notice: Notice) -> bool:
    """Whether a notice may be missing: that of a new message which was deleted long after, of which another notice
    says so."""
    return notice.is_new and notice.message.deleted


@pytest.mark.parametrize("seed", range(60))
async def test_pieces_add_up(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    monkeypatch.setattr(upcoming, "MESSAGES_PER_READ", dice.choice((1, 2, 3, 5, 50)))
    stored = Stored(dice)
    for _ in range(dice.randint(0, 80)):
        stored.change()
    events = dice.sample(HOOK_EVENTS, dice.randint(1, 3))
    position = dice.randint(0, stored.head)
    of_people = [message for message in stored.messages.values() if message.sender_id == PERSON]
    expected = due(of_people, position, stored.head, events).notices
    reading, found = reader(stored, position), list[Notice]()
    while (notice := await reading.next(hook(events))) is not None:
        assert reading.position == notice.seq - 1
        reading.position = notice.seq
        found.append(notice)
    assert [notice for notice in found if not is_lost(notice)] == [
        notice for notice in expected if not is_lost(notice)
    ]
    assert [notice for notice in expected if notice in found] == found
    assert reading.position == stored.head
    assert not reading.behind


@pytest.mark.parametrize("seed", range(40))
async def test_nothing_alive_is_missed_while_the_chat_goes_on(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message of a person that is left was given as new, and after its last edit."""
    dice = random.Random(seed)
    monkeypatch.setattr(upcoming, "MESSAGES_PER_READ", dice.choice((1, 3, 20)))
    stored = Stored(dice)
    reading, last = reader(stored, 0), dict[int, Notice]()
    new = set()

    async def read(most: int) -> None:
        for _ in range(most):
            notice = await reading.next(hook(HOOK_EVENTS))
            if notice is None:
                return
            reading.position = notice.seq
            last[notice.message.id] = notice
            if notice.is_new:
                new.add(notice.message.id)

    for _ in range(100):
        stored.change()
        reading.published(stored.head)
        await read(dice.choice((0, 0, 0, 1, 2, 10)))
    await read(10_000)
    for message in stored.messages.values():
        if message.sender_id == PERSON and not message.deleted:
            assert message.id in new
            assert last[message.id].message.edited_at == message.edited_at
        elif message.sender_id == PERSON and message.id in last:
            assert last[message.id].message.deleted
        else:
            assert message.sender_id == PERSON or message.id not in last
