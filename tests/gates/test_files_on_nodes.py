"""Files on two servers that share a database: what one takes the other has, and what one deletes is gone from both."""

import asyncio

import pytest

from tests.clients.files import fetch, send_files, upload
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.patience import within
from tests.pictures.made import jpeg

pytestmark = pytest.mark.stores("mongo")


def at(server: Server, person: Person) -> Person:
    """The same user at another server."""
    other = Person(person.http, server.url, server.ws_url, person.username)
    other.token, other.id = person.token, person.id
    return other


async def test_files_are_the_same_on_all_nodes(serve: Serve) -> None:
    one = await serve()
    two = await serve(database_url=one.config.database_url)
    ann = await one.person("ann")
    there = at(two, ann)
    chat_id = await ann.chat()
    _, message = await send_files(ann, chat_id, ("a.jpg", jpeg()))
    (photo,) = message["attachments"]
    assert (await there.get(f"/messages/{message['id']}"))["attachments"] == [photo]
    for path in (photo["url"], photo["thumbnail_url"]):
        here, other = await fetch(ann, path), await fetch(there, path)
        assert (other[0].status, other[1], other[0].headers["ETag"]) == (
            200,
            here[1],
            here[0].headers["ETag"],
        )
    status, user = await there.request("PUT", "/users/me/avatar", data=jpeg())
    assert status == 200
    assert (await fetch(ann, user["avatar_url"]))[0].status == 200
    waiting = await upload(there, b"x")
    sent = await ann.say(chat_id, "", attachments=[waiting["id"]])
    assert sent["attachments"] == [waiting]
    await there.delete(f"/messages/{message['id']}")
    assert (await fetch(ann, photo["url"]))[0].status == 404
    await ann.request("DELETE", "/users/me/avatar")
    assert (await fetch(there, user["avatar_url"]))[0].status == 404
    files = one.chat_app.context.store.files
    async with within(5):
        while await files.size(photo["id"]) is not None:
            await asyncio.sleep(0.02)
