"""Holds what was answered, found and stored against the models of the chats."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.clients.copy import everything
from tests.clients.people import Person
from tests.clients.wires import Frame
from tests.guarantees.actors import SEARCH_LIMIT, Actors
from tests.guarantees.acts import Act, Room, SearchAct, created
from tests.guarantees.chat_model import ChatModel, subject_of
from tests.guarantees.followers import expected, shown
from tests.guarantees.texts import SINGLE_WORDS, Query

MADE_BY = {
    "new_message": "send_message",
    "message_updated": "edit_message",
    "message_deleted": "delete_message",
    "reaction_added": "add_reaction",
    "reaction_removed": "remove_reaction",
    "message_pinned": "pin_message",
    "message_unpinned": "unpin_message",
}
"""By event, the command that makes it."""


def begun_by(model: ChatModel, acts: Iterable[Act]) -> list[int]:
    """When the command of each change began, by the index of the change: of several that may have made it, the first.
    A change that nobody asked for fails. Of what is said of scrubbed messages nobody knows: 0."""
    first: dict[tuple[Any, ...], int] = {}
    for act in reversed([act for act in acts if act.chat_id == model.chat_id]):
        first[_key_of_act(act)] = act.begun
    return [0 if subject_of(frame) in model.scrubbed else first[_key_of_event(frame)] for frame in model.log]


def _key_of_act(act: Act) -> tuple[Any, ...]:
    fields = act.fields
    match act.name:
        case "send_message" | "edit_message":
            return act.name, fields["content"]
        case "delete_message":
            return act.name, fields["message_id"]
    emoji = fields.get("emoji", "").removesuffix("\ufe0f")
    return act.name, fields.get("message_id"), act.user_id, emoji


def _key_of_event(frame: Frame) -> tuple[Any, ...]:
    name = MADE_BY[frame["type"]]
    if "message" in frame:
        return name, frame["message"]["content"]
    if frame["type"] == "message_deleted":
        return name, frame["message_id"]
    return name, frame["message_id"], frame["user_id"], frame.get("emoji", "")


def check_acts(room: Room, acts: Iterable[Act]) -> None:
    """Each ack is true of the change that it names, and each refusal has a reason."""
    model = room.model
    begun = begun_by(model, acts)
    for act in acts:
        if act.chat_id != model.chat_id or act.answer is None:
            continue
        if not act.acked:
            _check_refusal(room, act)
        elif act.name == "read_messages":
            _check_counts(model, act, begun)
        elif "seq" in act.answer:
            _check_ack(model, act)
        else:  # of a deletion over REST
            assert model.now(act.fields["message_id"]) is None, act


def _check_ack(model: ChatModel, act: Act) -> None:
    assert act.answer is not None
    seq = act.answer["seq"]
    message_id = act.answer["message"]["id"] if "message" in act.answer else act.fields["message_id"]
    if message_id in model.scrubbed:
        return
    state = model.changed(message_id, seq)
    assert act.answer.get("message") == state, (act, state)
    if state is None:
        assert act.name == "delete_message", act
        return
    reacted = state["reactions"].get(act.fields.get("emoji", "").removesuffix("\ufe0f"), [])
    said = {
        "send_message": state["content"] == act.fields.get("content") and state["seq"] == seq,
        "edit_message": state["content"] == act.fields.get("content"),
        "add_reaction": act.user_id in reacted,
        "remove_reaction": act.user_id not in reacted,
        "pin_message": state["pinned"],
        "unpin_message": not state["pinned"],
    }
    assert said[act.name], (act, state)


def _check_refusal(room: Room, act: Act) -> None:
    assert act.answer is not None
    code, message_id = act.answer["code"], act.fields.get("message_id", 0)
    if code == "not_found":
        assert room.model.now(message_id) is None, act
        return
    if code == "invalid" and act.fields.get("attachments"):
        return  # another message has them: see `SentFiles.check_sends`
    assert code == "forbidden", act
    by_admin = act.user_id in (room.model.members[name] for name in room.admins)
    by_author = created(room.model, message_id)["sender_id"] == act.user_id
    allowed = {
        "edit_message": by_author,
        "delete_message": by_author or (by_admin and room.model.is_group),
        "pin_message": by_admin,
        "unpin_message": by_admin,
    }
    assert not allowed[act.name], act


def _check_counts(model: ChatModel, act: Act, begun: Sequence[int]) -> None:
    """The counts of an answer are those of some moment between the command and its answer."""
    assert act.answer is not None
    read_seq = act.answer["read_seq"]
    assert read_seq <= model.marks.get(act.user_id, 0), act
    if "up_to" in act.fields:
        assert read_seq >= created(model, act.fields["up_to"])["seq"], act
    last = max((seq for seq, at in enumerate(begun, 1) if at < act.ended), default=0)
    moments = range(act.heads[model.chat_id], last + 1)
    if model.scrubbed:
        return
    counts = act.answer["unread_count"], act.answer["unread_mentions"]
    assert counts in [model.unread(act.user_id, read_seq, seq) for seq in moments], act


def check_searches(actors: Actors) -> None:
    """Each search that was answered found what was there all the time, and nothing that was not there at any time."""
    begun = {room.model.chat_id: begun_by(room.model, actors.acts) for room in actors.rooms}
    assert actors.shaky or all(visit.acked for visit in actors.visits), actors.visits
    for act in actors.searches:
        if act.answer is None:
            continue
        found = {hit["id"]: hit for hit in act.hits}
        assert len(found) == len(act.hits), ("found twice", act)
        assert all(before["created_at"] >= hit["created_at"] for before, hit in pairwise(act.hits)), act
        seen = 0
        for room in actors.rooms:
            must, may = _visible(actors, room, act)
            seen += _check_found(room.model, act, found, begun[room.model.chat_id], must=must, may=may)
        assert seen == len(found), ("of no room", act)


def _visible(actors: Actors, room: Room, act: SearchAct) -> tuple[bool, bool]:
    """Whether the caller was a member all the time, and at any time, while the search ran."""
    if act.user_id in room.model.members.values():
        return True, True
    must = may = False
    for visit in actors.visits:
        if visit.chat_id != room.model.chat_id or visit.user_id != act.user_id or visit.begun > act.ended:
            continue
        is_done = visit.acked and visit.ended < act.begun
        joins = visit.name == "join"
        must = joins and is_done
        may = joins or (may and not is_done)
    return must, may


def _check_found(
    model: ChatModel,
    act: SearchAct,
    found: Mapping[int, Frame],
    begun: Sequence[int],
    *,
    must: bool,
    may: bool,
) -> int:
    """Returns how many of the hits are messages of this chat."""
    head, seen = act.heads[model.chat_id], 0
    for message_id in model.ids():
        hit = found.get(message_id)
        before = model.at(message_id, head)
        meanwhile = [state for seq, state in model.changes(message_id, head) if begun[seq - 1] < act.ended]
        if hit is not None:
            seen += 1
            assert may, ("not visible", act, hit)
            states = [before, *meanwhile]
            assert hit in states or message_id in model.scrubbed, ("a state of another time", act, hit)
            assert act.query.finds(hit["content"]), ("does not match", act, hit)
        elif must and before is not None:
            states = [before, *meanwhile]
            assert not all(state and act.query.finds(state["content"]) for state in states), (
                "not found",
                act,
                before,
            )
    return seen


async def check_stored(rooms: Sequence[Room], people: Mapping[str, Person], outsider: Person) -> None:
    """What each person can ask the server for is what the models have."""
    for room in rooms:
        for name in room.model.members:
            await _check_room(room.model, people[name])
        for message_id in room.model.ids():
            await _check_versions(room.model, people[room.admins[0]], message_id)
    for name, person in people.items():
        if person is not outsider:
            await _check_list([room for room in rooms if name in room.model.members], person)
    queries = [Query([word], phrase=bool(number % 2)) for number, word in enumerate(SINGLE_WORDS)]
    for query in [*queries, Query(link=True)]:
        for person in people.values():
            theirs = [room.model for room in rooms if person.id in room.model.members.values()]
            wanted = {key: message for model in theirs for key, message in model.found(query).items()}
            if person is not outsider:
                assert await _found(person, query) == wanted, (person.username, query)
    chat_ids = [chat["id"] for chat in (await outsider.get("/chats"))["chats"]]
    seen = {key: one for room in rooms if room.model.chat_id in chat_ids for key, one in _all(room, queries)}
    assert {key: one for query in queries for key, one in (await _found(outsider, query)).items()} == seen


def _all(room: Room, queries: Iterable[Query]) -> Iterable[tuple[int, Frame]]:
    return [item for query in queries for item in room.model.found(query).items()]


async def _check_room(model: ChatModel, person: Person) -> None:
    assert await everything(person, model.chat_id) == (model.messages(), model.head)
    pins = (await person.get(f"/chats/{model.chat_id}/pins"))["messages"]
    assert pins == [model.now(message_id) for message_id in reversed(model.pins)]


async def _check_versions(model: ChatModel, person: Person, message_id: int) -> None:
    status, body = await person.request("GET", f"/messages/{message_id}/history")
    if model.now(message_id) is None:
        assert status == 404, ("not gone", message_id, body)
        return
    assert [(one["content"], one["edited_at"]) for one in body["versions"]] == model.versions[message_id]


async def _check_list(rooms: Sequence[Room], person: Person) -> None:
    chats = (await person.get("/chats"))["chats"]
    listed = {chat["id"]: shown(chat | {"head_seq": chat["seq"]}) for chat in chats}
    assert listed == {room.model.chat_id: expected(room.model, person.id) for room in rooms}


async def _found(person: Person, query: Query) -> dict[int, Frame]:
    """All pages of a search."""
    params: dict[str, Any] = query.params | {"limit": SEARCH_LIMIT}
    found: list[Frame] = []
    while True:
        page = await person.get("/messages/search", **params)
        found += page["messages"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len({message["id"] for message in found}) == len(found), ("found twice", query)
    return {message["id"]: message for message in found}
