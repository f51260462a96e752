"""/api/auth"""

from server.rest.calls import Call, no_content, ok, only

CALLS = [
    Call("POST", "/auth/register", "register", only("user", 201), public=True),
    Call("POST", "/auth/login", "login", ok, public=True, form=True),
    Call("POST", "/auth/refresh", "refresh", ok, public=True),
    Call("POST", "/auth/logout", "logout", no_content),
]
