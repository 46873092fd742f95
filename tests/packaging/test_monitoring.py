"""Given the alert rules and the dashboard, when a controller tells its metrics, then it has all that they name."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.cli.controller import Controller, serving

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging" / "prometheus" / "overlace.rules.yaml"
DASHBOARD = ROOT / "packaging" / "grafana" / "overlace.json"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
NAME = re.compile(r"\boverlace_[a-z_]+")


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """The names of all time series that a controller may have."""
    with serving(tmp_path_factory.mktemp("controller")) as controller:
        yield names(controller)


def names(controller: Controller) -> set[str]:
    text = httpx.get(f"{controller.url}/metrics").raise_for_status().text
    families = text_string_to_metric_families(text)
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def named_in(expressions: list[str]) -> set[str]:
    return {name for expression in expressions for name in NAME.findall(expression)}


def test_every_metric_of_an_alert_exists(metrics: set[str]) -> None:
    named = named_in([rule["expr"] for rule in alerts()])
    assert named
    assert named - metrics == set()


def test_every_metric_of_the_dashboard_exists(metrics: set[str]) -> None:
    named = named_in([target["expr"] for panel in panels() for target in panel["targets"]])
    variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
    named |= named_in([json.dumps(each["query"]) for each in variables])
    assert named
    assert named - metrics == set()


def test_an_alert_says_how_bad_it_is_what_it_is_and_what_to_do() -> None:
    seen = [rule["alert"] for rule in alerts()]
    assert len(seen) == len(set(seen))
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"] and rule["annotations"]["description"], rule["alert"]


def test_the_phases_that_alerts_and_dashboard_ask_for_are_those_of_the_documentation() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", phases_row()))
    asked = re.findall(r'phase=~?"([a-z_|]+)"', RULES.read_text())
    assert {phase for each in asked for phase in each.split("|")} <= documented


def phases_row() -> str:
    text = (ROOT / "docs" / "operations.md").read_text()
    return next(line for line in text.splitlines() if line.startswith("| `overlace_switches`"))


def test_panels_do_not_cover_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_documentation_lists_the_alerts() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"`(Overlace\w+)`", text)) == {rule["alert"] for rule in alerts()}
