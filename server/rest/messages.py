"""/api/messages, and the history of a chat"""

from handlers.registry import Result
from server.rest.calls import Answer, Call, no_content, ok, only


def _sent(result: Result) -> Answer:
    return 200 if result["duplicate"] else 201, result["message"]


CALLS = [
    Call(
        "GET",
        "/chats/{chat_id}/messages",
        "list_messages",
        ok,
        query={"before": True, "after": True, "around": True, "limit": True},
    ),
    Call("POST", "/messages", "create_message", _sent),
    Call("GET", "/messages/{message_id}", "get_message", only("message")),
    Call("PATCH", "/messages/{message_id}", "edit_message", only("message")),
    Call("PUT", "/messages/{message_id}", "edit_message", only("message")),
    Call("DELETE", "/messages/{message_id}", "delete_message", no_content),
]
