"""The log of a chat as the database has it: what was decided, whatever the documents beside it say."""

from collections.abc import Mapping, Sequence

from storage.mongo.connection import connect
from storage.mongo.database import Database
from storage.mongo.log import Log, Row
from storage.mongo.projection import Projection
from tests.clients.wires import Frame

CONNECT_S = 20


async def rows_of(database: Database, chat_id: int) -> Sequence[Row]:
    """All rows of a chat, checked: n is 1, 2, 3…; `seq` rises by one with each change of a message and never else."""
    rows: list[Row] = []
    while more := await Log(database).after(chat_id, len(rows)):
        rows += more
    seq = 0
    for n, row in enumerate(rows, 1):
        seq += row.message is not None
        assert (row.n, row.seq) == (n, seq), ("a hole in the log", chat_id, row)
    return rows


def stored(rows: Sequence[Row]) -> dict[int, Frame]:
    """The messages that the rows leave, by id, in the form of REST as far as a ledger reads it."""
    messages = {row.message.id: row.message for row in rows if row.message is not None}
    return {
        key: {"id": key, "seq": message.seq, "content": message.content, "client_id": message.client_id}
        for key, message in messages.items()
        if not message.deleted
    }


async def repair(database: Database, logs: Mapping[int, Sequence[Row]]) -> set[int]:
    """Projects all rows again, which FerretDB needs: it does not update in one step, and leaves documents behind their
    rows. Nobody else may write meanwhile. Returns the messages that were behind."""
    rows = [row for chat_rows in logs.values() for row in chat_rows]
    newest = {row.message.id: row.message for row in rows if row.message is not None}
    found = await database.find(database.messages, {}, fields=["changed_seq"])
    there = {int(document["_id"]): document["changed_seq"] for document in found}
    behind = {key for key, message in newest.items() if there.get(key) != message.changed_seq}
    await Projection(database).project(rows, dict.fromkeys(logs, 0), check_first=False)
    return behind


async def connected(url: str) -> Database:
    return await connect(url, CONNECT_S)
