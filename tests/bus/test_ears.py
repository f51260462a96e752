"""What the hearing end makes of what Redis hands it."""

from structlog.testing import capture_logs

from server.nodes.bus_counters import BusCounters
from server.nodes.bus_ears import Ears
from server.nodes.bus_frames import VERSION, Frame, pack
from server.nodes.bus_seal import MAC_BYTES, Seal

SEAL = Seal("the secret key of all servers", "channel")


class Listener:
    def __init__(self) -> None:
        self.counters = BusCounters()
        self.ears = Ears("own", SEAL, self.counters, self._heard, self._missed)
        self.heard: list[tuple[str, int]] = []
        self.misses = 0

    def _heard(self, frame: Frame) -> None:
        if frame.look:
            raise RuntimeError
        self.heard.append((frame.incarnation, frame.number))

    def _missed(self) -> None:
        self.misses += 1

    def take(self, data: bytes) -> None:
        self.ears.take(SEAL.close(data))


async def test_own_frames_only_tell_that_this_node_hears() -> None:
    listener = Listener()
    listener.ears.expect(2)
    listener.take(pack("own", 1, 0))
    assert listener.counters.lag_us == 0
    listener.take(pack("own", 2, 0) + pack("own", 3, 0))
    assert listener.counters.lag_us > 0
    assert (listener.heard, listener.counters.frames_received, listener.counters.bytes_received) == ([], 0, 0)


async def test_frames_of_others_are_handed_on_and_counted() -> None:
    listener = Listener()
    data = pack("a", 5, 0) + pack("a", 6, 0)
    listener.take(data)
    listener.take(pack("b", 9, 0))
    assert listener.heard == [("a", 5), ("a", 6), ("b", 9)]
    assert listener.counters.frames_received == 3
    assert listener.counters.bytes_received == len(data) + len(pack("b", 9, 0)) + 2 * MAC_BYTES


async def test_the_first_frame_of_a_node_and_a_hole_have_this_node_look() -> None:
    listener = Listener()
    for number, misses, missed in ((5, 1, 0), (6, 1, 0), (9, 2, 2), (10, 2, 2)):
        listener.take(pack("a", number, 0))
        assert (listener.misses, listener.counters.frames_missed) == (misses, missed)


async def test_a_frame_that_comes_again_is_dropped() -> None:
    """Who has recorded it can publish it again, also when this server has a new connection."""
    listener = Listener()
    for number in (5, 6, 5, 6, 1):
        listener.take(pack("a", number, 0))
    listener.ears.begin()
    listener.take(pack("a", 6, 0))
    assert listener.heard == [("a", 5), ("a", 6)]
    assert (listener.misses, listener.counters.frames_late) == (1, 4)


async def test_what_is_not_signed_with_this_key_for_this_channel_is_dropped_and_said_once() -> None:
    """Nobody looks for it either: who forges could otherwise keep all servers looking."""
    listener, frame = Listener(), pack("a", 1, 0)
    sealed = SEAL.close(frame)
    with capture_logs() as lines:
        for forged in (
            frame,
            b"",
            b"x",
            bytes(MAC_BYTES) + frame,
            sealed[:-1] + b"x",
            sealed + frame,
            bytes(MAC_BYTES) + frame + pack("own", 1, 0),
            bytes(MAC_BYTES) + pack("own", 1, 0) + b"junk",
            Seal("another key", "channel").close(frame),
            Seal("the secret key of all servers", "another channel").close(frame),
        ):
            listener.ears.take(forged)
    assert (listener.heard, listener.misses, listener.counters.frames_forged) == ([], 0, 10)
    assert [line["log_level"] for line in lines] == ["warning"]
    listener.ears.take(bytes(MAC_BYTES) + pack("own", 1, 0) + frame)
    assert listener.heard == [], "what is not checked because it is this server's own says nothing of others"
    listener.ears.take(sealed)
    assert listener.heard == [("a", 1)]


async def test_what_cannot_be_read_is_said_once_and_has_this_node_look() -> None:
    listener = Listener()
    with capture_logs() as lines:
        listener.take(bytes((VERSION + 1, 0, 0)))
        listener.take(b"\x01junk")
    assert [(line["log_level"], line["newer_version"]) for line in lines] == [("warning", True)]
    assert (listener.counters.frames_unreadable, listener.misses) == (2, 2)


async def test_a_frame_that_fails_costs_the_others_nothing() -> None:
    listener = Listener()
    with capture_logs() as lines:
        listener.take(pack("a", 1, 0) + pack("a", 2, 0, look=True) + pack("a", 3, 0))
    assert listener.heard == [("a", 1), ("a", 3)]
    assert [line["event"] for line in lines] == ["a frame of the bus failed"]


async def test_the_numbers_of_nodes_that_are_gone_do_not_stay_for_ever() -> None:
    listener = Listener()
    for number in range(3000):
        listener.take(pack(f"server {number}", 1, 0))
    assert len(listener.ears._numbers) <= 1000
