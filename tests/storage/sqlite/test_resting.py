"""Threads that compute for long rest."""

import time

import pytest

from storage.sqlite import resting


def test_a_thread_rests_three_times_as_long_as_it_works_once_it_has_worked_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rested: list[float] = []
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "thread_time", lambda: clock["now"])
    monkeypatch.setattr(time, "sleep", rested.append)
    rests = resting.Rests()
    for now_s, so_far in (
        (0.01, []),
        (0.02, []),
        (0.0300, [0.09]),
        (0.0305, [0.09]),
        (0.0315, [0.09, 0.0045]),
        (0.0316, [0.09, 0.0045]),
    ):
        clock["now"] = now_s
        rests.pause()
        assert rested == pytest.approx(so_far)
