"""SIGTERM in order, with real processes: not ready first, then the end of every connection; a second signal hurries."""

import asyncio
import signal
import time

import pytest

from tests.clients.halfway import stopped_halfway
from tests.clients.people import Person
from tests.clients.program import Program
from tests.clients.wires import WIRES, Wire
from tests.guarantees.conftest import Start
from tests.patience import SLACK

DRAIN_S = 4.0
BUSY_S = 2 * SLACK
"""How much longer a busy machine may take."""


async def open_wires(person: Person) -> list[Wire]:
    wires = [WIRES[kind](person.http, person.url, person.token, lambda _frame: None) for kind in WIRES]
    assert all(await asyncio.gather(*(wire.open() for wire in wires)))
    return wires


async def health(program: Program, name: str) -> tuple[int, object]:
    async with program.http.get(f"{program.url}/health/{name}") as answer:
        return answer.status, await answer.json()


async def test_it_serves_on_while_it_is_not_ready_and_then_ends(start: Start) -> None:
    program = await start(DRAIN_S=f"{DRAIN_S:g}", SHUTDOWN_TIMEOUT_S="8")
    ann = await program.person("ann")
    chat_id = await ann.chat()
    early = await open_wires(ann)
    assert await health(program, "ready") == (200, {"status": "ok"})
    asked_at = time.monotonic()
    program.send_signal(signal.SIGTERM)
    while (ready := await health(program, "ready"))[0] == 200:
        await asyncio.sleep(0.01)
    assert ready == (503, {"status": "going away"})
    assert (await health(program, "live"))[0] == 200
    late = await open_wires(ann)
    for number, wire in enumerate(early + late):
        answer = await wire.ask("send_message", chat_id=chat_id, content=f"message {number}")
        assert answer is not None
        assert answer["type"] == "ack"
    assert time.monotonic() - asked_at < DRAIN_S, "too slow a machine for what follows"
    async with asyncio.timeout(DRAIN_S + BUSY_S):
        await asyncio.gather(*(wire.over.wait() for wire in early + late))
    assert time.monotonic() - asked_at >= DRAIN_S
    assert [wire.close_code for wire in early + late] == [1001] * 6
    assert await program.ended(8 + BUSY_S) == 0
    await program.start()
    page = await ann.get(f"/chats/{chat_id}/messages")
    assert [message["content"] for message in page["messages"]] == [
        f"message {number}" for number in range(6)
    ]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
async def test_a_second_signal_ends_it_at_once(start: Start, name: str) -> None:
    program = await start(DRAIN_S="20", SHUTDOWN_TIMEOUT_S="30")
    wires = await open_wires(await program.person("ann"))
    program.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    assert not any(wire.over.is_set() for wire in wires)
    asked_at = time.monotonic()
    program.send_signal(signal.Signals[name])
    async with asyncio.timeout(BUSY_S):
        await asyncio.gather(*(wire.over.wait() for wire in wires))
    assert await program.ended(BUSY_S) == 0
    assert time.monotonic() - asked_at < BUSY_S
    assert [wire.close_code for wire in wires] == [1001] * 3
    assert "Traceback" not in program.log


async def test_a_second_signal_waits_for_no_client(start: Start) -> None:
    """Clients that stopped in the middle of everything would hold up the stop for the whole timeout."""
    program = await start(RATE_LIMITS="off", SHUTDOWN_TIMEOUT_S="60")
    ann = await program.person("ann")
    chat_id = await ann.chat()
    async with stopped_halfway(ann.http, ann.url, ann.token, chat_id):
        program.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        assert program.is_running
        asked_at = time.monotonic()
        program.send_signal(signal.SIGTERM)
        await program.ended(1 + BUSY_S)
        assert time.monotonic() - asked_at < 1 + BUSY_S
    await program.start()
    assert (await ann.get(f"/chats/{chat_id}/messages"))["messages"] is not None
