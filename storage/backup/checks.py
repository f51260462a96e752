"""Checks that a record is one of its kind: its keys, and the types and bounds of their values, as
`storage.backup_records` declares them. What else is wrong with records, such as two with one id, their store finds."""

import re
from collections.abc import Callable, Collection, Mapping
from collections.abc import Sequence as AbstractSequence
from typing import Annotated, Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from domain.frozen import frozen
from storage.backup.errors import BadBackup
from storage.backup.times import time_of, time_text
from storage.backup_ports import Kind, Record
from storage.backup_records import RECORDS

ID_MAX = 2**53 - 1

_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Rule = Callable[[Any], bool]
"""Whether a value is right."""


def check(kind: Kind, record: Record) -> None:
    """Raises: `BadBackup`, naming the kind and the key, and no content."""
    wrong = _RULES[kind].wrong_key(record)
    if wrong is not None:
        raise BadBackup(f"a record of the type {kind!r} has a wrong or missing {wrong!r}")


@frozen
class _ObjectRule:
    """The rules of the keys of an object."""

    rules: Mapping[str, Rule]
    required: Collection[str]

    def __call__(self, value: Any) -> bool:
        return type(value) is dict and self.wrong_key(value) is None

    def wrong_key(self, record: Record) -> str | None:
        """A key that is unknown, missing, or has a wrong value; None if all is right."""
        rules = self.rules
        for key, value in record.items():
            rule = rules.get(key)
            if rule is None or not rule(value):
                return key
        return next((key for key in self.required if key not in record), None)


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 < value <= ID_MAX


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= ID_MAX


def _is_time(value: Any) -> bool:
    try:
        return type(value) is str and time_text(time_of(value)) == value
    except (ValueError, OverflowError):
        return False


def _is_file_id(value: Any) -> bool:
    return type(value) is str and _FILE_ID.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_true(value: Any) -> bool:
    """False is left out."""
    return value is True


_MARKED: Mapping[str, Rule] = {
    "id": _is_id,
    "number": _is_number,
    "time": _is_time,
    "file": _is_file_id,
}

_PLAIN: Mapping[Any, Rule] = {str: _is_text, bool: _is_true}


def _rule_of(hint: Any) -> Rule:
    """The rule for a value of a type."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _MARKED[hint.__metadata__[0]]
    if origin is Literal:
        return _choice_rule(frozenset(get_args(hint)))
    if origin is AbstractSequence:
        return _sequence_rule(_rule_of(get_args(hint)[0]))
    if is_typeddict(hint):
        return _object_rule(hint)
    return _PLAIN[hint]


def _choice_rule(choices: Collection[str]) -> Rule:
    return lambda value: type(value) is str and value in choices


def _sequence_rule(rule: Rule) -> Rule:
    return lambda value: type(value) is list and len(value) > 0 and all(map(rule, value))


def _object_rule(shape: Any) -> _ObjectRule:
    hints = get_type_hints(shape, include_extras=True)
    rules = {key: _rule_of(_without_presence(hint)) for key, hint in hints.items()}
    return _ObjectRule(rules, shape.__required_keys__)


def _without_presence(hint: Any) -> Any:
    """The type in a `NotRequired`."""
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint


_RULES: Mapping[Kind, _ObjectRule] = {kind: _object_rule(shape) for kind, shape in RECORDS.items()}
