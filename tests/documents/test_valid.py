"""The documents are valid, and so are their examples."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.clients.documented import asyncapi, closed, faults, openapi, resolved, validator

SCHEMA = Path(__file__).parents[1] / "data" / "asyncapi_3.0.0.json.gz"

DOCUMENTS = {"openapi": openapi, "asyncapi": asyncapi}


def parts(document: Any, name: str) -> Iterator[Any]:
    """What a document has under this name, wherever in it."""
    if isinstance(document, dict):
        for key, part in document.items():
            if key == name:
                yield part
            yield from parts(part, name)
    elif isinstance(document, list):
        for part in document:
            yield from parts(part, name)


def test_the_openapi_document_is_valid() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(openapi()).iter_errors()] == []


def test_the_asyncapi_document_is_valid() -> None:
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    check = jsonschema_rs.Draft7Validator(schema)
    assert [error.message[:300] for error in check.iter_errors(asyncapi())] == []
    assert list(check.iter_errors({**asyncapi(), "channels": {"raw": {"messages": []}}})), "it sees faults"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    document = DOCUMENTS[name]()
    references = set(parts(document, "$ref"))
    assert references
    for reference in references:
        assert resolved(document, {"$ref": reference}), reference


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_object_that_is_described_is_used(name: str) -> None:
    document = DOCUMENTS[name]()
    used = {reference.rsplit("/", 1)[1] for reference in parts(document, "$ref")}
    assert document["components"]["schemas"].keys() - used == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_patterns_are_those_of_javascript_and_python(name: str) -> None:
    patterns = {pattern for pattern in parts(DOCUMENTS[name](), "pattern") if isinstance(pattern, str)}
    assert patterns
    for pattern in patterns:
        re.compile(pattern)
        assert not re.search(r"\\[AZz]|\(\?[a-zA-Z<]", pattern), pattern


def test_examples_of_requests_are_as_their_schemas_say() -> None:
    found = 0
    for methods in openapi()["paths"].values():
        for operation in methods.values():
            places = [
                *operation.get("parameters", ()),
                *operation.get("requestBody", {}).get("content", {}).values(),
            ]
            for place in places:
                if "example" in place:
                    found += 1
                    check = validator(openapi(), place["schema"])
                    assert list(faults(check, place["example"])) == [], operation["operationId"]
    assert found > 100


@pytest.mark.parametrize("wire", ["raw", "socketio"])
def test_examples_of_commands_are_as_their_schemas_say(wire: str) -> None:
    messages = asyncapi()["channels"][wire]["messages"]
    examples = [
        (message["payload"], example["payload"])
        for message in messages.values()
        for example in message.get("examples", ())
    ]
    assert len(examples) > 10
    for schema, example in examples:
        assert list(faults(validator(asyncapi(), schema), example)) == []


def test_the_strict_form_of_a_schema_refuses_what_it_does_not_name() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}
    check = jsonschema_rs.Draft202012Validator(closed(schema))
    assert check.is_valid({"a": {"b": 1}})
    assert not check.is_valid({"c": 1})
    assert not check.is_valid({"a": {"c": 1}})
