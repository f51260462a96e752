"""echo.py without vestnik_bot. The read mark is the position; if anything fails, start the program again."""

import asyncio
import os

from aiohttp import ClientSession
from socketio import AsyncSimpleClient

URL, TOKEN = os.environ["VESTNIK_URL"], os.environ["VESTNIK_TOKEN"]


async def main() -> None:
    api = ClientSession(URL, headers={"Authorization": f"Bearer {TOKEN}"}, raise_for_status=True)
    async with api, AsyncSimpleClient() as sio:
        await sio.connect(URL, auth={"token": TOKEN}, transports=["websocket"])
        while await sio.receive():  # chat_updated comes for every change of a chat that is not joined
            chats = (await (await api.get("/api/chats?limit=200")).json())["chats"]
            for chat in filter(lambda chat: chat["unread_count"], chats):
                after = {"after": mark} if (mark := chat["last_read_message_id"]) else {}
                page = await api.get(f"/api/chats/{chat['id']}/messages", params={"limit": 200, **after})
                for message in (await page.json())["messages"]:
                    sender = await (await api.get(f"/api/users/{message['sender_id']}")).json()
                    where = {"chat_id": chat["id"], "client_id": f"re-{message['id']}"}
                    echo = {**where, "content": message["content"], "reply_to": message["id"]}
                    ack = sender["is_bot"] or await sio.call("send_message", echo)
                    assert ack is True or ack["ok"], ack
                    await sio.call("read_messages", {"chat_id": chat["id"], "up_to": message["id"]})


asyncio.run(main())
