"""The web client's WebSocket service against the real server: the scenarios of the protocol document."""

from tests.conftest import Server
from tests.web.service import open_service


async def test_it_connects_joins_and_gets_what_others_write(server: Server) -> None:
    anna, boris = await server.people("anna", "boris")
    chat_id = await anna.chat(boris)
    async with open_service(server.ws_url, anna.token or "") as service:
        assert (await service.frame("connected"))["user_id"] == anna.id
        assert await service.log("✅ WebSocket connected") == ["✅ WebSocket connected"]
        assert (await service.request(type="join_chat", chat_id=chat_id))["chat_id"] == chat_id
        other = await boris.joined(chat_id)
        await other.send({"type": "typing", "chat_id": chat_id, "is_typing": True})
        assert (await service.frame("typing"))["user_id"] == boris.id
        message = await boris.say(chat_id, "Привет!")
        assert (await service.frame("new_message"))["message"]["content"] == "Привет!"
        await boris.patch(f"/messages/{message['id']}", content="Привет! (изменено)")
        assert (await service.frame("message_updated"))["content"] == "Привет! (изменено)"
        await boris.delete(f"/messages/{message['id']}")
        assert (await service.frame("message_deleted"))["message_id"] == message["id"]
        assert await service.send(type="read_messages", chat_id=chat_id)
        assert (await service.log("📨 WebSocket message:"))[0] == "📨 WebSocket message:"


async def test_it_comes_back_when_the_server_does(server: Server) -> None:
    anna = await server.person("anna")
    chat_id = await anna.chat()
    async with open_service(server.ws_url, anna.token or "") as service:
        await service.frame("connected")
        await server.stop()
        closed = await service.log("WebSocket closed:")
        assert closed[1] == "1001"
        assert (await service.log("Reconnecting..."))[0] == "Reconnecting..."
        assert not await service.send(type="ping")
        await server.start()
        await service.frame("connected")
        assert (await service.request(type="join_chat", chat_id=chat_id, after_seq=0))["ok"]


async def test_a_token_that_does_not_work_is_replaced(server: Server) -> None:
    anna = await server.person("anna")
    async with open_service(server.ws_url, "nonsense", anna.token or "") as service:
        assert (await service.log("WebSocket closed:"))[1] == "4401"
        await service.frame("connected")


async def test_a_session_that_ends_is_final(server: Server) -> None:
    anna = await server.person("anna")
    async with open_service(server.ws_url, anna.token or "") as service:
        await service.frame("connected")
        await anna.post("/auth/logout")
        state = await service.next("state", lambda state: state["status"] == "failed")
        assert state["code"] == 4403
