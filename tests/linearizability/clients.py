"""Clients that write and read at random and note everything in a history."""

import asyncio
import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from tests.clients.doors import Door, NoAnswer, NotSent, RestDoor, SocketDoor, door_of
from tests.clients.people import Person
from tests.clients.wires import Frame
from tests.linearizability.history import Final, History, Operation, shown

CONTENT_CHARS = (5, 60, 400)
PAGE_MAX = 200
"""A chat has fewer messages, so that one page shows all of it."""

AGAIN_S = 0.02
"""How long a client waits after a node that is not there."""

ACTIONS = {
    "send": 34,
    "repeat": 12,
    "twice": 5,
    "edit": 14,
    "delete": 3,
    "mark": 8,
    "get": 8,
    "page": 8,
    "chat": 4,
    "join": 6,
}
"""What a client does, and how often in a hundred times."""


@dataclass
class Places:
    """What all clients know: the chats, and the acked messages of each as (id, seq, author)."""

    chat_ids: list[int]
    messages: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while there is a node."""

    def __post_init__(self) -> None:
        self.messages = {chat_id: [] for chat_id in self.chat_ids}


class HistoryClient:
    """A user who writes over one door, `rest` or a wire, and reads over REST."""

    def __init__(
        self, kind: str, person: Person, places: Places, history: History, script: random.Random
    ) -> None:
        self._person, self._places, self._history, self._script = person, places, history, script
        self._rest = RestDoor(person)
        self._door: Door = door_of(kind, person)
        self._numbers = itertools.count()
        self._sent: list[tuple[int, str, str]] = []
        """Chat, client_id and content of what was sent."""

    async def run(self, operations: int) -> None:
        """Works until the history has this many operations."""
        names, weights = list(ACTIONS), list(ACTIONS.values())
        while len(self._history.operations) < operations:
            await self._places.up.wait()
            (action,) = self._script.choices(names, weights)
            await getattr(self, f"_{action}")(self._script.choice(self._places.chat_ids))
            await asyncio.sleep(self._script.uniform(0, 0.004))  # so that not all wait for the same batch
        await self._door.close()

    async def _send(self, chat_id: int) -> None:
        client_id, content = self._new_text()
        self._sent.append((chat_id, client_id, content))
        await self._send_over(self._door, chat_id, client_id, content)

    async def _repeat(self, chat_id: int) -> None:
        if self._sent:
            await self._send_over(self._door, *self._script.choice(self._sent))

    async def _twice(self, chat_id: int) -> None:
        """The same send over two doors at the same time."""
        client_id, content = self._new_text()
        self._sent.append((chat_id, client_id, content))
        doors = (self._rest, self._door)
        await asyncio.gather(*(self._send_over(door, chat_id, client_id, content) for door in doors))

    async def _send_over(self, door: Door, chat_id: int, client_id: str, content: str) -> None:
        key = f"{self._person.id}/{client_id}"
        operation = self._call(chat_id, "send", key=key, content=content)
        answer = await self._ask(
            door, operation, "send_message", chat_id=chat_id, client_id=client_id, content=content
        )
        if answer is None:
            return
        message = answer["message"]
        self._history.answered(operation, "acked", shown=shown(message), duplicate=answer["duplicate"])
        operation.fields["id"] = message["id"]
        if not answer["duplicate"]:
            self._places.messages[chat_id].append((message["id"], message["seq"], self._person.id))

    async def _edit(self, chat_id: int) -> None:
        if (message_id := self._own(chat_id)) is not None:
            _, content = self._new_text()
            operation = self._call(chat_id, "edit", id=message_id, content=content)
            answer = await self._ask(
                self._door, operation, "edit_message", message_id=message_id, content=content
            )
            if answer is not None:
                self._history.answered(operation, "acked", seq=answer["message"]["changed_seq"])

    async def _delete(self, chat_id: int) -> None:
        if (message_id := self._own(chat_id)) is not None:
            operation = self._call(chat_id, "delete", id=message_id)
            answer = await self._ask(self._door, operation, "delete_message", message_id=message_id)
            if answer is not None:
                self._history.answered(operation, "acked", seq=answer.get("seq"))

    async def _mark(self, chat_id: int) -> None:
        if messages := self._places.messages[chat_id]:
            message_id, seq, _ = self._script.choice(messages)
            operation = self._call(chat_id, "mark", id=message_id, seq=seq)
            answer = await self._ask(
                self._door, operation, "read_messages", chat_id=chat_id, up_to=message_id
            )
            if answer is not None:
                self._history.answered(operation, "acked", shown={"seq": answer["read_seq"]})

    async def _get(self, chat_id: int) -> None:
        if messages := self._places.messages[chat_id]:
            message_id = self._script.choice(messages)[0]
            operation = self._call(chat_id, "get", id=message_id)
            body = await self._read((operation,), f"/messages/{message_id}")
            if body is not None:
                self._history.answered(operation, "acked", shown=shown(body))

    async def _page(self, chat_id: int) -> None:
        operation = self._call(chat_id, "page")
        head = self._call(chat_id, "head")
        page = await self._read((operation, head), f"/chats/{chat_id}/messages", limit=PAGE_MAX)
        if page is not None:
            assert not page["has_more_before"]
            self._history.answered(operation, "acked", page=[shown(each) for each in page["messages"]])
            self._history.answered(head, "acked", seq=page["head_seq"])

    async def _chat(self, chat_id: int) -> None:
        head, mark = self._call(chat_id, "head"), self._call(chat_id, "mark_read")
        body = await self._read((head, mark), f"/chats/{chat_id}")
        if body is not None:
            self._history.answered(head, "acked", seq=body["seq"])
            self._history.answered(mark, "acked", seq=body["read_seq"])

    async def _join(self, chat_id: int) -> None:
        if not isinstance(self._door, SocketDoor):
            return
        operation = self._call(chat_id, "join")
        try:
            ack, messages = await self._door.join(chat_id)
        except (NotSent, NoAnswer):
            self._history.never_sent(operation)
            await asyncio.sleep(AGAIN_S)
            return
        assert ack["gap"] is False
        page = sorted(map(shown, messages.values()), key=lambda message: int(message["seq"]))
        self._history.answered(operation, "acked", page=page, seq=ack["head_seq"])

    def _call(self, chat_id: int, kind: str, **fields: Any) -> Operation:
        return self._history.call(chat_id, self._person.id, kind, **fields)

    async def _ask(self, door: Door, operation: Operation, command: str, **fields: Any) -> Frame | None:
        """The ack of a write. None: notes what there is to note of an operation without one."""
        try:
            answer = await door.ask(command, **fields)
        except NotSent:
            self._history.never_sent(operation)
            await asyncio.sleep(AGAIN_S)
            return None
        except NoAnswer:
            return None
        if "code" not in answer:
            return answer
        assert answer["code"] == "not_found", answer
        self._history.answered(operation, "refused")
        return None

    async def _read(self, operations: tuple[Operation, ...], path: str, **params: Any) -> Any:
        try:
            status, body = await self._rest.call("GET", path, params=params)
        except (NotSent, NoAnswer):
            for operation in operations:
                self._history.never_sent(operation)
            await asyncio.sleep(AGAIN_S)
            return None
        if status < 400:
            return body
        assert body["code"] == "not_found", body
        for operation in operations:
            self._history.answered(operation, "refused")
        return None

    def _own(self, chat_id: int) -> int | None:
        """The id of a message of one's own."""
        own = [each for each, _, author in self._places.messages[chat_id] if author == self._person.id]
        return self._script.choice(own) if own else None

    def _new_text(self) -> tuple[str, str]:
        """A new `client_id`, and a content that no other message has."""
        word = f"{self._person.username} {next(self._numbers)}"
        return word, word.ljust(self._script.choice(CONTENT_CHARS), ".")


async def final_of(person: Person, history: History, chat_id: int) -> Final:
    """The chat as it is when nobody writes any more; reading it is an operation of the history."""
    operation = history.call(chat_id, person.id, "page")
    page = await person.get(f"/chats/{chat_id}/messages", limit=PAGE_MAX)
    history.answered(operation, "acked", page=[shown(each) for each in page["messages"]])
    members = (await person.get(f"/chats/{chat_id}/members"))["members"]
    return Final(
        {message["id"]: shown(message) for message in page["messages"]},
        {f"{message['sender_id']}/{message['client_id']}": message["id"] for message in page["messages"]},
        {member["user"]["id"]: member["read_seq"] for member in members},
    )
