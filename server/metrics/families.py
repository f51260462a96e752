"""A family of metrics: its name, what it means, and how it is read."""

from collections.abc import Callable, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from domain.frozen import frozen
from handlers.chat_app import Histogram
from server.metrics.sources import Sources

Value = float | Histogram | Mapping[tuple[str, ...], float] | None
"""One number, a histogram, or numbers by the values of the labels. None: there is nothing to tell."""

_KINDS = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


@frozen
class Family:
    """`name` ends with the unit, if there is one, and that of a counter in `_total`. The values of `labels` come from
    tables of the server's own words."""

    name: str
    kind: str
    meaning: str
    read: Callable[[Sources], Value]
    labels: tuple[str, ...] = ()

    def metric(self, sources: Sources) -> Metric:
        """The family with its samples, for prometheus-client."""
        value = self.read(sources)
        if self.kind == "histogram":
            assert isinstance(value, Histogram)
            return HistogramMetricFamily(self.name, self.meaning, _buckets(value), value.total)
        metric: CounterMetricFamily | GaugeMetricFamily = _KINDS[self.kind](
            self.name, self.meaning, labels=self.labels
        )
        if isinstance(value, Mapping):
            for labels, number in value.items():
                metric.add_metric(labels, number)
        elif isinstance(value, int | float):
            metric.add_metric((), value)
        return metric


def counter(
    name: str, meaning: str, read: Callable[[Sources], Value], labels: tuple[str, ...] = ()
) -> Family:
    """A number that only grows, from the start of the process on."""
    return Family(name, "counter", meaning, read, labels)


def gauge(name: str, meaning: str, read: Callable[[Sources], Value], labels: tuple[str, ...] = ()) -> Family:
    """A number that grows and shrinks."""
    return Family(name, "gauge", meaning, read, labels)


def histogram(name: str, meaning: str, read: Callable[[Sources], Histogram]) -> Family:
    return Family(name, "histogram", meaning, read)


def _buckets(values: Histogram) -> list[tuple[str, float]]:
    """What prometheus-client wants: the upper bound of each bucket, and how many values are at most that."""
    bounds = [str(float(bound)) for bound in values.bounds]
    return list(zip([*bounds, "+Inf"], accumulate(values.counts), strict=True))
