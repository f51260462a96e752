"""Fills in invites, of chats and of the server."""

from collections.abc import Sequence
from uuid import uuid4

from storage.backup import values
from storage.backup_ports import Record
from storage.mongo.backup.inserts import Inserts
from storage.mongo.database import Database, Document
from storage.mongo.invite_documents import claim_key, invite_document
from storage.times import to_micros


async def fill_invites(database: Database, inserts: Inserts, records: Sequence[Record], n: int) -> None:
    """Inserts invites and their uses; `n` is the number of the row that made them, 0 for those of the server. Raises:
    as `Inserts.add`."""
    invites = list(map(values.invite_of, records))
    await inserts.add(
        database.invites,
        ({"_id": invite.code, **invite_document(invite), "ended": False, "n": n} for invite in invites),
    )
    for invite in invites:
        uses: list[Document] = [
            {
                "_id": claim_key(invite.code, number),
                "invite": invite.code,
                "at": to_micros(invite.created_at),
                "by": uuid4().hex,
            }
            for number in range(1, invite.uses + 1)
        ]
        await inserts.add(database.claims, uses)
