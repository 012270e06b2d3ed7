"""deploy/prometheus and deploy/grafana: what they ask for is there, and the alerts fire when they should."""

import json
import re
from pathlib import Path

import pytest
import yaml

from app.serving.metrics import Metrics

ROOT = Path(__file__).parents[1]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "lenet5.json").read_text())
PANELS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
VARIABLES = {"$job": "lenet5", "$instance": ".*", "$__rate_interval": "5m"}  # what Grafana puts in
ENDINGS = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}


def series() -> dict[str, set[str]]:
    """Each name that an exposition can have, with its labels and those that Prometheus and a histogram add."""
    found = {"up": {"job", "instance"}}
    for metric in vars(Metrics()).values():
        if hasattr(metric, "describe"):
            family = metric.describe()[0]
            labels = {*metric._labelnames, "job", "instance", "le"}
            found |= {family.name + ending: labels for ending in ENDINGS[family.type]}
    return found


def misspelt(query: str) -> list[str]:
    """The names of a query, with the labels that they are chosen by, that no exposition has."""
    there = series()
    names = re.findall(r"\b(lenet5_\w+|up)\b(?:\{([^}]*)\})?", query)
    wrong = [name for name, _ in names if name not in there]
    for name, chosen in names:
        wrong += [
            f"{name}: {label}" for label in re.findall(r"(\w+)\s*[=!]", chosen) if label not in there.get(name, ())
        ]
    labels = {label for name, _ in names for label in there.get(name, ())}
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")}
    return wrong + sorted(grouped - labels)


@pytest.fixture
def checked(promtool):
    """What promtool says in the folder of the rules, of what it takes."""

    def call(*arguments: str) -> str:
        done = promtool(*arguments, cwd=PROMETHEUS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.mark.parametrize("query", [*PANELS, *(rule["expr"] for rule in RULES)])
def test_a_query_asks_for_what_there_is(query):
    """Misspelt, it would be an empty panel, or an alert that never fires."""
    assert re.search(r"\b(lenet5_|up\b)", query)
    assert misspelt(query) == []


def test_what_is_misspelt_is_found():
    """Negative control: a name, a label to choose by and a label to group by."""
    assert misspelt('sum by (modell) (lenet5_queue_dept{model="a"} / lenet5_queue_depth{models="a"})') == [
        "lenet5_queue_dept",
        "lenet5_queue_dept: model",
        "lenet5_queue_depth: models",
        "modell",
    ]


def test_the_alerts_fire_when_they_should(checked):
    """Each on series made for it, and none on a quiet day."""
    checked("test", "rules", "alerts_test.yml")
    cases = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    raised = [test["alertname"] for case in cases for test in case["alert_rule_test"] if test.get("exp_alerts")]
    quiet = [test["alertname"] for case in cases for test in case["alert_rule_test"] if not test.get("exp_alerts")]
    assert sorted(raised) == sorted(quiet) == sorted(rule["alert"] for rule in RULES)


def test_every_alert_is_explained():
    """docs/observability.md says of each what it means and what to do."""
    page = (ROOT / "docs" / "observability.md").read_text()
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_prometheus_takes_its_configuration_and_the_dashboards_queries(tmp_path, checked):
    """The configuration is valid, and so is each query of a panel, as a rule."""
    checked("check", "config", "prometheus.yml")
    queries = PANELS
    for name, value in VARIABLES.items():
        queries = [query.replace(name, value) for query in queries]
    assert "$" not in "".join(queries)
    rules = [{"record": f"panel:{i}", "expr": query} for i, query in enumerate(queries)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in checked("check", "rules", str(tmp_path / "panels.yml"))
