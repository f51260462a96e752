"""Every command over Socket.IO, on both transports: done, refused, and asked for wrongly in every way."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.clients.people import Person
from tests.clients.shapes import MESSAGE, fits
from tests.conftest import Server
from tests.socketio.conftest import TRANSPORTS, connected
from tests.socketio.node import Node, NodeClient
from tests.socketio.test_answers import assert_error

NO_INTEGERS = ["1", 1.5, True, False, [], [1], {}, -1, 2**53, 10**30, ""]
NO_IDS = [*NO_INTEGERS, 0]
NO_STRINGS = [1, True, [], ["a"], {}, {"a": 1}, "\ud800"]
NO_BOOLEANS = [0, 1, "true", "", [], {}]
LONG = 10_001 * "ы"


@dataclass(frozen=True)
class Command:
    """`fields` with values that serve (`chat_id` and `message_id` are put in), and with values that do not."""

    name: str
    answer: set[str] = field(default_factory=set)
    fields: dict[str, Any] = field(default_factory=dict)
    bad: dict[str, list[Any]] = field(default_factory=dict)
    optional: dict[str, list[Any]] = field(default_factory=dict)
    hidden: bool = True
    """Whether it is `not_found` for somebody who is not in the chat."""


COMMANDS = [
    Command("ping", hidden=False),
    Command(
        "join_chat",
        {"chat_id", "head_seq", "replayed", "gap"},
        {"chat_id": ...},
        {"chat_id": NO_IDS},
        {"after_seq": NO_INTEGERS, "epoch": NO_STRINGS},
    ),
    Command("leave_chat", {"chat_id"}, {"chat_id": ...}, {"chat_id": NO_IDS}, hidden=False),
    Command(
        "typing",
        set(),
        {"chat_id": ..., "is_typing": True},
        {"chat_id": NO_IDS, "is_typing": NO_BOOLEANS},
    ),
    Command(
        "status", set(), {"status": "away"}, {"status": [*NO_STRINGS, "", "Away", "gone", LONG]}, hidden=False
    ),
    Command(
        "read_messages",
        {"chat_id", "up_to", "read_seq", "unread_count"},
        {"chat_id": ...},
        {"chat_id": NO_IDS},
        {"up_to": [*NO_IDS, 999_999]},
    ),
    Command(
        "send_message",
        {"message", "seq", "duplicate"},
        {"chat_id": ..., "content": "hello"},
        {"chat_id": NO_IDS, "content": [*NO_STRINGS, "", LONG]},
        {"client_id": [*NO_STRINGS, "", "#1", 65 * "x", LONG], "reply_to": [*NO_IDS, 999_999]},
    ),
    Command(
        "edit_message",
        {"message", "seq"},
        {"message_id": ..., "content": "edited"},
        {"message_id": NO_IDS, "content": [*NO_STRINGS, "", LONG]},
    ),
    Command("delete_message", {"chat_id", "message_id", "seq"}, {"message_id": ...}, {"message_id": NO_IDS}),
    Command(
        "refresh_token", {"token_expires_in"}, {"token": ...}, {"token": [*NO_STRINGS, ""]}, hidden=False
    ),
]


def by_name(command: Command) -> str:
    return command.name


async def scene(server: Server) -> tuple[Person, Person, dict[str, Any]]:
    """Somebody in a chat, somebody who is not, and what the fields of commands name."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "hello")
    return ann, bob, {"chat_id": chat_id, "message_id": message["id"], "token": ann.token}


def filled(command: Command, named: dict[str, Any]) -> dict[str, Any]:
    return {name: named[name] if value is ... else value for name, value in command.fields.items()}


@pytest.mark.parametrize("command", COMMANDS, ids=by_name)
async def test_a_command(server: Server, node: Node, transport: dict[str, Any], command: Command) -> None:
    ann, bob, named = await scene(server)
    wish = filled(command, named)
    client = await connected(node, ann, transport)
    await _refuses_what_is_wrong(client, command, wish)
    if command.hidden:
        await _is_hidden_from(await connected(node, bob, transport), command, wish)
    nulls = dict.fromkeys(command.optional)
    answer = await client.ask(command.name, {**wish, **nulls, "unknown": {"x": [LONG]}, "id": {}, "type": 7})
    assert answer["ok"] is True, answer
    assert answer.keys() == {"ok", *command.answer}
    if "message" in answer:
        assert fits(answer["message"], MESSAGE)
    await client.done("ping")
    assert not [event for event in client.everything if getattr(event, "name", "") == "error"]


async def _refuses_what_is_wrong(client: NodeClient, command: Command, wish: dict[str, Any]) -> None:
    """All wrong values at once, without waiting; each answer names exactly the field that is wrong."""
    cases: list[tuple[str, dict[str, Any]]] = []
    for name, values in (command.bad | command.optional).items():
        cases += [(name, {**wish, name: value}) for value in values]
    for name in wish:
        cases += [(name, {**wish, name: None}), (name, {key: wish[key] for key in wish if key != name})]
    calls = [await client.start(command.name, payload) for _, payload in cases]
    for (name, payload), call in zip(cases, calls, strict=True):
        answer = await client.answer_to(call)
        assert answer["ok"] is False, payload
        assert_error(answer["error"], "invalid", name)


async def _is_hidden_from(client: NodeClient, command: Command, wish: dict[str, Any]) -> None:
    """Whether it is there and whether it is not, it is told the same."""
    answers = []
    for there in (wish, {name: 999_999 if name.endswith("_id") else value for name, value in wish.items()}):
        answers.append(await client.error(command.name, there))
        assert_error(answers[-1], "not_found")
    assert answers[0] == answers[1]
    await client.nothing_more()


async def test_all_wrong_fields_are_told_at_once(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    client = await connected(node, await server.person("ann"), transport)
    error = await client.error("send_message", {"chat_id": "x", "content": 1, "client_id": [], "reply_to": 0})
    assert_error(error, "invalid", "chat_id", "content", "client_id", "reply_to")


async def test_a_packet_of_the_largest_size_is_taken_and_a_larger_one_ends_the_connection(
    server: Server, node: Node
) -> None:
    ann = await server.person("ann")
    for name, transport in TRANSPORTS.items():
        client = await connected(node, ann, transport)
        if name == "upgrade":
            await client.sign("upgrade")
        envelope = len('420["ping",{"x":""}]')
        call = await client.start("ping", {"x": (128 * 1024 - envelope) * "x"})
        assert await client.answer_to(call) == {"ok": True}
        await client.start("ping", {"x": 128 * 1024 * "x"})
        assert (await client.next("closing")).payload["code"] == 1009
        # It is not to come back by itself: it would send the same again.
        assert (await client.sign("disconnect"))["active"] is False
