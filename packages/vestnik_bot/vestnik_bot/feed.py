"""What of one chat waits for the bot: the rules of recovery, without a connection."""

from enum import Enum, auto
from typing import Any

from vestnik_bot.cursor import Position

Json = dict[str, Any]

WAITING_MAX = 1000
"""Messages of a chat in memory. What comes while so many wait is recovered once they are handled."""


class State(Enum):
    APART = auto()
    """Not joined. Events are ignored, for the next join replays them."""
    JOINING = auto()
    """The replay is on its way. It comes in the order of changes, and is sorted once it is complete."""
    LIVE = auto()
    """Each event has the number that follows."""
    BEHIND = auto()
    """Joined, but new messages are ignored until those that wait are handled."""


class Feed:
    """One chat. `take` gives each message of others once, in the order of creation, in its newest state.

    `known` is the number up to which every change is in `waiting`, handled, or of no interest. `answers` has the own
    messages of the bot that were found behind its position, by `client_id`: it sent them before it was ended.
    """

    def __init__(self, own_id: int, position: Position) -> None:
        self.state = State.APART
        self.answers: dict[str, Json] = {}
        self._own_id = own_id
        self._is_handling = False
        self.known = position.seq
        self.waiting: dict[int, Json] = {}
        self._replay: dict[int, Json | None] = {}
        self.position = position

    def begin_join(self) -> int:
        """The join is sent now; what to ask for as `after_seq`."""
        self.state, self._replay = State.JOINING, {}
        return self.known

    def lose(self) -> None:
        """The connection is gone, or the join is refused."""
        self.state, self._replay = State.APART, {}

    def change(self, event: Json) -> bool:
        """Applies an event with a number. False if events are missing: the chat has to be joined again."""
        if self.state is State.APART or event["seq"] <= self.known:
            return True
        message: Json | None = event.get("message")
        message_id = int(message["id"] if message else event["message_id"])
        if self.state is State.JOINING:
            # An event of a reaction or a pin says nothing here: the replay has the whole message.
            if message or event.get("deleted"):
                self._replay[message_id] = message
            return True
        if self.state is State.LIVE:
            if event["seq"] != self.known + 1:
                return False
            if message and len(self.waiting) >= WAITING_MAX and message_id not in self.waiting:
                self.state = State.BEHIND
        self._apply(message_id, message, is_deleted=bool(event.get("deleted")))
        if self.state is State.LIVE:
            self.known = event["seq"]
        return True

    def joined(self, head_seq: int) -> None:
        """The replay is complete."""
        for message in sorted(filter(None, self._replay.values()), key=lambda each: int(each["seq"])):
            self._apply(message["id"], message, is_deleted=False, is_past=True)
        for message_id, replayed in self._replay.items():
            if replayed is None:
                self.waiting.pop(message_id, None)
        self._replay, self.known, self.state = {}, head_seq, State.LIVE
        self._let_go()

    def fill(self, messages: list[Json], known: int) -> None:
        """Takes messages from a page of history: all that were created after `known`, up to the new `known`."""
        for message in messages:
            self._apply(message["id"], message, is_deleted=False, is_past=True)
        self.known = known
        self._let_go()

    def rebase(self, epoch: str, known: int) -> None:
        """Goes on in another history of the chat, or at another place: nothing that waits is valid there."""
        self.waiting.clear()
        self.answers.clear()
        self.known = known
        self.position = Position(epoch, known, self.position.at)

    def take(self) -> Json | None:
        """The next message; it counts as handled after `handled`."""
        for message_id in self.waiting:
            self._is_handling = True
            return self.waiting.pop(message_id)
        return None

    def handled(self, message: Json) -> None:
        """Moves the position over a message."""
        self._is_handling = False
        self.position = Position(self.position.epoch, message["seq"], message["created_at"])
        self._let_go()

    def undone(self) -> None:
        """The message that was taken does not count: its history is over."""
        self._is_handling = False

    def rest(self) -> Position:
        """The position now. Once nothing waits, changes that were no messages are behind it too."""
        if not self.waiting and not self._is_handling and self.known > self.position.seq:
            self.position = Position(self.position.epoch, self.known, self.position.at)
        return self.position

    def _let_go(self) -> None:
        """Answers of the past are of use to messages that wait or are being handled."""
        if not self.waiting and not self._is_handling:
            self.answers.clear()

    def _apply(
        self, message_id: int, message: Json | None, *, is_deleted: bool, is_past: bool = False
    ) -> None:
        if is_deleted:
            self.waiting.pop(message_id, None)
        elif message and message_id in self.waiting:
            self.waiting[message_id] = message
        elif message and message["seq"] > self.known and (is_past or self.state is State.LIVE):
            if message["sender_id"] != self._own_id:
                self.waiting[message_id] = message
            elif is_past and "client_id" in message:
                self.answers[message["client_id"]] = message
