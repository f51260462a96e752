"""The rules beneath: signatures, numbers, sids."""

import random

import pytest

from server.nodes.relay_keys import derived_key
from server.nodes.relay_replays import SENDERS_MAX, WINDOW, Replays
from server.nodes.relay_sids import SignedSids
from server.nodes.relay_signing import Claim, Forged, Signer

CLAIM = Claim("a", "b", 1, "2001:db8::1")


def test_a_claim_survives_the_way() -> None:
    signer = Signer("key")
    header = signer.request(CLAIM, "GET", "/?a=b")
    assert signer.read_request(header, "GET", "/?a=b") == CLAIM
    for address in ("", "fe80::1%any zone", "fe80::1%é"):
        claim = Claim("a", "b", 2, address)
        assert signer.read_request(signer.request(claim, "GET", "/"), "GET", "/") == claim


def test_every_field_is_signed() -> None:
    signer = Signer("key")
    header = signer.request(CLAIM, "GET", "/")
    for at, sign in enumerate(header):
        with pytest.raises(Forged):
            signer.read_request(header[:at] + ("A" if sign != "A" else "B") + header[at + 1 :], "GET", "/")
    with pytest.raises(Forged):
        Signer("another key").read_request(header, "GET", "/")


def test_an_answer_is_to_one_request_with_one_status() -> None:
    signer = Signer("key")
    for known in (True, False):
        header = signer.answer(CLAIM, 200, known=known)
        assert signer.read_answer(header, CLAIM, 200) is known
        with pytest.raises(Forged):
            signer.read_answer(header, CLAIM, 400)
        with pytest.raises(Forged):
            signer.read_answer(header, Claim("a", "b", 2, "2001:db8::1"), 200)
        with pytest.raises(Forged):
            signer.read_answer(
                header.replace("1 1", "1 0") if known else header.replace("1 0", "1 1"), CLAIM, 200
            )


def test_a_newer_form_is_not_guessed_at() -> None:
    signer = Signer("key")
    newer = "2 a b 1 - more"
    mac = signer.request(CLAIM, "GET", "/").rpartition(" ")[2]
    with pytest.raises(Forged):
        signer.read_request(f"{newer} {mac}", "GET", "/")


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({derived_key("key", purpose) for purpose in ("sids", "requests", "bodies", "answers")}) == 4


def test_a_sid_names_its_node() -> None:
    sids = SignedSids("key", "an.incarnation")
    assert sids.incarnation_of(sids.new()) == "an.incarnation"
    assert SignedSids("another", "an.incarnation").incarnation_of(sids.new()) is None


@pytest.mark.parametrize("sid", ["", ".", "..", "a.b", "a.b.c", "\ud800.b.c", "é.b.c", "x" * 10_000])
def test_what_is_no_sid_is_nobody_s(sid: str) -> None:
    assert SignedSids("key", "a").incarnation_of(sid) is None


def test_a_number_counts_once_whatever_the_order() -> None:
    numbers = list(range(1, 2000))
    random.Random(7).shuffle(numbers)
    replays = Replays()
    assert all(replays.is_new("a", number) for number in numbers)
    assert not any(replays.is_new("a", number) for number in numbers)
    assert all(replays.is_new("b", number) for number in numbers), "each sender has numbers of its own"


def test_what_is_far_behind_is_refused() -> None:
    replays = Replays()
    assert replays.is_new("a", WINDOW * 3)
    assert not replays.is_new("a", WINDOW * 2)
    assert replays.is_new("a", WINDOW * 2 + 1)
    assert not replays.is_new("a", WINDOW * 2 + 1)
    assert replays.is_new("a", WINDOW * 9)
    assert not replays.is_new("a", WINDOW * 3)


def test_so_many_senders_are_remembered() -> None:
    replays = Replays()
    for sender in range(SENDERS_MAX):
        assert replays.is_new(str(sender), 1)
        assert replays.is_new("busy", sender + 1)
    assert not replays.is_new("busy", 1)
    assert replays.is_new("0", 1), "the one that was silent for longest is forgotten"
