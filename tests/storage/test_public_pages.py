"""A page of public chats."""

from domain.models import Chat
from storage.public_pages import LOOKED_AT_MAX, end_of, page_of, to_look_at
from tests.storage.world import START


def chat(chat_id: int, name: str | None) -> Chat:
    return Chat(chat_id, name, "group", START, 1, 0, 1, is_public=True)


def test_a_page_ends_with_the_chat_after_which_to_go_on() -> None:
    chats = [chat(1, "ab"), chat(3, "b"), chat(4, None), chat(7, "ba")]
    assert page_of(chats, "", 2, end=None) == (chats[:2], 3)
    assert page_of(chats, "A", 1, end=None) == (chats[:1], 1)
    assert page_of(chats, "a", 2, end=None) == ([chats[0], chats[3]], None)
    assert page_of(chats, "a", 2, end=7) == ([chats[0], chats[3]], 7)
    assert page_of([], "a", 2, end=None) == ([], None)


def test_there_may_be_more_than_a_store_reads_at_once() -> None:
    assert end_of([], 10) is None
    assert end_of(range(1, 10), 10) is None
    assert end_of(range(1, 11), 10) == 10


def test_a_store_reads_no_more_chats_than_a_page_of_all_needs() -> None:
    assert to_look_at("", 50) == 51
    assert to_look_at("", 2 * LOOKED_AT_MAX) == LOOKED_AT_MAX
    assert to_look_at("a", 50) == to_look_at(" ", 50) == LOOKED_AT_MAX
