"""The pace of a replay: on every wire it follows the speed of the client and never buffers much for it."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import ClientSession, TCPConnector

from handlers.live.recovery import CHECK_EVERY_S, STUCK_S, UNSENT_BYTES_MAX
from tests.clients.clock import ManualClock
from tests.clients.slow_link import SlowLink
from tests.clients.stuck import StuckReader
from tests.clients.wires import WIRES, Frame, Wire
from tests.conftest import Serve, Server
from tests.engine.peers import until

MESSAGES = 240
CONTENT = "x" * 10_000
LARGE_MESSAGES = 80
LARGE = "\x01" * 9_999 + "x"
"""60,000 bytes as JSON: all large messages together are more than the server and the system buffer."""

pytestmark = [
    pytest.mark.stores("sqlite"),
    pytest.mark.parametrize("name", WIRES),
]


class Scene:
    """A chat of Ann and Bob with many large messages, and Bob's client behind a slow link."""

    def __init__(self, server: Server, name: str, bytes_per_s: float) -> None:
        self.server, self._name, self._bytes_per_s = server, name, bytes_per_s
        self.received: list[Frame] = []

    async def __aenter__(self) -> "Scene":
        ann, self.bob = await self.server.people("ann", "bob")
        self.chat_id = await ann.chat(self.bob)
        self.anns = await ann.connect()
        for number in range(MESSAGES):
            await self.send(f"{number:05}{CONTENT[5:]}")
        self.link = await SlowLink.open(self.server.port, self._bytes_per_s)
        self._http = ClientSession(connector=TCPConnector(limit=0))
        self.wire: Wire = WIRES[self._name](
            self._http, self.link.url, str(self.bob.token), self.received.append
        )
        return self

    async def send(self, content: str) -> None:
        await self.anns.done("send_message", chat_id=self.chat_id, content=content)

    async def __aexit__(self, *_: object) -> None:
        await self.wire.close()
        await self.link.close()
        await self._http.close()

    @property
    def unread_bytes(self) -> int:
        context = self.server.chat_app.context
        return sum(context.hub.unread_bytes(one) for one in context.connections.ids_of(self.bob.id))

    @property
    def is_connected(self) -> bool:
        return bool(self.server.chat_app.context.connections.of(self.bob.id))

    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.received if frame["type"] == "new_message"]


async def test_who_reads_steadily_gets_everything_while_others_write(serve: Serve, name: str) -> None:
    server = await serve(messages_per_s=0)
    async with Scene(server, name, 1_000_000) as scene:
        assert await scene.wire.open()
        join = await scene.wire.start("join_chat", chat_id=scene.chat_id, after_seq=0)
        most, written = 0, 0
        while not join.done():
            await scene.send("meanwhile")
            written += 1
            most = max(most, scene.unread_bytes)
            await asyncio.wait((join,), timeout=0.03)
        ack = join.result()
        assert ack is not None, (scene.wire.close_code, scene.wire.close_reason)
        assert ack["type"] == "ack", ack
        assert (ack["gap"], ack["replayed"]) == (False, ack["head_seq"])
        assert written > 3
        assert scene.seqs()[: ack["head_seq"]] == list(range(1, ack["head_seq"] + 1))
        assert MESSAGES < ack["head_seq"] <= MESSAGES + written
        assert most < 2 * UNSENT_BYTES_MAX
        await until(lambda: len(scene.seqs()) == MESSAGES + written)
        assert scene.seqs() == list(range(1, MESSAGES + written + 1))


async def test_who_takes_nothing_for_twenty_seconds_is_too_slow(serve: Serve, name: str) -> None:
    server = await serve(clock=ManualClock(), send_buffer_bytes=64 * 1024, messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns = await ann.connect()
    for _ in range(LARGE_MESSAGES):
        await anns.done("send_message", chat_id=chat_id, content=LARGE)
    reader = StuckReader(name, bob)
    await reader.join(chat_id, after_seq=0)
    context = server.chat_app.context
    (connection_id,) = context.connections.ids_of(bob.id)

    def unread_bytes() -> int:
        return context.hub.unread_bytes(connection_id)

    await turn_until(server, lambda: unread_bytes() >= UNSENT_BYTES_MAX)
    most = 0
    for _ in range(int(STUCK_S) - 1):
        server.clock.advance(1)
        most = max(most, unread_bytes())
        await asyncio.sleep(0)
    assert most < 2 * UNSENT_BYTES_MAX
    assert context.connections.get(connection_id) is not None
    await turn_until(server, lambda: context.connections.get(connection_id) is None)
    assert (await reader.read_all())[1] == 1013
    reader.close()


async def turn_until(server: Server, condition: Callable[[], bool]) -> None:
    """Turns the clock in the steps of the replay until the condition holds."""

    def turned() -> bool:
        server.clock.advance(CHECK_EVERY_S)
        return condition()

    await until(turned)
