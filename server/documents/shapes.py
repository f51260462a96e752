"""Types of `handlers.wire` as JSON Schema: what commands answer, and what events carry."""

import types
from datetime import datetime
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

from handlers.wire.descriptions import description_of
from handlers.wire.schemas import ID_MAX
from handlers.wire.views import Count, Id, Time

JsonSchema = dict[str, Any]

REFERENCE = "#/components/schemas/"

_WORDS: dict[Any, JsonSchema] = {
    Time: {
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$",
    },
    Id: {"type": "integer", "minimum": 1, "maximum": ID_MAX},
    Count: {"type": "integer", "minimum": 0},
}
"""What the annotation of a type says in English, as a schema."""

_PLAIN: dict[Any, JsonSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
}


class Shapes:
    """Schemas of types. A TypedDict is a schema of its own in `components`, under its name, and a reference
    elsewhere."""

    def __init__(self) -> None:
        self.components: dict[str, JsonSchema] = {}

    def of(self, hint: Any) -> JsonSchema:
        """The schema of a type. Raises: `TypeError` for a type of which no schema is known."""
        if is_typeddict(hint):
            return self._reference(hint)
        if hint in _WORDS:
            return dict(_WORDS[hint])
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        origin, parts = get_origin(hint), get_args(hint)
        if origin is Annotated:
            says = [word for word in parts[1:] if isinstance(word, str)]
            return {**self.of(parts[0]), **({"description": says[0]} if says else {})}
        if origin is NotRequired:
            return self.of(parts[0])
        if origin is Literal:
            return {"enum": list(parts)} if len(parts) > 1 else {"const": parts[0]}
        if origin in (Union, types.UnionType):
            return self._any_of([self.of(part) for part in parts])
        if origin is list:
            return {"type": "array", "items": self.of(parts[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        raise TypeError(f"no schema is known of {hint}")

    def object_of(self, hint: Any) -> JsonSchema:
        """The schema of a TypedDict itself, in place of a reference to it."""
        declared = get_type_hints(hint, include_extras=True)
        schema: JsonSchema = {
            "type": "object",
            "properties": {name: self.of(part) for name, part in declared.items()},
            "required": [name for name in declared if name in hint.__required_keys__],
        }
        description = description_of(hint)
        return {"description": description, **schema} if description else schema

    def _reference(self, hint: Any) -> JsonSchema:
        name = hint.__name__.removesuffix("Object")
        if name not in self.components:
            self.components[name] = {}  # a type may contain itself
            self.components[name] = self.object_of(hint)
        return {"$ref": REFERENCE + name}

    @staticmethod
    def _any_of(schemas: list[JsonSchema]) -> JsonSchema:
        """The parts that have a type and nothing else become one list of types, which readers and tools take best."""
        kept: list[JsonSchema] = []
        for schema in schemas:
            if schema not in kept:
                kept.append(schema)
        if len(kept) == 1:
            return kept[0]
        if len(kept) == 2 and kept[1] == {"type": "null"} and isinstance(kept[0].get("type"), str):
            return {**kept[0], "type": [kept[0]["type"], "null"]}
        if all(schema.keys() == {"enum"} for schema in kept):
            return {"enum": [value for schema in kept for value in schema["enum"]]}
        return {"anyOf": kept}
