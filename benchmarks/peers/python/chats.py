"""What both Python servers share: the number of the last message of each chat, and a message's form on the wire."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

heads: defaultdict[int, int] = defaultdict(int)


def new_message(sent: dict[str, Any], sender_id: int) -> dict[str, Any]:
    """The event `new_message` for a sent message; the message takes the next number of its chat."""
    chat_id = sent["chat_id"]
    heads[chat_id] = seq = heads[chat_id] + 1
    now = datetime.now(UTC).isoformat()
    message = {
        "id": seq,
        "chat_id": chat_id,
        "seq": seq,
        "changed_seq": seq,
        "content": sent["content"],
        "sender_id": sender_id,
        "created_at": now,
        "edited_at": None,
        "message_type": "text",
        "reply_to": None,
        "reactions": {},
        "pinned": False,
        "attachments": [],
        "client_id": sent["client_id"],
    }
    return {"chat_id": chat_id, "message": message, "seq": seq, "timestamp": now}
