"""The code of the documents, as a reader runs it: with the address of the server and a token in the environment."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from typing import Any

import pytest

from server.documents.openapi import operations
from server.documents.operations import Operation
from server.documents.samples import Samples, command_samples_of, samples_of
from tests.clients.documented import asyncapi
from tests.documents.world import World
from tests.socketio.node import DRIVER, need_node

TIMEOUT_S = 60.0

USUAL = ("create_message", "upload", "get_upload")
"""With a body, with a file, and with a file as the answer."""

USUAL_COMMANDS = ("send_message",)

FILES = {
    "curl": (["sh", "-e"], "sample.sh"),
    "JavaScript": (["node"], "sample.mjs"),
    "WebSocket": (["node", "--experimental-websocket", "--no-warnings"], "sample.mjs"),
    "Python": ([sys.executable], "sample.py"),
}


async def run(world: World, label: str, source: str, token: str) -> str:
    """What the code prints. Fails if the code does."""
    program, name = FILES[label]
    (world.folder / name).write_text(source, "utf8")
    process = await asyncio.create_subprocess_exec(
        *program,
        name,
        cwd=world.folder,
        env={"PATH": os.environ["PATH"], "VESTNIK_URL": world.server.url, "VESTNIK_TOKEN": token},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, f"{source}\n{said.decode(errors='replace')}"
    return said.decode()


async def run_calls(world: World, chosen: Sequence[Operation]) -> None:
    for operation in chosen:
        for label in FILES.keys() & {"curl", "JavaScript", "Python"}:
            request, token = await world.call_of(operation)
            has_body = any(content for _, content in operation.answers.values())
            samples: Samples = samples_of(request, answers=has_body)
            said = await run(world, label, samples[label], token)
            assert bool(said.strip()) is (has_body and not request.saves), (operation.id, said)


async def run_commands(world: World, names: Sequence[str]) -> None:
    messages = asyncapi()["channels"]["socketio"]["messages"]
    for name in names:
        key = name if name in messages and "examples" in messages[name] else f"{name}_command"
        example: dict[str, Any] = messages[key]["examples"][0]["payload"]
        for label in ("WebSocket", "JavaScript", "Python"):
            values = await world.values_of(example)
            payload = {field: values.get(field, value) for field, value in example.items()}
            said = await run(world, label, command_samples_of(name, payload)[label], world.ann.token)
            assert "ok: true" in said or "'ok': True" in said, (name, said)


def commands() -> list[str]:
    names = [one["title"] for one in asyncapi()["operations"].values() if one["action"] == "receive"]
    return list(dict.fromkeys(names))


@pytest.fixture
def world(world: World) -> World:
    need_node()
    if shutil.which("curl") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("curl is not installed")
    (world.folder / "node_modules").symlink_to(DRIVER.parent / "node_modules")
    return world


async def test_some_code_runs_as_it_stands(world: World) -> None:
    by_id = {operation.id: operation for operation in operations()}
    await run_calls(world, [by_id[name] for name in USUAL])
    await run_commands(world, USUAL_COMMANDS)


@pytest.mark.long
async def test_all_code_of_calls_runs_as_it_stands(world: World) -> None:
    await run_calls(world, operations())


@pytest.mark.long
async def test_all_code_of_commands_runs_as_it_stands(world: World) -> None:
    await run_commands(world, commands())


def test_the_documents_have_the_code_that_is_run_with_other_values() -> None:
    """The tests above put real ids, names and tokens into the requests from which this code is made."""
    for operation in operations():
        shown = {sample["label"]: sample["source"] for sample in operation.as_part()["x-codeSamples"]}
        has_body = any(content for _, content in operation.answers.values())
        assert shown == samples_of(operation.request, answers=has_body)
    for wire, labels in (("raw", ("frame", "WebSocket")), ("socketio", ("JavaScript", "Python"))):
        for name in commands():
            part = asyncapi()["operations"][f"{wire}_{name}"]
            key = part["messages"][0]["$ref"].rsplit("/", 1)[1]
            example = asyncapi()["channels"][wire]["messages"][key]["examples"][0]["payload"]
            payload = {
                field: value
                for field, value in example.items()
                if wire == "socketio" or field not in ("type", "id")
            }
            samples = command_samples_of(name, payload)
            assert {one["label"]: one["source"] for one in part["x-codeSamples"]} == {
                label: samples[label] for label in labels
            }


async def test_code_that_fails_says_so(world: World) -> None:
    operation = next(one for one in operations() if one.id == "get_chat")
    samples = samples_of(operation.request)
    for label in ("curl", "JavaScript", "Python"):
        with pytest.raises(AssertionError, match=r"404|not_found"):
            await run(world, label, samples[label], world.ann.token)
