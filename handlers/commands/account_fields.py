"""The fields of an account that somebody else makes."""

from typing import Annotated

from domain.frozen import frozen
from handlers.wire.schemas import AnyText, Flag, StrictString, schema_for

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


@frozen
class CreateUser:
    username: Username
    password: AnyText | None = None
    display_name: AnyText | None = None
    email: Email | None = None
    is_admin: Flag | None = None


create_user_schema = schema_for(CreateUser)
