"""Histogram: a value counts in the first bucket whose bound is not below it."""

from storage.histogram import Histogram


def test_bounds_belong_to_the_bucket_below_them() -> None:
    histogram = Histogram((1, 2, 4))
    for value in (0, 1, 1.5, 2, 4, 4.1, 100):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 1, 2]
    assert histogram.total == 112.6


def test_nothing_observed_is_all_zero() -> None:
    histogram = Histogram((0.5,))
    assert (histogram.counts, histogram.total) == ([0, 0], 0.0)
