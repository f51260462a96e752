"""The fields of an account that somebody else makes."""

from collections.abc import Mapping
from typing import Annotated, Any

from domain.frozen import frozen
from domain.text import name_fault, trimmed
from handlers.live.passwords import password_fault
from handlers.policy import Policy
from handlers.wire.schemas import AnyText, Flag, StrictString, schema_for

PASSWORDLESS = "this account has no password here: its login is elsewhere"

LOGIN_NAME_CHARS_MAX = 254
"""The longest email address, which is longer than the longest username."""

Username = Annotated[
    str,
    StrictString(
        3, 32, pattern=r"[A-Za-z0-9_.-]+", pattern_says="must consist of letters, digits, _ . and -"
    ),
]
Email = Annotated[
    str,
    StrictString(
        3, LOGIN_NAME_CHARS_MAX, pattern=r"[^@\s]+@[^@\s]+", pattern_says="must be an email address"
    ),
]


def account_faults(policy: Policy, values: Mapping[str, Any]) -> dict[str, str]:
    """What the settings say against a password and a display name, without those that are not given."""
    faults = {}
    if "password" in values:
        faults["password"] = password_fault(values["password"], policy.min_password_chars)
    if "display_name" in values:
        faults["display_name"] = name_fault(trimmed(values["display_name"]), policy.max_name_chars)
    return {field: fault for field, fault in faults.items() if fault is not None}


@frozen
class CreateUser:
    username: Username
    password: AnyText | None = None
    display_name: AnyText | None = None
    email: Email | None = None
    is_admin: Flag | None = None


create_user_schema = schema_for(CreateUser)


@frozen
class CreateBot:
    username: Username
    display_name: AnyText | None = None


create_bot_schema = schema_for(CreateBot)
