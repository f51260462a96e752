"""/api/chats/{chat_id}/members"""

from server.rest.calls import Call, no_content, ok, only

CALLS = [
    Call("GET", "/chats/{chat_id}/members", "list_members", ok, query={"cursor": False, "limit": True}),
    Call("POST", "/chats/{chat_id}/members", "add_member", only("member", 201)),
    Call("PATCH", "/chats/{chat_id}/members/{user_id}", "set_role", only("member")),
    Call("DELETE", "/chats/{chat_id}/members/{user_id}", "remove_member", no_content),
]
