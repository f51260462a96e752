"""Pages over REST: none is larger than 1 MiB of JSON, and who pages on gets everything."""

import asyncio
from typing import Any

import pytest

from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import Serve

MIB = 1024 * 1024
LARGE = "\x01" * 9_999 + "x"
"""60,000 bytes as JSON, with which a page of 200 messages would have 12 MB."""


async def page(person: Person, path: str, **params: Any) -> Any:
    """The body of a page, which is no larger than a page may be."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with person.http.get(f"{person.url}/api{path}", params=params, headers=headers) as answer:
        assert answer.status == 200
        assert len(await answer.read()) <= MIB
        return await answer.json()


async def say_all(person: Person, chat_id: int, contents: list[str]) -> list[int]:
    """The ids of messages with these contents, sent in this order."""
    client = await person.connect()
    acks = [await client.done("send_message", chat_id=chat_id, content=content) for content in contents]
    return [ack["message"]["id"] for ack in acks]


async def test_a_page_of_large_messages_is_shorter_and_says_so(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    path = f"/chats/{chat_id}/messages"
    ids = await say_all(ann, chat_id, [LARGE] * 40)
    newest = await page(ann, path, limit=200)
    assert len(newest["messages"]) == 17
    assert (newest["has_more_before"], newest["has_more_after"]) == (True, False)
    back: list[int] = []
    asked: dict[str, int] = {}
    while True:
        found = await page(ann, path, limit=200, **asked)
        back[:0] = [message["id"] for message in found["messages"]]
        if not found["has_more_before"]:
            break
        asked = {"before": back[0]}
    assert back == ids
    forth = ids[:1]
    while True:
        found = await page(ann, path, limit=200, after=forth[-1])
        forth += [message["id"] for message in found["messages"]]
        if not found["has_more_after"]:
            break
    assert forth == ids
    around = await page(ann, path, limit=200, around=ids[20])
    assert [message["id"] for message in around["messages"]] == ids[12:29]
    assert (around["has_more_before"], around["has_more_after"]) == (True, True)


@pytest.mark.parametrize("serve", ["sqlite"], indirect=True)
async def test_a_message_larger_than_a_page_is_given_alone(serve: Serve) -> None:
    server = await serve(max_content_chars=200_000, max_frame_bytes=4 * MIB, messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await say_all(ann, chat_id, ["\x01" * 190_000 + "x"] * 3)
    asked: dict[str, int] = {}
    for more in (True, True, False):
        found = await ann.get(f"/chats/{chat_id}/messages", **asked)
        assert len(found["messages"]) == 1
        assert found["has_more_before"] is more
        asked = {"before": found["messages"][0]["id"]}


async def test_a_page_of_chats_with_large_messages_is_shorter(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_ids = [await ann.chat(name="n" * 100) for _ in range(20)]
    for chat_id in chat_ids:
        await ann.say(chat_id, LARGE)
    found = await page(ann, "/chats", limit=200)
    assert len(found["chats"]) == 16
    rest = await page(ann, "/chats", limit=200, cursor=found["next_cursor"])
    assert rest["next_cursor"] is None
    assert [chat["id"] for chat in (*found["chats"], *rest["chats"])] == chat_ids[::-1]


@pytest.mark.parametrize("serve", ["sqlite"], indirect=True)
async def test_members_come_in_pages_of_a_thousand_and_no_more_than_fit(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    context = server.chat_app.context
    names = ["\x01" * 100 if number < 900 else "Eve" for number in range(1500)]
    users = [
        await context.store.users.create(
            username=f"member{number}",
            display_name=name,
            email=None,
            password_hash="",
            created_at=context.clock.now(),
        )
        for number, name in enumerate(names)
    ]
    chat_id = (
        await ann.post("/chats", name="All", chat_type="group", member_ids=[u.id for u in users[:900]])
    )["id"]
    await asyncio.gather(
        *(
            context.store.chats.add_member(
                chat_id, ann.id, user.id, "member", context.clock.now(), lambda _standing: None
            )
            for user in users[900:]
        )
    )
    path = f"/chats/{chat_id}/members"
    found, sizes, cursor = [], [], {}
    while True:
        answer = await page(ann, path, **cursor)
        found += [member["user"]["id"] for member in answer["members"]]
        sizes.append(len(answer["members"]))
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert found[0] == ann.id
    assert sorted(found) == sorted([ann.id, *(user.id for user in users)])
    assert len(found) == 1501
    assert len(sizes) > 2 or max(sizes) <= 1000
    two = await page(ann, path, limit=2)
    assert [member["user"]["id"] for member in two["members"]] == found[:2]
    for limit in (0, 1001):
        assert_error(await ann.request("GET", path, params={"limit": limit}), 422, "invalid", "limit")
    assert_error(await ann.request("GET", path, params={"cursor": "x"}), 422, "invalid", "cursor")
    assert_error(await bob.request("GET", path), 404, "not_found")


@pytest.mark.parametrize("serve", ["sqlite"], indirect=True)
async def test_a_page_of_users_with_long_names_is_shorter(serve: Serve) -> None:
    server = await serve(max_name_chars=10_000)
    ann = await server.person("ann")
    context = server.chat_app.context
    for number in range(30):
        await context.store.users.create(
            username=f"member{number}",
            display_name=LARGE,
            email=None,
            password_hash="",
            created_at=context.clock.now(),
        )
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await page(ann, "/users", limit=200, **cursor)
        found += [user["username"] for user in answer["users"]]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert found == ["ann", *(f"member{number}" for number in range(30))]
