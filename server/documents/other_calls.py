"""Operations that are no calls of commands: files, the documents, health, metrics."""

from collections.abc import Iterator, Mapping

from handlers.wire.errors import Code
from handlers.wire.file_views import UploadObject
from handlers.wire.schemas import ID_MAX
from handlers.wire.views import MessageObject, SummaryObject, UserObject
from server.about import AboutServer
from server.documents.operations import JSON, Operation, Part, error_schema, header
from server.documents.samples import Request
from server.documents.shapes import Shapes
from server.documents.words import EXAMPLES, PARAMETERS
from server.health import Health

ANY = "*/*"
BINARY: Part = {"type": "string", "contentMediaType": "application/octet-stream"}
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
TEXT: Part = {"type": "string"}
UPLOAD_CODES: frozenset[Code] = frozenset({"unauthenticated", "too_large", "unsupported_media", "invalid"})

Answers = Mapping[int, tuple[str, Mapping[str, Part]]]


def other_operations(shapes: Shapes) -> Iterator[Operation]:
    """All operations that `server.rest.routes` does not list."""
    yield from _uploads(shapes)
    yield from _avatars(shapes)
    yield from _files()
    yield _incoming_hook()
    yield from _server(shapes)


def _uploads(shapes: Shapes) -> Iterator[Operation]:
    yield Operation(
        id="upload",
        method="POST",
        path="/api/uploads",
        description="Stores a file, which is yours alone until a message has it: name its `id` in `attachments`. It is "
        "removed after an hour if no message has it.",
        tag="uploads",
        answers={201: ("Made", {JSON: shapes.of(UploadObject)})},
        codes=UPLOAD_CODES,
        body=_form({"file": BINARY}, ["file"]),
        request=Request("POST", "/api/uploads", body="form", file_name="soup.jpg"),
    )
    fields = {name: TEXT | {"description": PARAMETERS[name]} for name in ("client_id", "content")}
    message = shapes.of(MessageObject)
    yield Operation(
        id="send_files",
        method="POST",
        path="/api/messages/upload",
        description="Sends a message with 1 to 10 files in one call. The fields come before the files. Of a message "
        "that is refused nothing stays; with a `client_id` that was used before no file is read.",
        tag="messages",
        answers={200: ("It was there already", {JSON: message}), 201: ("Made", {JSON: message})},
        codes=UPLOAD_CODES | {"not_found", "conflict"},
        body=_form(
            {
                "chat_id": _id_text("chat_id"),
                **fields,
                "reply_to": _id_text("reply_to"),
                "file": {"type": "array", "items": BINARY, "minItems": 1, "maxItems": 10},
            },
            ["chat_id", "file"],
        ),
        request=Request(
            "POST",
            "/api/messages/upload",
            body="form",
            fields={"chat_id": EXAMPLES["chat_id"], "content": EXAMPLES["content"]},
            file_name="soup.jpg",
        ),
    )


def _avatars(shapes: Shapes) -> Iterator[Operation]:
    picture = {"required": True, "content": {kind: {"schema": BINARY} for kind in PICTURES}}
    yield Operation(
        id="set_avatar",
        method="PUT",
        path="/api/users/me/avatar",
        description="Sets your avatar: the body is the picture itself, JPEG, PNG, GIF or WebP of at most 5 MiB. The "
        "square in its middle becomes the avatar.",
        tag="users",
        answers={200: ("Done", {JSON: shapes.of(UserObject)})},
        codes=UPLOAD_CODES,
        body=picture,
        request=Request(
            "PUT", "/api/users/me/avatar", body="file", file_name="soup.jpg", content_type="image/jpeg"
        ),
    )
    yield Operation(
        id="set_chat_avatar",
        method="PUT",
        path="/api/chats/{chat_id}/avatar",
        description="Sets the avatar of a group or channel: owners and admins may. The body is the picture itself, "
        "JPEG, PNG, GIF or WebP of at most 5 MiB.",
        tag="chats",
        answers={200: ("Done", {JSON: shapes.of(SummaryObject)})},
        codes=UPLOAD_CODES | {"not_found"},
        parameters=(_in_path("chat_id", {"type": "integer", "minimum": 1, "maximum": ID_MAX}),),
        body=picture,
        request=Request(
            "PUT",
            "/api/chats/{chat_id}/avatar",
            in_path={"chat_id": EXAMPLES["chat_id"]},
            body="file",
            file_name="soup.jpg",
            content_type="image/jpeg",
        ),
    )


def _files() -> Iterator[Operation]:
    link = (
        _in_query("expires", "Until when a link is good; a part of the links that message objects have."),
        _in_query("signature", "The signature of a link; a part of the links that message objects have."),
    )
    for thing, path in (
        ("upload", "/api/uploads/{upload_id}"),
        ("thumbnail", "/api/uploads/{upload_id}/thumbnail"),
    ):
        yield Operation(
            id=f"get_{thing}",
            method="GET",
            path=path,
            description=f"The {'file' if thing == 'upload' else 'thumbnail of a picture'}, whole or one range of "
            "bytes: by a link of a message object for everybody, else by the token of a member of the chat.",
            tag="uploads",
            answers=_file_answers(ANY),
            codes=frozenset({"unauthenticated", "not_found"}),
            parameters=(_in_path("upload_id", TEXT), *link, *RANGE),
            headers=FILE_HEADERS,
            request=Request("GET", path, in_path={"upload_id": EXAMPLES["upload_id"]}, saves="copy"),
        )
    yield Operation(
        id="get_avatar",
        method="GET",
        path="/api/avatars/{avatar_id}",
        description="The picture of an `avatar_url`. It never changes under its path.",
        tag="uploads",
        answers=_file_answers(ANY),
        codes=frozenset({"not_found"}),
        public=True,
        parameters=(_in_path("avatar_id", TEXT), *RANGE),
        headers=FILE_HEADERS,
        request=Request(
            "GET",
            "/api/avatars/{avatar_id}",
            in_path={"avatar_id": EXAMPLES["upload_id"]},
            has_token=False,
            saves="copy",
        ),
    )


def _incoming_hook() -> Operation:
    plain: Mapping[str, Part] = {"text/plain": TEXT}
    part = {"type": ["string", "null"]}
    message = {
        "type": "object",
        "description": "What alerting tools send to Slack and Mattermost; other fields are ignored.",
        "properties": {
            "text": {**part, "description": "The message."},
            "blocks": {
                "type": ["array", "null"],
                "description": "`text.text` of each, where there is no `text`.",
            },
            "attachments": {
                "type": ["array", "null"],
                "description": "`pretext`, `title`, `title_link`, `text`, `fields` of each, or `fallback`.",
            },
        },
    }
    form = {"type": "object", "properties": {"payload": {"type": "string", "description": "The JSON."}}}
    return Operation(
        id="post_to_hook",
        method="POST",
        path="/hooks/{key}",
        description="Posts a message to the chat of an incoming hook, in the form that alerting tools know from Slack "
        "and Mattermost. The key is all that a sender needs. All answers are plain text.",
        tag="hooks",
        answers={
            200: ("`ok`", plain),
            400: ("`no_text`, `invalid_payload`, or `invalid_key` for a wrong `Idempotency-Key`", plain),
            404: ("`unknown_key`", plain),
            413: ("`too_large`: the body is over 256 KiB", plain),
            503: ("`paused`, `rate_limited` or `unavailable`", plain),
        },
        headers={503: {"Retry-After": header("Whole seconds")}},
        public=True,
        own_errors=True,
        parameters=(
            {
                "name": "key",
                "in": "path",
                "required": True,
                "description": "The last part of the `url` of the hook.",
                "schema": TEXT,
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "A repeat with the same one is `ok` and posts nothing: 1 to 64 characters, not "
                "beginning with `#`.",
                "schema": TEXT,
            },
        ),
        body={
            "required": True,
            "content": {
                JSON: {"schema": message, "example": {"text": "Soup is ready"}},
                "application/x-www-form-urlencoded": {"schema": form},
            },
        },
        request=Request(
            "POST",
            "/hooks/{key}",
            in_path={"key": EXAMPLES["code"]},
            body="json",
            fields={"text": "Soup is ready"},
            has_token=False,
            answers="text",
        ),
    )


def _server(shapes: Shapes) -> Iterator[Operation]:
    yield _open(
        "get_server", "/api/server", "What clients may know before login.", _json(shapes.of(AboutServer))
    )
    unchanged: Answers = {304: ("Unchanged", {})}
    for kind, says in (
        ("openapi", "This document: REST, in OpenAPI 3.1."),
        ("asyncapi", "Both sockets, in AsyncAPI 3.0."),
    ):
        tag = {200: {"ETag": header("Of the document")}}
        answers = {**_json({"type": "object"}), **unchanged}
        yield _open(f"get_{kind}", f"/api/{kind}.json", says, answers, headers=tag)
    yield _open("is_live", "/health/live", "Whether the server runs.", _json(shapes.of(Health)))
    yield _open(
        "is_ready",
        "/health/ready",
        "Whether the server serves: 503 while its store does not, while it does not know what other nodes did, and "
        "while it stops.",
        {
            **_json(shapes.of(Health)),
            503: ("Not ready", {JSON: {"anyOf": [shapes.of(Health), error_schema("unavailable")]}}),
        },
    )
    yield Operation(
        id="get_metrics",
        method="GET",
        path="/metrics",
        description="Metrics in the text format of Prometheus. It needs `METRICS_TOKEN` in place of an access token; "
        "without that setting there is nothing here.",
        tag="server",
        answers={200: ("Done", {"text/plain": TEXT})},
        codes=frozenset({"unauthenticated", "not_found"}),
        request=Request("GET", "/metrics", saves="metrics.txt"),
    )


def _open(
    operation_id: str,
    path: str,
    description: str,
    answers: Answers,
    headers: Mapping[int, Mapping[str, Part]] | None = None,
) -> Operation:
    """A GET without a token."""
    return Operation(
        id=operation_id,
        method="GET",
        path=path,
        description=description,
        tag="server",
        answers=answers,
        public=True,
        headers=headers or {},
        request=Request("GET", path, has_token=False),
    )


def _json(schema: Part) -> dict[int, tuple[str, Mapping[str, Part]]]:
    return {200: ("Done", {JSON: schema})}


def _form(properties: Mapping[str, Part], required: list[str]) -> Part:
    schema = {"type": "object", "properties": dict(properties), "required": required}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _id_text(name: str) -> Part:
    """An id in a form, where everything is text."""
    return {"type": "integer", "minimum": 1, "maximum": ID_MAX, "description": PARAMETERS[name]}


def _in_path(name: str, schema: Part) -> Part:
    says = PARAMETERS.get(name, "The last part of an `avatar_url`.")
    return {"name": name, "in": "path", "required": True, "description": says, "schema": schema}


def _in_query(name: str, description: str) -> Part:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": TEXT}


RANGE: tuple[Part, ...] = (
    {
        "name": "Range",
        "in": "header",
        "required": False,
        "description": "One range of bytes: `bytes=0-99`. Of several the answer is the whole file.",
        "schema": TEXT,
    },
    {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` of a copy.",
        "schema": TEXT,
    },
)

FILE_HEADERS: Mapping[int, Mapping[str, Part]] = {
    200: {
        "ETag": header("Of the file"),
        "Content-Disposition": header("Shown or saved, and under which name"),
    },
    206: {"ETag": header("Of the file"), "Content-Range": header("Which bytes")},
    416: {"Content-Range": header("How many bytes there are")},
}


def _file_answers(media: str) -> Answers:
    return {
        200: ("The file", {media: BINARY}),
        206: ("The range", {media: BINARY}),
        304: ("Unchanged", {}),
        416: ("`bad_request`: the file has no such bytes", {JSON: error_schema("bad_request")}),
    }
