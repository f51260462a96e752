"""Avatars of users and chats: set, shown, replaced, taken away."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.clients.files import fetch, upload
from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.gates.test_uploads import kept_files, no_files
from tests.pictures.made import SECRETS, gif, jpeg, picture, png, saved, webp


async def put(person: Person, content: bytes, path: str = "/users/me/avatar") -> tuple[int, Any]:
    return await person.request("PUT", path, data=io.BytesIO(content), headers={"Content-Type": "image/jpeg"})


@pytest.mark.parametrize("make", [jpeg, png, gif, webp])
async def test_an_avatar_is_a_square_picture_for_everybody(server: Server, make: Any) -> None:
    ann, bob = await server.people("ann", "bob")
    content = make() if make is gif else make(image=picture(900, 600)) if make in (jpeg, png) else make()
    status, user = await put(ann, content)
    assert (status, user["id"], user["email"]) == (200, ann.id, None)
    path = user["avatar_url"]
    assert (await bob.get(f"/users/{ann.id}"))["avatar_url"] == path
    answer, body = await fetch(server.stranger(), path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Cache-Control"].startswith("public")
    image = Image.open(io.BytesIO(body))
    assert image.size[0] == image.size[1] <= 512
    for secret in SECRETS:
        assert secret not in body
    tag = answer.headers["ETag"]
    assert (await fetch(bob, path, If_None_Match=tag))[0].status == 304
    assert (await fetch(bob, path, method="HEAD"))[0].headers["Content-Length"] == str(len(body))


@pytest.mark.stores
async def test_a_new_avatar_has_another_path_and_the_old_one_is_gone(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    client = await bob.joined(await ann.chat(bob))
    _, first = await put(ann, jpeg())
    changed = await client.next("user_changed")
    assert changed["user"]["avatar_url"] == first["avatar_url"]
    _, second = await put(ann, png())
    assert second["avatar_url"] != first["avatar_url"]
    assert (await fetch(ann, first["avatar_url"]))[0].status == 404
    await client.next("user_changed")
    status, user = await ann.request("DELETE", "/users/me/avatar")
    assert (status, user["avatar_url"]) == (200, None)
    assert (await client.next("user_changed"))["user"]["avatar_url"] is None
    assert (await fetch(ann, second["avatar_url"]))[0].status == 404
    assert (await ann.request("DELETE", "/users/me/avatar"))[0] == 200
    await no_files(server)


@pytest.mark.stores
async def test_the_avatar_of_a_chat_is_set_by_its_admins(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    chat_id = await ann.chat(bob)
    client = await bob.joined(chat_id)
    path = f"/chats/{chat_id}/avatar"
    assert (await put(bob, jpeg(), path))[0] == 403
    assert (await put(eve, jpeg(), path))[0] == 404
    status, chat = await put(ann, jpeg(), path)
    assert (status, chat["id"], chat["role"]) == (200, chat_id, "owner")
    assert (await client.next("chat_changed"))["chat"]["avatar_url"] == chat["avatar_url"]
    assert (await fetch(server.stranger(), chat["avatar_url"]))[0].status == 200
    made = await ann.post(f"/chats/{chat_id}/invites")
    offered = await server.stranger().get(f"/invites/{made['code']}")
    assert offered["chat"]["avatar_url"] == chat["avatar_url"]
    entries = (await ann.get(f"/chats/{chat_id}/audit"))["entries"]
    assert "avatar" in entries[1]["action"]
    assert (await bob.request("DELETE", path))[0] == 403
    status, chat = await ann.request("DELETE", path)
    assert (status, chat["avatar_url"]) == (200, None)
    private = await ann.chat(bob, chat_type="private")
    assert (await put(ann, jpeg(), f"/chats/{private}/avatar"))[0] == 403
    assert (await ann.request("DELETE", f"/chats/{private}/avatar"))[0] == 403
    assert (await put(ann, jpeg(), "/chats/x/avatar"))[0] == 404


async def test_what_is_no_picture_is_refused(server: Server) -> None:
    ann = await server.person("ann")
    for content, expected in (
        (b"", 422),
        (b"<svg/>", 415),
        (b"x" * 100, 415),
        (jpeg()[:400], 422),
        (b"GIF89a" + b"\0" * 100, 422),
        (jpeg() + b"x" * (5 * 1024 * 1024), 413),
    ):
        status, body = await put(ann, content)
        assert status == expected, body
    assert (await ann.get("/users/me"))["avatar_url"] is None
    assert kept_files(server) == []
    assert (await server.stranger().request("PUT", "/users/me/avatar", data=jpeg()))[0] == 401


async def test_an_avatar_does_not_count_against_the_quota(serve: Serve) -> None:
    server = await serve(upload_quota_bytes=100)
    ann = await server.person("ann")
    await upload(ann, b"x" * 100)
    chat_id = await ann.chat()
    assert (await put(ann, jpeg()))[0] == 200
    assert (await put(ann, jpeg(), f"/chats/{chat_id}/avatar"))[0] == 200


async def test_an_upload_is_no_avatar(server: Server) -> None:
    ann = await server.person("ann")
    photo = await upload(ann, jpeg())
    for name in (photo["id"], f"{photo['id']}.t", "x" * 32, "..%2fx", "a"):
        assert (await fetch(ann, f"/api/avatars/{name}"))[0].status == 404
    _, user = await put(ann, saved(picture(), "PNG"))
    avatar_id = user["avatar_url"].rpartition("/")[2]
    assert len(avatar_id) == 32
    assert (await fetch(ann, f"/api/uploads/{avatar_id}", token=ann.token))[0].status == 404


async def test_the_avatar_of_an_ended_account_is_gone(server: Server) -> None:
    ann = await server.person("ann")
    _, user = await put(ann, jpeg())
    await ann.post("/users/me/delete", password="correct horse battery")
    assert (await fetch(ann, user["avatar_url"]))[0].status == 404
    await no_files(server)
