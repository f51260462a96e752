"""Hooks: what is posted to incoming ones, and, as webhooks, what outgoing ones post to their targets."""

from collections.abc import Mapping

from domain.hooks import HOOK_EVENTS
from server.documents.asyncapi import event_payload, typed
from server.documents.operations import JSON, TEXT, Operation, Part, header
from server.documents.samples import Request
from server.documents.shapes import Shapes
from server.documents.words import EXAMPLES

HEADERS: Mapping[str, str] = {
    "X-Vestnik-Delivery": "The hook and the number of the change: the same for every repeat of the delivery.",
    "X-Vestnik-Timestamp": "When the request was sent, in seconds since 1970.",
    "X-Vestnik-Signature": "`sha256=` and, in lower-case hex, the HMAC with the secret of the hook of the timestamp, "
    "a full stop and the body.",
}

_PLAIN: Mapping[str, Part] = {"text/plain": TEXT}
_PART = {"type": ["string", "null"]}
_MESSAGE: Part = {
    "type": "object",
    "description": "What alerting tools send to Slack and Mattermost; other fields are ignored.",
    "properties": {
        "text": {**_PART, "description": "The message."},
        "blocks": {
            "type": ["array", "null"],
            "items": {"type": "object"},
            "description": "`text.text` of each, where there is no `text`.",
        },
        "attachments": {
            "type": ["array", "null"],
            "items": {"type": "object"},
            "description": "`pretext`, `title`, `title_link`, `text`, `fields` of each, or `fallback`.",
        },
    },
}
_FORM: Part = {"type": "object", "properties": {"payload": {"type": "string", "description": "The JSON."}}}


def incoming_hook() -> Operation:
    """The operation of `server.hooks.incoming`."""
    return Operation(
        id="post_to_hook",
        method="POST",
        path="/hooks/{key}",
        description="Posts a message to the chat of an incoming hook, in the form that alerting tools know from Slack "
        "and Mattermost. The key is all that a sender needs. All answers are plain text.",
        tag="hooks",
        answers={
            200: ("`ok`", _PLAIN),
            400: ("`no_text`, `invalid_payload`, or `invalid_key` for a wrong `Idempotency-Key`", _PLAIN),
            404: ("`unknown_key`", _PLAIN),
            413: ("`too_large`: the body is over 256 KiB", _PLAIN),
            503: ("`paused`, `rate_limited` or `unavailable`", _PLAIN),
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
                JSON: {"schema": _MESSAGE, "example": {"text": "Soup is ready"}},
                "application/x-www-form-urlencoded": {"schema": _FORM},
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


def webhooks(shapes: Shapes) -> Mapping[str, Part]:
    """By event, the request that the target of an outgoing hook gets."""
    return {name: {"post": _delivery(name, shapes)} for name in HOOK_EVENTS}


def _delivery(name: str, shapes: Shapes) -> Part:
    reply = {"type": "object", "properties": {"text": {"type": "string", "description": "The reply."}}}
    says = (
        " A JSON answer with `text` is posted to the chat as a reply, once." if name == "new_message" else ""
    )
    return {
        "operationId": f"deliver_{name}",
        "summary": f"An outgoing hook tells of {name}",
        "description": f"The frame `{name}` of the raw socket, made when it is sent. Deliveries of a hook come in the "
        "order of `seq`, one at a time, at least once: without a 2xx within 10 s it is tried again for "
        f"24 h.{says}",
        "tags": ["hooks"],
        "parameters": [
            {
                "name": name_of_header,
                "in": "header",
                "required": True,
                "description": text,
                "schema": {"type": "string"},
            }
            for name_of_header, text in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": typed(name, event_payload(name, shapes))}},  # type: ignore[arg-type]
        },
        "responses": {
            "2XX": {"description": "Delivered", "content": {JSON: {"schema": reply}} if says else {}},
            "410": {"description": "The hook is to stop: it is paused"},
        },
        "security": [],
    }
