from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from audits.core.estimates import Contrast, Estimate, Level, Measurements, Utility
from audits.core.policy import AuditData, EvidencePolicy
from audits.core.verdict import ExactChecks, Outcome, decide, decide_exact

POLICY = EvidencePolicy(audit_data=AuditData.OWN_RECORDS)
FINE = Utility(
    reference_retained=0.99, unlearned_retained=0.99, reference_test=0.95, unlearned_test=0.94
)


def around(lower, upper):
    return Estimate(
        estimate=(lower + upper) / 2,
        lower=lower,
        upper=upper,
        method="by hand",
        unit="model",
        n_in=29,
        n_out=29,
    )


def contrast(lower, upper, **levels: Estimate):
    plain = dict.fromkeys(("record_average", "subject", "worst_record"), around(lower, upper))
    return Contrast(**{**plain, **levels})


SEEN = contrast(0.5, 0.9)
CLEAN = contrast(-0.05, 0.05)
LEAKS = contrast(0.35, 0.8)
UNCLEAR = contrast(0.05, 0.5)


def measured(**changes: object):
    return Measurements(
        **{"alpha": 0.05, "before": SEEN, "leak": CLEAN, "utility": FINE, **changes}
    )


def outcome(policy=POLICY, **changes: object):
    return decide(policy, measured(**changes)).outcome


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Outcome.PASS_LEAK),
        ({"equivalence": CLEAN}, Outcome.PASS_STRICT),
        ({"equivalence": UNCLEAR}, Outcome.PASS_LEAK),
        ({"leak": LEAKS}, Outcome.FAIL),
        ({"leak": UNCLEAR}, Outcome.INCONCLUSIVE),
        ({"before": UNCLEAR}, Outcome.INCONCLUSIVE),
        ({"before": CLEAN}, Outcome.NO_SIGNAL),
        ({"instance_p": 0.03}, Outcome.FAIL),
        ({"instance_p": 0.05}, Outcome.PASS_LEAK),
        ({"findings": ("The canaries sing.",)}, Outcome.INVALID),
        ({"utility": None}, Outcome.INCONCLUSIVE),
        ({"utility": replace(FINE, unlearned_retained=0.9)}, Outcome.DESTROYED),
        ({"utility": replace(FINE, unlearned_test=0.1)}, Outcome.DESTROYED),
        ({"utility": replace(FINE, unlearned_test=float("nan"))}, Outcome.DESTROYED),
        ({"utility": replace(FINE, unlearned_test=1.0)}, Outcome.PASS_LEAK),
    ],
)
def test_each_rule_gives_its_outcome(changes, expected):
    verdict = decide(POLICY, measured(**changes))
    assert verdict.outcome is expected
    assert verdict.reasons
    assert all(reason.endswith(".") for reason in verdict.reasons)


def test_the_rules_are_asked_in_order():
    broken = {"findings": ("Broken.",), "leak": LEAKS, "before": CLEAN}
    destroyed = {"utility": replace(FINE, unlearned_test=0.1), "before": CLEAN}
    assert outcome(**broken) is Outcome.INVALID
    assert outcome(**{**broken, "findings": ()}) is Outcome.FAIL
    assert outcome(**destroyed, leak=LEAKS) is Outcome.FAIL
    assert outcome(**destroyed) is Outcome.DESTROYED


@pytest.mark.parametrize("level", Level)
def test_a_leak_at_any_level_fails(level):
    leak = replace(CLEAN, **{level.value: around(0.35, 0.8)})
    verdict = decide(POLICY, measured(leak=leak))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith(level.words.capitalize())


@pytest.mark.parametrize("level", [Level.RECORD_AVERAGE, Level.SUBJECT])
def test_a_pass_needs_bound_and_sensitivity_at_every_deciding_level(level):
    unclear = {level.value: around(0.05, 0.5)}
    assert outcome(leak=replace(CLEAN, **unclear)) is Outcome.INCONCLUSIVE
    assert outcome(before=replace(SEEN, **unclear)) is Outcome.INCONCLUSIVE


def test_the_worst_record_is_not_needed_for_a_pass():
    assert outcome(leak=replace(CLEAN, worst_record=around(0.0, 0.9))) is Outcome.PASS_LEAK


@pytest.mark.parametrize("equivalence", [None, CLEAN])
def test_an_attack_that_cannot_pass_never_clears_a_model(equivalence):
    assert outcome(can_pass=False, equivalence=equivalence) is Outcome.INCONCLUSIVE
    assert outcome(can_pass=False, leak=LEAKS) is Outcome.FAIL


def test_surrogates_clear_nobody_without_the_instance_test():
    surrogate = EvidencePolicy()
    assert outcome(surrogate) is Outcome.INCONCLUSIVE
    assert outcome(surrogate, instance_p=0.4) is Outcome.PASS_LEAK


def test_reasons_carry_the_numbers():
    leak = decide(POLICY, measured(leak=LEAKS)).reasons[1]
    assert leak == (
        "Subject: after unlearning the attack has an advantage of at least 0.350 with 95 % "
        "confidence, above the margin 0.30 (estimate 0.575, judged on 29 against 29 models)."
    )
    claim = decide(POLICY, measured()).reasons[0]
    assert "advantage of at most 0.050 (right at most 52.5 % of the time)" in claim
    assert "before unlearning it had at least 0.500" in claim


EXACT = ExactChecks(manifest_matches=True, code_digest="c0de", environment_digest="e4f")


@pytest.mark.parametrize(
    ("changes", "expected", "incident"),
    [
        ({}, Outcome.ERASED_BY_CONSTRUCTION, False),
        ({"smoke": Outcome.INCONCLUSIVE}, Outcome.ERASED_BY_CONSTRUCTION, False),
        ({"smoke": Outcome.NO_SIGNAL}, Outcome.ERASED_BY_CONSTRUCTION, False),
        ({"smoke": Outcome.FAIL}, Outcome.FAIL, True),
        ({"smoke": Outcome.FAIL, "manifest_matches": False}, Outcome.FAIL, True),
        ({"manifest_matches": False}, Outcome.INVALID, False),
        ({"overlapping": ("run 7",)}, Outcome.INVALID, False),
        ({"code_digest": ""}, Outcome.INVALID, False),
        ({"environment_digest": ""}, Outcome.INVALID, False),
        ({"inexact": ("base model",)}, Outcome.INCONCLUSIVE, False),
    ],
)
def test_exact_unlearning_is_judged_by_lineage(changes, expected, incident):
    verdict = decide_exact(replace(EXACT, **changes))
    assert (verdict.outcome, verdict.incident) == (expected, incident)
    assert verdict.reasons


def test_only_some_outcomes_close_a_case():
    closing = {found for found in Outcome if found.closes}
    assert closing == {
        Outcome.PASS_LEAK,
        Outcome.PASS_STRICT,
        Outcome.ERASED_BY_CONSTRUCTION,
        Outcome.BOUNDED_IN_TRAINING,
        Outcome.BOUNDED_REMOVAL,
    }


def test_verdicts_policies_and_designs_need_neither_scipy_nor_torch():
    modules = ("estimates", "policy", "verdict", "kept", "design", "shadow_scores")
    code = "; ".join(f"import audits.core.{module}" for module in modules)
    check = "import sys; sys.exit(bool({'scipy', 'torch', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=False).returncode == 0
