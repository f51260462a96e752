"""A chat server on FastAPI. Each room has one connection manager, as FastAPI's documentation shows it ("WebSockets",
"Handling disconnections and multiple clients")."""

import json
import sys
from collections import defaultdict
from itertools import count
from typing import Any

import uvicorn
from chats import heads, new_message
from fastapi import FastAPI, WebSocket, WebSocketDisconnect


def dumps(value: Any) -> str:
    """JSON in the form that Starlette's `send_json` writes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class ConnectionManager:
    def __init__(self) -> None:
        self.active_connections: list[WebSocket] = []

    def disconnect(self, websocket: WebSocket) -> None:
        if websocket in self.active_connections:
            self.active_connections.remove(websocket)

    async def broadcast(self, message: str) -> None:
        for connection in self.active_connections:
            await connection.send_text(message)


app = FastAPI()
managers: defaultdict[int, ConnectionManager] = defaultdict(ConnectionManager)
user_ids = count(1)


@app.websocket("/ws")
async def serve(websocket: WebSocket) -> None:
    await websocket.accept()
    user_id = next(user_ids)
    await websocket.send_text(dumps({"type": "connected", "user_id": user_id}))
    try:
        while True:
            frame = await websocket.receive_json()
            result = await handle(frame, websocket, user_id)
            await websocket.send_text(dumps({"type": "ack", "id": frame["id"], "ok": True, **result}))
    except WebSocketDisconnect:
        for manager in managers.values():
            manager.disconnect(websocket)


async def handle(frame: dict[str, Any], websocket: WebSocket, user_id: int) -> dict[str, Any]:
    manager = managers[frame["chat_id"]]
    if frame["type"] == "join_chat":
        manager.active_connections.append(websocket)
        return {"head_seq": heads[frame["chat_id"]]}
    event = new_message(frame, user_id)
    await manager.broadcast(dumps({"type": "new_message", **event}))
    return {"message": event["message"], "seq": event["seq"], "duplicate": False}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        ws="websockets",
        log_level="warning",
        access_log=False,
    )
