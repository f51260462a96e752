"""From changes to the rows of the log, and back.

Every logged kind of change has a codec. The kinds of the first versions have layouts of their own (`row_layouts.py`).
Any other kind needs nothing here: its rows are made from the fields of its class, see `_Fields`.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, Protocol, Union, cast, get_args, get_origin, get_type_hints

from domain import changes
from domain.changes import Change, ChangeKind, MessageChange, MessageDeleted, UndeclaredChange
from storage.errors import StorageError, Unavailable
from storage.mongo.database import Document
from storage.mongo.log import Row
from storage.mongo.row_layouts import LAYOUTS, CurrentChat
from storage.times import from_micros, to_micros


class UnknownKind(StorageError):
    """A row is of a kind that this version does not know: a newer node wrote it.

    What the row changes is not known either; it may be who can read the chat. So nothing that follows the row is
    published or written here.
    """

    def __init__(self, chat_id: int, kind: str) -> None:
        super().__init__(f"chat {chat_id} has a row of the kind {kind!r}, which this version does not know")
        self.chat_id = chat_id
        self.kind = kind

    def unavailable(self) -> Unavailable:
        """What the caller of the store gets."""
        return Unavailable(str(self), "newer")


class Codec(Protocol):
    """Says how the changes of a kind are kept in rows."""

    @property
    def data_of(self) -> Callable[[Any, int], Document | None]:
        """Makes the `data` of the row from the change and the number of members before it."""

    @property
    def change_of(self) -> Callable[[Row, CurrentChat], Change]:
        """Makes the change from the row."""


def row_of(change: Change, chat_id: int, n: int, seq: int, mark: str, member_count: int = 0) -> Row:
    """The row of a change: number `n` of the chat, whose head it leaves at `seq`. `member_count` is the number of
    members before the change; changes of messages do not need it."""
    message = change.message if isinstance(change, MessageChange) else None
    data = codec_of(type(change)).data_of(change, member_count)
    return Row(chat_id, n, seq, change.kind.name, mark, message, data)


def logged_kind(name: str) -> ChangeKind | None:
    """The kind of the rows of this name; None if this version writes no such rows."""
    kind = changes.kind_named(name)
    return kind if kind is not None and kind.logged else None


def change_of(row: Row, current: CurrentChat) -> Change:
    """The change that a row is about. Raises: `UnknownKind`."""
    kind = logged_kind(row.kind)
    if kind is None:
        raise UnknownKind(row.chat_id, row.kind)
    return codec_of(kind.value).change_of(row, current)


def check_codecs() -> None:
    """Raises: `UndeclaredChange` for a logged kind whose changes rows cannot hold, or could not lose again."""
    for kind in changes.kinds():
        if not kind.logged:
            continue
        if not isinstance(codec_of(kind.value), _Fields) and issubclass(kind.value, MessageChange):
            raise UndeclaredChange(
                f"the change kind {kind.name!r} ({kind.value.__name__}) has a layout of its own, which the log would "
                "keep when the message is deleted: take it out of storage/mongo/row_layouts.py"
            )


_CODECS: dict[type[Change], Codec] = dict(LAYOUTS)


def codec_of(value: type[Change]) -> Codec:
    """The codec of a class of changes. Raises: `UndeclaredChange`."""
    codec = _CODECS.get(value)
    if codec is None:
        codec = _CODECS[value] = _Fields(value.kind)
    return codec


class _Fields:
    """The codec of a kind without a layout of its own. The message and the chat of the change are those of the row;
    `data` has the other fields: numbers, texts, truth values, None and sequences of these, and
    times, as microseconds.

    A field that a row lacks gets its default, so that a kind can grow. When a message is deleted, the rows of all its
    changes lose these fields (`storage.mongo.log.SCRUBBED`). Such a row then reads as a deletion of the message: it
    keeps its number, and the row that deletes the message is in the log behind it.
    """

    def __init__(self, kind: ChangeKind) -> None:
        self._make = cast(Any, kind.value)
        hints = get_type_hints(kind.value)
        names = [field.name for field in fields(self._make)]
        self._of_row = [name for name in names if name in ("chat_id", "message")]
        self._names = [name for name in names if name not in self._of_row]
        self._times = [name for name in self._names if _is_time(hints[name])]
        for name in self._names:
            if not (_is_plain(hints[name]) or name in self._times):
                remedy = (
                    "use times, numbers, texts, truth values and sequences of these"
                    if kind.takes_seq
                    else "give the kind a layout in storage/mongo/row_layouts.py"
                )
                raise UndeclaredChange(
                    f"the change kind {kind.name!r} ({kind.value.__name__}) has a field {name!r} of a type that a row "
                    f"cannot hold as it is: {remedy}"
                )

    def data_of(self, change: Change, _member_count: int) -> Document | None:
        if not self._names:
            return None
        values = {name: getattr(change, name) for name in self._names}
        for name in self._times:
            values[name] = None if values[name] is None else to_micros(values[name])
        return {"fields": values}

    def change_of(self, row: Row, _current: CurrentChat) -> Change:
        if row.message is not None and row.data is not None and "fields" not in row.data:
            return MessageDeleted(replace(row.message, deleted=True))
        stored = {} if row.data is None else row.data["fields"]
        values = {name: stored[name] for name in self._names if name in stored}
        for name in self._times:
            if values.get(name) is not None:
                values[name] = from_micros(values[name])
        made: Change = self._make(**values, **{name: getattr(row, name) for name in self._of_row})
        return made


def _is_time(hint: Any) -> bool:
    """Whether values are times, or times and None."""
    return hint is datetime or (
        get_origin(hint) in (Union, UnionType) and set(get_args(hint)) == {datetime, NoneType}
    )


def _is_plain(hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType, Sequence):
        return all(_is_plain(part) for part in get_args(hint))
    return get_origin(hint) is Literal or hint in (int, str, bool, float, NoneType)
