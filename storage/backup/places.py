"""In which order the records of a part stand: checked when a backup is read, and when it is made, so that none is made
that could not be restored."""

from collections.abc import Mapping
from typing import cast

from storage.backup.checks import check
from storage.backup.errors import BadBackup
from storage.backup_ports import CHAT_KINDS, SERVER_KINDS, Kind, Record

_ORDERS: Mapping[bool, Mapping[Kind, int]] = {
    is_chat: {kind: position for position, kind in enumerate(kinds)}
    for is_chat, kinds in ((False, SERVER_KINDS), (True, CHAT_KINDS))
}


class RecordCheck:
    """Checks the records of a part, one after the other: each by itself, and that they are in their order."""

    def __init__(self, chat_id: int | None, head_seq: int) -> None:
        """`head_seq` is that of the chat; 0 in the part that belongs to no chat."""
        self._chat_id = chat_id
        self._head_seq = head_seq
        self._order = _ORDERS[chat_id is not None]
        self._position = -1
        self._seq = 0

    def check(self, kind: object, record: Record) -> None:
        """Checks the next record, which may be of any kind. Raises: `BadBackup`."""
        known = cast(Kind, kind)
        position = self._order.get(known) if isinstance(kind, str) else None
        if position is None:
            raise BadBackup("it holds something that no backup has, or not there")
        check(known, record)
        # The first kind comes once.
        if position < self._position or (position == self._position == 0):
            raise BadBackup("its records are not in their order")
        self._position = position
        if kind != "chat" and record.get("chat_id") != self._chat_id:
            raise BadBackup("a record stands among those of another chat")
        if kind == "message":
            if not self._seq < record["seq"] <= record["changed_seq"] <= self._head_seq:
                raise BadBackup(f"the messages of chat {self._chat_id} are not in their order")
            self._seq = record["seq"]
