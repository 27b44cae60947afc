"""The benchmark of the log: what it fills is a whole log, and what it prints."""

from __future__ import annotations

import pytest

from audits import keys
from audits.models import LogHead
from audits.queries.log_check import check_log
from audits.queries.log_proofs import tlog_proof
from audits.services import log
from benchmarks import audit, audit_log
from tests.audits.sealed_cases import START


@pytest.mark.django_db
def test_the_filled_log_is_whole_and_goes_on(signing_key):
    audit_log._fill(45)
    assert LogHead.objects.get().size == 45
    newest = log.checkpoint(now=START)
    assert check_log(vkey=keys.verifier_text()).events == 45
    assert tlog_proof(44, newest).startswith("c2sp.org/tlog-proof@v1\nindex 44\n")


@pytest.mark.parametrize(("quick", "events"), [(True, 10_000), (False, 1_000_000)])
def test_the_figures_come_first(monkeypatch, quick, events):
    asked = {}

    def in_one(engine, function, arguments):
        asked[function.partition(":")[2]] = (engine, arguments)
        return {
            "per_second": 70.0,
            "inclusion_proof": {"p50_ms": 0.5},
            "fsck_seconds": 9.0,
            "report": {"first": {"seconds": 2.5}},
            "verify": {"verify.py": {"seconds": 0.2}, "manage.py verify": {"seconds": 1.5}},
        }

    monkeypatch.setattr(audit, "in_one", in_one)
    found = audit.measure(quick=quick)
    assert list(found)[:5] == [*audit.GOALS]
    assert (found["report_seconds"], found["verify_seconds"]) == (2.5, 1.5)
    assert found["missed"] == [
        "append_per_second is 70; the goal is at least 300.",
        "verify_seconds is 1.5; the goal is below 1.",
    ]
    assert found["inclusion_proof_ms"] == 0.5
    assert found["fsck_1m_seconds"] == (None if quick else 9.0)
    assert asked["large"] == ("sqlite", {"events": events})
    assert asked["appended"][0] == "postgresql"
    assert asked["appended"][1]["writers"] == 8
