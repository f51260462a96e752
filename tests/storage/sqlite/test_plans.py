"""No statement reads a whole table: what is fast with ten messages is fast with ten million."""

import re
import sqlite3
from pathlib import Path

import pytest

from domain.invites import Invite
from domain.search import parse
from storage.search import SearchRequest
from storage.sqlite import search_segments, upload_rows
from storage.sqlite.unread import _BACKWARDS
from tests.storage.contract.test_search import settled
from tests.storage.kept import upload
from tests.storage.sqlite.conftest import Gremlin
from tests.storage.world import START, World, at

# What may be gone through: rows that a statement brings along, and tables of a few rows (`search_segments`: one for a
# thousand messages; `freed_files`: some at a time, whichever).
_SMALL = re.compile(
    r"SCAN (\d+ CONSTANT ROWS?|CONSTANT ROW|found|wanted|named|raised|json_each|walk"
    r"|sqlite_sequence|search_segments|freed_files|\(subquery-\d+\))"
)


async def use_everything(world: World) -> None:
    store = world.store
    anna, boris, vera = (
        await world.user("anna", email="a@b.c", is_admin=True),
        await world.user("boris"),
        await world.user("vera"),
    )
    await store.users.get_many([anna, boris])
    await store.users.find("anna")
    await store.users.find("a@b.c")
    await store.users.search("an", after_id=0, limit=5)
    await store.users.search("", after_id=0, limit=5)
    await store.users.exist()
    await store.users.rename(anna, "Anna")
    await store.users.seen(anna, at(1))
    await store.sessions.create(
        session_id="s", user_id=anna, token_hash="t", expires_at=at(9), created_at=START
    )
    await store.sessions.rotate("t", new_hash="u", expires_at=at(9), now=at(1), grace_s=1)
    await store.sessions.get("s")
    await store.sessions.revoke("s")
    await store.users.change_password(anna, "hash", keep_session=None)
    chat_id = await world.chat(anna, boris)
    await world.chat(anna, boris, chat_type="private")
    await store.chats.add_member(chat_id, anna, vera, "member", at(1))
    await store.chats.set_role(chat_id, anna, vera, "admin", START)
    message = await world.send(chat_id, anna, client_id="x")
    reply = await world.send(chat_id, anna, client_id="y", reply_to=message.id)
    await world.send(chat_id, anna, client_id="x")
    mentioning = await world.send(chat_id, anna, "@vera @boris @all")
    await store.messages.edit(mentioning.id, anna, "@vera", at(1))
    await store.messages.edit(message.id, anna, "edited", at(1))
    await store.messages.add_reaction(message.id, anna, "👍", at(1))
    await store.messages.remove_reaction(message.id, anna, "👍", at(1))
    await store.messages.pin(message.id, anna, at(1))
    await store.messages.pins(chat_id, limit=5)
    await store.messages.unpin(message.id, anna, at(1))
    for upload_id in ("one", "two", "three"):
        await upload(store, anna, upload_id, quota_bytes=100)
    await store.uploads.get("one")
    await store.uploads.used_bytes(anna)
    attached = await world.send(chat_id, anna, attachments=["one"])
    await store.messages.delete(attached.id, anna, at(1))
    await world.send(chat_id, anna, attachments=["two"])
    await store.uploads.discard(["two", "three"])
    await store.uploads.expire(at(9), 5)
    await store.uploads.known(["one", "one.t"])
    await store.uploads.removed(await store.uploads.removals(5))
    await store.users.set_avatar(anna, "me")
    await store.chats.set_avatar(chat_id, anna, "us", at(1))
    await store.messages.versions(message.id)
    await store.messages.delete(reply.id, anna, at(1))
    await store.messages.get(message.id)
    await store.messages.mark_read(chat_id, boris, message.id)
    await store.messages.mark_read(chat_id, vera, None)
    for asked in ({}, {"before_seq": 3}, {"after_seq": 0}, {"around_seq": 1}):
        await store.messages.history(chat_id, limit=5, **asked)
    await store.messages.changed_since(chat_id, 0, limit=5)
    await store.messages.count_changed_since(chat_id, 0, limit=5)
    request = SearchRequest(parse('"edited" ed', "link"), 5, chat_id=chat_id, sender_id=anna)
    await store.search.messages(anna, request)
    await store.chats.load(chat_id)
    await store.chats.summary(chat_id, boris)
    await store.chats.list_for(boris, cursor=None, limit=1)
    await store.chats.ids_of(boris)
    await store.chats.preview(chat_id, [anna, boris])
    _, cursor = await store.chats.members(chat_id, cursor=None, limit=1)
    await store.chats.members(chat_id, cursor=cursor, limit=1)
    await store.chats.sharing(boris, [anna, boris], members_max=100)
    await store.chats.change(chat_id, anna, START, name="New", is_public=True)
    await store.chats.public("n", after_id=0, limit=5)
    await store.chats.join(chat_id, boris, START)
    for number, of in ((1, chat_id), (2, chat_id), (3, None)):
        await store.invites.create(Invite(f"code{number}", of, anna, START, at(9), 3))
    await store.invites.find("code1", START)
    await store.invites.of_chat(chat_id, anna, START)
    await store.invites.of_server(START)
    await store.invites.accept("code1", await world.user("dora"), START)
    await store.invites.give_back(await store.invites.take("code1", START))
    await store.invites.remove("code1", anna, START)
    await store.chats.remove_member(chat_id, anna, anna, START)
    await store.chats.delete(chat_id, vera)
    await store._database.read(upload_rows.unattached_of, boris)
    await store._database.read(
        lambda db: db.execute(_BACKWARDS, {"chat": 1, "user": 1, "mark": 0, "limit": 9}).fetchone()
    )
    await store.ping()


async def test_words_are_looked_up_by_the_number_of_their_row(
    shaky_world: World, gremlin: Gremlin, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_segments, "SEGMENT_MESSAGES", 1)
    anna = await shaky_world.user()
    chat_id = await shaky_world.chat(anna)
    sent = [await shaky_world.send(chat_id, anna) for _ in range(3)]
    await settled(shaky_world.store)
    gremlin.statements.clear()
    await shaky_world.store.search.messages(anna, SearchRequest(parse('"hello" h'), 5))
    await shaky_world.store.messages.edit(sent[0].id, anna, "other", at(1))
    statements = [statement for statement in gremlin.statements if "search_words" in statement]
    assert len(statements) > 3
    db = sqlite3.connect(path)
    search_segments.add_functions(db)
    for statement in statements:
        plan = plan_of(db, statement)
        assert "SCAN search_words" not in plan
        assert "SCAN messages" not in plan
    db.close()


async def test_every_statement_goes_by_an_index(shaky_world: World, gremlin: Gremlin, path: Path) -> None:
    gremlin.statements.clear()
    await use_everything(shaky_world)
    statements = {
        statement
        for statement in gremlin.statements
        if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", statement)
    }
    assert len(statements) > 50
    db = sqlite3.connect(path)
    search_segments.add_functions(db)
    for statement in statements:
        plan = [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
        scans = [step for step in plan if step.startswith("SCAN") and not _SMALL.match(step)]
        assert not scans, (statement, plan)
    db.close()


def plan_of(db: sqlite3.Connection, statement: str) -> str:
    return "\n".join(step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}"))


async def test_the_hot_queries_use_the_index_made_for_them(
    shaky_world: World, gremlin: Gremlin, path: Path
) -> None:
    await use_everything(shaky_world)
    db = sqlite3.connect(path)

    def plans(*words: str) -> set[str]:
        found = {statement for statement in gremlin.statements if all(word in statement for word in words)}
        return {plan_of(db, statement) for statement in found}

    assert plans("SELECT * FROM messages WHERE chat_id = ", "ORDER BY seq", "seq <") | plans(
        "SELECT * FROM messages WHERE chat_id = ", "ORDER BY seq", "seq >="
    ) == {
        "SEARCH messages USING INDEX messages_alive (chat_id=? AND seq<?)",
        "SEARCH messages USING INDEX messages_alive (chat_id=? AND seq>?)",
    }
    recovery = plans("SELECT * FROM messages", "changed_seq >") | plans("SELECT * FROM messages", "seq > ")
    assert recovery == {
        "SEARCH messages USING INDEX messages_alive (chat_id=? AND seq>?)",
        "SEARCH messages USING INDEX messages_by_change (chat_id=? AND changed_seq>?)",
    }, "and nothing is put in order"
    (counted,) = plans("SELECT min(", "changed_seq >")
    assert re.findall("messages USING.*", counted) == [
        "messages USING INDEX messages_alive (chat_id=? AND seq>?)",
        "messages USING INDEX messages_by_change (chat_id=? AND changed_seq>?)",
    ]
    (unread,) = plans("total(sender_id")
    assert "USING COVERING INDEX messages_alive (chat_id=? AND seq>?)" in unread
    (newest,) = plans("SELECT seq, sender_id FROM", "DESC")
    assert newest == "SEARCH messages USING COVERING INDEX messages_alive (chat_id=? AND seq>?)"
    (marks,) = plans("json_each", "members.read_seq")
    assert "SEARCH members USING PRIMARY KEY (chat_id=? AND user_id=?)" in marks
    (backwards,) = plans("WITH RECURSIVE walk")
    assert re.findall("messages USING.*", backwards) == [
        "messages USING COVERING INDEX messages_alive (chat_id=? AND seq>?)",
        "messages USING COVERING INDEX messages_alive (chat_id=? AND seq=?)",
        "messages USING COVERING INDEX messages_alive (chat_id=? AND seq>? AND seq<?)",
    ]
    (last,) = plans("SELECT sender_id, run_seq FROM", "DESC")
    assert last == "SEARCH messages USING COVERING INDEX messages_alive (chat_id=?)"
    (lookup,) = plans("WITH wanted")
    assert "SEARCH messages USING INDEX messages_by_client_id (sender_id=? AND client_id=?)" in lookup
    (listed,) = plans("chats.activity, chats.*")
    assert "USING INDEX members_by_user (user_id=?)" in listed
    (behind,) = plans("json_array(created_at, chat_id, seq, messages.id)", "messages.id BETWEEN")
    assert "SEARCH messages USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in behind
    (contents,) = plans("json_array(created_at, chat_id, seq, messages.id, content, extra)")
    assert re.findall("(?:SCAN|SEARCH|USE).*", contents) == [
        "SCAN found VIRTUAL TABLE INDEX 1:",
        "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)",
    ], "in the order of the ids"
    (actor,) = plans("SELECT role, chat_type")
    assert "SEARCH members USING PRIMARY KEY (chat_id=? AND user_id=?)" in actor
    db.close()
