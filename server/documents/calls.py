"""The calls of `server.rest.routes` as operations."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_type_hints

from handlers.chat_app import COMMANDS, Command
from handlers.wire.answers import Nothing
from handlers.wire.errors import Code
from handlers.wire.schemas import StrictInteger
from server.documents.examples import example_of, value_of
from server.documents.operations import JSON, Answers, Operation, Part
from server.documents.parameters import Parameters
from server.documents.samples import Request
from server.documents.shapes import JsonSchema, Shapes
from server.rest.bodies import MULTIPART, URLENCODED
from server.rest.calls import Answer, Call
from server.rest.parameters import path_fields

UNDECLARED: tuple[Code, ...] = ("forbidden", "not_found", "conflict")
"""What a command may fail with that has not declared it."""

WITH_BODY = ("POST", "PUT", "PATCH")

_TAGS = {
    "search": "messages",
    "pins": "messages",
    "invites": "invites",
    "bans": "moderation",
    "audit": "moderation",
}


def operations_of(calls: Sequence[Call], parameters: Parameters, shapes: Shapes) -> Iterator[Operation]:
    """The operations of the calls, in their order."""
    ids = _ids(calls)
    for call in calls:
        yield _operation(call, ids[call.method, call.path], parameters, shapes)


def _ids(calls: Iterable[Call]) -> Mapping[tuple[str, str], str]:
    """A name for each call: that of its command or, if there are several calls of one, that and what is different."""
    calls = list(calls)
    by_command = Counter(call.command for call in calls)
    by_method = Counter((call.command, call.method) for call in calls)
    ids = {}
    for call in calls:
        name = call.command
        if by_command[name] > 1 and by_method[name, call.method] == 1:
            name = f"{name}_{call.method.lower()}"
        elif call.own and by_command[name] > 1:
            name = f"{name}_me"
        ids[call.method, call.path] = name
    return ids


def _operation(call: Call, operation_id: str, parameters: Parameters, shapes: Shapes) -> Operation:
    command = COMMANDS[call.command]
    in_path = list(path_fields(command, call.path))
    elsewhere = {*in_path, "user_id"} if call.own else set(in_path)
    others = [name for name in command.schema.parameters if name not in elsewhere]
    in_query = others if call.method == "GET" else []
    in_body = others if call.method in WITH_BODY or call.with_body else []
    schemas = {name: parameters.of(command, name) for name in command.schema.parameters}
    at_least = 1 if call.method in ("PATCH", "PUT") else 0
    example = example_of(command, schemas, in_query + in_body, at_least=at_least)
    body = _body(call, command, in_body, parameters, example) if in_body else None
    return Operation(
        id=operation_id,
        method=call.method,
        path="/api" + call.path,
        description="\n\n".join(filter(None, (command.description, _for_whom(command)))),
        tag=_tag(call.path),
        answers=_answers(call, command, shapes),
        codes=frozenset(_codes(call, command, in_path, bool(in_query), bool(in_body))),
        public=call.public,
        parameters=tuple(
            [_parameter("path", name, schemas[name], command, required=True) for name in in_path]
            + [
                _parameter(
                    "query", name, schemas[name], command, required=command.schema.parameters[name].required
                )
                for name in in_query
            ]
        ),
        body=body,
        request=Request(
            call.method,
            "/api" + call.path,
            in_path={name: value_of(command.name, name, schemas[name]) for name in in_path},
            in_query=example if in_query else {},
            body="json" if in_body and example else "none",
            fields=example if in_body else {},
            has_token=not call.public,
        ),
    )


def _for_whom(command: Command[Any]) -> str:
    if command.admin:
        return "For admins of the server."
    return "Not for bots." if command.people else ""


def _tag(path: str) -> str:
    first, *rest = path.strip("/").split("/")
    return next((_TAGS[part] for part in rest if part in _TAGS and first != "admin"), first)


def _parameter(place: str, name: str, schema: JsonSchema, command: Command[Any], *, required: bool) -> Part:
    schema = dict(schema)
    part: Part = {"name": name, "in": place, "required": required}
    if description := schema.pop("description", ""):
        part["description"] = description
    return {**part, "schema": schema, "example": value_of(command.name, name, schema)}


def _body(
    call: Call, command: Command[Any], names: list[str], parameters: Parameters, example: Mapping[str, Any]
) -> Part:
    schema = parameters.object_of(command, names)
    kinds = [JSON, URLENCODED, MULTIPART] if call.form else [JSON]
    return {
        "required": any(command.schema.parameters[name].required for name in names),
        "content": {kind: {"schema": schema, "example": dict(example)} for kind in kinds},
    }


def _answers(call: Call, command: Command[Any], shapes: Shapes) -> Answers:
    if call.answer.status == 204:
        return {204: ("Done; there is no body", {})}
    conditional = call.answer.status_if or {}
    statuses = {call.answer.status: ("It was there already" if 201 in conditional.values() else "Done")}
    if call.answer.status == 201:
        statuses[201] = "Made"
    for status in conditional.values():
        statuses[status] = "Made" if status == 201 else "It was there already"
    content = {JSON: _body_schema(call.answer, command, shapes)}
    return {status: (meaning, content) for status, meaning in sorted(statuses.items())}


def _body_schema(answer: Answer, command: Command[Any], shapes: Shapes) -> JsonSchema:
    hints = get_type_hints(command.answer, include_extras=True)
    if answer.part:
        return shapes.of(hints[answer.part])
    if not answer.only:
        return {"type": "object"} if command.answer is Nothing else shapes.of(command.answer)
    whole = shapes.object_of(command.answer)
    return {
        **whole,
        "properties": {name: whole["properties"][name] for name in answer.only},
        "required": [name for name in whole["required"] if name in answer.only],
    }


def _codes(
    call: Call, command: Command[Any], in_path: list[str], has_query: bool, has_body: bool
) -> Iterator[Code]:
    """The errors of a call besides those of every request."""
    yield from UNDECLARED if command.errors is None else command.errors
    if not call.public:
        yield "unauthenticated"
    if in_path:
        yield "not_found"
    texts = any(not isinstance(command.schema.parameters[name], StrictInteger) for name in in_path)
    if has_query or has_body or texts:
        yield "invalid"
    if call.method in WITH_BODY or call.with_body:
        yield "too_large"
        yield "unsupported_media"
