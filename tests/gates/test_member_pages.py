"""Pages of members; read marks are positions that stay when their message is deleted."""

from typing import Any

import pytest

from tests.clients.shapes import MEMBER, assert_error, fits
from tests.conftest import Server


async def all_pages(person: Any, chat_id: int, **limit: str) -> list[list[int]]:
    pages: list[list[int]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await person.get(f"/chats/{chat_id}/members", **limit, **cursor)
        assert page.keys() == {"members", "next_cursor"}
        assert all(fits(member, MEMBER) for member in page["members"])
        pages.append([member["user"]["id"] for member in page["members"]])
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}


async def test_members_come_in_pages_and_1000_at_a_time_without_a_limit(server: Server) -> None:
    ann = await server.person("ann")
    store, now = server.chat_app.context.store, server.chat_app.context.clock.now()
    ids = [
        (
            await store.users.create(
                username=f"user{number}", display_name="x", email=None, password_hash="", created_at=now
            )
        ).id
        for number in range(1004)
    ]
    chat, _ = await store.chats.create(
        name="Large", chat_type="group", owner_id=ann.id, member_ids=ids[:1000], created_at=now
    )
    for user_id in ids[1000:]:
        await ann.post(f"/chats/{chat.id}/members", user_id=user_id)
    everybody = [ann.id, *ids]
    assert await all_pages(ann, chat.id) == [everybody[:1000], everybody[1000:]]
    assert await all_pages(ann, chat.id, limit="1000") == [everybody[:1000], everybody[1000:]]
    pages = await all_pages(ann, chat.id, limit="335")
    assert [len(page) for page in pages] == [335, 335, 335]
    assert [user_id for page in pages for user_id in page] == everybody


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("limit", "1.0"), ("cursor", "x"), ("cursor", "")],
)
async def test_a_wrong_page_is_invalid(server: Server, field: str, value: str) -> None:
    ann = await server.person("ann")
    path = f"/chats/{await ann.chat()}/members"
    assert_error(await ann.request("GET", path, params={field: value}), 422, "invalid", field)


async def test_marks_are_positions_and_stay_when_their_message_is_deleted(server: Server) -> None:
    ann, bob, carl, dora = await server.people("ann", "bob", "carl", "dora")
    chat_id = await ann.chat(bob)
    early = await ann.post(f"/chats/{chat_id}/members", user_id=carl.id)
    assert (early["last_read_message_id"], early["read_seq"]) == (None, 0)
    messages = [await ann.say(chat_id, str(number)) for number in range(3)]
    await bob.post(f"/chats/{chat_id}/read", up_to=messages[1]["id"])
    for message in messages[1:]:
        await ann.delete(f"/messages/{message['id']}")
    late = await ann.post(f"/chats/{chat_id}/members", user_id=dora.id)
    assert (late["last_read_message_id"], late["read_seq"]) == (messages[0]["id"], 1)
    changed = await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
    assert (changed["last_read_message_id"], changed["read_seq"]) == (messages[1]["id"], 2)
    listed = (await ann.get(f"/chats/{chat_id}/members"))["members"]
    assert [member["read_seq"] for member in listed] == [0, 2, 0, 1]
    for person, read_seq in ((ann, 0), (bob, 2), (carl, 0), (dora, 1)):
        assert (await person.get(f"/chats/{chat_id}"))["read_seq"] == read_seq
        assert (await person.get("/chats"))["chats"][0]["read_seq"] == read_seq
    answer = await bob.post(f"/chats/{chat_id}/read")
    assert answer == {"unread_count": 0, "unread_mentions": 0, "up_to": messages[1]["id"], "read_seq": 2}


async def test_updates_have_each_members_own_mark(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl)
    first = await ann.say(chat_id, "0")
    await bob.post(f"/chats/{chat_id}/read", up_to=first["id"])
    bobs, carls, anns = await bob.connect(), await carl.connect(), await ann.connect()
    await ann.say(chat_id, "1")
    for client, unread, read_seq in ((bobs, 1, 1), (carls, 2, 0), (anns, 0, 0)):
        update = await client.update()
        while update["head_seq"] < 2:
            update = await client.update()
        assert (update["unread_count"], update["read_seq"]) == (unread, read_seq)
