"""What a delivery consists of: the frame of the event, and headers that say who it is from."""

import hmac
from collections.abc import Mapping
from datetime import datetime

from domain.changes import MessageCreated, MessageDeleted, MessageEdited
from domain.hooks import HookEvent
from domain.models import Message
from handlers.wire import events
from handlers.wire.file_links import FileLinks
from handlers.wire.json import dumps

DELIVERY, TIMESTAMP, SIGNATURE = "X-Vestnik-Delivery", "X-Vestnik-Timestamp", "X-Vestnik-Signature"

CHANGES = {
    "new_message": MessageCreated,
    "message_updated": MessageEdited,
    "message_deleted": MessageDeleted,
}
"""By event, the change that makes it."""


def frame_of(event: HookEvent, message: Message, at: datetime, links: FileLinks) -> bytes:
    """The event as clients of the raw socket get it, made of the message as it is."""
    change = CHANGES[event](message)
    name, payload = events.ROOM_EVENTS[type(change)](change, at, links)
    return dumps({"type": name, **payload})


def delivery_name(hook_id: int, seq: int) -> str:
    """What a delivery is called, each time it is sent."""
    return f"{hook_id}-{seq}"


def headers_of(name: str, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
    """The headers of one request. The signature is over the time and the body, so that an old request cannot be sent
    again by somebody who has seen it."""
    timestamp = str(int(at.timestamp()))
    signed = timestamp.encode() + b"." + body
    signature = hmac.digest(secret.encode(), signed, "sha256").hex()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Vestnik",
        DELIVERY: name,
        TIMESTAMP: timestamp,
        SIGNATURE: f"sha256={signature}",
    }
