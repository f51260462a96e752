"""What the server says, held against its documents: every answer of REST, every event and every ack that a client of
the tests gets. `tests/conftest.py` fails a test in which something was said that the documents do not have."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from handlers.wire.json import loads

Frame = Mapping[str, Any]

FAULTS: list[str] = []
"""What was said and is not documented, in the test that runs."""

OF_HTTP = (405, 417, 426, 431)
"""Statuses of HTTP itself, which any path may answer."""


@cache
def openapi() -> Any:
    """The document as a client gets it."""
    from server.documents.openapi import openapi as build

    return json.loads(json.dumps(build()))


@cache
def asyncapi() -> Any:
    """The document as a client gets it."""
    from server.documents.asyncapi import asyncapi as build

    return json.loads(json.dumps(build()))


def closed(schema: Any) -> Any:
    """A schema whose objects have no other properties than those that it names. The documents leave their objects open,
    because later versions may add to them."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if "properties" in found and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def validator(document: Any, schema: Any) -> jsonschema_rs.Draft202012Validator:
    """A strict validator of a schema of the document."""
    components = closed({"schemas": document["components"]["schemas"]})
    return jsonschema_rs.Draft202012Validator(
        {**closed(schema), "components": components}, validate_formats=True
    )


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Of two paths that fit, the one with fewer parameters counts, as for the server."""
    templates = sorted(openapi()["paths"], key=lambda path: path.count("{"))
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))), path)
        for path in templates
    ]


def template_of(path: str) -> str | None:
    """The path of the document to which a path belongs."""
    plain = path.partition("?")[0]
    return next((template for pattern, template in _paths() if pattern.fullmatch(plain)), None)


def resolved(document: Any, part: Any) -> Any:
    """A part of the document, or what it refers to."""
    while "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


@cache
def _answer_validator(template: str, method: str, status: str) -> jsonschema_rs.Draft202012Validator | None:
    response = resolved(openapi(), openapi()["paths"][template][method]["responses"][status])
    content = response.get("content", {}).get("application/json")
    return None if content is None else validator(openapi(), content["schema"])


def see_answer(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Checks an answer of REST; `path` is the whole path. Paths and methods that the document does not have are left
    out: they are 404 or 405."""
    template = template_of(path)
    methods = {} if template is None else openapi()["paths"][template]
    name = "get" if method == "HEAD" else method.lower()
    if template is None or name not in methods or status in OF_HTTP:
        return
    responses = methods[name]["responses"]
    said = f"{method} {template} {status}"
    if str(status) not in responses:
        FAULTS.append(f"{said} is not documented: {body[:200]!r}")
        return
    SEEN.add((method, template, status))
    content = resolved(openapi(), responses[str(status)]).get("content", {})
    if method == "HEAD":
        return
    if not content:
        if body:
            FAULTS.append(f"{said} has a body: {body[:200]!r}")
        return
    if content_type not in content and "*/*" not in content:
        FAULTS.append(f"{said} is {content_type}, and documented as {', '.join(content)}")
        return
    check = _answer_validator(template, name, str(status))
    if check is not None and content_type == "application/json":
        FAULTS.extend(f"{said}: {fault}" for fault in faults(check, loads(body)))


SEEN: set[tuple[str, str, int]] = set()
"""Which answers there have been in this process."""


@cache
def _frame_validators(wire: str) -> Mapping[str, jsonschema_rs.Draft202012Validator]:
    messages = asyncapi()["channels"][wire]["messages"]
    return {key: validator(asyncapi(), message["payload"]) for key, message in messages.items()}


def see_frame(frame: Frame, command: str | None) -> None:
    """Checks a frame as the raw protocol writes it: an event, or an answer. `command` is the name of the command that
    is answered; None if that is not known."""
    kind = frame["type"]
    if kind == "ack":
        key = f"{command}_ack"
        if command is None:
            return
    else:
        key = kind
    # Only Socket.IO has the event `closing`.
    wire, said = ("raw", frame) if kind != "closing" else ("socketio", _without_type(frame))
    check = _frame_validators(wire).get(key)
    if check is None:
        FAULTS.append(f"{key} is not documented: {frame}")
        return
    FAULTS.extend(f"{key}: {fault}" for fault in faults(check, said))
    if kind == "error" and command is not None:
        codes = asyncapi()["operations"].get(f"raw_{command}", {}).get("x-errors", [frame["code"]])
        if frame["code"] not in codes and frame["code"] not in ("bad_frame", "unknown_event"):
            FAULTS.append(f"{command} is not documented to fail with {frame['code']}: {frame}")


def _without_type(frame: Frame) -> Frame:
    return {name: value for name, value in frame.items() if name != "type"}


def faults(check: jsonschema_rs.Draft202012Validator, value: Any) -> Iterator[str]:
    """What is wrong with a value."""
    if check.is_valid(value):
        return
    for error in check.iter_errors(value):
        yield f"{'.'.join(map(str, error.instance_path))}: {error.message[:300]}"
