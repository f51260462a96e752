"""Measures the memory that loaded chats take: `python -m benchmarks.chat_memory [CHATS] [MEMBERS]`.

The store is a fake, so the figures cover only what `handlers.live.directory` keeps: the growth of the RSS of a fresh
process, first with no connection in the chats, then with one connection in each.
"""

import asyncio
import gc
import os
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from domain.models import Chat, ChatState, Member
from handlers.live.connections import Connection
from handlers.live.directory import Directory
from storage.ports import Store

NOW = datetime.now(UTC)
MIB = 1024 * 1024


class FakeStore:
    """A store that makes every chat when it is loaded; all chats have the same members."""

    def __init__(self, members: int) -> None:
        self._members = members
        self.chats = self

    async def load(self, chat_id: int) -> ChatState:
        members = {
            user_id: Member(user_id, "member", datetime.now(UTC)) for user_id in range(1, self._members + 1)
        }
        return ChatState(Chat(chat_id, f"Room {chat_id}", "group", NOW, 1, 0, self._members), members)

    async def begin(self, chat_id: int) -> None: ...

    def follow(self, chat_id: int) -> None: ...

    def follows(self, chat_id: int) -> bool:
        return True

    def unfollow(self, chat_id: int) -> None: ...


def rss_bytes() -> int:
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def measure(chats: int, members: int) -> None:
    directory = Directory(cast(Store, FakeStore(members)))
    before = rss_bytes()
    for chat_id in range(1, chats + 1):
        await directory.current(chat_id)
    loaded = rss_bytes() - before
    connection = Connection("c", 1, None, 0.0)
    for chat_id in range(1, chats + 1):
        chat = await directory.current(chat_id)
        assert chat is not None
        chat.join(connection)
    joined = rss_bytes() - before
    sys.stdout.write(
        f"{chats} chats of {members}: {loaded / MIB:.0f} MiB loaded, {joined / MIB:.0f} MiB joined\n"
    )


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(measure(*(arguments + [4_000, 1_000][len(arguments) :])))
