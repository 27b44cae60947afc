"""The client asks what the API's document offers, and its shapes are those of the document."""

from __future__ import annotations

import json
import re
from typing import get_type_hints

import httpx
import pytest

from expunge import answers, webhook_answers
from expunge.client import Client
from tests.clean_environment import ROOT
from tests.expunge.platforms import Platform

DOCUMENT = ROOT / "docs" / "openapi.json"
pytestmark = pytest.mark.skipif(
    not DOCUMENT.exists(), reason="This checkout has no docs/openapi.json."
)

SHAPES = {
    "Case": "CaseOut",
    "WholeCase": "WholeCaseOut",
    "CaseRun": "CaseRunOut",
    "Progress": "ProgressOut",
    "Evidence": "EvidenceOut",
    "Decision": "DecisionOut",
    "Served": "VersionOut",
    "NamedVersion": "NamedVersionOut",
    "Version": "ModelVersionOut",
    "Source": "SourceOut",
    "Step": "StepOut",
    "Why": "WhyOut",
    "Hit": "HitOut",
    "Affected": "AffectedOut",
    "Subject": "SubjectOut",
    "Record": "RecordRowOut",
    "Snapshot": "SnapshotOut",
    "RecordFacts": "RecordFactsOut",
    "Run": "RunOut",
    "WholeRun": "WholeRunOut",
    "Extension": "ExtensionOut",
    "Deployment": "DeploymentOut",
    "Webhook": "WebhookOut",
    "WebhookWithSecret": "SecretOut",
    "Message": "DeliveryOut",
    "Health": "ReadyOut",
}
# What each method is called with; every public method must be here.
GIVEN = {
    "add_webhook": lambda c: c.add_webhook("desk", "https://d.example/", ["case.sealed"]),
    "affected": lambda c: c.affected(record="s:1", subject="p"),
    "case": lambda c: c.case("r"),
    "case_runs": lambda c: c.case_runs("r"),
    "cases": lambda c: list(c.cases(kind="ERASURE", status="RECEIVED")),
    "change_webhook_secret": lambda c: c.change_webhook_secret("w", 1),
    "checkpoint": lambda c: c.checkpoint(),
    "confirm_identity": lambda c: c.confirm_identity("r", method="ACCOUNT", level="LOW"),
    "consistency": lambda c: c.consistency(1),
    "decide_objection": lambda c: c.decide_objection("r", upheld=True, balance="b"),
    "decisions": lambda c: c.decisions("r"),
    "deploy": lambda c: c.deploy("v", "shop", contact="ops@example.org", note="n"),
    "deployments": lambda c: list(c.deployments()),
    "evidence": lambda c: c.evidence("r"),
    "evidence_file": lambda c: c.evidence_file("r", "e"),
    "extend": lambda c: c.extend("r", reason="NUMBER", text="t"),
    "find_subject": lambda c: c.find_subject("EMAIL", "ada@example.org"),
    "health": lambda c: c.health(),
    "messages": lambda c: list(c.messages("w", state="FAILED")),
    "newest": lambda c: c.newest("m"),
    "pause_webhook": lambda c: c.pause_webhook("w"),
    "proof": lambda c: c.proof(1),
    "propose": lambda c: c.propose("r", {"decision": "ACCEPT"}),
    "record": lambda c: c.record("s:1"),
    "records": lambda c: list(c.records("s")),
    "records_of": lambda c: list(c.records_of("p")),
    "remove_webhook": lambda c: c.remove_webhook("w"),
    "report": lambda c: c.report("r", "/dev/null/no"),
    "request": lambda c: c.request(email="ada@example.org", identifiers=[("EMAIL", "x")]),
    "resume_webhook": lambda c: c.resume_webhook("w"),
    "run": lambda c: c.run("u"),
    "runs": lambda c: list(c.runs(state="RUNNING")),
    "send_again": lambda c: c.send_again("w", "m"),
    "serving": lambda c: c.serving("v"),
    "snapshot": lambda c: c.snapshot("s"),
    "snapshots": lambda c: list(c.snapshots(dataset="d")),
    "sources": lambda c: c.sources("v"),
    "subject": lambda c: c.subject("p"),
    "test_webhook": lambda c: c.test_webhook("w"),
    "version": lambda c: c.version("v"),
    "versions": lambda c: list(c.versions(model="m", state="ACTIVE")),
    "webhook": lambda c: c.webhook("w"),
    "webhooks": lambda c: list(c.webhooks()),
    "why": lambda c: c.why("v", record="s:1", subject="p"),
    "withdraw": lambda c: c.withdraw("r"),
    "withdrawn": lambda c: c.withdrawn("d"),
}
# What the client leaves to others: a sink and a view, a guard, systems that report OpenLineage.
ELSEWHERE = {
    *("begin_run", "fail_run", "finish_run", "heartbeat_run", "show_reported_run"),
    *("list_ordinals", "newest_view", "read_records", "show_view", "translate_names"),
    *("download_weights", "forget_versions", "how_to_count", "open_version", "report_queries"),
    *("take_event", "take_events"),
    "alive",  # for a supervisor; ``health`` says more
}
OURS = {"close", "keep_in", "flush", "pause", "clock"}  # what asks nothing, or what others asked


@pytest.fixture(scope="module")
def document():
    return json.loads(DOCUMENT.read_text())


def test_every_operation_is_a_method_or_left_to_others(document):
    asked = set()
    for call in GIVEN.values():
        platform = Platform(httpx.Response(404, json={}))
        with pytest.raises((ConnectionError, OSError)):
            call(platform.client(attempts=1))
        asked.add(operation_of(document, platform.seen[0])["operationId"])
    offered = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert asked.isdisjoint(ELSEWHERE)
    assert offered - asked == ELSEWHERE


def operation_of(document, request):
    """Return the operation that a request is made to; a fixed part of a path comes first."""
    for path in sorted(document["paths"], key=lambda one: one.count("{")):
        pattern = re.sub(r"\{[a-z_]+\}", "[^/]+", path)
        method = document["paths"][path].get(request.method.lower())
        if method and re.fullmatch(pattern, request.url.path):
            return method
    raise AssertionError(f"{request.method} {request.url.path} is not in the document")


def test_every_method_is_tried():
    methods = {
        name
        for name in dir(Client)
        if not name.startswith("_") and callable(getattr(Client, name))
    }
    assert methods - OURS == set(GIVEN)


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_a_method_asks_what_the_document_offers(document, name):
    platform = Platform(httpx.Response(404, json={}))
    with pytest.raises((ConnectionError, OSError)):
        GIVEN[name](platform.client(attempts=1))
    operation = operation_of(document, platform.seen[0])
    offered = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    assert set(platform.seen[0].url.params) <= offered
    if platform.seen[0].content not in {b"", b"{}"}:
        assert body_of(document, operation).keys() >= json.loads(platform.seen[0].content).keys()


def body_of(document, operation):
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_shape_is_that_of_the_document(document, name):
    schema = document["components"]["schemas"][SHAPES[name]]["properties"]
    hints = get_type_hints(shapes()[name])
    assert hints.keys() == schema.keys()
    for field, kind in hints.items():
        may_be_none = {"type": "null"} in schema[field].get("anyOf", ())
        assert (type(None) in getattr(kind, "__args__", ())) == may_be_none, field


def test_every_shape_is_compared():
    assert set(shapes()) == set(SHAPES)


def shapes():
    """Return every shape of an answer by its name."""
    return {
        name: one
        for module in (answers, webhook_answers)
        for name, one in vars(module).items()
        if getattr(one, "__module__", "") == module.__name__
    }
