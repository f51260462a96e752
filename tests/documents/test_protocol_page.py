"""docs/protocol.md has the calls, commands, events, errors and objects of the documents, with the same fields."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from handlers.commands import COMMANDS
from handlers.wire.errors import MEANINGS
from server.documents.asyncapi import errors_of
from server.documents.openapi import operations
from server.documents.operations import Operation
from server.middlewares import STATUS
from tests.clients.documented import asyncapi, faults, openapi, template_of, validator

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf8")

TABLE_OF = {"Commands": "| command |", "Events": "| event |", "Acks and errors": "| code |"}


def rows(section: str) -> Iterator[list[str]]:
    """The rows of the table of a section, in cells."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    yield from cells(text.partition(TABLE_OF[section])[2])


def cells(text: str) -> Iterator[list[str]]:
    """The rows of a table; the text begins in its first line."""
    for line in text.partition("\n\n")[0].splitlines()[2:]:
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def rows_of_calls() -> Iterator[list[str]]:
    """The rows of all tables of calls, without those that point to another section."""
    for table in PAGE.split("\n| call |")[1:]:
        yield from (row for row in cells(table) if not row[2].startswith("see ["))


def names(cell: str) -> dict[str, bool]:
    """The names in code, and whether each is required. What stands in brackets are remarks."""
    plain = re.sub(r"\([^()]*\)", "", cell)
    return {name: not mark for name, mark in re.findall(r"`([a-z_]+)(\??)`", plain)}


def page_calls() -> Mapping[tuple[str, str], tuple[str, str, bool]]:
    """By method and path, with all parameters called {}: what the call takes, what it answers, and whether it needs no
    token."""
    found = {}
    for call, takes, answers in rows_of_calls():
        pieces = re.findall(r"`([^`]+)`", call)
        path = ""
        for piece in pieces:
            words = piece.split()
            if len(words) == 2:
                path = words[1]
        methods: list[str] = []
        for piece in pieces:
            words = piece.split()
            methods.append(words[0])
            if len(words) == 2:
                for method in methods:
                    found[method, _plain(f"/api{words[1]}")] = (takes, answers, "without a token" in call)
                methods = []
        assert path, call
    return found


def _plain(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


LEFT_OUT = {"/api/openapi.json", "/api/asyncapi.json"}
"""They are in a paragraph of their own."""


def of_rest() -> Mapping[tuple[str, str], Operation]:
    return {
        (operation.method, _plain(operation.path)): operation
        for operation in operations()
        if operation.path.startswith("/api/") and operation.path not in LEFT_OUT
    }


def test_the_page_has_all_calls_and_no_others() -> None:
    assert page_calls().keys() == of_rest().keys()


BY_FORM = {"send_files", "upload", "set_avatar", "set_chat_avatar"}
FILES = {"get_upload", "get_thumbnail", "get_avatar"}
PUBLIC = {"register", "login", "refresh"}


@pytest.mark.parametrize("operation", of_rest().values(), ids=lambda operation: operation.id)
def test_the_page_says_of_a_call_what_the_document_says(operation: Operation) -> None:
    takes, answers, public = page_calls()[operation.method, _plain(operation.path)]
    has_token = not (operation.public or operation.id in FILES)
    assert public is (not has_token and operation.id not in PUBLIC), "who needs no token"
    if operation.id not in FILES:
        statuses = {int(status) for status in re.findall(r"\b(20\d)\b", answers)}
        assert statuses == set(operation.answers)
    if operation.id not in BY_FORM | FILES and takes:
        told, real = names(takes), taken(operation)
        assert {name: told.get(name) for name in real} == real, takes


def taken(operation: Operation) -> dict[str, bool]:
    """The fields of query and body, and whether each is required."""
    found = {part["name"]: part["required"] for part in operation.parameters if part["in"] == "query"}
    content = (operation.body or {}).get("content", {})
    for kind in content.values():
        schema = kind["schema"]
        found |= {name: name in schema.get("required", ()) for name in schema["properties"]}
    return found


def test_the_page_has_the_commands_with_their_fields_acks_and_errors() -> None:
    told = {}
    for names_of_commands, takes, ack, errors in rows("Commands"):
        for name in re.findall(r"`(\w+)`", names_of_commands):
            told[name] = (names(takes), set(names(ack)), set(re.findall(r"`(\w+)`", errors)))
    real = {}
    messages = asyncapi()["channels"]["raw"]["messages"]
    for name, entry in COMMANDS.items():
        if entry.socket:
            fields = {field: part.required for field, part in entry.schema.parameters.items()}
            answers = set(messages[f"{name}_ack"]["payload"]["properties"]) - {"type", "id", "ok"}
            real[name] = (
                fields,
                answers,
                set(errors_of(entry)) | ({"unauthenticated"} & set(entry.errors or ())),
            )
    told["status"] = ({"status": True}, *told["status"][1:])  # its values are in the cell too
    assert told == real


def test_the_page_has_the_events_with_their_fields() -> None:
    told = {
        re.findall(r"`(\w+)`", event)[0]: set(names(_unnested(fields)))
        for event, fields, _who in rows("Events")
    }
    real = {}
    for wire in ("socketio", "raw"):
        for name, message in asyncapi()["channels"][wire]["messages"].items():
            if message["name"] in told and "examples" not in message and message["name"] == name:
                real[name] = set(message["payload"]["properties"]) - {"type", "timestamp", "id"}
    assert told == real


def _unnested(cell: str) -> str:
    """Without the fields of an object in a field."""
    return re.sub(r" {[^}]*}`", "`", cell)


def test_the_page_has_the_errors_with_their_statuses() -> None:
    told = {code.strip("`"): status for code, status, *_ in rows("Acks and errors")}
    assert told.keys() == MEANINGS.keys()
    sockets = {"unknown_event", "bad_frame"}
    assert {code: int(status) for code, status in told.items() if code not in sockets} == {
        code: status for code, status in STATUS.items() if code not in sockets
    }


OBJECTS = {"user": "User", "chat": "Summary", "message": "Message", "upload": "Upload"}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_page_has_the_fields_of_an_object(name: str) -> None:
    table = PAGE.partition(f"\n**{name}**\n")[2].partition("| --- | --- |\n")[2].partition("\n\n")[0]
    told = {field for line in table.splitlines() for field in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert told == set(openapi()["components"]["schemas"][OBJECTS[name]]["properties"])


IN_A_LINE = {
    r"\n\*\*invite\*\*: (.*?)\n\n": "Invite",
    r"\n\*\*member\*\*: (.*?)\n\n": "Member",
    r"\*Ban\*: `{(.*?)}`": "Ban",
    r"\*Audit\*: `{(.*?)}`": "AuditEntry",
    r"lists those that still work:\n`{(.*?)}`": "Session",
}


@pytest.mark.parametrize(("where", "name"), IN_A_LINE.items(), ids=IN_A_LINE.values())
def test_the_page_has_the_fields_of_an_object_in_a_line(where: str, name: str) -> None:
    found = re.search(where, PAGE, re.DOTALL)
    assert found
    told = set(re.findall(r"\w+", re.sub(r"\([^()]*\)|[`?]", "", found[1])))
    assert told == set(openapi()["components"]["schemas"][name]["properties"])


def frames() -> Iterator[tuple[str, Any]]:
    """The frames of the page that are whole JSON: those without an ellipsis."""
    for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL):
        text = re.sub(r"^[→←]", "", block, flags=re.MULTILINE)
        decoder = json.JSONDecoder()
        for start in (match.start() for match in re.finditer(r"^ ?{", text, re.MULTILINE)):
            try:
                value, _ = decoder.raw_decode(text[start:].lstrip())
            except ValueError:
                continue
            yield block, value


def test_whole_frames_of_the_page_are_those_of_the_document() -> None:
    """Frames of the basic protocol may have fewer fields than the server sends; no frame has others."""
    messages = asyncapi()["channels"]["raw"]["messages"]
    seen = []
    for block, frame in frames():
        if "type" not in frame or "…" in json.dumps(frame, ensure_ascii=False):
            continue
        seen.append(frame["type"])
        keys = [key for key, message in messages.items() if message["name"] == frame["type"]]
        found = [
            list(faults(validator(asyncapi(), _optional(messages[key]["payload"])), frame)) for key in keys
        ]
        assert [] in found, (frame, found, block)
    assert len(seen) > 15
    assert {"ping", "join_chat", "new_message", "messages_read", "ack", "error"} <= set(seen)


def _optional(schema: Any) -> Any:
    """The schema without required fields, in the objects to which it refers too."""
    text = json.dumps(schema)
    for name, part in openapi()["components"]["schemas"].items():
        text = text.replace(json.dumps({"$ref": f"#/components/schemas/{name}"}), json.dumps(part))
    return _without_required(json.loads(text))


def _without_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_required(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _without_required(part) for name, part in schema.items() if name != "required"}
    return schema


def answered() -> Iterator[tuple[str, str, Any]]:
    """The answers in JSON to the calls with curl that stand before them: method, path, and the answer if it is
    whole."""
    for call, answer in re.findall(r"```sh\n(curl .*?)```\n```json\n(.*?)```", PAGE, re.DOTALL):
        path = re.search(r"localhost:8000(/api/[^\s?'\"]+)", call)
        assert path, call
        given = re.search(r"-X (\w+)", call)
        method = given[1] if given else "POST" if re.search(r" -[dF] ", call) else "GET"
        try:
            yield method, path[1], json.loads(answer)
        except ValueError:
            assert "…" in answer, answer


def test_answers_of_the_page_are_those_of_the_document() -> None:
    found = list(answered())
    assert len(found) >= 5
    for method, path, answer in found:
        template = template_of(path)
        assert template, path
        responses = openapi()["paths"][template][method.lower()]["responses"]
        schemas = [
            response["content"]["application/json"]["schema"]
            for status, response in responses.items()
            if status.startswith("2")
        ]
        assert list(faults(validator(openapi(), schemas[0]), answer)) == [], (method, path)
