"""Two nodes, each a process, and people on both."""

from typing import Any

import pytest

from tests.clients.people import Person
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import StartCluster


class Pair:
    """Two nodes on one database. People connect to the first over the raw socket, and to the second over Socket.IO."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.one, self.two = cluster.nodes

    async def people(self, *names: str) -> list[Person]:
        """New people, logged in at the first node."""
        return await self.cluster.people(*names)

    def there(self, person: Person) -> Person:
        """The same person, with the same token, at the second node."""
        there = self.two.host(person)
        there.wire = "socketio"
        return there


@pytest.fixture
async def pair(start_cluster: StartCluster) -> Pair:
    return Pair(await start_cluster(2))


def content_of(frame: dict[str, Any]) -> str:
    """The text in a `new_message`."""
    return str(frame["message"]["content"])
