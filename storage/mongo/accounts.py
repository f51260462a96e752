"""What chats ask about users."""

from collections.abc import Collection

from domain.models import User
from storage.errors import NotFound, UnknownUsers
from storage.mongo.database import Database
from storage.mongo.documents import user_of


async def check_known(database: Database, user_ids: Collection[int]) -> None:
    """Raises: `UnknownUsers` for those that do not exist or are deleted."""
    found = await database.get_many(database.users, [str(user_id) for user_id in set(user_ids)])
    unknown = set(user_ids) - {document["id"] for document in found if not document["deleted"]}
    if unknown:
        raise UnknownUsers(unknown)


async def check_account(database: Database, user_id: int) -> User:
    """The user. Raises: `NotFound` if there is none, or he is deleted."""
    document = await database.get(database.users, str(user_id))
    if document is None or document["deleted"]:
        raise NotFound(f"user {user_id}")
    return user_of(document)


async def active_of(database: Database, user_ids: Collection[int]) -> dict[int, User]:
    """Those of the users who are neither banned nor deleted, by id."""
    found = await database.get_many(database.users, [str(user_id) for user_id in set(user_ids)])
    users = map(user_of, found)
    return {user.id: user for user in users if not user.banned and not user.deleted}
