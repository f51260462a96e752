"""Who may do what in a chat and to the server, as tables: each right for each role, over REST and at both sockets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.commands import COMMANDS
from server.rest.routes import CALLS
from tests.clients.admins import make_admin
from tests.clients.client import Client
from tests.clients.people import Person
from tests.conftest import Server

ROLES = ("owner", "admin", "member", "muted", "stranger")

CODES = {"+": "ok", "-": "forbidden", "?": "not_found", "i": "invalid"}

UNTIL = (datetime.now(UTC) + timedelta(days=1)).isoformat()

REST: dict[str, tuple[str, str, Any, str]] = {
    # the right: method, path, body, and what comes of it for owner, admin, member, muted member, stranger
    "mute a member": ("PATCH", "/members/{target}", {"muted_until": UNTIL}, "++--?"),
    "unmute a member": ("PATCH", "/members/{target}", {"muted_until": None}, "++--?"),
    "mute an admin": ("PATCH", "/members/{second}", {"muted_until": UNTIL}, "+---?"),
    "unmute an admin": ("PATCH", "/members/{second}", {"muted_until": None}, "+---?"),
    "mute an owner": ("PATCH", "/members/{founder}", {"muted_until": UNTIL}, "+---?"),
    "unmute an owner": ("PATCH", "/members/{founder}", {"muted_until": None}, "+---?"),
    "mute oneself": ("PATCH", "/members/{me}", {"muted_until": UNTIL}, "----?"),
    "unmute oneself": ("PATCH", "/members/{me}", {"muted_until": None}, "----?"),
    "mute who is no member": ("PATCH", "/members/{nobody}", {"muted_until": UNTIL}, "?????"),
    "give a role": ("PATCH", "/members/{target}", {"role": "member"}, "+---?"),
    "ban who is no member": ("POST", "/bans", {"user_id": "{nobody}"}, "++--?"),
    "ban whom there is not": ("POST", "/bans", {"user_id": 10**9}, "ii--?"),
    "ban oneself": ("POST", "/bans", {"user_id": "{me}"}, "----?"),
    "list bans": ("GET", "/bans", None, "++--?"),
    "unban": ("DELETE", "/bans/{nobody}", None, "++--?"),
    "slow mode": ("PATCH", "", {"slow_mode_s": 0}, "++--?"),
    "a name": ("PATCH", "", {"name": "Room"}, "++--?"),
    "make it public": ("PATCH", "", {"is_public": False}, "+---?"),
    "a name and make it public": ("PATCH", "", {"name": "Room", "is_public": False}, "+---?"),
    "make an invite": ("POST", "/invites", {}, "++--?"),
    "list invites": ("GET", "/invites", None, "++--?"),
    "read the audit": ("GET", "/audit", None, "++--?"),
    "send in a group": ("POST", "group: /messages", {"content": "x"}, "+++-?"),
    "send in a channel": ("POST", "channel: /messages", {"content": "x"}, "++--?"),
    "react to another's message": ("POST", "/messages/{theirs}/reactions/%F0%9F%91%8D", None, "+++-?"),
    "take a reaction away": ("DELETE", "/messages/{theirs}/reactions/%F0%9F%91%8D", None, "++++?"),
    "pin": ("POST", "/messages/{theirs}/pin", None, "++--?"),
    "unpin": ("DELETE", "/messages/{theirs}/pin", None, "++--?"),
    "list pins": ("GET", "/pins", None, "++++?"),
    "read the edit history": ("GET", "/messages/{theirs}/history", None, "++++?"),
    "search in the chat": ("GET", "/messages/search?q=hello&chat_id={chat}", None, "++++?"),
    "edit another's message": ("PATCH", "/messages/{theirs}", {"content": "x"}, "----?"),
    "delete another's message": ("DELETE", "/messages/{theirs}", None, "++--?"),
    "edit one's own": ("PATCH", "/messages/{mine}", {"content": "x"}, "+++-?"),
    "delete one's own": ("DELETE", "/messages/{mine}", None, "++++?"),
    "remove an invite": ("DELETE", "/invites/{invite}", None, "++--?"),
    "ban a member": ("POST", "/bans", {"user_id": "{target}"}, "++--?"),
    "ban an admin": ("POST", "/bans", {"user_id": "{second}"}, "+---?"),
    "ban an owner": ("POST", "/bans", {"user_id": "{founder}"}, "+---?"),
}
"""In this order, and each from the stranger up to the owner: what changes most comes last."""

SOCKETS: dict[str, tuple[str, dict[str, Any], str]] = {
    "send in a group": ("group: send_message", {"content": "x"}, "+++-?"),
    "send in a channel": ("channel: send_message", {"content": "x"}, "++--?"),
    "typing": ("typing", {"is_typing": True}, "+++-?"),
    "react": ("add_reaction", {"message_id": "{theirs}", "emoji": "👍"}, "+++-?"),
    "take a reaction away": ("remove_reaction", {"message_id": "{theirs}", "emoji": "👍"}, "++++?"),
    "pin": ("pin_message", {"message_id": "{theirs}"}, "++--?"),
    "unpin": ("unpin_message", {"message_id": "{theirs}"}, "++--?"),
    "edit another's message": ("edit_message", {"message_id": "{theirs}", "content": "x"}, "----?"),
    "edit one's own": ("edit_message", {"message_id": "{mine}", "content": "x"}, "+++-?"),
    "delete another's message": ("delete_message", {"message_id": "{theirs}"}, "++--?"),
    "delete one's own": ("delete_message", {"message_id": "{mine}"}, "++++?"),
    "read": ("read_messages", {}, "++++?"),
    "enter the room": ("join_chat", {}, "++++?"),
    "leave the room": ("leave_chat", {}, "+++++"),
}


class Scene:
    """A chat with somebody in each role, and others to be acted on. Each of them has written in it, and for each role
    there is a message and an invite that the role may take away."""

    def __init__(self, server: Server, chat_type: str) -> None:
        self.server, self.chat_type = server, chat_type
        self.people: dict[str, Person] = {}
        self.names: dict[str, dict[str, object]] = {}
        """For each role, what stands for the words in braces."""

    async def build(self) -> "Scene":
        others = ("founder", "second", "target", "nobody")
        people = await self.server.people(*(f"{name}1" for name in (*ROLES, *others)))
        named = dict(zip((*ROLES, *others), people, strict=True))
        founder = named["founder"]
        inside = [named[name] for name in ("owner", "admin", "member", "muted", "second", "target")]
        chat_id = await founder.chat(*inside, chat_type=self.chat_type)
        path = f"/chats/{chat_id}"
        for person in inside:
            await founder.patch(f"{path}/members/{person.id}", role="admin")
        ids = {name: person.id for name, person in named.items()}
        for role in ROLES:
            mine = (named[role] if role != "stranger" else founder, named["target"])
            own, theirs = [(await person.say(chat_id, "hello"))["id"] for person in mine]
            invite = (await founder.post(f"{path}/invites"))["code"]
            more = {"me": ids[role], "mine": own, "theirs": theirs, "invite": invite, "chat": chat_id}
            self.names[role] = {**ids, **more}
        await founder.patch(f"{path}/members/{ids['owner']}", role="owner")
        for name in ("member", "muted", "target"):
            await founder.patch(f"{path}/members/{ids[name]}", role="member")
        await founder.patch(f"{path}/members/{ids['muted']}", muted_until=UNTIL)
        self.people = {role: named[role] for role in ROLES}
        return self

    def filled(self, role: str, value: Any) -> Any:
        """A path or a body with the words in braces replaced."""
        if isinstance(value, dict):
            return {name: self.filled(role, one) for name, one in value.items()}
        if not isinstance(value, str) or "{" not in value:
            return value
        if value.startswith("{"):
            return self.names[role][value[1:-1]]
        return value.format(**self.names[role])

    def concerns(self, what: str) -> str | None:
        """What is asked, without the type of chat that it is for; None if it is for another one."""
        chat_type, separator, rest = what.partition(": ")
        if not separator:
            return what
        return rest if chat_type == self.chat_type else None


async def over_rest(scene: Scene, role: str, method: str, path: str, body: Any) -> str:
    whole = path if path.startswith(("/messages", "/invites/")) else f"/chats/{{chat}}{path}"
    body = scene.filled(role, {**body, "chat_id": "{chat}"} if path == "/messages" else body)
    status, answer = await scene.people[role].request(method, scene.filled(role, whole), json=body)
    return "ok" if status < 300 else str(answer["error"]["code"])


async def over_a_socket(scene: Scene, client: Client, role: str, name: str, fields: dict[str, Any]) -> str:
    chat = {} if "message_id" in fields else {"chat_id": "{chat}"}
    answer = await client.command(name, **scene.filled(role, {**chat, **fields}))
    return "ok" if answer["type"] == "ack" else str(answer["code"])


def expected(letters: str) -> dict[str, str]:
    return {role: CODES[letter] for role, letter in zip(ROLES, letters, strict=True)}


@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_rights_over_rest(server: Server, chat_type: str) -> None:
    scene = await Scene(server, chat_type).build()
    for right, (method, path, body, letters) in REST.items():
        asked = scene.concerns(path)
        if asked is None:
            continue
        found = {role: await over_rest(scene, role, method, asked, body) for role in reversed(ROLES)}
        assert found == expected(letters), right


@pytest.mark.wires("raw", "socketio")
@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_rights_at_the_sockets(server: Server, chat_type: str) -> None:
    scene = await Scene(server, chat_type).build()
    clients = {role: await person.connect() for role, person in scene.people.items()}
    for right, (name, fields, letters) in SOCKETS.items():
        asked = scene.concerns(name)
        if asked is None:
            continue
        found = {
            role: await over_a_socket(scene, clients[role], role, asked, fields) for role in reversed(ROLES)
        }
        assert found == expected(letters), right


REST_ONLY = sorted(name for name, command in COMMANDS.items() if not command.socket)


@pytest.mark.wires("raw", "socketio")
async def test_what_only_rest_has_is_unknown_at_the_sockets(server: Server) -> None:
    """Whoever asks: an admin of the server who owns the chat."""
    ada, bob = await server.people("ada", "bob")
    await make_admin(server.chat_app, ada.id)
    chat_id = await ada.chat(bob)
    client = await ada.connect()
    assert {"ban_user", "change_member", "change_chat", "create_invite", "delete_user"} <= set(REST_ONLY)
    for name in REST_ONLY:
        fields = {"chat_id": chat_id, "user_id": bob.id, "muted_until": UNTIL, "banned": True}
        assert (await client.command(name, **fields))["code"] == "unknown_event", name
    assert (await bob.get(f"/chats/{chat_id}"))["muted_until"] is None


ADMIN: dict[tuple[str, str], tuple[Any, int]] = {
    # the body, and the status for an admin of the server
    ("GET", "/admin/users"): (None, 200),
    ("POST", "/admin/users"): ({"username": "somebody"}, 201),
    ("PATCH", "/admin/users/{bob}"): ({"display_name": "Bobby"}, 200),
    ("POST", "/admin/users/{bob}/password"): (None, 200),
    ("GET", "/admin/stats"): (None, 200),
    ("GET", "/admin/audit"): (None, 200),
    ("POST", "/admin/invites"): ({"max_uses": 1}, 201),
    ("GET", "/admin/invites"): (None, 200),
    ("DELETE", "/admin/chats/{chat}"): (None, 204),
    ("DELETE", "/admin/users/{bob}"): (None, 204),
}


async def test_rights_of_admins_of_the_server(server: Server) -> None:
    """Nobody is told first whether what they send is right, or is there."""
    ada, bob, eve = await server.people("ada", "bob", "eve")
    await make_admin(server.chat_app, ada.id)
    chat_id = await bob.chat(eve)
    admin_calls = {(call.method, call.path) for call in CALLS if call.path.startswith("/admin")}
    assert {(method, path.format(bob="{user_id}", chat="{chat_id}")) for method, path in ADMIN} == admin_calls
    for (method, path), (body, status) in ADMIN.items():
        for person, refused in ((server.stranger(), 401), (eve, 403)):
            for where in (path.format(bob=bob.id, chat=chat_id), path.format(bob="x", chat=10**9)):
                for wrong in (body, {"banned": "x", "max_uses": "x", "username": 1}):
                    answer = await person.request(method, where, json=wrong if method != "GET" else None)
                    assert answer[0] == refused, (method, where)
        where = path.format(bob=bob.id, chat=chat_id)
        assert (await ada.request(method, where, json=body))[0] == status, (method, path)
