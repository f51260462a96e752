"""What a receiver of a hook got from a server that is killed now and then, held against what is stored."""

import json
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from domain.frozen import frozen
from tests.clients.people import Person
from tests.hooks.receiver import Answer, Receiver, Request

REPLIED = 5
"""Each message whose id is a multiple of this gets a reply."""


@frozen
class Delivered:
    """One request: its answer, the number in its name, and the life in which it came, of the server and the
    receiver."""

    request: Request
    answer: Answer
    life: int

    @property
    def seq(self) -> int:
        return int(self.request.delivery.split("-")[1])

    @property
    def taken(self) -> bool:
        """Whether the receiver has said that it takes it; the server may have been killed before it heard that."""
        answer = self.answer
        return 200 <= answer.status < 300 and not (answer.hang or answer.cut)


class Received:
    """Makes a receiver fail, hang, cut and reply at random, and records what comes. `good`: it takes all."""

    def __init__(self, receiver: Receiver, dice: random.Random) -> None:
        self.receiver = receiver
        self.deliveries: list[Delivered] = []
        self.life = 0
        self.good = False
        self._dice = dice
        receiver.behave = self._behave

    def _behave(self, request: Request) -> Answer:
        answer = self._answer(request)
        self.deliveries.append(Delivered(request, answer, self.life))
        return answer

    def _answer(self, request: Request) -> Answer:
        chance = 1.0 if self.good else self._dice.random()
        if chance < 0.08:
            return Answer(self._dice.choice((302, 404, 500, 503)), headers=[("Retry-After", "1")])
        if chance < 0.09:
            return Answer(hang=True)
        if chance < 0.13:
            return Answer(cut=True)
        if chance < 0.15:
            return Answer(body=b"x" * 70_000)
        return Answer(body=self._reply(request))

    def _reply(self, request: Request) -> bytes:
        frame = request.frame
        if frame["type"] == "new_message" and frame["message"]["id"] % REPLIED == 0:
            return json.dumps({"text": f"reply to {frame['message']['id']}"}).encode()
        return b"ok"

    def said(self, content: str) -> bool:
        """Whether the receiver has taken a message of this content."""
        return any(
            delivered.taken
            and delivered.request.frame["type"] == "new_message"
            and delivered.request.frame["message"]["content"] == content
            for delivered in self.deliveries[-50:]
        )

    # What has to hold.

    def check(self, secret: str, stored: Iterable[Any], hook_user: int, *, alone: bool = True) -> None:
        """Holds all deliveries against the messages that are left. `alone`: the server is one node. Of several, one may
        take over from another that lives, if the database is slow."""
        assert all(delivered.request.is_signed_with(secret) for delivered in self.deliveries)
        self._check_order(alone)
        self._check_names()
        messages = {message["id"]: message for message in stored}
        self._check_complete(messages, hook_user)
        self._check_replies(messages.values(), hook_user)

    def _check_order(self, alone: bool) -> None:
        """Numbers never go back; and what was taken is sent again only if the server or the receiver has ended
        meanwhile."""
        for before, after in pairwise(self.deliveries):
            if alone and before.life == after.life and before.taken:
                assert before.seq < after.seq, (before, after)
            else:
                assert before.seq <= after.seq, (before, after)

    def _check_names(self) -> None:
        """A name stands for one message and one change of it."""
        for delivered in self.deliveries:
            frame = delivered.request.frame
            if frame["type"] == "new_message":
                assert delivered.seq == frame["message"]["seq"], delivered

    def _check_complete(self, messages: dict[int, Any], hook_user: int) -> None:
        """Each message of a person came as new, and in its last state; those that are gone came as deleted."""
        last: dict[int, Any] = {}
        new = set()
        for delivered in self.deliveries:
            if delivered.taken:
                frame = delivered.request.frame
                message_id = frame["message_id"] if "message_id" in frame else frame["message"]["id"]
                last[message_id] = frame
                if frame["type"] == "new_message":
                    new.add(message_id)
                    assert frame["message"]["sender_id"] != hook_user
        people = {one["id"]: one for one in messages.values() if one["sender_id"] != hook_user}
        assert people.keys() <= new, people.keys() - new
        for message_id, frame in last.items():
            if message_id in people:
                assert frame["message"]["content"] == people[message_id]["content"]
            else:
                assert frame["type"] == "message_deleted", frame

    def _check_replies(self, messages: Iterable[Any], hook_user: int) -> None:
        replies = [message for message in messages if message["sender_id"] == hook_user]
        answered = [reply["reply_to"] for reply in replies]
        assert len(answered) == len(set(answered)), "a message has two replies"
        assert all(reply["content"] == f"reply to {reply['reply_to']}" for reply in replies)
        answers: dict[int, list[bytes]] = {}
        for delivered in self.deliveries:
            if delivered.taken and delivered.request.frame["type"] == "new_message":
                answers.setdefault(delivered.request.frame["message"]["id"], []).append(delivered.answer.body)
        wanted = {one for one, bodies in answers.items() if all(body[:1] == b"{" for body in bodies)}
        assert wanted <= set(answered), "a reply is missing"


async def stored_messages(person: Person, chat_id: int) -> Sequence[Any]:
    """All messages of the chat that are left, the oldest first."""
    found: list[Any] = []
    page = await person.get(f"/chats/{chat_id}/messages", limit=200)
    found = page["messages"]
    while page["has_more_before"]:
        page = await person.get(f"/chats/{chat_id}/messages", limit=200, before=found[0]["id"])
        found = page["messages"] + found
    return found
