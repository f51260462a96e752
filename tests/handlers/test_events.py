"""The events: docs and the web client know the same ones, and each change of a message is replayed as one of them."""

import re
from pathlib import Path

import pytest

from domain import changes
from domain.changes import MessageCreated, MessageDeleted, MessageEdited, replay_of
from domain.models import Message
from handlers.wire.events import EVENT_NAMES, ROOM_EVENTS, replayed
from handlers.wire.file_links import FileLinks
from tests.clients.numbered import NUMBERED_EVENTS
from tests.storage.world import START

ROOT = Path(__file__).parents[2]
PROTOCOL = ROOT / "docs" / "protocol.md"
FRONTEND_EVENTS = ROOT / "frontend" / "src" / "events.js"
"""Where the web client has its table of events, as `export const EVENTS = { name: …, }`."""

NOT_IN_RAW = {"closing"}
"""Socket.IO only; the web client speaks the raw protocol."""


def test_the_protocol_lists_every_event() -> None:
    section = PROTOCOL.read_text().partition("\n## Events\n")[2].partition("\n## ")[0]
    table = section.partition("| event |")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == EVENT_NAMES


@pytest.mark.skipif(not FRONTEND_EVENTS.is_file(), reason="the web client has no table of events")
def test_the_web_client_knows_every_event() -> None:
    table = FRONTEND_EVENTS.read_text().partition("export const EVENTS = {\n")[2].partition("\n}\n")[0]
    assert set(re.findall(r"^ {2}(\w+):", table, re.MULTILINE)) == EVENT_NAMES - NOT_IN_RAW


def test_a_room_hears_of_every_change_that_takes_a_number() -> None:
    for kind in changes.kinds():
        assert not kind.takes_seq or kind.value in ROOM_EVENTS, kind.name


def test_the_function_that_makes_a_numbered_event_has_its_name() -> None:
    """`tests.clients.numbered` takes the names of the events from there."""
    assert NUMBERED_EVENTS <= EVENT_NAMES


@pytest.mark.parametrize(
    ("deleted", "known", "kind", "event"),
    [
        (False, False, MessageCreated, "new_message"),
        (False, True, MessageEdited, "message_updated"),
        (True, False, MessageDeleted, "message_deleted"),
        (True, True, MessageDeleted, "message_deleted"),
    ],
)
def test_as_what_a_message_is_replayed(
    deleted: bool, known: bool, kind: type[changes.MessageChange], event: str
) -> None:
    message = Message(7, 1, 3, 5, "text", 2, START, deleted=deleted)
    assert replay_of(message, known=known) == kind(message)
    name, payload = replayed(message, START, FileLinks(b"key", lambda: 0), known=known)
    assert (name, payload["chat_id"], payload["seq"]) == (event, 1, 5)
    assert name in EVENT_NAMES
    assert name == ROOM_EVENTS[kind].__name__
