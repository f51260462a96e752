"""Invites and public chats at two nodes: what one has acked the other knows at once, and uses are exact."""

import asyncio
from collections import Counter

import pytest

from tests.clients.rest import PASSWORD, RestClient
from tests.clients.shapes import assert_error
from tests.nodes.conftest import Pair
from tests.patience import within

pytestmark = pytest.mark.cluster

ROUNDS = 5
"""How often something that would be right by chance now and then is tried."""


async def test_an_invite_works_and_ends_at_the_other_node_at_once(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    there = pair.there(bob)
    stranger = RestClient(there.http, there.url)
    coming = await there.connect()
    for _ in range(ROUNDS):
        chat_id = await ann.chat()
        code = (await ann.post(f"/chats/{chat_id}/invites"))["code"]
        assert (await stranger.get(f"/invites/{code}"))["chat"]["member_count"] == 1
        chat = await there.post(f"/invites/{code}/accept")
        assert (chat["id"], chat["member_count"]) == (chat_id, 2)
        async with within(1):
            while (await coming.next("chat_added"))["chat_id"] != chat_id:
                pass
        (listed,) = (await ann.get(f"/chats/{chat_id}/invites"))["invites"]
        assert listed["uses"] == 1
        await ann.delete(f"/invites/{code}")
        assert_error(await stranger.request("GET", f"/invites/{code}"), 404, "not_found")
        assert_error(await there.request("POST", f"/invites/{code}/accept"), 404, "not_found")


async def test_people_register_at_both_nodes_with_one_invite(pair: Pair) -> None:
    (ann,) = await pair.people("ann")
    chat_id = await ann.chat()
    code = (await ann.post(f"/chats/{chat_id}/invites", max_uses=3))["code"]
    gates = [RestClient(ann.http, ann.url), RestClient(ann.http, pair.there(ann).url)]

    async def register(number: int) -> int:
        body = {"username": f"person{number}", "password": PASSWORD, "invite": code}
        status, answer = await gates[number % 2].request("POST", "/auth/register", json=body)
        assert status != 201 or answer["chat_id"] == chat_id
        return status

    assert Counter(await asyncio.gather(*map(register, range(10)))) == {201: 3, 422: 7}
    assert (await ann.get(f"/chats/{chat_id}"))["member_count"] == 4


async def test_a_public_chat_is_joined_at_the_other_node_at_once(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    there = pair.there(bob)
    for _ in range(ROUNDS):
        chat_id = await ann.chat()
        assert_error(await there.request("POST", f"/chats/{chat_id}/join"), 404, "not_found")
        await ann.patch(f"/chats/{chat_id}", is_public=True)
        assert chat_id in [chat["id"] for chat in (await there.get("/chats/public"))["chats"]]
        assert (await there.post(f"/chats/{chat_id}/join"))["member_count"] == 2
        await there.delete(f"/chats/{chat_id}/members/{bob.id}")
        await ann.patch(f"/chats/{chat_id}", is_public=False)
        assert_error(await there.request("POST", f"/chats/{chat_id}/join"), 404, "not_found")
        assert (await there.get("/chats/public"))["chats"] == []
