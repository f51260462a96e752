"""The numbers the chat goes by. Rates and what begins with `max_…_per_`: 0 means no limit."""

from dataclasses import replace

from domain.frozen import frozen

PRESENCE_MEMBERS_MAX = 100
"""Chats with more members carry no presence."""

REPLAY_MESSAGES_MAX = 500
"""More than this to replay, and the client is told to load history instead."""

TYPING_SHOWN_S = 3.0
"""A typing sign ends by itself after this long without a repeat."""

TYPING_REPEAT_S = 1.0
"""A repeat is passed on if this much time has gone by since the last sign that was."""

UNFINISHED_MAX = 256
"""Commands of one connection that wait for the disk; with more, its reading pauses."""


@frozen
class Policy:
    """What a self-hoster can set. Defaults and meanings are in .env.example."""

    registration_open: bool = True
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
    status_per_s: float = 10
    changes_per_s: float = 50
    changes_burst: float = 2000
    marks_per_s: float = 50
    marks_burst: float = 500
    queries_per_s: float = 200
    queries_burst: float = 4000
    name_changes_per_h: float = 10
    login_failures_per_min: float = 10
    auth_calls_per_min: float = 300
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

    def unlimited(self) -> "Policy":
        """The same without limits on how much one user or address may do."""
        return replace(
            self,
            max_connections_per_user=0,
            max_requests_per_user=0,
            max_requests_per_address=0,
            messages_per_s=0,
            joins_per_s=0,
            typing_per_s=0,
            status_per_s=0,
            changes_per_s=0,
            marks_per_s=0,
            queries_per_s=0,
            name_changes_per_h=0,
            login_failures_per_min=0,
            auth_calls_per_min=0,
            frames_per_s=0,
            bytes_per_s=0,
            user_frames_per_s=0,
            user_bytes_per_s=0,
            stranger_frames_per_s=0,
            max_unsent_bytes_per_user=0,
        )
