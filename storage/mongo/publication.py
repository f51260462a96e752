"""Hands changes to the subscribers of the store: the one place that decides whether a row is published here."""

from collections.abc import Callable, Sequence

import structlog

from domain.changes import (
    Change,
    ReadMoved,
)
from domain.own_settings import OwnSettingsChanged
from storage.mongo.chat_replicas import Applied
from storage.mongo.log import Row
from storage.mongo.positions import Positions
from storage.mongo.published_marks import PublishedMarks
from storage.node_ports import OnPublished

log = structlog.get_logger("vestnik")


class Publication:
    """All methods are for the event loop, and none suspends: the position of a chat moves in the turn in which its rows
    are handed out."""

    def __init__(self, publish: Callable[[Sequence[Change]], None], positions: Positions) -> None:
        self.positions = positions
        self.marks = PublishedMarks()
        self.on_published: OnPublished | None = None
        """See `storage.node_ports.Nodes.on_published`."""
        self._publish = publish

    def batch(self, committed: Sequence[Applied | ReadMoved | OwnSettingsChanged], hint: int) -> None:
        """Publishes what a batch of the writer brought; `hint` is the number of the last hint that names its rows."""
        if not committed:
            return
        changes: list[Change] = []
        own: list[tuple[int, Change]] = []
        advance = self.positions.advance
        for one in committed:
            if not isinstance(one, Applied):
                if isinstance(one, ReadMoved):
                    self.marks.moved(one)
                changes.append(one)
                continue
            row = one.row
            if one.own:
                own.append((row.n, one.change))
            if advance(row.chat_id, row.n, row.seq):
                changes.append(one.change)
        if own and self.on_published is not None:
            try:
                self.on_published(own, hint)
            except Exception as error:
                log.error("a listener to published rows raised", exc_info=error)
        self._publish(changes)

    def rows(self, rows: Sequence[Row], changes: Sequence[Change]) -> Sequence[Row]:
        """Publishes those of the rows, each the next of its chat, that are the next to be published, and returns them.
        The position of the chat may have moved on while the rows were read. `changes` are those of the rows."""
        new = [
            (row, change)
            for row, change in zip(rows, changes, strict=True)
            if self.positions.is_next(row.chat_id, row.n)
            and self.positions.advance(row.chat_id, row.n, row.seq)
        ]
        self._publish([change for _, change in new])
        return [row for row, _ in new]

    def late(self, rows: Sequence[Row], changes: Sequence[Change]) -> None:
        """Publishes rows before the first that was published of a chat that nobody follows: `changes` is what they
        still say. The chat is not followed by that, even if they begin with its creation: what the creation says is
        not what the chat is by now."""
        position = self.positions.get(rows[0].chat_id)
        if position is not None and rows[-1].n < position.first:
            position.first = rows[0].n
            self._publish(changes)

    def of_others(self, changes: Sequence[Change]) -> None:
        """Publishes changes of other nodes that are in no log. Read marks that have moved on are left out."""
        self._publish([one for one in changes if not isinstance(one, ReadMoved) or self.marks.moved(one)])
