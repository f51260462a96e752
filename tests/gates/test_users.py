"""Users over REST: the own account, other users, and the search."""

from typing import Any

import pytest

from handlers import moderation
from tests.clients.shapes import OWN_USER, USER, assert_error, fits
from tests.conftest import Server


async def test_oneself_is_shown_with_the_email_and_others_without(server: Server) -> None:
    ann, bob = await server.person("ann", email="ann@example.org"), await server.person("bob")
    own, other = await ann.get("/users/me"), await bob.get(f"/users/{ann.id}")
    assert fits(own, OWN_USER)
    assert fits(other, USER)
    assert own == {**other, "email": "ann@example.org", "is_admin": False, "presence": "auto"}
    assert await ann.get(f"/users/{ann.id}") == own


@pytest.mark.parametrize("user_id", ["99", "0", "-1", "x", "1.0", "9" * 30, "٣", str(2**53)])
async def test_a_user_nobody_ever_had_is_not_found(server: Server, user_id: str) -> None:
    ann = await server.person("ann")
    assert_error(await ann.request("GET", f"/users/{user_id}"), 404, "not_found")


async def test_a_display_name_can_be_changed(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    user = await ann.patch("/users/me", display_name="Анна 🙂")
    assert fits(user, OWN_USER)
    assert (await bob.get(f"/users/{ann.id}"))["display_name"] == user["display_name"] == "Анна 🙂"
    assert await ann.patch("/users/me") == user
    assert await ann.patch("/users/me", display_name=None, is_bot=True, username="eve") == user


@pytest.mark.parametrize("name", ["", "x" * 101, 7, ["x"], "\ud800"])
async def test_a_display_name_has_1_to_100_characters(server: Server, name: Any) -> None:
    ann = await server.person("ann")
    assert_error(
        await ann.request("PATCH", "/users/me", json={"display_name": name}), 422, "invalid", "display_name"
    )


async def test_the_status_and_the_last_seen_time_are_current(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    client = await ann.connect()
    assert (await bob.get(f"/users/{ann.id}"))["status"] == "online"
    await client.done("status", status="busy")
    assert (await bob.get(f"/users/{ann.id}"))["status"] == "busy"
    await client.done("status", status="offline")
    assert (await bob.get(f"/users/{ann.id}"))["status"] == "offline"


@pytest.mark.stores
async def test_users_are_found_by_the_beginning_of_a_name_without_case(server: Server) -> None:
    await server.person("anna", display_name="Zoe")
    bob = await server.person("Bob", display_name="Annabel")
    await server.person("carl", display_name="Иван")
    await server.person("a_n")

    async def found(q: str) -> list[str]:
        page = await bob.get("/users", q=q)
        assert page.keys() == {"users", "next_cursor"}
        assert all(fits(user, OWN_USER if user["id"] == bob.id else USER) for user in page["users"])
        return [user["username"] for user in page["users"]]

    assert await found("ann") == await found("ANN") == ["anna", "Bob"]
    assert await found("zoe") == ["anna"]
    assert await found("bob") == ["Bob"]
    assert await found("a_") == ["a_n"]
    assert await found("%") == []
    assert await found("nn") == []
    assert await found("ИВ") == ["carl"]
    assert await found("") == ["anna", "Bob", "carl", "a_n"]


async def test_people_are_found_whatever_the_form_of_their_names(server: Server) -> None:
    names = {
        "jose1": "Jos\u00e9",
        "jose2": "jose\u0301 k",
        "wide": "\uff2a\uff4f\uff53\u00c9",
        "han": "\ud55c\uad6d",
    }
    for username, display_name in names.items():
        await server.person(username, display_name=display_name)
    ann = await server.person("ann")

    async def found(q: str) -> list[str]:
        return [user["username"] for user in (await ann.get("/users", q=q))["users"]]

    for q in ("Jos\u00e9", "JOSE\u0301", "\uff2aos\u00e9"):
        assert await found(q) == ["jose1", "jose2", "wide"]
    assert await found("\uff4aose1") == ["jose1"]
    assert await found("\u1112\u1161\u11ab") == ["han"]
    for nobody in ("\ufdfa" * 800, "e" + "\u0301\u0316" * 600, "x" * 5000):
        assert await found(nobody) == []
    await ann.patch("/users/me", display_name="E\u0301va")
    assert await found("\u00e9v") == ["ann"]


async def test_users_who_are_not_active_are_not_found(server: Server) -> None:
    ann, bob, _ = await server.people("ann", "bob", "carl")
    store = server.chat_app.context.store
    await moderation.ban(store, "bob")
    await moderation.delete(store, "carl")
    for q in ("", "b", "bob", "carl"):
        users = (await ann.get("/users", q=q))["users"]
        assert [user["id"] for user in users] == ([ann.id] if q == "" else [])
    assert (await ann.get(f"/users/{bob.id}"))["username"] == "bob"  # their messages stay
    await moderation.unban(store, "BOB")
    assert [user["id"] for user in (await ann.get("/users", q="bo"))["users"]] == [bob.id]


async def test_users_come_in_pages(server: Server) -> None:
    ann = (await server.people("ann", "bob", "carl", "dora", "eve"))[0]
    names, cursor = [], None
    while True:
        page = await ann.get("/users", limit="2", **({} if cursor is None else {"cursor": cursor}))
        names.append([user["username"] for user in page["users"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == [["ann", "bob"], ["carl", "dora"], ["eve"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", "0"), ("limit", "201"), ("limit", "x"), ("limit", "1.0"), ("limit", ""), ("cursor", "x")],
)
async def test_a_wrong_page_is_invalid(server: Server, field: str, value: str) -> None:
    ann = await server.person("ann")
    assert_error(await ann.request("GET", "/users", params={field: value}), 422, "invalid", field)
