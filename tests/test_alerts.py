"""The alerts of ``deploy/`` and the pages about them name metrics that there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import Histogram

from config import case_metrics, readiness, watched_requests
from tests.deployed import DEPLOY, OF_PROMETHEUS, OPERATIONS, RUNBOOK, documents

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def alerts() -> dict[str, dict[str, Any]]:
    (found,) = documents(DEPLOY / "alerts.yaml")
    return {rule["alert"]: rule for group in found["groups"] for rule in group["rules"]}


def samples() -> set[str]:
    """Return the names of all samples that /metrics can have, those of checks included."""
    made = {family.name for family in case_metrics.families(timezone.now())} | {"expunge_ready"}
    for family in watched_requests.REGISTRY.collect():
        parts = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("_total",)
        made |= {family.name + part for part in parts}
    return made


def named_metrics(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)", "", expression)
    return set(re.findall(r"\b(?:expunge_\w+|up)\b", bare))


@pytest.fixture
def swept(db, signing_key, rung):
    """An installation of which every metric has something to say."""
    from audits.services import log
    from audits.services.sweep_marks import note_sweep

    log.checkpoint(now=timezone.now())
    note_sweep(began=timezone.now(), ended=timezone.now(), failed=0, left=0)


def test_every_metric_of_an_alert_is_there(swept):
    asked = {name for rule in alerts().values() for name in named_metrics(rule["expr"])}
    assert len(asked) > 10
    assert asked - samples() == OF_PROMETHEUS


def test_every_metric_is_documented_and_no_other(swept):
    (part,) = re.findall(r"<!-- metrics: begin -->(.*)<!-- metrics: end", OPERATIONS, re.DOTALL)
    documented = set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
    whole = {re.sub(r"_(?:bucket|sum|count)$", "", name) for name in samples()}
    assert documented == whole


def test_every_label_of_an_alert_is_one_of_its_metric(swept):
    checks = {*readiness.SERVING, *readiness.WORKING}
    for rule in alerts().values():
        for found in re.findall(r'check=~?"([^"]*)"', rule["expr"]):
            assert set(found.split("|")) <= checks
    assert isinstance(watched_requests.SECONDS, Histogram)


def test_every_alert_has_its_section_of_the_runbook_and_every_section_its_alert():
    sections = re.findall(r"^## (\w+)\n\n\*(\w+)\*", RUNBOOK, re.MULTILINE)
    assert sections == [(name, rule["labels"]["severity"]) for name, rule in alerts().items()]
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert re.fullmatch(r"\d+[mh]", rule["for"])
