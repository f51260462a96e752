"""A chat server on python-socketio under aiohttp, as the documentation of python-socketio shows it."""

import sys
from itertools import count
from typing import Any

import socketio
from aiohttp import web
from chats import heads, new_message

sio = socketio.AsyncServer(async_mode="aiohttp")
app = web.Application()
sio.attach(app)
user_ids = count(1)


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
    user_id = next(user_ids)
    await sio.save_session(sid, {"user_id": user_id})
    # An event sent here would overtake the packet that accepts the connection.
    sio.start_background_task(sio.emit, "connected", {"user_id": user_id}, to=sid)


@sio.event
async def join_chat(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    await sio.enter_room(sid, f"chat:{data['chat_id']}")
    return {"ok": True, "head_seq": heads[data["chat_id"]]}


@sio.event
async def send_message(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    session = await sio.get_session(sid)
    event = new_message(data, session["user_id"])
    await sio.emit("new_message", event, room=f"chat:{data['chat_id']}")
    return {"ok": True, "message": event["message"], "seq": event["seq"], "duplicate": False}


if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
