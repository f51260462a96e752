"""What /metrics says, read as Prometheus does."""

from collections.abc import Mapping

from aiohttp import ClientSession
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-of-the-tests"

Series = tuple[str, frozenset[tuple[str, str]]]


class Scraped:
    """The metrics of one moment."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families: Mapping[str, Metric] = {
            family.name: family for family in text_string_to_metric_families(text)
        }
        self.series: Mapping[Series, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """A sample; 0 if it is not there, as Prometheus takes it when the first one comes."""
        return self.series.get((name, frozenset(labels.items())), 0)

    def label_values(self, name: str, label: str) -> set[str]:
        """The values that a label has in the samples of a family."""
        return {sample.labels[label] for sample in self.families[name].samples if label in sample.labels}


async def scrape(http: ClientSession, url: str, token: str = TOKEN) -> Scraped:
    async with http.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 200, await answer.text()
        return Scraped(await answer.text())
