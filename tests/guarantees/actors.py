"""People who act at random in several chats, over every wire and over REST, without waiting for each other's answers;
and a record of what they asked, when, and what was answered."""

import asyncio
import itertools
import random
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import ClientError

from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire
from tests.guarantees.acts import Act, Room, SearchAct, created, rest_call
from tests.guarantees.sent_files import SentFiles
from tests.guarantees.texts import new_content, new_file, new_query

EMOJI = ("👍", "🎉", "❤\ufe0f")

SEARCH_LIMIT = 7

Way = tuple[Person, str]
"""A person at one of the hosts, and the kind of a wire, or `rest`."""

Send = tuple[Room, Way, dict[str, Any]]

KNOWN_MAX = 12
"""Most acts concern one of the newest of these many messages, so that acts meet."""


class Actors:
    """`hosts` are the same people at each node, by name. `visitor` is in the last room now and then, and only
    searches."""

    def __init__(
        self,
        hosts: Sequence[Mapping[str, Person]],
        rooms: Sequence[Room],
        visitor: str,
        script: random.Random,
    ) -> None:
        self.hosts, self.rooms, self.script = list(hosts), rooms, script
        self.acts: list[Act] = []
        self.searches: list[SearchAct] = []
        self.visits: list[Act] = []
        self.shaky = False
        """Whether a node may be gone, so that answers may be missing or `unavailable`."""
        self._visitor = visitor
        self._visiting: asyncio.Future[Any] | None = None
        self._wires: dict[tuple[str, str], Wire] = {}
        self._pending: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []
        self.files = SentFiles()
        self._opening = asyncio.Lock()
        self._ticks = itertools.count(1)
        self._numbers = itertools.count(1)

    # What can be done, each by one step of the script.

    async def send(self) -> None:
        room = self._room()
        number = next(self._numbers)
        fields: dict[str, Any] = {"content": new_content(self.script, number), "client_id": f"c{number}"}
        await self._ask("send_message", self._member(room), room, chat_id=room.model.chat_id, **fields)

    async def send_files(self) -> None:
        """Uploads files, then sends them; now and then one file in two rooms at once, or none of them."""
        who = self.script.choice(list(self.rooms[-1].model.members))
        rooms = [room for room in self.rooms if who in room.model.members]
        rooms = self.script.sample(rooms, self.script.choice((0, 1, 1, 1, 1, 2)))
        sends: list[Send] = []
        for room in rooms:
            number = next(self._numbers)
            fields: dict[str, Any] = {"content": new_content(self.script, number), "client_id": f"c{number}"}
            sends.append((room, self._way(who), fields | {"chat_id": room.model.chat_id}))
        count = self.script.randint(1, 3) if len(rooms) < 2 else 1
        uploads = [(self._person(who), new_file(self.script)) for _ in range(count)]
        self._begin(self._send_files(who, uploads, sends))

    async def _send_files(
        self, who: str, uploads: Sequence[tuple[Person, bytes]], sends: Sequence["Send"]
    ) -> None:
        ids = await self.files.upload(uploads, lambda: self.shaky)
        for room, way, fields in sends if ids else ():
            await self._ask("send_message", who, room, way=way, **fields, attachments=ids)

    async def edit(self) -> None:
        for room, message in self._some_message():
            author = self._name_of(room, message["sender_id"])
            name = author if self.script.random() < 0.95 else self._member(room)
            content = new_content(self.script, next(self._numbers))
            await self._ask("edit_message", name, room, message_id=message["id"], content=content)

    async def delete(self) -> None:
        for room, message in self._some_message():
            may = [self._name_of(room, message["sender_id"]), *(room.admins if room.model.is_group else ())]
            name = self.script.choice(may) if self.script.random() < 0.95 else self._member(room)
            await self._ask("delete_message", name, room, message_id=message["id"])

    async def react(self) -> None:
        await self._reaction("add_reaction")

    async def unreact(self) -> None:
        await self._reaction("remove_reaction")

    async def _reaction(self, name: str) -> None:
        for room, message in self._some_message():
            emoji = self.script.choice(EMOJI)
            await self._ask(name, self._member(room), room, message_id=message["id"], emoji=emoji)

    async def pin(self) -> None:
        await self._pin("pin_message")

    async def unpin(self) -> None:
        await self._pin("unpin_message")

    async def _pin(self, name: str) -> None:
        for room, message in self._some_message():
            may = room.admins if self.script.random() < 0.95 else list(room.model.members)
            await self._ask(name, self.script.choice(list(may)), room, message_id=message["id"])

    async def read(self) -> None:
        for room, message in self._some_message():
            fields = {"up_to": message["id"]} if self.script.random() < 0.7 else {}
            await self._ask("read_messages", self._member(room), room, chat_id=room.model.chat_id, **fields)

    async def search(self) -> None:
        query = new_query(self.script)
        names = [*self.rooms[0].model.members, self._visitor]
        person = self._person(self.script.choice(names))
        params: dict[str, Any] = query.params | {"limit": SEARCH_LIMIT}
        act = SearchAct("search", person.id, 0, params, next(self._ticks), self._heads(), query=query)
        self.searches.append(act)
        self._begin(self._search(act, person))

    async def visit(self) -> None:
        """Adds the visitor to the last room, or removes them. One such act at a time."""
        if self._visiting is not None and not self._visiting.done():
            return
        room = self.rooms[-1]
        joins = not self.visits or self.visits[-1].name == "leave"
        owner, user_id = self._person(room.admins[0]), self._person(self._visitor).id
        path = f"/chats/{room.model.chat_id}/members"
        act = Act(
            "join" if joins else "leave",
            user_id,
            room.model.chat_id,
            {},
            next(self._ticks),
            self._heads(),
        )
        self.visits.append(act)
        if joins:
            call = self._call(act, owner, "POST", path, json={"user_id": user_id, "role": "member"})
        else:
            call = self._call(act, owner, "DELETE", f"{path}/{user_id}")
        self._visiting = self._begin(call)

    async def cut(self) -> None:
        """Cuts off one who acts; what was not answered may be done or not."""
        if self._wires:
            self._wires.pop(self.script.choice(list(self._wires))).cut()

    async def answers(self) -> None:
        """Returns when everything is answered, or is known to have no answer."""
        while self._pending:
            await asyncio.wait(self._pending)
        for error in self._failed:
            raise error

    async def say(self, name: str, room: Room, content: str) -> None:
        """Sends a message, again if nobody knows whether it was sent."""
        fields: dict[str, Any] = {"chat_id": room.model.chat_id, "content": content, "client_id": content}
        while not (act := await self._ask("send_message", name, room, **fields)).acked:
            await self.answers()
            if act.acked:
                break
            assert self.shaky, act

    async def close(self) -> None:
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        for wire in self._wires.values():
            await wire.close()

    # How it is done.

    async def _ask(self, name: str, who: str, room: Room, *, way: "Way | None" = None, **fields: Any) -> Act:
        person, kind = way or self._way(who)
        act = Act(name, person.id, room.model.chat_id, fields, next(self._ticks), self._heads())
        self.acts.append(act)
        if kind == "rest":
            method, path, body = rest_call(name, fields)
            self._begin(self._call(act, person, method, path, json=body))
            return act
        async with self._opening:
            wire = self._wires.get((who, kind))
            if wire is None or wire.over.is_set():
                wire = WIRES[kind](person.http, person.url, person.token, lambda frame: None)
                if not await wire.open():
                    assert self.shaky, "nobody is let in"
                    return act
                self._wires[who, kind] = wire
            answer = await wire.start(name, **fields)
        self._begin(self._answer(act, room, answer))
        return act

    def _way(self, who: str) -> "Way":
        """Where a command goes, and over which wire."""
        return self._person(who), self.script.choice([*WIRES, "rest"])

    async def _answer(self, act: Act, room: Room, answer: "asyncio.Future[Frame | None]") -> None:
        self._answered(act, room, await answer)

    async def _call(self, act: Act, person: Person, method: str, path: str, **options: Any) -> None:
        try:
            status, body = await person.request(method, path, **options)
        except (ClientError, OSError):
            assert self.shaky, ("no answer", act)
            self._answered(act, None, None)
            return
        if status >= 400:
            self._answered(act, None, {"type": "error", **body["error"]})
            return
        answer: Frame = {"type": "ack"}
        if act.name.endswith(("message", "reaction")) and body is not None:
            answer |= {"message": body, "seq": body["changed_seq"]}
        elif act.name == "read_messages":
            answer |= body
        (room,) = (one for one in self.rooms if one.model.chat_id == act.chat_id)
        self._answered(act, room, answer)

    def _answered(self, act: Act, room: Room | None, answer: Frame | None) -> None:
        if answer is not None and answer.get("code") == "unavailable":
            assert self.shaky, act
            answer = None
        act.answer, act.ended = answer, next(self._ticks)
        if room is not None and answer is not None and "seq" in answer:
            seq = answer["message"]["changed_seq"] if "message" in answer else answer["seq"]
            room.acked = max(room.acked, seq)

    async def _search(self, act: SearchAct, person: Person) -> None:
        params = dict(act.fields)
        while True:
            try:
                status, body = await person.request("GET", "/messages/search", params=params)
            except (ClientError, OSError):
                status, body = 503, None
            if status == 503:
                assert self.shaky, (act, body)
                return
            assert status == 200, (act, body)
            act.hits += body["messages"]
            if body["next_cursor"] is None:
                break
            params["cursor"] = body["next_cursor"]
        act.answer, act.ended = {"type": "ack"}, next(self._ticks)

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._pending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.append(error)

    # Whom and what an act concerns.

    def _person(self, name: str) -> Person:
        return self.script.choice(self.hosts)[name]

    def _heads(self) -> dict[int, int]:
        return {room.model.chat_id: room.known() for room in self.rooms}

    def _room(self) -> Room:
        return self.script.choice(self.rooms)

    def _member(self, room: Room) -> str:
        return self.script.choice(list(room.model.members))

    def _name_of(self, room: Room, user_id: int) -> str:
        return next(name for name, one in room.model.members.items() if one == user_id)

    def _some_message(self) -> Iterator[tuple[Room, Frame]]:
        """A room and the first state of a message, mostly of a new one, which may be deleted; nothing while there is
        none."""
        room = self._room()
        ids = room.model.ids()
        if not ids:
            return
        newest = ids[-KNOWN_MAX:] if self.script.random() < 0.8 else ids
        yield room, created(room.model, self.script.choice(newest))
