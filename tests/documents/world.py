"""A server on which every call of the OpenAPI document can be made, and the values with which it succeeds."""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from server.documents.operations import Operation
from server.documents.samples import Request
from tests.clients.admins import make_admin
from tests.clients.files import upload
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.conftest import Server
from tests.pictures.made import jpeg

METRICS_TOKEN = "metrics of the tests"

Values = Mapping[str, Any]


class World:
    """Ann administers the server and owns the chat in which Bob is. Each call that changes something gets its own
    thing to change."""

    def __init__(self, server: Server, ann: Person, bob: Person, chat_id: int, folder: Path) -> None:
        self.server = server
        self.ann = ann
        self.bob = bob
        self.chat_id = chat_id
        self.folder = folder
        self._numbers = itertools.count(1)

    @classmethod
    async def made(cls, server: Server, folder: Path) -> "World":
        """`folder`: where the files are that examples of code send."""
        ann, bob = await server.people("ann", "bob")
        await make_admin(server.chat_app, ann.id)
        (folder / "soup.jpg").write_bytes(jpeg())
        return cls(server, ann, bob, await ann.chat(bob), folder)

    def name(self) -> str:
        """A name that nobody has."""
        return f"somebody{next(self._numbers)}"

    async def stranger(self) -> Person:
        """A user who is in no chat."""
        return await self.server.person(self.name())

    async def values_of(self, names: Iterable[str]) -> dict[str, Any]:
        """Values with which a command of these parameters succeeds, for Ann."""
        return {"token": self.ann.token, **await _usual_values(self, list(names), {})}

    async def call_of(self, operation: Operation) -> tuple[Request, str]:
        """The example of the operation with values with which it succeeds, and a token with which it does."""
        prepare = _PREPARED.get((operation.method, _plain(operation.path)), _usual)
        caller, values = await prepare(self)
        request = operation.request
        given: dict[str, dict[str, Any]] = {
            "in_path": {name: _value(values, name, old) for name, old in request.in_path.items()},
            "in_query": {name: _value(values, name, old) for name, old in request.in_query.items()},
            "fields": {name: _value(values, name, old) for name, old in request.fields.items()},
        }
        usual = await _usual_values(self, [*request.in_path, *request.in_query, *request.fields], values)
        for part in given.values():
            part.update({name: usual[name] for name in part if name in usual})
        token = METRICS_TOKEN if operation.path == "/metrics" else caller.token
        return replace(
            request, in_path=given["in_path"], in_query=given["in_query"], fields=given["fields"]
        ), token


def _value(values: Values, name: str, old: Any) -> Any:
    return values.get(name, old)


def _plain(path: str) -> str:
    """The path whatever its parameters are called."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


async def _usual_values(world: World, names: list[str], values: Values) -> dict[str, Any]:
    """What has to be there before the call."""
    made: dict[str, Any] = {}
    for name in names:
        if name in values:
            continue
        match name:
            case "chat_id":
                made[name] = world.chat_id
            case "message_id":
                made[name] = (await world.ann.say(world.chat_id, "soup"))["id"]
            case "user_id":
                made[name] = world.bob.id
            case "member_ids":
                made[name] = [world.bob.id]
            case "username":
                made[name] = world.name()
            case "client_id":
                made[name] = world.name()
            case "upload_id":
                made[name] = (await upload(world.ann, jpeg(), "soup.jpg"))["id"]
            case "code":
                made[name] = (await world.ann.post(f"/chats/{world.chat_id}/invites"))["code"]
    return made


Prepared = tuple[Person, Values]
Prepare = Callable[[World], Awaitable[Prepared]]


async def _usual(world: World) -> Prepared:
    return world.ann, {}


async def _login(world: World) -> Prepared:
    return world.ann, {"username": "ann", "password": PASSWORD}


async def _refresh(world: World) -> Prepared:
    stranger = await world.stranger()
    return stranger, {"refresh_token": stranger.refresh_token}


async def _as_stranger(world: World) -> Prepared:
    return await world.stranger(), {"password": PASSWORD}


async def _own_chat(world: World) -> Prepared:
    return world.ann, {"chat_id": await world.ann.chat(world.bob)}


async def _add_member(world: World) -> Prepared:
    return world.ann, {"user_id": (await world.stranger()).id}


async def _member(world: World) -> Prepared:
    stranger = await world.stranger()
    return world.ann, {"user_id": stranger.id, "chat_id": await world.ann.chat(stranger)}


async def _reacted(world: World) -> Prepared:
    message = await world.ann.say(world.chat_id, "soup")
    await world.ann.post(f"/messages/{message['id']}/reactions/👍")
    return world.ann, {"message_id": message["id"]}


async def _session(world: World) -> Prepared:
    stranger = await world.stranger()
    (session,) = (await stranger.get("/users/me/sessions"))["sessions"]
    return stranger, {"session_id": session["id"]}


async def _accept(world: World) -> Prepared:
    return await world.stranger(), {}


async def _public(world: World) -> Prepared:
    chat_id = await world.ann.chat()
    await world.ann.patch(f"/chats/{chat_id}", is_public=True)
    return await world.stranger(), {"chat_id": chat_id}


async def _other_user(world: World) -> Prepared:
    return world.ann, {"user_id": (await world.stranger()).id}


async def _avatar(world: World) -> Prepared:
    stranger = await world.stranger()
    _, user = await stranger.request("PUT", "/users/me/avatar", data=jpeg())
    return stranger, {"avatar_id": user["avatar_url"].rsplit("/", 1)[1]}


async def _bot(world: World) -> Prepared:
    stranger = await world.stranger()
    made = await stranger.post("/bots", username=world.name())
    return stranger, dict.fromkeys(("bot_id", "user_id"), made["bot"]["id"])


async def _new_bot(world: World) -> Prepared:
    return await world.stranger(), {"username": world.name()}


async def _new_hook(world: World) -> Prepared:
    return world.ann, {"chat_id": await world.ann.chat(), "kind": "incoming", "name": "Alerts"}


async def _hook(world: World) -> Prepared:
    chat_id = await world.ann.chat()
    hook = await world.ann.post(f"/chats/{chat_id}/hooks", kind="incoming", name="Alerts")
    return world.ann, {"hook_id": hook["id"], "name": "Other alerts"}


async def _hook_key(world: World) -> Prepared:
    chat_id = await world.ann.chat()
    hook = await world.ann.post(f"/chats/{chat_id}/hooks", kind="incoming", name="Alerts")
    return world.ann, {"key": hook["url"].rsplit("/", 1)[1]}


_PREPARED: Mapping[tuple[str, str], Prepare] = {
    ("POST", "/api/auth/login"): _login,
    ("POST", "/api/auth/refresh"): _refresh,
    ("POST", "/api/auth/logout"): _as_stranger,
    ("POST", "/api/users/me/delete"): _as_stranger,
    ("DELETE", "/api/users/me"): _as_stranger,
    ("DELETE", "/api/users/me/sessions/{}"): _session,
    ("DELETE", "/api/chats/{}"): _own_chat,
    ("DELETE", "/api/admin/chats/{}"): _own_chat,
    ("POST", "/api/chats/{}/members"): _add_member,
    ("PATCH", "/api/chats/{}/members/{}"): _member,
    ("DELETE", "/api/chats/{}/members/{}"): _member,
    ("POST", "/api/chats/{}/bans"): _member,
    ("POST", "/api/chats/{}/join"): _public,
    ("POST", "/api/invites/{}/accept"): _accept,
    ("DELETE", "/api/messages/{}/reactions/{}"): _reacted,
    ("PATCH", "/api/users/me"): _as_stranger,
    ("PATCH", "/api/admin/users/{}"): _other_user,
    ("DELETE", "/api/admin/users/{}"): _other_user,
    ("POST", "/api/admin/users/{}/password"): _other_user,
    ("PUT", "/api/users/{}/block"): _other_user,
    ("GET", "/api/avatars/{}"): _avatar,
    ("POST", "/api/bots"): _new_bot,
    ("PATCH", "/api/bots/{}"): _bot,
    ("DELETE", "/api/bots/{}"): _bot,
    ("POST", "/api/bots/{}/token"): _bot,
    ("POST", "/api/chats/{}/hooks"): _new_hook,
    ("PATCH", "/api/hooks/{}"): _hook,
    ("DELETE", "/api/hooks/{}"): _hook,
    ("POST", "/api/hooks/{}/key"): _hook,
    ("POST", "/hooks/{}"): _hook_key,
}
