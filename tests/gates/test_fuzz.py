"""Every gate with arbitrary input: the answer is always one of the contract, never an internal error."""

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import ClientSession, WSMsgType
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from yarl import URL

from handlers.commands import invites
from handlers.policy import Policy
from handlers.wire.errors import Code
from server.middlewares import STATUS
from tests.clients.admins import make_admin
from tests.clients.junk import RAW, SOCKETIO, invite_code, rest_calls
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.conftest import Serve, Server
from tests.patience import SLACK

STATUSES: dict[Code, int] = {code: status for code, status in STATUS.items() if code != "unavailable"}
LEAK = re.compile(
    r"Traceback|\w(Error|Exception)\b|object at 0x|\.py\b|\bNone\b|sqlite|SELECT|mongo", re.IGNORECASE
)
ERROR_KEYS = {"code", "message", "retryable", "retry_after_ms", "fields"}
ANSWER_TIMEOUT_S = 5.0 * SLACK

Example = Callable[[Any], Awaitable[None]]


def check_error(error: dict[str, Any]) -> None:
    """Asserts that this is an error of the contract without internals in its texts."""
    assert error.keys() <= ERROR_KEYS, error
    assert error["code"] in STATUSES, error
    if error["code"] != "unknown_event":  # the message repeats the name
        assert not LEAK.search(json.dumps(error)), error


async def alive(server: Server, person: Person) -> Person:
    """The person, logged in; another one if the account has ended, or an admin has set another password."""
    status, _ = await person.request("GET", "/users/me")
    if status == 200:
        return person
    login = {"username": person.username, "password": PASSWORD}
    status, answer = await person.request("POST", "/auth/login", json=login, headers={"Authorization": ""})
    if status != 200:
        assert status in (401, 403), answer
        return await server.person(f"another-{person.id}")
    person.token = answer["access_token"]
    return person


class Gate:
    """One gate of one server under test, and an admin of it, whose connection is opened again each time it ends, and in
    whose place another one comes if the account ends."""

    def __init__(self, server: Server, person: Person, http: ClientSession) -> None:
        self.server = server
        self.person = person
        self.http = http
        self.socket: Any = None
        self.number = 0

    async def prepare(self) -> None:
        """Logs the user in and creates chats, messages and invites to work on."""
        self.person = await alive(self.server, self.person)
        await make_admin(self.server.chat_app, self.person.id)
        chat_id = await self.person.chat(name="Room")
        await self.person.say(chat_id, "hello")
        await self.person.post(f"/chats/{chat_id}/invites")

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def text(self, codes: frozenset[int]) -> str | None:
        """The next text; None if the connection has ended, with one of these codes."""
        message = await asyncio.wait_for(self.socket.receive(), ANSWER_TIMEOUT_S)
        if message.type is WSMsgType.TEXT:
            return str(message.data)
        # The code that came: aiohttp's own is 1006 if the server has closed before the answer to it was written.
        code = message.data if message.type is WSMsgType.CLOSE else self.socket.close_code
        assert code in codes, (message, code)
        self.socket = None
        return None


class RawGate(Gate):
    STRATEGY = RAW
    CODES = frozenset((1008, 4401, 4403))  # too many bad frames in a row; logged out by the test itself

    async def send(self, what: tuple[str, dict[str, Any]] | str) -> None:
        if self.socket is None:
            self.socket = await self.http.ws_connect(
                self.server.ws_url, params={"token": str(self.person.token)}
            )
        self.number += 1
        if isinstance(what, str):
            text = what.encode("utf8", "replace").decode()
        else:
            text = json.dumps({**what[1], "type": what[0], "id": self.number})
        await self.socket.send_str(text)
        probe = f"probe {self.number}"
        await self.socket.send_str(json.dumps({"type": "leave_chat", "chat_id": 1, "id": probe}))
        answered = isinstance(what, str)
        while (received := await self.text(self.CODES)) is not None:
            frame = json.loads(received)
            if frame["type"] == "error":
                frame.pop("type")
                answered |= frame.pop("id", None) == self.number
                check_error(frame)
            elif frame["type"] == "ack":
                if frame["id"] == probe:
                    break
                answered |= frame["id"] == self.number
        else:
            return
        while not answered and (received := await self.text(self.CODES)) is not None:  # waits for the disk
            frame = json.loads(received)
            answered = frame["type"] in ("ack", "error") and frame.get("id") == self.number
            if frame["type"] == "error":
                check_error({name: frame[name] for name in frame.keys() & ERROR_KEYS})


class SocketIOGate(Gate):
    STRATEGY = SOCKETIO
    CODES = frozenset((1000, 1008, 1009))

    async def send(self, what: tuple[str, dict[str, Any]] | str) -> None:
        if self.socket is None:
            url = f"{self.server.url}/socket.io/?EIO=4&transport=websocket"
            self.socket = await self.http.ws_connect(url)
            await self.socket.send_str("40" + json.dumps({"token": self.person.token}))
        self.number += 1
        if isinstance(what, str):
            await self.socket.send_str(what)
            if what.startswith("41"):  # the client has left, and the server ignores further commands
                await self.socket.close()
                self.socket = None
                return
        else:
            await self.socket.send_str(f"42{self.number}{json.dumps(list(what))}")
        if self.number % 4 and not isinstance(what, str):
            ack_id = self.number
        else:
            ack_id = 10**9 + self.number
            await self.socket.send_str(f'42{ack_id}["leave_chat",{{"chat_id":1}}]')
        while (received := await self.text(self.CODES)) is not None:
            if received == "2":
                await self.socket.send_str("3")
            elif received == "41" or received.startswith("44"):
                await self.socket.close()
                self.socket = None
                return
            elif received.startswith("43"):
                answer = json.loads(received[received.index("[") :])[0]
                if not answer["ok"]:
                    check_error(answer["error"])
                if received.startswith(f"43{ack_id}["):
                    return
            elif received.startswith('42["error"'):
                check_error(json.loads(received[2:])[1])


class RestGate(Gate):
    STRATEGY = rest_calls()

    async def send(self, what: tuple[str, str, bytes, dict[str, str]]) -> None:
        method, path, body, headers = what
        headers = {**headers, "Authorization": f"Bearer {self.person.token}"}
        url = URL(f"{self.server.url}/api{path}", encoded=True)
        async with self.http.request(method, url, data=body or None, headers=headers) as answer:
            text = await answer.text()
            if answer.status < 300:
                assert answer.status in (200, 201, 204)
                return
            assert answer.status in {*STATUSES.values(), 405}, (answer.status, text)
            error = json.loads(text)["error"]
            assert answer.status in (STATUSES[error["code"]], 405), error
            check_error(error)
        if answer.status == 401:
            self.person = await alive(self.server, self.person)


async def fuzz(serve: Serve, kind: type[Gate], examples: int, thorough: bool) -> None:
    numbers = itertools.count(1)
    server = await serve(**asdict(Policy().unlimited()))
    ann, bob, _ = await server.people("ann", "bob", "carl")
    loop = asyncio.get_running_loop()
    async with ClientSession() as http:
        gate: Any = kind(server, ann, http)
        watcher = bob

        async def example(steps: list[Any]) -> None:
            nonlocal watcher
            watcher = await alive(server, watcher)
            client = await watcher.connect()
            await gate.prepare()
            for step in steps:
                try:
                    await gate.send(step)
                except ConnectionError:  # an earlier input has ended the connection, which was checked then
                    gate.socket = None
            try:
                await client.done("ping")
            except ConnectionError:  # an admin has ended the account
                assert await client.closed() == 4403
            await client.close()

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=not thorough,
            phases=[Phase.generate],  # shrinking a failure may take longer than finding it
            report_multiple_bugs=False,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(gate.STRATEGY, min_size=5, max_size=20))
        def play(steps: list[Any]) -> None:
            asyncio.run_coroutine_threadsafe(example(steps), loop).result()

        with (
            capture_logs() as lines,
            patch.object(invites, "new_code", lambda: invite_code(next(numbers))),
        ):
            try:
                await asyncio.to_thread(play)
            finally:
                await gate.close()
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []


pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
GATES = pytest.mark.parametrize("kind", [RawGate, SocketIOGate, RestGate])


@GATES
@pytest.mark.stores("sqlite")
async def test_whatever_comes_is_answered_as_the_contract_says(serve: Serve, kind: type[Gate]) -> None:
    await fuzz(serve, kind, 30, thorough=False)


@pytest.mark.long
@GATES
async def test_whatever_comes_is_answered_as_the_contract_says_thousands_of_times(
    serve: Serve, kind: type[Gate]
) -> None:
    await fuzz(serve, kind, 400, thorough=True)
