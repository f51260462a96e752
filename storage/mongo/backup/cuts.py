"""The cuts of all chats, made before anything else is read, so that whoever they name is read after them. They are kept
in a file: a server may have a million members in its chats."""

import asyncio
import pickle
from array import array
from bisect import bisect_left
from tempfile import TemporaryFile

from storage.mongo.backup.chat_cut import ChatCut, read_cut
from storage.mongo.database import Database
from storage.mongo.log import Log

_AT_ONCE = 8
"""How many cuts are made at the same time; FerretDB, where a query looks at all documents, gets one after the other."""

_IDS_AT_ONCE = 5000


class Cuts:
    """`take` comes first."""

    def __init__(self, database: Database, log: Log) -> None:
        self.attached: set[str] = set()
        """The uploads of the messages that may not be projected."""
        self._database = database
        self._log = log
        self._file = TemporaryFile()  # noqa: SIM115 -- closed by `close`
        self._ids = array("q")
        self._places = array("q")
        self.are_taken = False

    async def take(self) -> None:
        """Cuts all chats that are there now, unless that is done. Raises: `Unavailable`; `OSError` for the file."""
        if self.are_taken:
            return
        # The ids first: of two private chats of the same users, the second is there when the first is deleted.
        ids = await _living_chats(self._database)
        at_once = _AT_ONCE if self._database.finds_many else 1
        for start in range(0, len(ids), at_once):
            some = ids[start : start + at_once]
            cuts = await asyncio.gather(*(read_cut(self._database, self._log, one) for one in some))
            for cut in cuts:
                if cut is not None:
                    self._keep(cut)
        self.are_taken = True

    def get(self, chat_id: int) -> ChatCut | None:
        """The cut of the chat; None if it was not there."""
        index = bisect_left(self._ids, chat_id)
        if index == len(self._ids) or self._ids[index] != chat_id:
            return None
        self._file.seek(self._places[index])
        cut: ChatCut = pickle.load(self._file)  # noqa: S301 -- of this process alone
        return cut

    def ids(self) -> "array[int]":
        """The chats that have a cut, by id."""
        return self._ids

    def close(self) -> None:
        self._file.close()

    def _keep(self, cut: ChatCut) -> None:
        self._ids.append(cut.chat.id)
        self._places.append(self._file.tell())
        pickle.dump(cut, self._file, pickle.HIGHEST_PROTOCOL)
        for message in cut.newest.values():
            self.attached.update(one.id for one in message.attachments)


async def _living_chats(database: Database) -> "array[int]":
    """The ids of all chats that are not deleted, in ascending order."""
    ids, after = array("q"), ""
    while True:
        found = await database.find(
            database.chats,
            {"_id": {"$gt": after}},
            sort=[("_id", 1)],
            limit=_IDS_AT_ONCE,
            fields=["id", "deleted"],
        )
        ids.extend(one["id"] for one in found if not one["deleted"])
        if len(found) < _IDS_AT_ONCE:
            return array("q", sorted(ids))
        after = found[-1]["_id"]
