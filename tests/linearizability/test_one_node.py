"""One node on SQLite is killed while clients of all gates write and read: each chat is linearizable all the same."""

import sys

import pytest

from tests.guarantees.conftest import Start
from tests.linearizability.history import lines
from tests.linearizability.runs import assert_faults_are_found, assert_linearizable, kill, record

CLIENTS = 10
CHATS = 8
OPERATIONS = 1500


async def check_one_node(start: Start, kills: int, seed: object) -> None:
    program = await start(RATE_LIMITS="off", LOG_LEVEL="INFO")
    people = [await program.person(f"user{n}") for n in range(CLIENTS)]
    run = await record(people, CHATS, OPERATIONS, [kill(program)] * kills, seed)
    history = list(lines(run.history, run.finals, snapshots=True))
    counts = await assert_linearizable(history, program.place / "history.json")
    await assert_faults_are_found(history)
    outcomes = [operation.outcome for operation in run.history.operations]
    sys.stdout.write(f"seed {seed}: {dict(counts)}, {outcomes.count('unknown')} without an answer\n")
    assert counts["log"] > OPERATIONS / 2
    assert outcomes.count("unknown") > 0


async def test_a_chat_is_linearizable_while_its_server_is_killed(start: Start) -> None:
    await check_one_node(start, 3, "short")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
async def test_a_chat_is_linearizable_while_its_server_is_killed_often(start: Start, seed: int) -> None:
    await check_one_node(start, 8, seed)
