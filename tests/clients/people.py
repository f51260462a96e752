"""A user with an account."""

from typing import Any

from aiohttp import ClientSession

from tests.clients.client import Client
from tests.clients.raw import RawClient
from tests.clients.rest import RestClient
from tests.clients.socketio import SocketIOClient
from tests.clients.wires import WIRES


class Person(RestClient):
    """A registered user who is logged in: a REST client with shorthands for what users do. They connect over `wire`."""

    def __init__(self, http: ClientSession, url: str, ws_url: str, username: str, wire: str = "raw") -> None:
        super().__init__(http, url)
        self.ws_url = ws_url
        self.username = username
        self.wire = wire
        self.id = 0
        self.clients: list[Client] = []

    async def connect(self, **params: str) -> Client:
        """A connection whose `connected` has been read. The params go with the token: `subscribe="all"`."""
        client = await self.open(**params)
        assert (await client.next())["type"] == "connected"
        return client

    async def open(self, **params: str) -> Client:
        """A connection, accepted or not, whose first frame has not been read."""
        if self.wire == "raw":
            return await self.open_raw(params=params)
        client = SocketIOClient(WIRES[self.wire], self.http, self.url, self.token, params)
        self.clients.append(client)
        return await client.open()

    async def open_raw(self, **options: Any) -> RawClient:
        """As `open`, but always over the raw gate; the options are those of aiohttp's `ws_connect`."""
        client = await RawClient.open(self.http, self.ws_url, self.token, **options)
        self.clients.append(client)
        return client

    async def joined(self, *chat_ids: int) -> Client:
        """A connection that has joined the chats, with an empty inbox."""
        client = await self.connect()
        for chat_id in chat_ids:
            await client.done("join_chat", chat_id=chat_id)
        await client.drain()
        return client

    async def chat(self, *others: "Person", chat_type: str = "group", name: str | None = "Room") -> int:
        """The id of a new chat with these members."""
        ids = [other.id for other in others]
        return int((await self.post("/chats", name=name, chat_type=chat_type, member_ids=ids))["id"])

    async def say(self, chat_id: int, content: str, **more: Any) -> Any:
        """Sends a message over REST and returns it."""
        return await self.post("/messages", chat_id=chat_id, content=content, **more)
