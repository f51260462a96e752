"""Members over REST: permissions of each role, and events."""

from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.people import Person
from tests.clients.shapes import MEMBER, assert_error, fits
from tests.conftest import Server

ROLES = ("owner", "admin", "member", "stranger")

ALLOWED = {
    "edit own message": ("owner", "admin", "member"),
    "edit a message of another": (),
    "delete own message": ("owner", "admin", "member"),
    "delete a message of another": ("owner", "admin"),
    "rename": ("owner", "admin"),
    "delete the chat": ("owner",),
    "add a member": ("owner", "admin"),
    "add an admin": ("owner",),
    "remove a member": ("owner", "admin"),
    "remove an admin": ("owner",),
    "leave": ("owner", "admin", "member"),
    "give a role": ("owner",),
    "write": ("owner", "admin", "member"),
    "look": ("owner", "admin", "member"),
    "list members": ("owner", "admin", "member"),
    "read history": ("owner", "admin", "member"),
    "mark read": ("owner", "admin", "member"),
}


class Scene:
    """A chat with one person of each role, and three more members as targets."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.people: dict[str, Person] = {}
        self.chat_id = 0
        self.message_id = 0

    async def set(self, chat_type: str = "group") -> None:
        for name in (*ROLES, "author", "deputy", "newcomer"):
            self.people[name] = await self.server.person(name)
        await self.again(chat_type)

    async def again(self, chat_type: str = "group") -> None:
        """Another such chat of the same people."""
        owner = self.people["owner"]
        inside = [self.people[name] for name in ("admin", "member", "author", "deputy")]
        self.chat_id = await owner.chat(*inside, chat_type=chat_type)
        for name in ("admin", "deputy"):
            await owner.patch(f"/chats/{self.chat_id}/members/{self.people[name].id}", role="admin")
        author = self.people["author"] if chat_type == "group" else self.people["deputy"]
        self.message_id = (await author.say(self.chat_id, "by another"))["id"]

    async def attempt(self, role: str, what: str) -> Any:
        caller, chat, message = self.people[role], f"/chats/{self.chat_id}", f"/messages/{self.message_id}"
        if "own message" in what:
            status, sent = await caller.request(
                "POST", "/messages", json={"chat_id": self.chat_id, "content": "own"}
            )
            if status != 201:
                return status, sent
            message = f"/messages/{sent['id']}"
        ids = {name: person.id for name, person in self.people.items()}
        calls: dict[str, tuple[str, str, Any]] = {
            "edit own message": ("PATCH", message, {"content": "changed"}),
            "edit a message of another": ("PATCH", message, {"content": "changed"}),
            "delete own message": ("DELETE", message, None),
            "delete a message of another": ("DELETE", message, None),
            "rename": ("PATCH", chat, {"name": "Other"}),
            "delete the chat": ("DELETE", chat, None),
            "add a member": ("POST", f"{chat}/members", {"user_id": ids["newcomer"]}),
            "add an admin": ("POST", f"{chat}/members", {"user_id": ids["newcomer"], "role": "admin"}),
            "remove a member": ("DELETE", f"{chat}/members/{ids['author']}", None),
            "remove an admin": ("DELETE", f"{chat}/members/{ids['deputy']}", None),
            "leave": ("DELETE", f"{chat}/members/{ids[role]}", None),
            "give a role": ("PATCH", f"{chat}/members/{ids['author']}", {"role": "admin"}),
            "write": ("POST", "/messages", {"chat_id": self.chat_id, "content": "hi"}),
            "look": ("GET", chat, None),
            "list members": ("GET", f"{chat}/members", None),
            "read history": ("GET", f"{chat}/messages", None),
            "mark read": ("POST", f"{chat}/read", {}),
        }
        method, path, body = calls[what]
        return await caller.request(method, path, json=body)


@pytest.mark.long_on_mongo
@pytest.mark.stores
@pytest.mark.parametrize("role", ROLES)
async def test_who_may_do_what(server: Server, role: str) -> None:
    scene = Scene(server)
    await scene.set()
    for what, allowed in ALLOWED.items():
        await scene.again()
        answer = await scene.attempt(role, what)
        if role in allowed:
            assert answer[0] in (200, 201, 204), (role, what, answer)
        elif role == "stranger":
            assert_error(answer, 404, "not_found")
        else:
            assert_error(answer, 403, "forbidden")


@pytest.mark.parametrize("role", ROLES)
async def test_in_a_channel_only_owner_and_admins_write(server: Server, role: str) -> None:
    scene = Scene(server)
    await scene.set("channel")
    answer = await scene.attempt(role, "write")
    if role in ("owner", "admin"):
        assert answer[0] == 201
    else:
        assert_error(answer, *((404, "not_found") if role == "stranger" else (403, "forbidden")))
    assert (await scene.attempt(role, "read history"))[0] == (404 if role == "stranger" else 200)


@pytest.mark.parametrize("what", ["add a member", "remove a member", "leave", "give a role"])
async def test_the_members_of_a_private_chat_are_fixed(server: Server, what: str) -> None:
    scene = Scene(server)
    await scene.set()
    scene.chat_id = await scene.people["owner"].chat(scene.people["author"], chat_type="private")
    await scene.people["owner"].say(scene.chat_id, "hi")
    assert_error(await scene.attempt("owner", what), 403, "forbidden")
    assert len((await scene.people["author"].get(f"/chats/{scene.chat_id}/members"))["members"]) == 2


async def test_members_are_listed_in_the_order_in_which_they_came(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "hi")
    status, member = await ann.request("POST", f"/chats/{chat_id}/members", json={"user_id": carl.id})
    assert status == 201
    assert fits(member, MEMBER)
    assert (member["user"]["id"], member["role"]) == (carl.id, "member")
    assert member["last_read_message_id"] == message["id"], "a new member's mark stands at the newest"
    listed = await carl.get(f"/chats/{chat_id}/members")
    assert listed.keys() == {"members", "next_cursor"}
    assert all(fits(one, MEMBER) for one in listed["members"])
    assert [one["user"]["username"] for one in listed["members"]] == ["ann", "bob", "carl"]
    assert [("email" in one["user"]) for one in listed["members"]] == [False, False, True]
    assert (await carl.get(f"/chats/{chat_id}"))["unread_count"] == 0
    assert (await carl.get(f"/chats/{chat_id}/messages"))["messages"] == [message], "all history is seen"


async def test_what_is_wrong_with_a_new_member(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    path = f"/chats/{await ann.chat(bob)}/members"
    assert_error(await ann.request("POST", path, json={"user_id": bob.id}), 409, "conflict", "user_id")
    for user_id in (99, 0, "2", 2.0, None):
        assert_error(await ann.request("POST", path, json={"user_id": user_id}), 422, "invalid", "user_id")
    wrong_role = {"user_id": bob.id, "role": "king"}
    assert_error(await ann.request("POST", path, json=wrong_role), 422, "invalid", "role")
    assert_error(await ann.request("PATCH", f"{path}/{bob.id}", json={}), 422, "invalid", "role")
    for user_id in ("99", "x", "0"):
        assert_error(await ann.request("DELETE", f"{path}/{user_id}"), 404, "not_found")
        answer = await ann.request("PATCH", f"{path}/{user_id}", json={"role": "admin"})
        assert_error(answer, 404, "not_found")


async def test_a_role_can_be_given_and_taken(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    path = f"/chats/{await ann.chat(bob)}/members"
    status, member = await ann.request("PATCH", f"{path}/{bob.id}", json={"role": "owner"})
    assert (status, fits(member, MEMBER), member["role"]) == (200, True, "owner")
    assert (await bob.patch(f"{path}/{ann.id}", role="member"))["role"] == "member"
    assert_error(await ann.request("PATCH", f"{path}/{bob.id}", json={"role": "member"}), 403, "forbidden")
    assert_error(await bob.request("PATCH", f"{path}/{bob.id}", json={"role": "member"}), 409, "conflict")


@pytest.mark.stores
@pytest.mark.parametrize(("roles", "heir"), [(["member", "admin", "admin"], 1), (["member", "member"], 0)])
async def test_the_last_owners_role_passes_on(server: Server, roles: list[str], heir: int) -> None:
    ann = await server.person("ann")
    others = await server.people(*(f"other{number}" for number in range(len(roles))))
    chat_id = await ann.chat()
    for other, role in zip(others, roles, strict=True):
        await ann.post(f"/chats/{chat_id}/members", user_id=other.id, role=role)
    await ann.delete(f"/chats/{chat_id}/members/{ann.id}")
    listed = (await others[0].get(f"/chats/{chat_id}/members"))["members"]
    assert [one["user"]["id"] for one in listed if one["role"] == "owner"] == [others[heir].id]
    assert len(listed) == len(roles)
    assert (await others[heir].request("PATCH", f"/chats/{chat_id}", json={"name": "Mine"}))[0] == 200


async def test_members_hear_who_joins_and_leaves(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob)
    anns, bobs, carls = await ann.joined(chat_id), await bob.connect(), await carl.connect()
    await anns.drain()
    path = f"/chats/{chat_id}/members"
    await ann.post(path, user_id=carl.id)
    await _received(carls, ("chat_added", None), ("chat_changed", 3))
    await _received(anns, ("chat_changed", 3))
    await _received(bobs, ("chat_changed", 3))
    await ann.patch(f"{path}/{bob.id}", role="admin")
    for client in (anns, bobs, carls):
        await _received(client, ("chat_changed", 3))
    await ann.delete(f"{path}/{carl.id}")
    await _received(carls, ("chat_removed", None))
    await _received(anns, ("chat_changed", 2))
    await _received(bobs, ("chat_changed", 2))


@pytest.mark.stores
async def test_who_is_removed_hears_nothing_of_the_room_after_chat_removed(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await bob.say(chat_id, "mine")
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    await anns.drain()
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    assert (await bobs.next())["type"] == "chat_removed"
    await ann.say(chat_id, "about the member")
    await anns.done("typing", chat_id=chat_id, is_typing=True)
    await bobs.nothing_more()
    for name, fields in (
        ("join_chat", {"chat_id": chat_id}),
        ("send_message", {"chat_id": chat_id, "content": "hi"}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
        ("read_messages", {"chat_id": chat_id}),
        ("edit_message", {"message_id": message["id"], "content": "x"}),
        ("delete_message", {"message_id": message["id"]}),
    ):
        assert (await bobs.command(name, **fields))["code"] == "not_found", name
    await bobs.done("leave_chat", chat_id=chat_id)
    assert_error(await bob.request("GET", f"/messages/{message['id']}"), 404, "not_found")


async def _received(client: Client, *expected: tuple[str, int | None]) -> None:
    """Asserts that exactly these frames have come: their types and member counts."""
    frames = [
        (frame["type"], frame["chat"]["member_count"] if "chat" in frame else None)
        for frame in await client.drain()
        if not frame["type"].startswith("user_")
    ]
    assert frames == list(expected)
