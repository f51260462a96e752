"""Clients as people have them: official ones of many versions and languages, through one scenario.

They send more at once than one frame may have, text and bytes of every kind, and come back when the server restarts.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.clients.libraries import jars, python_packages
from tests.conftest import Serve
from tests.socketio.conftest import TRANSPORTS
from tests.socketio.node import Node, NodeProcess, need_node

pytestmark = pytest.mark.stores("sqlite")

DRIVERS = Path(__file__).parent / "drivers"

TEXTS = [
    "C:\\new\\name",
    "\\n",
    "one\ntwo\r\nthree",
    "\\\\n\\\n\\",
    "%41%zz + & ; = d=4",
    "\"quoted\" 'single' </script>",
    "x\u2028 \u2029 \x01 \x1f \x7f",
    "Привет, 🌍! \ud7ff\ue000\ufffd\U0010ffff",
    "b64 b YWJj",
]

NODE = ["3.0", *(pytest.param(one, marks=pytest.mark.long) for one in ("3.1", "4.0", "4.4")), "4.8"]

# The engine of that time, not the newest that the requirement lets in.
PYTHON = {
    "5.0": ("python-socketio[client]==5.0.4", "python-engineio==4.0.1"),
    "5.7": ("python-socketio[client]==5.7.2", "python-engineio==4.3.4"),
    "5.11": ("python-socketio[client]==5.11.4", "python-engineio==4.9.1"),
    "5.18": ("python-socketio[client]==5.18.1", "python-engineio==4.15.1"),
}
# The oldest and the newest in each run, those between them in the long one.
PYTHON_CLIENTS = [
    ("5.0", "async", "polling"),
    ("5.0", "sync", "upgrade"),
    *(
        pytest.param(*client, marks=pytest.mark.long)
        for client in (
            ("5.7", "async", "upgrade"),
            ("5.7", "sync", "polling"),
            ("5.11", "async", "websocket"),
            ("5.11", "sync", "polling"),
            ("5.11", "simple", "upgrade"),
            ("5.18", "async", "polling"),
        )
    ),
    ("5.18", "sync", "websocket"),
    ("5.18", "simple", "polling"),
]


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    """Processes that drive clients, by their commands: each is started once."""
    running: dict[tuple[str, ...], NodeProcess] = {}

    def process(*command: str, **env: str) -> NodeProcess:
        key = (*command, str(env))
        if key not in running:
            running[key] = NodeProcess(command, {**os.environ, **env})
        return running[key]

    yield process
    for process_ in running.values():
        process_.stop()


async def play(
    serve: Serve,
    node: Node,
    *,
    bursts: tuple[int, int] = (400, 900),
    bytes_wanted: bool = True,
    **options: Any,
) -> None:
    """What every client has to get through; `bursts` is how many small messages it sends in one turn."""
    server = await serve(messages_per_s=0, joins_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await node.open(server.url, ann.token, **options)
    await client.notice("connect")
    await client.next("connected")
    await client.done("join_chat", chat_id=chat_id)

    together = [
        *([f"{number} of {count}" for number in range(count)] for count in bursts),
        [f"{number} {'large… ' * 1500}"[:9000] for number in range(20)],
        TEXTS,
    ]
    for contents in together:
        answers = await client.burst(
            "send_message", [{"chat_id": chat_id, "content": text} for text in contents]
        )
        assert [answer["message"]["content"] for answer in answers] == contents
    contents = list(chain.from_iterable(together))
    received = [(await client.next("new_message")).payload for _ in contents]
    received.sort(key=lambda payload: payload["seq"])  # some libraries have a thread for each event
    assert [payload["message"]["content"] for payload in received] == contents
    assert (await ann.get(f"/chats/{chat_id}/messages", limit=1))["head_seq"] == len(contents)

    error = await client.error("ping", {"$bytes": "AAEC/f7/" * 30})
    assert error["code"] == "bad_frame"
    error = await client.error("send_message", {"chat_id": chat_id, "content": {"$bytes": "YQ=="}})
    assert error["code"] == "invalid"

    await server.restart()
    await client.notice("connect")
    await client.done("join_chat", chat_id=chat_id)
    message = await client.done("send_message", chat_id=chat_id, content="back")
    assert (await client.next("new_message")).payload["seq"] == message["seq"] == len(contents) + 1
    await client.done("ping")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("version", NODE)
async def test_javascript(serve: Serve, node_process: NodeProcess, version: str, transport: str) -> None:
    need_node()
    async with Node(node_process) as node:
        await play(serve, node, version=version, **TRANSPORTS[transport])


@pytest.mark.parametrize(("version", "kind", "transport"), PYTHON_CLIENTS)
async def test_python(serve: Serve, driver: Any, version: str, kind: str, transport: str) -> None:
    packages = python_packages(*PYTHON[version])
    process = driver(sys.executable, str(DRIVERS / "python_client.py"), PYTHONPATH=str(packages))
    async with Node(process) as node:
        # The simple client waits for the answer to each message before it sends the next.
        bursts = (40, 90) if kind == "simple" else (400, 900)
        await play(serve, node, bursts=bursts, version=kind, transports=TRANSPORTS[transport]["transports"])


@pytest.mark.long
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_java(serve: Serve, driver: Any, transport: str) -> None:
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")
    path = f"{jars(DRIVERS / 'java' / 'pom.xml')}/*"
    process = driver("java", "-cp", path, str(DRIVERS / "java" / "JavaClient.java"))
    async with Node(process) as node:
        await play(serve, node, transports=TRANSPORTS[transport]["transports"])
