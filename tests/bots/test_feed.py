"""The rules by which a bot takes the messages of a chat."""

from typing import Any

import pytest

from vestnik_bot import feed as feed_module
from vestnik_bot.cursor import Position
from vestnik_bot.feed import Feed, State

BOT, ANN = 1, 2


def message(message_id: int, seq: int, *, changed_seq: int = 0, sender_id: int = ANN, **more: Any) -> Any:
    return {
        "id": message_id,
        "seq": seq,
        "changed_seq": changed_seq or seq,
        "sender_id": sender_id,
        "content": f"{message_id} as of {changed_seq or seq}",
        "created_at": f"2025-11-23T10:00:{seq:02}.000000+00:00",
        **more,
    }


def event(entry: Any) -> Any:
    """The event or the replayed frame of a message, with its newest change."""
    return {"message": entry, "seq": entry["changed_seq"], "deleted": False}


def deletion(message_id: int, seq: int) -> Any:
    return {"message_id": message_id, "seq": seq, "deleted": True}


def joined(seq: int = 0, *replay: Any, head_seq: int | None = None) -> Feed:
    feed = Feed(BOT, Position("e", seq, ""))
    assert feed.begin_join() == seq
    for each in replay:
        assert feed.change(each)
    feed.joined(head_seq if head_seq is not None else max([seq, *(each["seq"] for each in replay)]))
    return feed


def taken(feed: Feed) -> list[str]:
    """Handles all that waits."""
    contents = []
    while (entry := feed.take()) is not None:
        contents.append(entry["content"])
        feed.handled(entry)
    return contents


def test_live_messages_come_in_order_and_move_the_position() -> None:
    feed = joined(3)
    for number in (4, 5):
        assert feed.change(event(message(number * 10, number)))
    first = feed.take()
    assert (first["id"], feed.rest().seq) == (40, 3)  # type: ignore[index]
    feed.handled(first)  # type: ignore[arg-type]
    assert feed.rest().seq == 4
    assert taken(feed) == ["50 as of 5"]
    assert feed.rest() == Position("e", 5, "2025-11-23T10:00:05.000000+00:00")


def test_a_replay_is_handled_in_the_order_of_creation() -> None:
    """It comes in the order of changes. A position behind message 2 would make the replay of message 1 an edit of an
    older message after a kill, and message 1 would never be answered."""
    feed = joined(0, event(message(2, 2)), event(message(1, 1, changed_seq=3)))
    first = feed.take()
    assert first is not None
    feed.handled(first)
    assert (first["id"], feed.rest().seq) == (1, 1)
    again = joined(1, event(message(2, 2)), event(message(1, 1, changed_seq=3)))
    assert taken(again) == ["2 as of 2"]


def test_a_missing_event_asks_for_another_join() -> None:
    feed = joined(3)
    assert not feed.change(event(message(1, 5)))
    feed.lose()
    assert feed.begin_join() == 3


def test_events_of_a_chat_that_is_not_joined_count_for_nothing() -> None:
    feed = Feed(BOT, Position("e", 3, ""))
    assert feed.change(event(message(1, 9)))
    assert (feed.take(), feed.begin_join()) == (None, 3)


@pytest.mark.parametrize("is_replay", [False, True])
def test_what_waits_is_edited_and_deleted(is_replay: bool) -> None:
    feed = joined(0, event(message(1, 1)), event(message(2, 2)))
    if is_replay:
        feed.lose()
        assert feed.begin_join() == 2
    assert feed.change(event(message(1, 1, changed_seq=3)))
    assert feed.change(deletion(2, 4))
    assert feed.change(deletion(77, 5))
    if is_replay:
        feed.joined(5)
    assert taken(feed) == ["1 as of 3"]
    assert feed.rest().seq == 5


def test_edits_of_handled_messages_and_reactions_are_no_messages() -> None:
    feed = joined(1)
    assert feed.change(event(message(1, 1, changed_seq=2)))
    assert feed.change({"message_id": 1, "emoji": "👍", "seq": 3, "deleted": False})
    assert (taken(feed), feed.rest().seq) == ([], 3)


def test_own_messages_are_not_handled_and_those_of_the_past_are_known_as_answers() -> None:
    own = message(2, 2, sender_id=BOT, client_id="re-1-1")
    feed = joined(0, event(message(1, 1)), event(own))
    assert feed.answers == {"re-1-1": own}
    assert taken(feed) == ["1 as of 1"]
    assert feed.answers == {}
    assert feed.change(event(message(3, 3, sender_id=BOT, client_id="x")))
    assert (taken(feed), feed.answers, feed.rest().seq) == ([], {}, 3)


def test_a_position_does_not_pass_a_message_that_is_being_handled() -> None:
    feed = joined(0, event(message(1, 1)))
    feed.take()
    assert feed.change(event(message(2, 2, sender_id=BOT)))
    assert feed.rest().seq == 0


def test_more_than_fits_is_recovered_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "WAITING_MAX", 2)
    feed = joined(0)
    for number in range(1, 6):
        assert feed.change(event(message(number, number)))
    assert feed.change(event(message(1, 1, changed_seq=6)))
    assert feed.change(deletion(2, 7))
    assert feed.state is State.BEHIND
    assert taken(feed) == ["1 as of 6"]
    assert feed.begin_join() == 2


def test_another_history_begins_at_its_place() -> None:
    feed = joined(9, event(message(1, 10)))
    feed.rebase("f", 4)
    feed.fill([message(5, 4), message(6, 5)], 6)
    assert (taken(feed), feed.rest().epoch, feed.rest().seq) == (["6 as of 5"], "f", 6)
