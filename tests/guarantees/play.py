"""A random play of people who act and clients who are cut off, and its end."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from storage.files.ports import Files
from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame, Wire
from tests.guarantees.actors import Actors
from tests.guarantees.acts import Room
from tests.guarantees.chat_model import ChatModel
from tests.guarantees.followers import Follower, ListKeeper, expected
from tests.guarantees.verdict import check_acts, check_searches

NAMES = ("ann", "bob", "cid")
"""Who act; Dan, the visitor, does not."""

STEPS = {
    "send": 16,
    "send_files": 6,
    "edit": 8,
    "delete": 4,
    "react": 10,
    "unreact": 6,
    "pin": 6,
    "unpin": 3,
    "read": 6,
    "search": 10,
    "visit": 3,
    "cut": 2,
    "cut_follower": 8,
    "join_again": 6,
    "cut_list": 2,
    "pause": 12,
    "turn": 2,
}
"""What happens, and how often in about a hundred steps."""

PATIENCE_S = 100
CONVERGED_S = 10


class Play:
    """Three chats of Ann, Bob and Cid: a group of all; a private one of Ann and Bob; and a group that Dan is in now and
    then. Each has two followers, and each member keeps a list of chats."""

    def __init__(
        self,
        hosts: Sequence[Mapping[str, Person]],
        rooms: Sequence[Room],
        script: random.Random,
        turn: Callable[[], None] = lambda: None,
    ) -> None:
        """The models hear what the first node says. `turn`: turns the server's clock by a second."""
        self.hosts, self.rooms, self.script, self._turn = list(hosts), rooms, script, turn
        self.actors = Actors(self.hosts, rooms, "dan", script)
        here = self.hosts[0]
        kinds = [*WIRES] * 2
        self.followers = [
            Follower(kinds.pop(), self._some_host()[name], room.model)
            for room in rooms
            for name in script.sample(sorted(room.model.members), 2)
        ]
        self.lists = [
            ListKeeper(kind, self._some_host()[name]) for kind, name in zip(WIRES, NAMES, strict=True)
        ]
        self._clients: Sequence[Follower | ListKeeper] = [*self.followers, *self.lists]
        self.cuts = 0
        self._coming: dict[Follower | ListKeeper, asyncio.Task[bool]] = {}
        self._broken: list[AssertionError] = []
        self._witnesses = [Witness(here[room.admins[0]], room.model, self._broken) for room in rooms]

    def _some_host(self) -> Mapping[str, Person]:
        return self.script.choice(self.hosts)

    async def run(self, steps: int) -> None:
        for witness in self._witnesses:
            await witness.join()
        for client in self._clients:
            self._come(client)
        await self.go_on(steps)

    async def go_on(self, steps: int) -> None:
        for step in self.script.choices(list(STEPS), list(STEPS.values()), k=steps):
            await getattr(self if hasattr(self, step) else self.actors, step)()

    async def cut_follower(self) -> None:
        self.cuts += 1
        self.script.choice(self.followers).cut()

    async def join_again(self) -> None:
        """Joins, connecting first if need be, also while in the room."""
        self._come(self.script.choice(self.followers))

    async def cut_list(self) -> None:
        self.cuts += 1
        keeper = self.script.choice(self.lists)
        keeper.cut()
        self._come(keeper)

    async def turn(self) -> None:
        self._turn()

    async def pause(self) -> None:
        """Lets the server go on, for a moment or until it has answered everything."""
        if self.script.random() < 0.2:
            await self.actors.answers()
        for _ in range(self.script.randint(1, 8)):
            await asyncio.sleep(0.001)

    async def lose(self, lost: Mapping[str, Person], kill: Callable[[], Awaitable[None]]) -> None:
        """Kills a node and goes on without it: its clients go to another one."""
        self.actors.shaky = True
        await kill()
        self.hosts.remove(lost)
        self.actors.hosts.remove(lost)
        for client in self._clients:
            if client.person in lost.values():
                client.cut()
                client.person = self.hosts[0][client.person.username]

    def _come(self, client: Follower | ListKeeper) -> None:
        before = self._coming.get(client)
        if before is not None:
            if not before.done():
                return
            before.result()
        coming = client.catch_up() if isinstance(client, Follower) else client.connect()
        self._coming[client] = asyncio.create_task(coming)

    async def settle(self) -> None:
        """Returns when all is answered, heard and caught up."""
        await self.actors.answers()
        here, self.actors.hosts = self.actors.hosts, self.hosts[:1]
        for room in self.rooms:  # all that was stored before is heard before this
            await self.actors.say(room.admins[0], room, f"the end of {room.model.chat_id}")
        self.actors.hosts = here
        await _until(lambda: all(room.model.head >= room.acked for room in self.rooms))
        for coming in self._coming.values():
            await coming
        for client in self._clients:
            await client.settle()
        with suppress(TimeoutError):  # `check` says what is missing
            await _until(self._marks_are_told)
        for error in self._broken:
            raise error

    def _marks_are_told(self) -> bool:
        """Marks have no place in the order of a chat: another node tells them up to 2 s later."""
        marks = {room.model.chat_id: room.model.marks for room in self.rooms}
        acked = [act for act in self.actors.acts if act.name == "read_messages" and act.acked]
        told = [(act.answer or {})["read_seq"] <= marks[act.chat_id].get(act.user_id, 0) for act in acked]
        known = [one.read_seq == marks[one.chat_id].get(one.person.id, 0) for one in self.followers]
        return all(told) and all(known)

    async def check(self) -> None:
        for room in self.rooms:
            check_acts(room, self.actors.acts)
        self.actors.files.check_sends(self.rooms, self.actors.acts)
        check_searches(self.actors)
        for follower in self.followers:
            await follower.check()
            follower.check_against(
                next(room.model for room in self.rooms if room.model.chat_id == follower.chat_id)
            )
        for keeper in self.lists:
            await self._check_list(keeper)

    async def _check_list(self, keeper: ListKeeper) -> None:
        name = keeper.person.username
        wanted = {
            room.model.chat_id: expected(room.model, keeper.person.id)
            for room in self.rooms
            if name in room.model.members
        }
        self._turn()
        try:
            await _until(lambda: keeper.chats == wanted)
        except TimeoutError:
            assert keeper.chats == wanted

    async def check_files(self, people: Mapping[str, Person], files: Files) -> None:
        """What is left of all files, for people at one of the hosts and in the store."""
        left = self.actors.files.left(self.rooms, self.actors.acts)
        await left.check({name: people[name] for name in NAMES})
        await left.check_kept(files)

    def summary(self) -> str:
        """What has happened, for the report of a test."""
        answered = [act for act in self.actors.searches if act.answer is not None]
        return (
            f"{len(self.actors.acts)} commands, {sum(act.answer is None for act in self.actors.acts)} without an"
            f" answer; {len(self.actors.files.uploads)} files;"
            f" {sum(room.model.head for room in self.rooms)} changes; {len(answered)} searches with"
            f" {sum(len(act.hits) for act in answered)} hits; {self.cuts} clients cut off"
        )

    async def close(self) -> None:
        for coming in self._coming.values():
            coming.cancel()
        await asyncio.gather(*self._coming.values(), return_exceptions=True)
        await self.actors.close()
        for client in (*self._clients, *self._witnesses):
            await client.close()


class Witness:
    """A connection that joins a chat before all else and is never cut off; its model hears everything."""

    def __init__(self, person: Person, model: ChatModel, broken: list[AssertionError]) -> None:
        self._model, self._broken = model, broken
        self._wire: Wire = WIRES["raw"](person.http, person.url, person.token, self._hear)

    async def join(self) -> None:
        assert await self._wire.open()
        ack = await self._wire.ask("join_chat", chat_id=self._model.chat_id, after_seq=0)
        assert ack is not None
        assert ack["type"] == "ack"

    def _hear(self, frame: Frame) -> None:
        try:
            if frame.get("chat_id") == self._model.chat_id:
                self._model.hear(frame)
        except (AssertionError, KeyError) as error:
            self._broken.append(error if isinstance(error, AssertionError) else AssertionError(frame, error))

    async def close(self) -> None:
        await self._wire.close()


async def new_rooms(people: Mapping[str, Person], *, several_nodes: bool) -> list[Room]:
    ann, bob, cid = (people[name] for name in NAMES)
    all_ids = {name: people[name].id for name in NAMES}
    both = {name: people[name].id for name in NAMES[:2]}
    group = await ann.chat(bob, cid, name="All")
    await ann.request("PATCH", f"/chats/{group}/members/{bob.id}", json={"role": "admin"})
    private = await ann.chat(bob, chat_type="private", name=None)
    await bob.chat(ann, chat_type="private", name=None)  # asks for it too, so that it is there for both
    open_group = await bob.chat(ann, cid, name="Visited")

    def room(chat_id: int, members: Mapping[str, int], *admins: str) -> Room:
        is_group = chat_id != private
        return Room(ChatModel(chat_id, members, is_group=is_group, several_nodes=several_nodes), admins)

    return [
        room(group, all_ids, "ann", "bob"),
        room(private, both, "ann", "bob"),
        room(open_group, all_ids, "bob"),
    ]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(CONVERGED_S):
        while not condition():
            await asyncio.sleep(0.005)


def new_seed() -> int:
    """A seed that a failure prints."""
    seed = int(os.environ.get("VESTNIK_MODEL_SEED", 0)) or random.SystemRandom().randrange(1, 10**9)
    sys.stdout.write(f"VESTNIK_MODEL_SEED={seed}\n")
    return seed


@asynccontextmanager
async def playing(
    hosts: Sequence[Mapping[str, Person]],
    turn: Callable[[], None] = lambda: None,
    patience_s: float = PATIENCE_S,
) -> AsyncIterator[Play]:
    """A play, which is held against the models in the end."""
    rooms = await new_rooms(hosts[0], several_nodes=len(hosts) > 1)
    one = Play(hosts, rooms, random.Random(new_seed()), turn)
    try:
        async with asyncio.timeout(patience_s):
            yield one
            await one.settle()
            sys.stdout.write(f"{one.summary()}\n")
            await one.check()
    finally:
        await one.close()
