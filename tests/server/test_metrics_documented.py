"""Metrics: what /metrics gives, docs/metrics.md, the dashboard and the alert rules have the same names."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from server.metrics.exposition import FAMILIES
from server.metrics.families import Family
from tests.clients.metrics import TOKEN, Scraped, scrape
from tests.conftest import Serve

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "metrics.md").read_text("utf8")
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "vestnik.json").read_text("utf8"))
RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "vestnik.rules.yml").read_text("utf8"))
SCRAPES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text("utf8"))

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w ]+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:vestnik|process|python)_\w+\b")
MATCHERS = re.compile(r"\b(\w+)\{([^}]*)\}")
GIVEN_LABELS = {"job", "instance"}
"""Labels that Prometheus adds."""


class Documented:
    """One row of a table in docs/metrics.md."""

    def __init__(self, kind: str, unit: str, labels: str, meaning: str) -> None:
        self.kind, self.unit, self.meaning = kind, unit, meaning
        self.labels = set(re.findall(r"`(\w+)`", labels))


ROWS: Mapping[str, Documented] = {name: Documented(*rest) for name, *rest in ROW.findall(DOCS)}


@pytest.fixture
async def scraped(serve: Serve) -> Scraped:
    """The metrics of a server on which a little has happened."""
    server = await serve(metrics_token=TOKEN)
    ann, bob = await server.people("ann", "bob")
    client = await ann.joined(chat_id := await ann.chat(bob))
    await client.done("send_message", chat_id=chat_id, content="x")
    await client.command("send_message", chat_id=77, content="x")
    return await scrape(server.http, server.url)


def exposed(scraped: Scraped) -> Mapping[str, str]:
    """Types by name, as the exposition has them."""
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", scraped.text, re.MULTILINE))


def series_names() -> set[str]:
    """The names of all samples that documented metrics have."""
    names = set()
    for name, row in ROWS.items():
        names |= (
            {f"{name}_{part}" for part in ("bucket", "count", "sum")} if row.kind == "histogram" else {name}
        )
    return names


def expressions() -> Iterator[str]:
    """All that the dashboard and the rules ask Prometheus for."""
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in DASHBOARD["templating"]["list"]:
        yield from filter(None, [variable.get("definition")])
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


async def test_the_page_has_all_metrics_and_no_others(scraped: Scraped) -> None:
    assert {name: row.kind for name, row in ROWS.items()} == exposed(scraped)


def test_the_page_has_the_names_of_the_contract() -> None:
    assert ROWS.keys() >= {
        "vestnik_connections",
        "vestnik_messages_total",
        "vestnik_deliveries_total",
        "vestnik_errors_total",
        "vestnik_commit_seconds",
        "vestnik_unsent_bytes",
        "vestnik_slow_endings_total",
        "vestnik_loop_lag_seconds",
    }


async def test_labels_are_those_of_the_page(scraped: Scraped) -> None:
    for family in scraped.families.values():
        for sample in family.samples:
            name = family.name + ("_total" if family.type == "counter" else "")
            assert sample.labels.keys() - {"le"} == ROWS[name].labels, name


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_documented_with_its_labels_unit_and_meaning(family: Family) -> None:
    row = ROWS[family.name]
    assert row.labels == set(family.labels)
    assert row.meaning == family.meaning
    found = re.search(r"_(seconds|bytes|writes)(_total)?$", family.name)
    assert row.unit == (found[1] if found else row.unit)
    assert row.unit in ("seconds", "bytes", "writes") if found else row.unit in ("number", "0 or 1")


def test_the_dashboard_and_the_rules_ask_for_what_there_is() -> None:
    asked = set().union(*(NAME.findall(expression) for expression in expressions()))
    assert asked - series_names() == set()
    for name, matchers in (found for text in expressions() for found in MATCHERS.findall(text)):
        if NAME.fullmatch(name):
            labels = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", matchers))
            base = re.sub(r"_(bucket|count|sum)$", "", name)
            row = ROWS.get(name) or ROWS[base]
            assert labels <= row.labels | GIVEN_LABELS, (name, matchers)


def test_the_dashboard_shows_every_metric_of_the_server() -> None:
    asked = set().union(*(NAME.findall(expression) for expression in expressions()))
    bases = {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} | asked
    hidden = {f"vestnik_bus_{name}_total" for name in ("chases", "connects", "failures", "unheard")}
    assert {name for name in ROWS if name.startswith("vestnik_")} - bases == hidden


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        squares = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not squares & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= squares
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_every_alert_says_what_it_is_and_how_grave() -> None:
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_scrape_configuration_loads_the_rules_and_names_no_secret() -> None:
    assert SCRAPES["rule_files"] == ["vestnik.rules.yml"]
    (job,) = SCRAPES["scrape_configs"]
    assert job["job_name"] == "vestnik"
    assert set(job["authorization"]) == {"type", "credentials_file"}
