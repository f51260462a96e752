"""Tokens of bots and the ids of their sessions."""

import re

import pytest

from handlers.live.bot_tokens import is_token_id, new_bot_token, token_id_of
from handlers.live.tokens import NEVER, expires_in_s, new_secret
from tests.storage.world import START, at


def test_tokens_are_random_and_their_ids_tell_nothing_of_them() -> None:
    tokens = {new_bot_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(r"vb_[A-Za-z0-9_-]{43}", token) for token in tokens)
    ids = {token_id_of(token) or "" for token in tokens}
    assert len(ids) == 1000
    assert all(is_token_id(one) and len(one) <= 64 for one in ids)
    assert not any(token[3:] in one for token in tokens for one in ids)


def test_the_id_of_a_token_never_changes() -> None:
    """Stored ids have to lead to their bots for ever."""
    assert token_id_of("vb_" + "A" * 43) == "bot:ytD4VOKvEUEBkEahpzltjm6sIR5GoSe8xsqqmfT81kA"


@pytest.mark.parametrize(
    "text", ["", "vb_", "vb_" + "A" * 42, "vb_" + "A" * 44, "VB_" + "A" * 43, "vb_" + "A" * 42 + "=",
             " vb_" + "A" * 43, "vb_" + "A" * 43 + "\n", "vb_" + "é" * 43, "vb_" + "٣" * 43, "vb_\ud800" + "A" * 42]
)  # fmt: skip
def test_what_cannot_be_a_token(text: str) -> None:
    assert token_id_of(text) is None


def test_ids_of_logins_are_not_those_of_tokens() -> None:
    assert not any(is_token_id(new_secret()) for _ in range(1000))
    assert not is_token_id(None)


def test_when_a_token_expires() -> None:
    assert expires_in_s(NEVER, START) is None
    assert expires_in_s(START.timestamp() + 60, at(0)) == 60
