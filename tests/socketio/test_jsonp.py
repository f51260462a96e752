"""JSONP polling, as the official client of the time of Socket.IO 3 does it in a real browser: scripts and forms."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from tests.conftest import Serve
from tests.socketio.conftest import PATIENCE_S
from tests.socketio.node import DRIVER, need_node
from tests.socketio.test_clients import TEXTS

pytestmark = pytest.mark.stores("sqlite")

LIBRARY = DRIVER.parent / "node_modules" / "socket.io-client-3.1" / "dist" / "socket.io.js"

SCENARIO = """
async ({ url, token, chatId, texts, many }) => {
  const socket = io(url, { auth: { token }, transports: ["polling"], forceJSONP: true, reconnectionDelay: 50,
                           reconnectionDelayMax: 200 });
  window.socket = socket;
  window.received = [];
  window.connects = 0;
  socket.on("connect", () => (window.connects += 1));
  socket.on("new_message", ({ message }) => window.received.push(message.content));
  const connected = new Promise((done) => socket.on("connected", done));
  const ask = (name, ...args) => new Promise((done) => socket.emit(name, ...args, done));
  window.ask = ask;
  await connected;
  await ask("join_chat", { chat_id: chatId });
  const contents = [...texts, ...Array.from({ length: many }, (_, at) => `small\\n${at}`)];
  const acks = await Promise.all(contents.map((content) => ask("send_message", { chat_id: chatId, content })));
  const bytes = await ask("ping", new Uint8Array([0, 251, 255, 10, 13, 43, 47, 61]));
  return { acked: acks.map((ack) => ack.message.content), bytes, transport: socket.io.engine.transport.name,
           jsonp: "___eio" in window };
}
"""


async def test_no_text_is_altered_and_the_client_comes_back(serve: Serve, page: Page) -> None:
    need_node()
    await page.add_script_tag(path=LIBRARY)
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    contents = [*TEXTS, *(f"small\n{number}" for number in range(200))]
    asked: dict[str, Any] = {
        "url": server.url,
        "token": ann.token,
        "chatId": chat_id,
        "texts": TEXTS,
        "many": 200,
    }
    seen = await asyncio.wait_for(page.evaluate(SCENARIO, asked), PATIENCE_S)
    assert (seen["transport"], seen["jsonp"]) == ("polling", True)
    assert seen["acked"] == contents
    assert seen["bytes"]["error"]["code"] == "bad_frame"
    await page.wait_for_function(f"received.length === {len(contents)}")
    assert await page.evaluate("received") == contents
    stored = (await ann.get(f"/chats/{chat_id}/messages", limit=200))["messages"]
    assert [message["content"] for message in stored] == contents[-200:]
    await server.restart()
    await page.wait_for_function("connects === 2")
    assert (await asyncio.wait_for(page.evaluate("ask('ping')"), PATIENCE_S))["ok"] is True
