"""Every reason that a verdict or a gate can have is told in the languages of reports."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.utils import translation

from audits.core.bounded import BoundedChecks, CertifiedChecks, decide_bounded, decide_certified
from audits.core.estimates import Hypothesis, Level
from audits.core.planted import BLIND, NOT_MADE, QUIET
from audits.core.policy import AuditData
from audits.core.verdict import ExactChecks, Outcome, decide, decide_exact
from audits.execution.gating import WORST
from audits.execution.report_reasons import REASONS
from audits.execution.report_retold import quoted
from audits.templatetags.recorded import recorded
from tests.audits.core_evidence.test_verdict import (
    CLEAN,
    FINE,
    LEAKS,
    POLICY,
    UNCLEAR,
    around,
    measured,
)
from unlearning.core.release.gate import Quality, Thresholds, gate, passed

LANGUAGES = ("de", "fr")
SURROGATES = replace(POLICY, audit_data=AuditData.SURROGATE)
PARTS = tuple(
    Hypothesis(level=Level.SUBJECT, part=part, p=1e-9, found=around(0.35, 0.8)) for part in (1, 2)
)
BOUND = BoundedChecks(epsilon=1.0, delta=1e-6, people=1, accepted_epsilon=2.0, accepted_delta=1e-5)
HEAD = CertifiedChecks(
    epsilon=1.0,
    delta=1e-6,
    limit=0.5,
    spent_before=0.1,
    spent=0.2,
    removed=2,
    records=2,
    same_recipe=True,
    accepted_epsilon=2.0,
    accepted_delta=1e-5,
)
PROVEN = ExactChecks(manifest_matches=True, code_digest="ab", environment_digest="cd")
GOOD = Quality(accuracy=0.9, shards=(0.9, 0.8), adversarial=0.5)


def of_audits():
    for changes in (
        {},
        {"equivalence": CLEAN},
        {"leak": LEAKS},
        {"leak": UNCLEAR},
        {"leak": UNCLEAR, "debt": 2.5, "attempt": 3},
        {"spent": True, "attempt": 2},
        {"before": UNCLEAR},
        {"before": UNCLEAR, "least_seen": 0.02},
        {"before": CLEAN},
        {"instance_p": 0.0003},
        {"utility": None},
        {"utility": replace(FINE, unlearned_retained=0.9, unlearned_test=0.1)},
        {"can_pass": False},
        {"leak": LEAKS, "hypotheses": PARTS},
    ):
        yield decide(POLICY, measured(**changes))
    yield decide(SURROGATES, measured())
    several = {"u_lira": measured(hypotheses=PARTS), "rmia": measured(hypotheses=PARTS)}
    yield decide(POLICY, several)


def of_proofs():
    for changes in (
        {},
        {"smoke": Outcome.PASS_LEAK},
        {"smoke": Outcome.FAIL},
        {"inexact": ("a v1",)},
        {"manifest_matches": False, "overlapping": ("a v1", "b v2"), "code_digest": ""},
        {"environment_digest": ""},
    ):
        yield decide_exact(replace(PROVEN, **changes))
    for promised in (
        {},
        {"people": 3},
        {"epsilon": None},
        {"delta": 2.0},
        {"epsilon": 3.0},
        {"made_from": ("a v1",)},
    ):
        yield decide_bounded(replace(BOUND, **promised))
    for budget in ({}, {"same_recipe": False}, {"removed": 1}, {"spent": 0.9}, {"epsilon": 3.0}):
        yield decide_certified(replace(HEAD, **budget))


def of_gates():
    worse = Quality(accuracy=0.5, shards=(0.7, 0.8), adversarial=0.1)
    for after in (GOOD, worse):
        yield from (one.reason for one in gate(GOOD, after, Thresholds()))
        yield from (one.reason for one in gate(GOOD, after, Thresholds(), shard=WORST))
    unknown = replace(GOOD, adversarial=None)
    yield from (one.reason for one in gate(unknown, GOOD, Thresholds()))
    yield from (one.reason for one in gate(GOOD, unknown, Thresholds()))
    yield passed(gate(GOOD, GOOD, Thresholds())).reason
    yield from (QUIET, BLIND, NOT_MADE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_told_with_all_its_numbers(language):
    verdicts = [*of_audits(), *of_proofs()]
    reasons = {one for verdict in verdicts for one in verdict.reasons} | set(of_gates())
    assert len(reasons) > 50
    with translation.override(language):
        for reason in sorted(reasons):
            told = quoted(reason)
            assert isinstance(told, str), reason
            assert "lang=" not in recorded(reason), reason
            numbers = re.findall(r"\d+\.\d+", reason)
            assert sorted(numbers) == sorted(re.findall(r"\d+\.\d+", told.replace(",", ".")))
            assert "Record average" not in told
            assert "Subject" not in told


def test_a_sentence_that_fixes_more_words_is_known_before_one_that_fixes_less():
    with translation.override("de"):
        assert quoted("Smoke alarm: not run.") != "Rauchmelder: not run."
        assert quoted("Smoke alarm: PASS_LEAK.") == "Rauchmelder: PASS_LEAK."


def test_a_reason_that_only_an_old_record_has_stays_english():
    with translation.override("fr"):
        assert quoted("It passed, they said.") == {"en": "It passed, they said."}
    assert len(set(REASONS)) == len(REASONS)
