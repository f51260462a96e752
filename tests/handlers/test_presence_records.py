"""What one node says of a user's presence, and what others see of it together."""

import itertools
import json

import pytest

from handlers.live.presence_record import NO_CHOICE, NO_WISH, Choice, Record, left, read_record, seen

HIDDEN = (3, True)


@pytest.mark.parametrize("status", ["away", "online", "busy"])
@pytest.mark.parametrize("wish", [NO_WISH, (1, True), (7, False)])
@pytest.mark.parametrize("leaving", [False, True])
@pytest.mark.parametrize("choice", [NO_CHOICE, (1, "offline"), (12, "busy"), (3, "auto"), (0, "ended")])
def test_a_record_is_told_in_words_and_read_again(
    status: str, wish: tuple[int, bool], leaving: bool, choice: Choice
) -> None:
    record = Record(status, wish, leaving, choice)
    assert read_record(json.loads(json.dumps(record.text()))) == record


def test_most_records_are_one_word_and_equal_ones_are_one_object() -> None:
    assert Record("online").text() == "online"
    assert read_record("busy") is read_record("busy")
    assert left(read_record("busy")) is left(Record("busy"))


def test_words_of_a_newer_version_are_left_out() -> None:
    assert read_record("busy 2 hidden invisible-to:7 leaving") == Record("busy", (2, True), True)
    assert read_record("dancing") == Record("online")
    assert read_record("busy 0 chosen:2:away:until:7") == Record("busy", choice=(2, "away"))


def test_a_choice_that_only_a_newer_version_knows_hides() -> None:
    assert seen([read_record("busy 0 chosen:2:sleeping")]) == "offline"


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ([], "offline"),
        ([Record("away")], "away"),
        ([Record("away"), Record("busy"), Record("online")], "busy"),
        ([Record("busy", leaving=True), Record("away")], "away"),
        ([Record("busy", leaving=True), Record("away", leaving=True)], "busy"),
        ([Record("busy", HIDDEN), Record("online")], "offline"),
        ([Record("busy", HIDDEN), Record("online", (4, False))], "busy"),
        ([Record("busy", HIDDEN), Record("online", (3, False))], "offline"),
        ([Record("busy", HIDDEN, leaving=True), Record("online", (2, False))], "offline"),
        ([Record("online", choice=(1, "away"))], "away"),
        ([Record("online", HIDDEN, choice=(1, "busy"))], "busy"),
        ([Record("online", choice=(1, "offline")), Record("busy")], "offline"),
        ([Record("online", choice=(1, "offline")), Record("busy", choice=(2, "auto"))], "busy"),
        ([Record("online", choice=(2, "offline")), Record("busy", choice=(2, "auto"))], "offline"),
        ([Record("online", choice=(2, "ended")), Record("busy", choice=(2, "busy"))], "offline"),
    ],
)
def test_what_others_see(records: list[Record], status: str) -> None:
    assert {seen(order) for order in itertools.permutations(records)} == {status}
