"""Ids, taken in blocks: a block belongs to the server that inserted its number. Ids that a server leaves are never
used."""

import asyncio
from collections.abc import Mapping
from typing import Literal
from uuid import uuid4

from storage.mongo.database import Database, Document

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
        number, size = await _free_block(self._database, kind), _SIZES[kind]
        while not await self._database.add(self._database.blocks, _block_document(kind, number)):
            number += 1
        return range(number * size + 1, (number + 1) * size + 1)


async def last_id(database: Database, kind: Kind) -> int:
    """The last id that a node may have given; 0 if there is none. Raises: `Unavailable`."""
    return await _free_block(database, kind) * _SIZES[kind]


async def skip_ids(database: Database, kind: Kind, up_to: int) -> None:
    """Makes nodes give higher ids than that. Raises: `Unavailable`."""
    if up_to > 0:
        number = (up_to - 1) // _SIZES[kind]
        await database.add(database.blocks, _block_document(kind, number))


async def _free_block(database: Database, kind: Kind) -> int:
    """The number after that of the last block that is taken."""
    last = await database.find(database.blocks, {"kind": kind}, sort=[("number", -1)], limit=1)
    return int(last[0]["number"]) + 1 if last else 0


def _block_document(kind: Kind, number: int) -> Document:
    return {"_id": f"{kind}:{number}", "kind": kind, "number": number, "by": uuid4().hex}
