"""What a hint holds, before any database sees it."""

import orjson

from domain.changes import UserChanged
from domain.models import User
from storage.mongo.hint_documents import TOLD_BYTES_MAX, HintDraft, hint_of
from tests.storage.world import START


def test_what_is_told_while_the_database_is_away_stays_below_what_a_document_holds() -> None:
    """Otherwise users who change their status for long enough would stop all writes of this server for ever."""
    draft = HintDraft()
    draft.rows[5] = 1, 2
    added = [draft.add_told("presence", [number, "x" * 1000]) for number in range(20_000)]
    document = draft.document("incarnation", 1)
    assert len(document["text"]) < 1.1 * TOLD_BYTES_MAX
    assert not all(added)
    hint = hint_of(document)
    assert hint.rows == {5: (1, 2)}
    assert hint.told[-1] == ("presence", [19_999, "x" * 1000]), "the newest is kept"


def test_the_whole_of_a_topic_is_told_however_large_it_is() -> None:
    draft = HintDraft()
    assert draft.add_told("presence", "x" * (TOLD_BYTES_MAX - 100))
    assert not draft.add_told("presence", "y" * (TOLD_BYTES_MAX + 100))
    (told,) = hint_of(draft.document("incarnation", 1)).told
    assert told == ("presence", "y" * (TOLD_BYTES_MAX + 100))


def test_changes_that_only_the_user_sees_are_named_where_earlier_versions_do_not_look() -> None:
    """Those read `users` as pairs."""
    draft = HintDraft()
    user = User(7, "anna", "Anna", None, "", START)
    draft.add_accounts([UserChanged(user, own=True), UserChanged(user, shown=True), UserChanged(user)])
    document = draft.document("incarnation", 1)
    assert orjson.loads(document["text"]) == {"users": [[7, True]], "own": [7]}
    hint = hint_of(document)
    assert (hint.users, hint.own) == ({7: True}, (7,))
