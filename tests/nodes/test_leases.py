"""Who lives: a rule over leases and the times at which they were read."""

import pytest

from server.nodes.leases import LeaseBook, Others, dead_after_s, renewed_every_s
from storage.node_ports import HINTS_KEPT_S, Lease

LEASE_S = 60.0
OWN = "http://10.0.0.1:8000"


def lease(
    incarnation: str = "b", beat: int = 1, *, url: str = "http://10.0.0.2:8000", ended: bool = False
) -> Lease:
    return Lease(incarnation, url, 1, "key", beat, ended)


class Reader:
    """A book that is read every 250 ms."""

    def __init__(self) -> None:
        self.book = LeaseBook("a", OWN, LEASE_S)
        self.at_s = 1000.0

    def read(self, *leases: Lease, after_s: float = 0.25) -> Others:
        self.at_s += after_s
        return self.book.read([lease("a", url=OWN), *leases], self.at_s)

    def read_for(self, seconds: float, *leases: Lease) -> Others:
        others = self.read(*leases)
        for _ in range(round(seconds / 0.25)):
            others = self.read(*leases)
            if others.gone or others.back:
                break
        return others


@pytest.mark.parametrize(("lease_s", "dead_s", "every_s"), [(60, 55, 15), (10, 7.5, 2.5), (1, 0.75, 0.25)])
def test_a_lease_is_renewed_several_times_before_it_is_over(
    lease_s: float, dead_s: float, every_s: float
) -> None:
    assert dead_after_s(lease_s) == dead_s
    assert renewed_every_s(lease_s) == every_s


def test_the_reader_itself_is_none_of_the_others() -> None:
    assert Reader().read().living == {}


def test_an_incarnation_lives_while_its_beat_changes() -> None:
    reader = Reader()
    for beat in range(1, 20):
        others = reader.read_for(50, lease(beat=beat))
        assert others.living.keys() == {"b"}
        assert not others.gone


def test_an_incarnation_whose_beat_stays_the_same_is_dead_in_time() -> None:
    reader = Reader()
    began_s = reader.at_s
    others = reader.read_for(100, lease())
    assert others.gone == {"b": False}
    assert others.living == {}
    assert 54 < reader.at_s - began_s < 57
    assert reader.read(lease()).gone == {}


def test_time_in_which_nobody_looked_kills_nobody() -> None:
    """The reader was stopped, or the database away: nobody could renew a lease."""
    reader = Reader()
    reader.read(lease())
    assert reader.read(lease(), after_s=500).living.keys() == {"b"}
    assert reader.read_for(60, lease()).gone == {"b": False}


def test_the_dead_come_back_with_another_beat() -> None:
    reader = Reader()
    reader.read_for(100, lease())
    others = reader.read(lease(beat=2))
    assert (list(others.back), list(others.living)) == (["b"], ["b"])
    assert list(reader.read(lease(beat=2)).back) == []


def test_one_that_says_that_it_is_gone_is_gone_at_once() -> None:
    reader = Reader()
    reader.read(lease())
    assert reader.read(lease(beat=2, ended=True)).gone == {"b": True}
    assert reader.read(lease(beat=2, ended=True)).gone == {}


def test_one_that_is_buried_before_this_reader_saw_its_end_is_gone() -> None:
    reader = Reader()
    reader.read(lease())
    assert reader.read().gone == {"b": True}
    assert reader.read().gone == {}


def test_an_older_incarnation_with_the_own_address_is_dead_at_once() -> None:
    reader = Reader()
    others = reader.read(lease(url=OWN))
    assert (others.living, others.gone, others.late) == ({}, {}, ["b"])
    others = reader.read(lease(url=OWN))
    assert (others.living, others.late) == ({}, [])


def test_one_with_the_own_address_that_renews_its_lease_lives() -> None:
    """Two nodes have been given one address, and have to hear each other all the same."""
    reader = Reader()
    reader.read(lease(url=OWN))
    others = reader.read(lease(url=OWN, beat=2))
    assert (list(others.back), list(others.living)) == (["b"], ["b"])
    assert reader.read(lease(url=OWN, beat=2)).living.keys() == {"b"}
    assert reader.read(lease(url=OWN, beat=3, ended=True)).gone == {"b": True}


def test_nodes_that_nobody_reaches_have_no_address_in_common() -> None:
    book = LeaseBook("a", "", LEASE_S)
    assert book.read([lease(url="")], 1000.0).living.keys() == {"b"}


def test_the_gone_are_buried_when_everybody_has_read_their_last_hints() -> None:
    reader = Reader()
    ended = lease(beat=2, ended=True)
    reader.read(lease())
    reader.read(ended)
    assert reader.book.to_bury(reader.at_s + HINTS_KEPT_S - 1) == []
    assert reader.book.to_bury(reader.at_s + HINTS_KEPT_S + 1) == ["b"]
    reader.read(lease(beat=3))
    assert reader.book.to_bury(reader.at_s + HINTS_KEPT_S + 1) == []
