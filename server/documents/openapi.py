"""The OpenAPI document of REST."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.documents.calls import operations_of
from server.documents.hooks import webhooks
from server.documents.operations import SECURITY, Operation, error_object, error_responses
from server.documents.other_calls import other_operations
from server.documents.parameters import Parameters, plugin_of
from server.documents.shapes import Shapes
from server.rest.routes import CALLS
from server.version import VERSION

DESCRIPTION = """\
All of the chat over HTTP: accounts, chats, members, messages, files. What has to be fast goes over the sockets, which
`/api/asyncapi.json` describes; the names of commands, objects and errors are the same there.

Calls need an access token, `Authorization: Bearer TOKEN`, but for those that say otherwise. `HEAD` answers as `GET`,
without the body. Unknown fields are ignored, and `null` in an optional field is as good as its absence; nothing else is
converted: `"1"` is no id. New fields may be added to every object. A page has at most 1 MiB: look at `next_cursor`, and
count nothing. `docs/protocol.md` says more.
"""

TAGS: Mapping[str, str] = {
    "auth": "Accounts and tokens",
    "users": "Users, your own account, blocks",
    "bots": "Bots and their tokens",
    "chats": "Chats, members, your own settings of a chat",
    "messages": "Messages, history, reactions, pins, search",
    "uploads": "Files, pictures, avatars",
    "invites": "Invites",
    "moderation": "Bans and the audit of a chat",
    "hooks": "Incoming and outgoing hooks",
    "admin": "For admins of the server",
    "server": "The server itself",
}


OPTIONS: Mapping[str, Any] = {
    "title": "Vestnik",
    "version": VERSION,
    "openapi_version": "3.1.0",
    "info": {"description": DESCRIPTION, "license": {"name": "MIT", "identifier": "MIT"}},
    "servers": [{"url": "/"}],
}


def operations() -> Sequence[Operation]:
    """All operations of the document."""
    _, parameters = plugin_of(OPTIONS)
    return _operations(parameters, Shapes())


def _operations(parameters: Parameters, shapes: Shapes) -> Sequence[Operation]:
    return [*operations_of(CALLS, parameters, shapes), *other_operations(shapes)]


def openapi() -> Mapping[str, Any]:
    """The document. It takes tens of milliseconds to build."""
    shapes = Shapes()
    spec, parameters = plugin_of({**OPTIONS, "webhooks": webhooks(shapes)})
    every = _operations(parameters, shapes)
    by_path: dict[str, dict[str, Any]] = {}
    for operation in every:
        by_path.setdefault(operation.path, {})[operation.method.lower()] = operation.as_part()
    for path, methods in by_path.items():
        spec.path(path=path, operations=methods)
    for name, schema in sorted(shapes.components.items()):
        spec.components.schema(name, schema)
    spec.components.schema("Error", error_object())
    for code, response in error_responses():
        spec.components.response(code, response)
    spec.components.security_scheme(
        SECURITY,
        {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token of `POST /api/auth/login`, or the token of a bot.",
        },
    )
    used = {operation.tag for operation in every}
    for tag in [*TAGS, *sorted(used - TAGS.keys())]:
        if tag in used:
            spec.tag({"name": tag, **({"description": TAGS[tag]} if tag in TAGS else {})})
    return spec.to_dict()
