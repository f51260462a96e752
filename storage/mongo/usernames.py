"""The ids of users by their usernames, for mentions."""

from collections.abc import Collection, Mapping

from storage.mongo.database import Database

_KEPT = 10_000


class Usernames:
    """Looks up usernames, and keeps those that are found: nobody ever gets another one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, int] = {}

    async def find(self, usernames: Collection[str]) -> Mapping[str, int]:
        """The ids of the users with these usernames, which are in lower case, by username. Raises: `Unavailable`."""
        unknown = [name for name in usernames if name not in self._ids]
        if unknown:
            wanted = {"username_key": {"$in": unknown}}
            found = await self._database.find(self._database.users, wanted, fields=["id", "username_key"])
            if len(self._ids) > _KEPT:
                self._ids = {name: self._ids[name] for name in usernames if name in self._ids}
            self._ids |= {user["username_key"]: user["id"] for user in found}
        return {name: self._ids[name] for name in usernames if name in self._ids}
