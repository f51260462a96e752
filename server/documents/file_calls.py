"""Operations of files: bodies that are received, and files that are sent, in pieces."""

from collections.abc import Iterator, Mapping

from handlers.wire.errors import Code
from handlers.wire.file_views import UploadObject
from handlers.wire.schemas import ID_MAX
from handlers.wire.views import MessageObject, SummaryObject, UserObject
from server.documents.operations import JSON, TEXT, Answers, Operation, Part, error_schema, header
from server.documents.samples import Request
from server.documents.shapes import Shapes
from server.documents.words import EXAMPLES, PARAMETERS

ANY = "*/*"
BINARY: Part = {"type": "string", "contentMediaType": "application/octet-stream"}
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
UPLOAD_CODES: frozenset[Code] = frozenset({"unauthenticated", "too_large", "unsupported_media", "invalid"})

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


def file_operations(shapes: Shapes) -> Iterator[Operation]:
    """The operations of `server.files`."""
    yield from _uploads(shapes)
    yield from _avatars(shapes)
    yield from _files()


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


def _file_answers(media: str) -> Answers:
    return {
        200: ("The file", {media: BINARY}),
        206: ("The range", {media: BINARY}),
        304: ("Unchanged", {}),
        416: ("`bad_request`: the file has no such bytes", {JSON: error_schema("bad_request")}),
    }
