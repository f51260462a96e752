"""A run: clients who write and read while something happens to the nodes."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.people import Person
from tests.clients.program import Program
from tests.linearizability.clients import HistoryClient, Places, final_of
from tests.linearizability.history import Final, History, Line, verdicts

KINDS = ("rest", "raw", "socketio", "polling")


@dataclass
class Run:
    """The history of a run, and its chats afterwards."""

    history: History
    finals: Mapping[int, Final]


Disturb = Callable[[Places, History], Awaitable[None]]


async def record(
    people: Sequence[Person], chats: int, operations: int, disturbances: Sequence[Disturb], seed: object
) -> Run:
    """Lets people write and read in these many chats; each disturbance comes after an equal share of operations."""
    chat_ids = [await people[0].chat(*people[1:], name=f"chat {number}") for number in range(chats)]
    places, history = Places(chat_ids), History()
    places.up.set()
    async with asyncio.TaskGroup() as running:
        for n, person in enumerate(people):
            client = HistoryClient(
                KINDS[n % len(KINDS)], person, places, history, random.Random(f"{seed} {n}")
            )
            running.create_task(client.run(operations))
        for number, disturb in enumerate(disturbances, 1):
            while len(history.operations) < number * operations // (len(disturbances) + 1):
                await asyncio.sleep(0.002)
            await disturb(places, history)
    finals = {chat_id: await final_of(people[0], history, chat_id) for chat_id in chat_ids}
    return Run(history, finals)


def kill(program: Program) -> Disturb:
    """Kills the only node, and starts it again on the same data."""

    async def disturb(places: Places, history: History) -> None:
        places.up.clear()
        await program.kill()
        history.ended()
        await program.start()
        places.up.set()

    return disturb


async def assert_linearizable(history: Sequence[Line], file: Path) -> Counter[str]:
    """Asserts that Porcupine finds an order for each object; else the history is in the file. Returns the number of
    operations of each kind of object."""
    file.write_text(json.dumps(history))
    counts: Counter[str] = Counter()
    for found in await verdicts(history):
        assert found["verdict"] == "ok", explained(found)
        counts[found["object"].split()[0]] += found["operations"]
    return counts


def explained(found: Line) -> str:
    """A verdict without the contents of its messages."""
    stuck = [
        {key: value for key, value in each.items() if key not in ("page", "content")}
        for each in found["stuck"]
    ]
    return "\n".join(
        [f"{found['object']}: {found['verdict']}, {found['operations']} operations", *map(str, stuck)]
    )


async def assert_faults_are_found(history: Sequence[Line]) -> None:
    """Plants a fault of each kind in a copy of a linearizable history, and asserts that Porcupine finds it."""
    pages = [line for line in history if line["kind"] == "page" and line["object"].startswith("log")]
    last = next(line for line in reversed(pages) if line["page"])
    first = next(line for line in pages if line["object"] == last["object"])
    repeat = next(line for line in history if line.get("duplicate") and line["object"] == last["object"])
    assert first["page"] != last["page"]
    faults = {
        "lost": (last, {"page": last["page"][:-1]}),
        "stale": (last, {"page": first["page"]}),
        "twice": (repeat, {"duplicate": False}),
    }
    for name, (at, change) in faults.items():
        planted = [
            {**line, **change} if line is at else line for line in history if line["object"] == at["object"]
        ]
        (found,) = await verdicts(planted)
        assert found["verdict"] == "illegal", name
