"""What a hint holds, before any database sees it."""

from storage.mongo.hint_documents import TOLD_BYTES_MAX, HintDraft, hint_of


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
