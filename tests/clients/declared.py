"""Whether a value is what a type of `handlers.wire` declares."""

import types
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from handlers.wire.views import Count, Id, Time
from tests.clients.shapes import is_count, is_id, is_time

_WORDS = {str(Time): is_time, str(Id): is_id, str(Count): is_count}


def faults(value: Any, hint: Any, at: str = "answer") -> list[str]:
    """What is wrong with a value as JSON had it; empty if nothing is."""
    if hint is Any:
        return []
    if is_typeddict(hint):
        return _faults_of_object(value, hint, at)
    origin, parts = get_origin(hint), get_args(hint)
    if str(hint) in _WORDS:
        return [] if _WORDS[str(hint)](value) else [f"{at}: {value!r} is no {hint}"]
    if origin in (Annotated, NotRequired):
        return faults(value, parts[0], at)
    if origin in (Union, types.UnionType):
        tries = [faults(value, part, at) for part in parts]
        return [] if [] in tries else tries[0]
    if origin is Literal:
        return [] if value in parts else [f"{at}: {value!r} is none of {parts}"]
    if origin is list and type(value) is list:
        return [
            fault for number, one in enumerate(value) for fault in faults(one, parts[0], f"{at}[{number}]")
        ]
    if origin is dict and type(value) is dict:
        return [fault for key, one in value.items() for fault in faults(one, parts[1], f"{at}[{key!r}]")]
    return [] if type(value) is (origin or hint) else [f"{at}: {value!r} is no {hint}"]


def _faults_of_object(value: Any, hint: Any, at: str) -> list[str]:
    if type(value) is not dict:
        return [f"{at}: {value!r} is no object"]
    declared = get_type_hints(hint, include_extras=True)
    found = [f"{at}: {name} is missing" for name in hint.__required_keys__ - value.keys()]
    found += [f"{at}: {name} is not declared" for name in value.keys() - declared.keys()]
    for name in value.keys() & declared.keys():
        found += faults(value[name], declared[name], f"{at}.{name}")
    return found
