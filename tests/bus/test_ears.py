"""What the hearing end makes of what Redis hands it."""

from structlog.testing import capture_logs

from server.nodes.bus_counters import BusCounters
from server.nodes.bus_ears import Ears
from server.nodes.bus_frames import VERSION, Frame, pack


class Listener:
    def __init__(self) -> None:
        self.counters = BusCounters()
        self.ears = Ears("own", self.counters, self._heard, self._missed)
        self.heard: list[tuple[str, int]] = []
        self.misses = 0

    def _heard(self, frame: Frame) -> None:
        if frame.look:
            raise RuntimeError
        self.heard.append((frame.incarnation, frame.number))

    def _missed(self) -> None:
        self.misses += 1


async def test_own_frames_only_tell_that_this_node_hears() -> None:
    listener = Listener()
    listener.ears.expect(2)
    listener.ears.take(pack("own", 1, 0))
    assert listener.counters.lag_us == 0
    listener.ears.take(pack("own", 2, 0) + pack("own", 3, 0))
    assert listener.counters.lag_us > 0
    assert (listener.heard, listener.counters.frames_received, listener.counters.bytes_received) == ([], 0, 0)


async def test_frames_of_others_are_handed_on_and_counted() -> None:
    listener = Listener()
    data = pack("a", 5, 0) + pack("a", 6, 0)
    listener.ears.take(data)
    listener.ears.take(pack("b", 9, 0))
    assert listener.heard == [("a", 5), ("a", 6), ("b", 9)]
    assert listener.counters.frames_received == 3
    assert listener.counters.bytes_received == len(data) + len(pack("b", 9, 0))


async def test_the_first_frame_of_a_node_and_a_hole_have_this_node_look() -> None:
    listener = Listener()
    for number, misses, missed in ((5, 1, 0), (6, 1, 0), (9, 2, 2), (10, 2, 2), (1, 3, 2)):
        listener.ears.take(pack("a", number, 0))
        assert (listener.misses, listener.counters.frames_missed) == (misses, missed)
    listener.ears.begin()
    listener.ears.take(pack("a", 2, 0))
    assert listener.misses == 4


async def test_what_cannot_be_read_is_said_once_and_has_this_node_look() -> None:
    listener = Listener()
    with capture_logs() as lines:
        listener.ears.take(bytes((VERSION + 1, 0, 0)))
        listener.ears.take(b"\x01junk")
    assert [(line["log_level"], line["newer_version"]) for line in lines] == [("warning", True)]
    assert (listener.counters.frames_unreadable, listener.misses) == (2, 2)


async def test_a_frame_that_fails_costs_the_others_nothing() -> None:
    listener = Listener()
    with capture_logs() as lines:
        listener.ears.take(pack("a", 1, 0) + pack("a", 2, 0, look=True) + pack("a", 3, 0))
    assert listener.heard == [("a", 1), ("a", 3)]
    assert [line["event"] for line in lines] == ["a frame of the bus failed"]


async def test_the_numbers_of_nodes_that_are_gone_do_not_stay_for_ever() -> None:
    listener = Listener()
    for number in range(3000):
        listener.ears.take(pack(f"server {number}", 1, 0))
    assert len(listener.ears._numbers) <= 1000
