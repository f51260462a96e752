"""The AsyncAPI document of the two sockets."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from client_compat.raw_frames import FRAME_ID_CHARS_MAX, FRAME_ID_MAX
from handlers.chat_app import COMMANDS, Command
from handlers.wire.descriptions import description_of, summary_of
from handlers.wire.endings import CLOSE_CODES
from handlers.wire.errors import MEANINGS, Code
from handlers.wire.event_payloads import PAYLOADS, Error
from handlers.wire.events import ROOM_EVENTS, EventName
from server.documents.examples import example_of
from server.documents.parameters import Parameters, plugin_of
from server.documents.samples import command_samples_of
from server.documents.shapes import JsonSchema, Shapes
from server.version import VERSION

Part = dict[str, Any]

WireName = Literal["raw", "socketio"]

ONLY_ON: Mapping[EventName, WireName] = {"closing": "socketio"}
"""Events that one of the wires has; all others are on both."""

SOCKET_CODES: tuple[Code, ...] = ("invalid", "unavailable", "unauthenticated")
"""What every command may fail with: a wrong field, a store that cannot serve, a connection that is ending."""

DESCRIPTION = """\
Commands that clients send, and events that they get, over a plain WebSocket or over Socket.IO. Both have the same
names and fields. A raw frame is the payload with `type`, and a command may carry an `id`: then there is an answer
with the same `id`, of the type `ack` or `error`. A Socket.IO event has the name beside the payload, and the answer is
the ack callback's. New fields may be added to every event. `docs/protocol.md` says more; `/api/openapi.json`
describes REST.
"""

FRAME_ID: JsonSchema = {
    "oneOf": [
        {"type": "string", "maxLength": FRAME_ID_CHARS_MAX},
        {"type": "integer", "minimum": 0, "maximum": FRAME_ID_MAX},
    ],
}

ID_OF_COMMAND = "The `id` of the command that is answered."

ENDINGS = "; ".join(
    f"{code}: {', '.join(sorted({ending.value for ending in CLOSE_CODES if CLOSE_CODES[ending].code == code}))}"
    for code in sorted({ending.code for ending in CLOSE_CODES.values()})
)


def asyncapi() -> Mapping[str, Any]:
    """The document. It takes tens of milliseconds to build."""
    _, parameters = plugin_of({"title": "Vestnik", "version": VERSION, "openapi_version": "3.1.0"})
    shapes = Shapes()
    commands = [command for command in COMMANDS.values() if command.socket]
    wires = [_Wire(wire, parameters, shapes) for wire in get_args(WireName)]
    channels: Part = {}
    operations: Part = {}
    for wire in wires:
        channels[wire.name] = wire.channel(commands)
        operations.update(wire.operations(commands))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Vestnik",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "raw": {
                "host": "localhost:8000",
                "pathname": "/ws",
                "protocol": "ws",
                "description": "JSON frames in text messages.",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            },
            "socketio": {
                "host": "localhost:8000",
                "pathname": "/socket.io/",
                "protocol": "socket.io",
                "protocolVersion": "5",
                "description": "Socket.IO 5 over Engine.IO 4, WebSocket and polling, namespace `/`.",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": dict(sorted(shapes.components.items())),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token, or the token of a bot. Raw: also `?token=`, or the subprotocols "
                    "`bearer, TOKEN`. Socket.IO: also `auth: {token}`.",
                }
            },
        },
    }


def errors_of(command: Command[Any]) -> tuple[Code, ...]:
    """The codes with which a command of the sockets may fail, without those of `SOCKET_CODES`."""
    undeclared: tuple[Code, ...] = ("forbidden", "not_found", "conflict")
    codes = undeclared if command.errors is None else command.errors
    limited: tuple[Code, ...] = ("rate_limited",) if command.limit is not None else ()
    return tuple(dict.fromkeys(code for code in (*codes, *limited) if code not in SOCKET_CODES))


def event_payload(name: EventName, shapes: Shapes) -> JsonSchema:
    """What the event carries, on both sockets."""
    kind = PAYLOADS.get(name)
    return {"type": "object"} if kind is None else shapes.object_of(kind)


class _Wire:
    """What one of the wires makes of commands, answers and events."""

    def __init__(self, name: WireName, parameters: Parameters, shapes: Shapes) -> None:
        self.name = name
        self._parameters = parameters
        self._shapes = shapes

    @property
    def _is_raw(self) -> bool:
        return self.name == "raw"

    def channel(self, commands: list[Command[Any]]) -> Part:
        messages: Part = {}
        for command in commands:
            messages[_key(command.name)] = self._command(command)
            messages[f"{command.name}_ack"] = self._ack(command)
        if not self._is_raw:
            messages["ack_error"] = self._failure()
        for name in events_of(self.name):
            messages[name] = self._event(name)
        query: JsonSchema = {
            "type": "object",
            "properties": {
                "token": {"type": "string", "description": "The access token."},
                "subscribe": {
                    "const": "all",
                    "description": "Join all chats of the user, now and as they come.",
                },
            },
        }
        part: Part = {
            "address": "/ws" if self._is_raw else "/socket.io/",
            "servers": [{"$ref": f"#/servers/{self.name}"}],
            "description": (
                "One JSON object in each text message. " if self._is_raw else "Events of the namespace `/`. "
            )
            + f"The server ends connections with a code: {ENDINGS}.",
            "messages": messages,
        }
        if self._is_raw:
            part["bindings"] = {"ws": {"method": "GET", "query": query}}
        return part

    def operations(self, commands: list[Command[Any]]) -> Iterator[tuple[str, Part]]:
        channel = {"$ref": f"#/channels/{self.name}"}
        failure = "error" if self._is_raw else "ack_error"
        for command in commands:
            samples = command_samples_of(command.name, self._example(command))
            yield (
                f"{self.name}_{command.name}",
                {
                    "action": "receive",
                    "channel": channel,
                    "title": command.name,
                    "summary": summary_of(command.description),
                    "description": command.description,
                    "messages": [self._message(_key(command.name))],
                    "reply": {
                        "channel": channel,
                        "messages": [self._message(f"{command.name}_ack"), self._message(failure)],
                    },
                    "x-errors": [*errors_of(command), *SOCKET_CODES],
                    "x-codeSamples": [
                        {"lang": label, "label": label, "source": source}
                        for label, source in samples.items()
                        if label in (("frame", "WebSocket") if self._is_raw else ("JavaScript", "Python"))
                    ],
                },
            )
        for name in events_of(self.name):
            yield (
                f"{self.name}_on_{name}",
                {
                    "action": "send",
                    "channel": channel,
                    "title": name,
                    "summary": summary_of(_says(name)),
                    "messages": [self._message(name)],
                },
            )

    def _message(self, key: str) -> Part:
        return {"$ref": f"#/channels/{self.name}/messages/{key}"}

    def _example(self, command: Command[Any]) -> Mapping[str, Any]:
        names = list(command.schema.parameters)
        schemas = {name: self._parameters.of(command, name) for name in names}
        return example_of(command, schemas, [name for name in names if schemas])

    def _command(self, command: Command[Any]) -> Part:
        payload = self._parameters.object_of(command, command.schema.parameters)
        example = dict(self._example(command))
        if self._is_raw:
            payload = typed(command.name, payload, id_says="Asks for an answer, which carries it too.")
            example = {"type": command.name, "id": 1, **example}
        return {
            "name": command.name,
            "title": command.name,
            "summary": summary_of(command.description),
            "description": command.description,
            "payload": payload,
            "examples": [{"payload": example}],
        }

    def _ack(self, command: Command[Any]) -> Part:
        payload = self._shapes.object_of(command.answer)
        payload["properties"] = {"ok": {"const": True}, **payload["properties"]}
        payload["required"] = ["ok", *payload["required"]]
        if self._is_raw:
            payload = typed("ack", payload, id_says=ID_OF_COMMAND)
            payload["required"].insert(1, "id")
        return {
            "name": "ack",
            "title": f"ack of {command.name}",
            "summary": f"`{command.name}` was done",
            "payload": payload,
        }

    def _failure(self) -> Part:
        schema = self._shapes.of(Error)
        return {
            "name": "ack",
            "title": "ack of a command that failed",
            "summary": "A command failed: what the ack callback gets",
            "payload": {
                "type": "object",
                "properties": {"ok": {"const": False}, "error": schema},
                "required": ["ok", "error"],
            },
        }

    def _event(self, name: EventName) -> Part:
        payload = event_payload(name, self._shapes)
        if self._is_raw:
            payload = typed(name, payload, id_says=ID_OF_COMMAND if name == "error" else "")
        says = _says(name)
        if name == "error":
            says += " On the raw socket also the answer to a command with an `id`. Codes: " + "; ".join(
                f"`{code}`: {meaning}" for code, meaning in MEANINGS.items()
            )
        part: Part = {"name": name, "title": name, "payload": payload}
        if says:
            part |= {"summary": summary_of(says), "description": says}
        if name in NUMBERED:
            part["tags"] = [{"name": "numbered", "description": "Takes a number of its chat, `seq`."}]
        return part


NUMBERED = frozenset(make.__name__ for kind, make in ROOM_EVENTS.items() if kind.kind.takes_seq)
"""Events of changes that take a number. The function that makes such an event has its name."""


def events_of(wire: WireName) -> Iterator[EventName]:
    """The events of a wire, in the order of the registry."""
    return (name for name in get_args(EventName) if ONLY_ON.get(name, wire) == wire)


def _says(name: EventName) -> str:
    kind = PAYLOADS.get(name)
    return "" if kind is None else description_of(kind)


def _key(command: str) -> str:
    """The key of a command's message. Messages of one name need different keys."""
    return f"{command}_command" if command in get_args(EventName) else command


def typed(name: str, payload: JsonSchema, *, id_says: str = "") -> JsonSchema:
    """The payload as a raw frame has it. `id_says`: what its `id` is; empty if it has none."""
    more: JsonSchema = {
        "type": {"const": name},
        **({"id": {"description": id_says, **FRAME_ID}} if id_says else {}),
    }
    return {
        **payload,
        "properties": {**more, **payload.get("properties", {})},
        "required": ["type", *payload.get("required", [])],
    }
