"""Rows of others that are published here already, and that replicas take over when they are not in use."""

from collections import deque
from collections.abc import Mapping, Sequence

from storage.mongo.chat_replica import ChatReplica
from storage.mongo.log import Row

_OFFERED_MAX = 10_000
"""How many rows wait for the next batch. If there are more, replicas find the rows in the log."""


class OfferedRows:
    """Rows that are projected and published, in their order."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, int, int, Row | None]] = deque(maxlen=_OFFERED_MAX)

    def add(self, rows: Sequence[Row]) -> None:
        """Offers rows of one chat."""
        self._rows += [(row.chat_id, row.n, row.seq, row) for row in rows]

    def add_message(self, chat_id: int, n: int, seq: int) -> None:
        """Offers a row of a change of a message, of which a replica needs its numbers only."""
        self._rows.append((chat_id, n, seq, None))

    def apply(self, replicas: Mapping[int, ChatReplica]) -> int:
        """Brings replicas forward, and returns by how much the number of their members has changed. A replica that
        lacks an earlier row stays where it is: the next insert finds the rows. To be called between batches."""
        added = 0
        for chat_id, n, seq, row in self._rows:
            replica = replicas.get(chat_id)
            if replica is None or replica.n != n - 1 or replica.projected_n != replica.n:
                continue
            if row is None:
                if replica.is_slow:
                    continue  # it needs to know who sent when, and finds that in the log
                replica.n, replica.seq = n, seq
            else:
                before = len(replica.roles)
                replica.apply(row)
                added += len(replica.roles) - before
            replica.projected_n = n
        self._rows.clear()
        return added
