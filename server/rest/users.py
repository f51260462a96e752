"""/api/users"""

from server.rest.calls import Call, ok, only

CALLS = [
    Call("GET", "/users/me", "get_user", only("user"), own=True),
    Call("PATCH", "/users/me", "update_me", only("user")),
    Call("GET", "/users", "list_users", ok, query={"q": False, "cursor": False, "limit": True}),
    Call("GET", "/users/{user_id}", "get_user", only("user")),
]
