"""echo.py without vestnik_bot. The read mark is the position; if anything fails, start the program again."""

import asyncio
import os

from aiohttp import ClientSession
from socketio import AsyncSimpleClient

URL, HEADERS = os.environ["VESTNIK_URL"], {"Authorization": f"Bearer {os.environ['VESTNIK_TOKEN']}"}


async def main() -> None:
    async with ClientSession(URL, headers=HEADERS, raise_for_status=True) as api, AsyncSimpleClient() as sio:
        await sio.connect(URL, headers=HEADERS, transports=["websocket"])
        while await sio.receive():  # chat_updated comes for every change of a chat that is not joined
            chats = await (await api.get("/api/chats?limit=200")).json()
            for chat in (chat for chat in chats["chats"] if chat["unread_count"]):
                query = f"limit=200&after={mark}" if (mark := chat["last_read_message_id"]) else "limit=200"
                page = await api.get(f"/api/chats/{chat['id']}/messages?{query}")
                for message in (await page.json())["messages"]:
                    sender = await (await api.get(f"/api/users/{message['sender_id']}")).json()
                    name = {"client_id": f"re-{message['id']}", "reply_to": message["id"]}
                    echo = {"chat_id": chat["id"], "content": message["content"], **name}
                    ack = sender["is_bot"] or await sio.call("send_message", echo)
                    assert ack is True or ack["ok"], ack
                    await sio.call("read_messages", {"chat_id": chat["id"], "up_to": message["id"]})


asyncio.run(main())
