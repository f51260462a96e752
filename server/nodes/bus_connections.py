"""The two connections to Redis: one publishes, one receives. Describes their failures for the log."""

import asyncio
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from server.redis_url import connection_of

ATTEMPT_S = 1.5
"""How long connecting may take. To a host that drops packets a new attempt is made, with a new first packet."""

REPLY_S = 2.0
"""How long Redis may take for a publish: a stopped one accepts bytes and says nothing."""

_OPTIONS: dict[str, Any] = {
    # All retries and timeouts are the bus's own. A socket timeout of redis-py ends a connection on which nothing is
    # published, and its retries sleep for up to a minute, deaf.
    "socket_timeout": None,
    "socket_connect_timeout": ATTEMPT_S,
    "retry": None,
    "retry_on_error": [],
    "retry_on_timeout": False,
    "health_check_interval": 0,
    "protocol": 2,
    "decode_responses": False,
    "driver_info": None,
}


class Sentinel(Exception):
    """The server at the URL is a Redis Sentinel, over which nothing can be published."""


class Deaf(Exception):
    """What this node publishes does not come back to it."""


FAILURES = (RedisError, OSError, TimeoutError, Sentinel, Deaf)
"""What ends the connections. If it is no Redis that answers, anything may be raised."""


class Connections:
    """To the channel `channel` of the Redis server at `url`. Methods raise `FAILURES`."""

    def __init__(self, url: str, channel: str) -> None:
        self._channel = channel
        self._sending = connection_of(url, _OPTIONS)
        self._hearing = connection_of(url, _OPTIONS)
        self.is_cluster = False
        """Whether the server is a node of a cluster: it counts only its own subscribers."""

    async def open(self) -> None:
        """Returns when everything that is published from now on will be received. Raises: `Sentinel`, too."""
        async with asyncio.timeout(ATTEMPT_S):
            await _connect(self._sending)
            mode = await _mode(self._sending)
            if mode == b"sentinel":
                raise Sentinel
            self.is_cluster = mode == b"cluster"
            await _connect(self._hearing)
            await self._hearing.send_command("SUBSCRIBE", self._channel)
            await self._hearing.read_response(disconnect_on_error=False)

    async def publish(self, data: bytes) -> int:
        """The number of connections that Redis has handed it to."""
        command: Any = ("PUBLISH", self._channel, data)
        async with asyncio.timeout(REPLY_S):
            await self._sending.send_packed_command(hiredis.pack_command(command), check_health=False)
            return int(await self._sending.read_response(disconnect_on_error=False))

    async def hear(self) -> bytes:
        """What is published next. Suspends for as long as that takes."""
        while True:
            answer = await self._hearing.read_response(disconnect_on_error=False)
            if answer[0] == b"message" and isinstance(answer[2], bytes):
                return answer[2]

    async def close(self) -> None:
        """Closes both, without waiting for the other side. Does not raise."""
        for connection in (self._sending, self._hearing):
            try:
                await connection.disconnect(nowait=True)
            except FAILURES:
                continue


async def _connect(connection: AbstractConnection) -> None:
    await connection.connect()  # type: ignore[no-untyped-call]


async def _mode(connection: AbstractConnection) -> bytes:
    """`standalone`, `cluster` or `sentinel`; empty if the server does not say."""
    await connection.send_command("HELLO")
    try:
        answer = await connection.read_response(disconnect_on_error=False)
    except ResponseError:
        return b""
    mode = dict(zip(answer[::2], answer[1::2], strict=False)).get(b"mode", b"")
    return mode if isinstance(mode, bytes) else b""


def is_refusal(error: BaseException) -> bool:
    """Whether the Redis server answers, and does not let this node in."""
    return isinstance(error, AuthenticationError | ResponseError | Sentinel)


def reason_of(error: BaseException) -> str:
    """An error in a few words. The text of an error of Redis is never one of them: it quotes commands, and with a
    command `AUTH` that Redis does not know the password."""
    if isinstance(error, Deaf):
        return "what is published does not come back"
    if isinstance(error, Sentinel):
        return "REDIS_URL names a Sentinel; name the Redis server itself"
    if isinstance(error, AuthenticationError):
        return "wrong user or password"
    if isinstance(error, ResponseError):
        return type(error).__name__
    if not isinstance(error, FAILURES):
        return "what answers is no Redis"
    return "no answer" if "Timeout" in type(error).__name__ else "no connection"
