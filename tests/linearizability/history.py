"""What clients asked and were answered, with the times of both, and the verdict of Porcupine."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns
from typing import Any

from tests.clients.go_programs import need_built

CHECKER = Path(__file__).parent / "checker"

SEARCH_S = 60
"""How long Porcupine may search for the order of one object."""

Line = dict[str, Any]


@dataclass(eq=False)
class Operation:
    """One operation on a chat. `returned_ns` is None until there is an answer; `lines` describe it to the checker.

    `outcome`: "acked", "refused" (not_found), or "unknown" if the answer never came.
    """

    chat_id: int
    user_id: int
    kind: str
    fields: Line
    called_ns: int
    returned_ns: int | None = None
    outcome: str = "unknown"


@dataclass
class History:
    """The operations of one run. `ends_ns`: when a killed node had ended: nothing that was under way happens later.
    With several nodes nobody can say so, and the list stays empty."""

    operations: list[Operation] = field(default_factory=list)
    ends_ns: list[int] = field(default_factory=list)

    def call(self, chat_id: int, user_id: int, kind: str, **fields: Any) -> Operation:
        operation = Operation(chat_id, user_id, kind, fields, monotonic_ns())
        self.operations.append(operation)
        return operation

    def answered(self, operation: Operation, outcome: str, **fields: Any) -> None:
        operation.returned_ns = monotonic_ns()
        operation.outcome = outcome
        operation.fields |= fields

    def ended(self) -> None:
        """The only node has just ended."""
        self.ends_ns.append(monotonic_ns())

    def never_sent(self, operation: Operation) -> None:
        self.operations.remove(operation)

    def returned_ns(self, operation: Operation, end_ns: int) -> int:
        """The last moment at which the operation may have happened."""
        if operation.returned_ns is not None:
            return operation.returned_ns
        return min((at for at in self.ends_ns if at >= operation.called_ns), default=end_ns)


@dataclass
class Final:
    """A chat after the last operation: its messages by id as pages show them, and read marks by user."""

    messages: dict[int, Line]
    keys: dict[str, int]
    """The ids of the messages by sender and `client_id`."""
    marks: dict[int, int]

    def place_of(self, key: str) -> tuple[int, int] | None:
        """The id and `seq` of a message."""
        message_id = self.keys.get(key)
        return None if message_id is None else (message_id, self.messages[message_id]["seq"])


def shown(message: Mapping[str, Any]) -> Line:
    """A message as the checker compares it."""
    return {
        "id": message["id"],
        "seq": message["seq"],
        "changed": message["changed_seq"],
        "content": message["content"],
    }


def lines(history: History, finals: Mapping[int, Final], *, snapshots: bool) -> Iterator[Line]:
    """The history as the checker reads it: per chat its log, as REST shows it, and its room, as joins show it; per
    user and chat the read mark.

    `snapshots`: whether a page shows all its messages as they were at one moment. If not, each of its messages is a
    read of its own, and joins are left out.
    """
    end_ns = monotonic_ns()
    known = _known(history)
    for operation in history.operations:
        settled = _settled(operation, finals[operation.chat_id], known)
        if settled is None:
            continue
        times = {"call": operation.called_ns, "return": history.returned_ns(operation, end_ns)}
        base = {**times, "kind": operation.kind, "from": str(operation.user_id), **settled}
        for name in _objects(operation, snapshots):
            yield from _lines_of(name, base, snapshots, known)


def _objects(operation: Operation, snapshots: bool) -> list[str]:
    chat_id = operation.chat_id
    match operation.kind:
        case "send" | "edit" | "delete":
            return [f"log {chat_id}", *([f"room {chat_id}"] if snapshots else [])]
        case "get" | "page":
            return [f"log {chat_id}"]
        case "join" | "head":
            return [f"room {chat_id}"] if snapshots else []
        case _:
            return [f"mark {chat_id} of {operation.user_id}"]


def _lines_of(name: str, base: Line, snapshots: bool, known: "_Known") -> Iterator[Line]:
    line = {"object": name, **base}
    if base["kind"] == "page" and not snapshots:
        found = {message["id"]: message for message in base["page"]}
        chat_id = int(name.split()[1])
        for message_id in known.ids[chat_id] | found.keys():
            seen = found.get(message_id)
            outcome = "acked" if seen else "refused"
            yield {**line, "kind": "get", "page": [], "id": message_id, "shown": seen, "outcome": outcome}
    elif base["kind"] == "join":
        yield {**line, "kind": "page"}
    elif base["kind"] == "mark_read":
        yield {**line, "kind": "head"}
    else:
        yield line


@dataclass
class _Known:
    """What acks have said: messages by key as (id, seq), and the ids in each chat."""

    by_key: dict[str, tuple[int, int]]
    ids: dict[int, set[int]]


def _known(history: History) -> _Known:
    known = _Known({}, {operation.chat_id: set() for operation in history.operations})
    for operation in history.operations:
        if operation.kind == "send" and operation.outcome == "acked":
            message = operation.fields["shown"]
            known.by_key[operation.fields["key"]] = (message["id"], message["seq"])
            known.ids[operation.chat_id].add(message["id"])
    return known


def _settled(operation: Operation, final: Final, known: _Known) -> Line | None:
    """The fields of an operation with its outcome. For a write without an answer, the final state says under which
    number it happened, if it did. None: it did not happen, or was a read."""
    fields = {**operation.fields, "outcome": operation.outcome}
    if operation.outcome != "unknown":
        return fields
    perhaps = {**fields, "outcome": "perhaps"}
    match operation.kind:
        case "send":
            place = final.place_of(fields["key"]) or known.by_key.get(fields["key"])
            return None if place is None else {**perhaps, "id": place[0], "seq": place[1]}
        case "edit":
            now = final.messages.get(fields["id"])
            if now is not None and now["content"] == fields["content"]:
                return {**perhaps, "seq": now["changed"]}
            return perhaps
        case "delete":
            return None if fields["id"] in final.messages else perhaps
        case "mark":
            return None if fields["seq"] > final.marks[operation.user_id] else perhaps
        case _:
            return None


async def verdicts(history: Iterable[Line]) -> list[Line]:
    """What Porcupine says of each object."""
    process = await asyncio.create_subprocess_exec(
        str(await asyncio.to_thread(need_built, CHECKER)),
        str(SEARCH_S),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    text = "".join(
        json.dumps({key: value for key, value in line.items() if value is not None}) + "\n"
        for line in history
    )
    output, _ = await process.communicate(text.encode())
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]
