"""What one chat is after each of its changes, as a connection heard them that was never cut off."""

from collections.abc import Iterable, Iterator, Mapping

from tests.clients.copy import PARTS
from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.wires import Frame
from tests.guarantees.texts import Query, mentions_of


class ChatModel:
    """The states of each message, the pins, the versions and the marks follow from the events alone. An event that does
    not fit to those before it fails.

    `members` are those who stay in the chat, by name. A node that reads rows of another one only after their message is
    deleted finds less than was said: with `several_nodes` such events pass, and `scrubbed` has the messages.
    """

    def __init__(
        self, chat_id: int, members: Mapping[str, int], *, is_group: bool, several_nodes: bool = False
    ) -> None:
        self.chat_id, self.members, self.is_group = chat_id, members, is_group
        self.several_nodes = several_nodes
        self.scrubbed: set[int] = set()
        self.log: list[Frame] = []
        """The event with the `seq` n has the index n - 1."""
        self.marks: dict[int, int] = {}
        self.pins: list[int] = []
        """Ids, the last pinned one last."""
        self.versions: dict[int, list[tuple[str, str | None]]] = {}
        """Content and time of the edit, by message."""
        self._states: dict[int, list[tuple[int, Frame | None]]] = {}

    @property
    def head(self) -> int:
        return len(self.log)

    def hear(self, frame: Frame) -> None:
        """Applies an event of the chat. Others are ignored."""
        if frame["type"] == "messages_read":
            before = self.marks.get(frame["user_id"], 0)
            assert frame["read_seq"] > before, ("a mark that does not move", before, frame)
            self.marks[frame["user_id"]] = frame["read_seq"]
        elif frame["type"] in NUMBERED_EVENTS:
            assert frame["seq"] == self.head + 1, ("a hole or a repetition", self.head, frame)
            self.log.append(frame)
            key = subject_of(frame)
            after = None if self._is_scrubbed(frame, key) else self._after(frame, key)
            self._states.setdefault(key, []).append((frame["seq"], after))

    def _is_scrubbed(self, frame: Frame, message_id: int) -> bool:
        """Whether an event says nothing of what was changed, or another one has not said it: its message is deleted."""
        said_nothing = frame.get("message", {"content": "x"})["content"] == ""
        is_dead = message_id in self._states and self.now(message_id) is None
        if self.several_nodes and (said_nothing or is_dead or message_id in self.scrubbed):
            self.scrubbed.add(message_id)
            self.versions.pop(message_id, None)
            self.pins = [one for one in self.pins if one != message_id]
            return True
        return False

    def _after(self, frame: Frame, message_id: int) -> Frame | None:
        """The state of a message after an event; None if it is deleted."""
        seq, known = frame["seq"], self.now(message_id)
        if frame["type"] == "new_message":
            message: Frame = frame["message"]
            assert message_id not in self._states, ("a second time", frame)
            assert (message["seq"], message["changed_seq"], message["edited_at"]) == (seq, seq, None), frame
            assert (message["reactions"], message["pinned"]) == ({}, False), frame
            self._check_mentions(message)
            self.versions[message_id] = [(message["content"], None)]
            return message
        assert known is not None, ("of a message that is not there", frame)
        if frame["type"] == "message_deleted":
            del self.versions[message_id]
            self.pins = [one for one in self.pins if one != message_id]
            return None
        if frame["type"] == "message_updated":
            message = frame["message"]
            changed = ("content", "edited_at", "mentions", "mentions_all", "changed_seq")
            assert message == known | {name: message[name] for name in changed}, (known, frame)
            assert message["changed_seq"] == seq, frame
            self._check_mentions(message)
            self.versions[message_id].append((message["content"], message["edited_at"]))
            return message
        if frame["type"] == "message_pinned":
            self.pins.append(message_id)
        elif frame["type"] == "message_unpinned":
            self.pins.remove(message_id)
        return known | PARTS[frame["type"]](known, frame) | {"changed_seq": seq}

    def _check_mentions(self, message: Frame) -> None:
        expected = mentions_of(message, self.members, is_group=self.is_group)
        assert (message["mentions"], message["mentions_all"]) == expected, (expected, message)

    def now(self, message_id: int) -> Frame | None:
        """The state of a message; None if it is deleted or not known."""
        return self.at(message_id, self.head)

    def at(self, message_id: int, seq: int) -> Frame | None:
        """The state of a message after the change `seq`."""
        state = None
        for changed_seq, after in self._states.get(message_id, ()):
            if changed_seq > seq:
                break
            state = after
        return state

    def changed(self, message_id: int, seq: int) -> Frame | None:
        """The state of a message that the change `seq` made, None for its deletion. Raises: `KeyError`."""
        return dict(self._states[message_id])[seq]

    def changes(self, message_id: int, after_seq: int) -> Iterator[tuple[int, Frame | None]]:
        """The later changes of a message, and its states after them."""
        return ((seq, state) for seq, state in self._states[message_id] if seq > after_seq)

    def ids(self) -> list[int]:
        """The ids of all messages that there ever were."""
        return list(self._states)

    def messages(self, seq: int | None = None) -> dict[int, Frame]:
        """The messages that were there after the change `seq`, or are there now."""
        states = {one: self.at(one, self.head if seq is None else seq) for one in self._states}
        return {message_id: state for message_id, state in states.items() if state is not None}

    def unread(self, user_id: int, read_seq: int, seq: int | None = None) -> tuple[int, int]:
        """How many messages are unread, and how many of them mention the user, after the change `seq` or now."""
        return unread(self.messages(seq).values(), user_id, read_seq)

    def found(self, query: Query) -> dict[int, Frame]:
        return {key: message for key, message in self.messages().items() if query.finds(message["content"])}


def unread(messages: Iterable[Frame], user_id: int, read_seq: int) -> tuple[int, int]:
    """Counts the messages behind a mark that others wrote, and those that mention the user or all."""
    behind = [
        message for message in messages if message["seq"] > read_seq and message["sender_id"] != user_id
    ]
    mentions = [message for message in behind if message["mentions_all"] or user_id in message["mentions"]]
    return len(behind), len(mentions)


def subject_of(frame: Frame) -> int:
    """The message that a numbered event is about."""
    return int(frame["message"]["id"] if "message" in frame else frame["message_id"])
