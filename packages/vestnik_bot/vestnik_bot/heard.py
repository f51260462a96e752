"""Which server the bot has heard, and until when."""

from collections.abc import Iterable
from typing import Any

from vestnik_bot.errors import Refused


class Heard:
    """`epoch` names the data of the server, empty before the first connection; `now` is its time when it spoke last of
    a connection or of chats that come and go. `until` is there once the server was restored from a backup: when the bot
    heard last of a message before that."""

    def __init__(self) -> None:
        self.epoch = ""
        self.now = ""
        self.until: str | None = None
        self._epochs: set[str] = set()

    def before(self, epoch: str, at: str) -> None:
        """An earlier process of the bot has heard this."""
        self._epochs.add(epoch)
        self.now = max(self.now, at)

    def connected(self, hello: dict[str, Any], handled_at: Iterable[str]) -> bool:
        """A connection begins. `handled_at`: the times of the messages that were handled last. Returns whether the
        server was restored."""
        is_restored = bool(self._epochs - {"", hello["epoch"]})
        if is_restored:
            self.until = max([self.now, *handled_at])
        self.epoch, self.now = hello["epoch"], hello["timestamp"]
        self._epochs = {self.epoch}
        return is_restored

    def check(self, epoch: str | None) -> None:
        """Raises `Refused` (`not_found`) for another epoch than that of the server; None is none of them."""
        if epoch not in (None, self.epoch):
            raise Refused({"code": "not_found", "message": "the server was restored from a backup"})
