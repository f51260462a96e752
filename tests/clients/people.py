"""Somebody with an account."""

from typing import Any

from aiohttp import ClientSession

from tests.clients.raw import RawClient
from tests.clients.rest import RestClient


class Person(RestClient):
    """A registered user who is logged in: his REST client, and what he mostly does."""

    def __init__(self, http: ClientSession, url: str, ws_url: str, username: str) -> None:
        super().__init__(http, url)
        self.ws_url = ws_url
        self.username = username
        self.id = 0
        self.clients: list[RawClient] = []

    async def connect(self, **options: Any) -> RawClient:
        """A raw connection that has got its `connected`."""
        client = await self.open(**options)
        assert (await client.next())["type"] == "connected"
        return client

    async def open(self, **options: Any) -> RawClient:
        """A raw connection; nothing of what it was told is read yet."""
        client = await RawClient.open(self.http, self.ws_url, self.token, **options)
        self.clients.append(client)
        return client

    async def joined(self, *chat_ids: int) -> RawClient:
        """A raw connection that has joined the chats, with an empty inbox."""
        client = await self.connect()
        for chat_id in chat_ids:
            await client.done("join_chat", chat_id=chat_id)
        await client.drain()
        return client

    async def chat(self, *others: "Person", chat_type: str = "group", name: str = "Room") -> int:
        """The id of a new chat with these members."""
        ids = [other.id for other in others]
        return int((await self.post("/chats", name=name, chat_type=chat_type, member_ids=ids))["id"])

    async def say(self, chat_id: int, content: str, **more: Any) -> Any:
        """The message, sent over REST."""
        return await self.post("/messages", chat_id=chat_id, content=content, **more)
