"""What was done to chats and accounts, by whom and when: what admins read of it."""

from datetime import datetime

from domain.frozen import frozen


@frozen
class AuditEntry:
    """One act. `id` orders the entries of one chat, or of the server.

    `actor_id` is None for acts of the command line, and where it is not known. `user_id` is the user whom the act
    concerns, `message_id` the message; `detail` is what else there is to say, such as the new name or role.
    """

    id: int
    at: datetime
    actor_id: int | None
    action: str
    user_id: int | None = None
    message_id: int | None = None
    detail: str | None = None
