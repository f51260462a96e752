"""The checker finds faults that are planted in a history, and none in the same history without them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.linearizability.history import Line, verdicts

Plant = Callable[[list[Line]], None]


def message(seq: int, changed: int | None = None, content: str = "") -> Line:
    return {
        "id": 100 + seq,
        "seq": seq,
        "changed": changed or seq,
        "content": content or f"text {seq}",
    }


def line(at: int, kind: str, *, until: int | None = None, outcome: str = "acked", **fields: Any) -> Line:
    """An operation that takes one unit of time, or until `until`."""
    times = {"call": 10 * at, "return": 10 * (at if until is None else until) + 5}
    return {"object": "log 1", "kind": kind, "outcome": outcome, "from": "test", **times, **fields}


def sent(at: int, seq: int, *, until: int | None = None, duplicate: bool = False) -> Line:
    made = message(seq)
    fields: Line = {"key": f"key {seq}", "id": made["id"], "content": made["content"]}
    return line(at, "send", until=until, shown=made, duplicate=duplicate, **fields)


def history() -> list[Line]:
    """Sends, an edit, a deletion, repeats, reads and marks, of which some overlap."""
    perhaps: Line = {"outcome": "perhaps", "key": "key 4", "id": 104, "seq": 4, "content": "text 4"}
    return [
        sent(0, 1, until=2),
        sent(1, 2, until=2),
        sent(3, 2, duplicate=True),
        line(4, "page", page=[message(1), message(2)]),
        line(5, "edit", id=101, content="edited", seq=3),
        line(6, "get", id=101, shown=message(1, 3, "edited")),
        line(7, "send", until=9, **perhaps),
        line(8, "page", page=[message(1, 3, "edited"), message(2)]),
        line(10, "page", page=[message(1, 3, "edited"), message(2), message(4)]),
        line(11, "delete", id=102, seq=5),
        line(12, "get", id=102, outcome="refused"),
        line(13, "page", page=[message(1, 3, "edited"), message(4)]),
        {**line(14, "head", seq=5)},
        {**line(0, "mark", seq=2, shown={"seq": 2}), "object": "mark 1 of 7"},
        {**line(1, "mark", seq=1, shown={"seq": 2}), "object": "mark 1 of 7"},
        {**line(2, "head", seq=2), "object": "mark 1 of 7"},
    ]


async def test_a_history_without_faults_is_ok() -> None:
    found = await verdicts(history())
    assert [(each["object"], each["verdict"], each["operations"]) for each in found] == [
        ("log 1", "ok", 13),
        ("mark 1 of 7", "ok", 3),
    ]


def lost_message(lines: list[Line]) -> None:
    lines[11]["page"] = lines[11]["page"][:1]


def lost_edit(lines: list[Line]) -> None:
    lines[8]["page"][0] = message(1)


def second_message_for_one_client_id(lines: list[Line]) -> None:
    lines[2] |= {"duplicate": False, "shown": message(3) | {"content": "text 2"}}


def stale_page(lines: list[Line]) -> None:
    lines[3]["page"] = lines[3]["page"][:1]


def stale_message(lines: list[Line]) -> None:
    lines[5]["shown"] = message(1)


def stale_head(lines: list[Line]) -> None:
    lines[12]["seq"] = 4


def hole_in_the_numbers(lines: list[Line]) -> None:
    lines[4]["seq"] = 4


def message_of_the_future(lines: list[Line]) -> None:
    lines[3]["page"].append(message(4))


def write_without_an_answer_that_comes_and_goes(lines: list[Line]) -> None:
    lines[8]["page"].pop()


def deleted_message_that_is_back(lines: list[Line]) -> None:
    lines[11]["page"].insert(1, message(2))


def reordered_page(lines: list[Line]) -> None:
    lines[3]["page"].reverse()


def mark_that_goes_back(lines: list[Line]) -> None:
    lines[14]["shown"] = {"seq": 1}


def lost_mark(lines: list[Line]) -> None:
    lines[15]["seq"] = 0


FAULTS = (
    lost_message,
    lost_edit,
    second_message_for_one_client_id,
    stale_page,
    stale_message,
    stale_head,
    hole_in_the_numbers,
    message_of_the_future,
    write_without_an_answer_that_comes_and_goes,
    deleted_message_that_is_back,
    reordered_page,
    mark_that_goes_back,
    lost_mark,
)


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
async def test_a_planted_fault_is_found(plant: Plant) -> None:
    lines = history()
    plant(lines)
    assert sorted(each["verdict"] for each in await verdicts(lines)) == ["illegal", "ok"]
