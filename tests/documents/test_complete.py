"""Everything that the registries have is in the documents, with a description, and nothing else is."""

import re
from typing import Any, get_args

import pytest
from aiohttp import web

from handlers.commands import COMMANDS
from handlers.commands.connection import Ping
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import Nothing
from handlers.wire.descriptions import description_of, summary_of
from handlers.wire.errors import MEANINGS, Code
from handlers.wire.event_payloads import PAYLOADS
from handlers.wire.events import EVENT_NAMES, ROOM_EVENTS
from server.app import create_app
from server.config import Config
from server.documents.asyncapi import WireName, events_of
from server.documents.openapi import operations
from server.documents.operations import SOCKETS_ONLY
from server.documents.parameters import description_of_parameter
from server.middlewares import STATUS
from server.rest.routes import CALLS
from tests.clients.documented import asyncapi, openapi
from tests.conftest import SECRET

PAGES = re.compile(r"/(ws|docs|assets|nodes|socket\.io|relay|\{)?(/.*|\{.*)?")
"""Paths of the sockets, of pages for people and of other nodes, which are no part of the API."""

WIRES: tuple[WireName, ...] = ("raw", "socketio")


def routes(app: web.Application) -> set[tuple[str, str]]:
    """Methods and paths of the API that the server serves; HEAD goes with GET."""
    found = set()
    for route in app.router.routes():
        path = re.sub(
            r"\{(\w+):[^{}]+(\{[^{}]*\})?[^{}]*\}",
            r"{\1}",
            route.resource.canonical if route.resource else "",
        )
        if route.method not in ("HEAD", "*", "OPTIONS") and not PAGES.fullmatch(path):
            found.add((route.method, path))
    return found


def test_every_route_is_documented_and_no_other(tmp_path: Any) -> None:
    app = create_app(Config(secret_key=SECRET, data_dir=tmp_path, metrics_token="a token"))
    documented = {
        (method.upper(), path) for path, methods in openapi()["paths"].items() for method in methods
    }
    served = routes(app)
    assert ("GET", "/metrics") in served
    assert documented == served


def test_every_command_is_documented() -> None:
    over_rest = {call.command for call in CALLS}
    for name, entry in COMMANDS.items():
        assert entry.socket or name in over_rest, f"nobody can give the command {name}"
    for wire in WIRES:
        messages = asyncapi()["channels"][wire]["messages"].values()
        names = [message["name"] for message in messages if "examples" in message]
        assert sorted(names) == sorted(name for name, entry in COMMANDS.items() if entry.socket)


@pytest.mark.parametrize("wire", WIRES)
def test_every_event_is_documented_on_the_wires_that_have_it(wire: WireName) -> None:
    channel = asyncapi()["channels"][wire]["messages"]
    sent = {
        operation["title"]
        for name, operation in asyncapi()["operations"].items()
        if operation["action"] == "send" and operation["channel"]["$ref"] == f"#/channels/{wire}"
    }
    assert sent == set(events_of(wire)) == EVENT_NAMES - ({"closing"} if wire == "raw" else set())
    assert {channel[name]["name"] for name in sent} == sent


@pytest.mark.parametrize("wire", WIRES)
def test_raw_frames_have_a_type_and_socketio_payloads_have_none(wire: str) -> None:
    for key, message in asyncapi()["channels"][wire]["messages"].items():
        kind = message["payload"].get("properties", {}).get("type")
        assert kind == ({"const": message["name"]} if wire == "raw" else None), key


def test_every_change_that_takes_a_number_is_an_event_with_seq() -> None:
    channel = asyncapi()["channels"]["raw"]["messages"]
    numbered = {make.__name__ for kind, make in ROOM_EVENTS.items() if kind.kind.takes_seq}
    assert {"new_message", "reaction_added", "message_pinned"} <= numbered
    assert {
        name
        for name, message in channel.items()
        if "seq" in message["payload"]["required"] and "ok" not in message["payload"]["properties"]
    } == numbered
    assert {name for name, message in channel.items() if "tags" in message} == numbered


def test_every_error_is_documented() -> None:
    assert MEANINGS.keys() == set(get_args(Code)) == STATUS.keys()
    assert openapi()["components"]["schemas"]["Error"]["properties"]["code"]["enum"] == [
        code for code in MEANINGS if code not in SOCKETS_ONLY
    ]
    assert openapi()["components"]["responses"].keys() == MEANINGS.keys() - SOCKETS_ONLY
    for wire in WIRES:
        error = asyncapi()["channels"][wire]["messages"]["error"]
        assert set(error["payload"]["properties"]["code"]["enum"]) == set(MEANINGS)
        assert all(f"`{code}`" in error["description"] for code in MEANINGS)


def undescribed(commands: Any) -> set[str]:
    """The commands that say nothing of themselves, or not with what they fail."""
    return {name for name, entry in commands.items() if not entry.description or entry.errors is None}


def test_every_command_says_what_it_does_and_with_what_it_fails() -> None:
    assert undescribed(COMMANDS) == set()


def test_a_command_without_a_description_or_errors_is_found() -> None:
    async def said(_context: Context, _caller: Caller, _params: Ping) -> Result:
        """Does it."""
        return {}

    async def silent(_context: Context, _caller: Caller, _params: Ping) -> Result:
        return {}

    made = {
        "good": command("good", Ping, Nothing, limit="changes", errors=())(said),
        "silent": command("silent", Ping, Nothing, limit="changes", errors=())(silent),
        "undeclared": command("undeclared", Ping, Nothing, limit="changes")(said),
    }
    assert undescribed(made) == {"silent", "undeclared"}


def test_every_event_says_when_it_comes_and_what_it_carries() -> None:
    assert PAYLOADS.keys() == EVENT_NAMES
    assert [name for name, payload in PAYLOADS.items() if not description_of(payload)] == []


def test_every_parameter_says_what_it_is() -> None:
    silent = [
        f"{name}.{parameter}"
        for name, entry in COMMANDS.items()
        for parameter in entry.schema.parameters
        if not description_of_parameter(name, parameter)
    ]
    assert silent == []


def test_every_parameter_has_a_type() -> None:
    for methods in openapi()["paths"].values():
        for part in methods.values():
            schemas = [one["schema"] for one in part.get("parameters", ())]
            for content in part.get("requestBody", {}).get("content", {}).values():
                schemas += content["schema"].get("properties", {}).values()
            for schema in schemas:
                types = schema.get("type")
                assert types, (part["operationId"], schema)
                assert None not in ([types] if isinstance(types, str) else types), (
                    part["operationId"],
                    schema,
                )
                assert "array" not in types or "items" in schema


def test_every_operation_has_a_name_a_summary_and_samples() -> None:
    every = operations()
    assert len({operation.id for operation in every}) == len(every)
    for operation in every:
        part = operation.as_part()
        assert 5 < len(part["summary"]) < 120, part["summary"]
        assert "Raises" not in part["description"]
        assert [sample["label"] for sample in part["x-codeSamples"]] == ["curl", "JavaScript", "Python"]


def test_a_description_is_what_the_docstring_says_to_clients() -> None:
    def entry() -> None:
        """Does this, and
        that: `x`.

        Then more. Raises: `ChatError`
        `conflict`.
        """

    assert description_of(entry) == "Does this, and that: `x`.\n\nThen more."
    assert summary_of(description_of(entry)) == "Does this, and that"
