"""An operation of the OpenAPI document: a method of a path, what it takes, and all that it answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.wire.descriptions import summary_of
from handlers.wire.errors import MEANINGS, Code
from server.documents.samples import Request, samples_of
from server.middlewares import STATUS

Part = dict[str, Any]

SOCKETS_ONLY: frozenset[Code] = frozenset({"unknown_event", "bad_frame"})

ALWAYS: frozenset[Code] = frozenset({"bad_request", "forbidden", "rate_limited", "unavailable"})
"""What a server answers to any request: one that is not HTTP, of an origin that is refused, above a limit, or while the
server cannot serve."""

SECURITY = "token"

JSON = "application/json"

TEXT: Part = {"type": "string"}

Answers = Mapping[int, tuple[str, Mapping[str, Part]]]


@dataclass(frozen=True)
class Operation:
    """`answers`: by status, the description and the schema by media type, none without a body. `codes`: the errors
    besides `ALWAYS`. A status that is in `answers` is no error there. `own_errors`: all errors are in `answers`."""

    id: str
    method: str
    path: str
    description: str
    tag: str
    answers: Answers
    request: Request
    codes: frozenset[Code] = frozenset()
    public: bool = False
    own_errors: bool = False
    parameters: tuple[Part, ...] = ()
    body: Part | None = None
    headers: Mapping[int, Mapping[str, Part]] = field(default_factory=dict)

    def as_part(self) -> Part:
        """The operation as the document has it."""
        part: Part = {
            "operationId": self.id,
            "summary": summary_of(self.description),
            "description": self.description,
            "tags": [self.tag],
        }
        if self.parameters:
            part["parameters"] = list(self.parameters)
        if self.body is not None:
            part["requestBody"] = self.body
        part["responses"] = self._responses()
        part["security"] = [] if self.public else [{SECURITY: []}]
        has_body = any(content for _, content in self.answers.values())
        samples = samples_of(self.request, answers=has_body)
        part["x-codeSamples"] = [
            {"lang": "Shell" if label == "curl" else label, "label": label, "source": source}
            for label, source in samples.items()
        ]
        return part

    def _responses(self) -> Part:
        responses: Part = {}
        for status, (description, content) in self.answers.items():
            response: Part = {"description": description}
            if headers := self.headers.get(status):
                response["headers"] = dict(headers)
            if content:
                response["content"] = {media: {"schema": schema} for media, schema in content.items()}
            responses[str(status)] = response
        shared = frozenset[Code]() if self.own_errors else self.codes | ALWAYS
        for code in sorted(shared, key=STATUS.__getitem__):
            responses.setdefault(str(STATUS[code]), {"$ref": f"#/components/responses/{code}"})
        return responses


def error_responses() -> Iterable[tuple[str, Part]]:
    """By code, the response that every operation shares."""
    for code, meaning in MEANINGS.items():
        if code in SOCKETS_ONLY:
            continue
        response: Part = {
            "description": f"`{code}`: {meaning}",
            "content": {JSON: {"schema": error_schema(code)}},
        }
        if code in ("rate_limited", "unavailable"):
            response["headers"] = {"Retry-After": _header("Whole seconds", {"type": "integer", "minimum": 1})}
        if code == "unauthenticated":
            response["headers"] = {"WWW-Authenticate": _header("Always `Bearer`", {"const": "Bearer"})}
        yield code, response


def error_schema(code: Code) -> Part:
    """An error of this code."""
    has_code = {"properties": {"code": {"const": code}}}
    return {
        "type": "object",
        "properties": {"error": {"allOf": [{"$ref": "#/components/schemas/Error"}, has_code]}},
        "required": ["error"],
    }


def error_object() -> Part:
    """The schema of `error` in an answer."""
    return {
        "type": "object",
        "description": "Programs decide by `code`; `message` and the texts in `fields` are for people.",
        "properties": {
            "code": {"enum": [code for code in MEANINGS if code not in SOCKETS_ONLY]},
            "message": {"type": "string"},
            "fields": {
                "type": "object",
                "description": "What is wrong with each field.",
                "additionalProperties": {"type": "string"},
            },
            "retry_after_ms": {
                "type": "integer",
                "minimum": 1,
                "description": "When it makes sense to try again.",
            },
        },
        "required": ["code", "message"],
    }


def _header(description: str, schema: Part) -> Part:
    return {"description": description, "schema": schema}


def header(description: str) -> Part:
    """A header whose value is text."""
    return _header(description, {"type": "string"})
