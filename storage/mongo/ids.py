"""Ids, taken in blocks: a block belongs to the server that inserted its number. Ids that a server leaves are never
used."""

import asyncio
from collections.abc import Mapping
from typing import Literal
from uuid import uuid4

from storage.mongo.database import Database

Kind = Literal["users", "chats", "messages", "hooks"]

_SIZES: Mapping[Kind, int] = {"users": 10, "chats": 10, "messages": 1000, "hooks": 10}


class Ids:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._left: dict[Kind, range] = {kind: range(0) for kind in _SIZES}
        self._locks = {kind: asyncio.Lock() for kind in _SIZES}

    async def take(self, kind: Kind, count: int = 1) -> list[int]:
        """New ids, in ascending order."""
        async with self._locks[kind]:
            taken: list[int] = []
            while len(taken) < count:
                if not self._left[kind]:
                    self._left[kind] = await self._block(kind)
                missing = count - len(taken)
                taken += self._left[kind][:missing]
                self._left[kind] = self._left[kind][missing:]
            return taken

    async def _block(self, kind: Kind) -> range:
        blocks, size = self._database.blocks, _SIZES[kind]
        last = await self._database.find(blocks, {"kind": kind}, sort=[("number", -1)], limit=1)
        number = last[0]["number"] + 1 if last else 0
        while not await self._database.add(
            blocks, {"_id": f"{kind}:{number}", "kind": kind, "number": number, "by": uuid4().hex}
        ):
            number += 1
        return range(number * size + 1, (number + 1) * size + 1)
