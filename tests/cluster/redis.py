"""A redis-server that keeps nothing on disk."""

import asyncio

from tests.clients.programs import need
from tests.cluster.process import Process


class Redis(Process):
    """Debian's redis-server. Without it the test is skipped, and fails under CI=true."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        settings = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return [need("redis-server"), *options]

    async def run(self, *words: str | bytes) -> bytes:
        """The first line of Redis' answer to a command: `await redis.run("CLIENT", "KILL", "TYPE", "pubsub")`."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"*%d\r\n" % len(words))
        for word in words:
            data = word.encode() if isinstance(word, str) else word
            writer.write(b"$%d\r\n%b\r\n" % (len(data), data))
        answer = await reader.readline()
        writer.close()
        return answer.rstrip()
