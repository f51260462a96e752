"""/api/chats"""

from handlers.registry import Result
from server.rest.calls import Answer, Call, no_content, ok, only


def _created(result: Result) -> Answer:
    return 201 if result["created"] else 200, result["chat"]


def _read(result: Result) -> Answer:
    return 200, {name: result[name] for name in ("unread_count", "up_to", "read_seq")}


CALLS = [
    Call("POST", "/chats", "create_chat", _created),
    Call("GET", "/chats", "list_chats", ok, query={"cursor": False, "limit": True}),
    Call("GET", "/chats/{chat_id}", "get_chat", only("chat")),
    Call("PATCH", "/chats/{chat_id}", "rename_chat", only("chat")),
    Call("DELETE", "/chats/{chat_id}", "delete_chat", no_content),
    Call("POST", "/chats/{chat_id}/read", "read_messages", _read),
]
