"""How much a store holds."""

from domain.frozen import frozen


@frozen
class StoreCounts:
    """`users` are the accounts that are not deleted, banned ones and bots too; `messages` those that are not
    deleted. `database_bytes` is what the database takes on its disk."""

    users: int
    chats: int
    messages: int
    database_bytes: int
