"""Limits and times of the chat. A field named `…_per_…` limits what one user or address may do; 0 is no limit."""

from dataclasses import fields, replace
from typing import Any, Literal

from domain.frozen import frozen

Registration = Literal["open", "invite", "closed"]

PRESENCE_MEMBERS_MAX = 100
"""Chats with more members carry no presence."""

REPLAY_MESSAGES_MAX = 500
"""If more messages than this would have to be replayed, the client has to load history instead."""

TYPING_SHOWN_S = 3.0
"""A typing sign ends this long after its last repeat."""

TYPING_REPEAT_S = 1.0
"""A repeat is published if the last published sign is at least this old."""

STREAM_EVERY_S = 0.2
"""The streams of a chat are published at most this often."""

STREAM_SHOWN_S = 15.0
"""A stream ends this long after its last call."""

STREAM_LINGERS_S = 1.0
"""A stream of another node ends this much later, if its end was lost."""

STREAMS_PER_USER = 5

UNFINISHED_MAX = 256
"""With this many commands of one connection waiting for the disk, the connection is not read."""


@frozen
class Policy:
    """The settings of the chat itself, with their defaults; .env.example says what each one means."""

    registration: Registration = "open"
    jwt_create_users: bool = False
    invites_register: Literal["admins", "chats"] = "admins"
    public_url: str = ""
    default_chat: str = ""
    max_content_chars: int = 10_000
    max_name_chars: int = 100
    max_frame_bytes: int = 128 * 1024
    max_connections_per_user: int = 100
    max_requests_per_user: int = 16
    max_requests_per_address: int = 64
    min_password_chars: int = 8
    messages_per_s: float = 50
    messages_burst: int = 500
    joins_per_s: float = 50
    joins_burst: float = 2000
    typing_per_s: float = 10
    streams_per_s: float = 20
    status_per_s: float = 10
    changes_per_s: float = 50
    changes_burst: float = 2000
    marks_per_s: float = 50
    marks_burst: float = 500
    queries_per_s: float = 200
    queries_burst: float = 4000
    searches_per_s: float = 5
    searches_burst: float = 30
    uploads_per_min: float = 60
    max_upload_bytes: int = 25 * 1024 * 1024
    upload_quota_bytes: int = 1024 * 1024 * 1024
    upload_ttl_s: float = 3600
    max_image_pixels: int = 64_000_000
    name_changes_per_h: float = 10
    login_failures_per_min: float = 10
    auth_calls_per_min: float = 300
    hook_messages_per_s: float = 1
    hook_messages_burst: int = 200
    hook_misses_per_min: float = 300
    frames_per_s: float = 200
    bytes_per_s: float = 4 * 1024 * 1024
    user_frames_per_s: float = 1000
    user_bytes_per_s: float = 16 * 1024 * 1024
    stranger_frames_per_s: float = 300
    access_token_ttl_s: int = 24 * 3600
    refresh_token_ttl_s: int = 30 * 24 * 3600
    refresh_reuse_grace_s: float = 30
    presence_grace_s: float = 2
    volatile_limit_bytes: int = 256 * 1024
    max_unsent_bytes_per_user: int = 16 * 1024 * 1024
    hook_deliveries_per_s: float = 500
    webhook_private: bool = False

    def unlimited(self) -> "Policy":
        """This policy without limits on what one user or address may do: 0 in every field named `…_per_…`."""
        no_limits: dict[str, Any] = {each.name: 0 for each in fields(self) if "_per_" in each.name}
        return replace(self, **no_limits)
