"""Parameters of commands as JSON Schema, made from their marshmallow fields by apispec."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from dataclasses import fields as dataclass_fields
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import validate

from domain.files import ATTACHMENTS_MAX
from handlers.chat_app import Command
from handlers.wire.schemas import ID_MAX, EmojiString, IdList, StrictField, StrictTime, UploadIdList
from server.documents.shapes import JsonSchema
from server.documents.words import PARAMETERS


def plugin_of(spec_options: Mapping[str, Any]) -> tuple[APISpec, "Parameters"]:
    """A document of apispec with these options, and what makes the schemas of parameters in it."""
    plugin = MarshmallowPlugin()
    spec = APISpec(plugins=[plugin], **spec_options)
    return spec, Parameters(plugin)


class Parameters:
    """Schemas of the parameters of commands."""

    def __init__(self, plugin: MarshmallowPlugin) -> None:
        assert plugin.converter is not None  # made by `APISpec`
        self._converter = plugin.converter
        self._converter.add_attribute_function(_more)  # type: ignore[no-untyped-call]

    def object_of(self, command: Command[Any], names: Iterable[str]) -> JsonSchema:
        """The schema of an object with these parameters."""
        fields = command.schema.parameters
        names = list(names)
        schema: JsonSchema = {"type": "object"}
        if names:
            schema["properties"] = {name: self.of(command, name, nullable=True) for name in names}
        if required := [name for name in names if fields[name].required]:
            schema["required"] = required
        return schema

    def of(self, command: Command[Any], name: str, *, nullable: bool = False) -> JsonSchema:
        """The schema of one parameter. `nullable`: null is as good as absent where the parameter is optional, as it is
        in JSON."""
        field = command.schema.parameters[name]
        schema: JsonSchema = self._converter.field2property(field)
        if schema.get("type") == "array":
            for of_text in ("maxLength", "enum"):  # apispec takes the list for a text
                schema.pop(of_text, None)
        if field.allow_none or (nullable and not field.required):
            schema = _with_null(schema)
        if (default := _default(command, name)) is not None:
            schema["default"] = default
        if says := description_of_parameter(command.name, name):
            schema["description"] = says
        return schema


def description_of_parameter(command: str, name: str) -> str:
    """What a parameter is; empty if nobody has said it."""
    return PARAMETERS.get(f"{command}.{name}", PARAMETERS.get(name, ""))


def _default(command: Command[Any], name: str) -> Any:
    """The default of a parameter; None where absence is a value of its own."""
    default = next(
        field.default for field in dataclass_fields(command.params) if field.name.removesuffix("_") == name
    )
    return default if default is not MISSING and isinstance(default, (str, int)) and default != "" else None


def _more(_converter: Any, field: StrictField[Any], **_options: Any) -> JsonSchema:
    """What apispec does not see in our own fields, and patterns as JavaScript reads them too."""
    if isinstance(field, IdList):
        items = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
        most = next(one.max for one in field.validators if isinstance(one, validate.Length))
        return {"type": "array", "items": items, "maxItems": most}
    if isinstance(field, UploadIdList):
        items = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
        return {"type": "array", "items": items, "maxItems": ATTACHMENTS_MAX}
    if isinstance(field, EmojiString):
        return {"minLength": 1, "maxLength": 32}
    if isinstance(field, StrictTime):
        return {"type": "string", "format": "date-time"}
    for validator in field.validators:
        if isinstance(validator, validate.ContainsOnly):
            return {"type": "array", "items": {"enum": list(validator.choices)}, "minItems": 1}
        if isinstance(validator, validate.Regexp):
            return {"pattern": "^" + str(validator.regex.pattern).removesuffix(r"\Z") + "$"}
    return {}


def _with_null(schema: JsonSchema) -> JsonSchema:
    kind = schema.get("type")
    types = kind if isinstance(kind, list) else [kind]
    more = {"enum": [*schema["enum"], None]} if "enum" in schema and None not in schema["enum"] else {}
    return {**schema, "type": types if "null" in types else [*types, "null"], **more}
