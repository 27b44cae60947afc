"""Null, no unlearning, fine-tuning, over-forgetting, exact retraining, and power."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core.estimates import Level
from audits.core.likelihood import TooFewModels
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import policy_at
from tests.battery.stored import TWO_LOOKS, Half, Pool, blind, kept, pool

ONE_SUBJECT = slice(8)  # eight of the 32 records are one person's
BAD = (
    "before",
    "fine_tune",
    "long_fine_tune",
    "reinit_last",
    "shrink_perturb",
    "over_forget",
    "noise_0.2",
    "noise_0.5",
    "noise_1.0",
    "bent",
    "bent_around",
)


@pytest.mark.parametrize("models", [8, 16, 32, 64, 128])
def test_01_null_calibration(audit_truth, models):
    rates = audit_truth("retrain", pool("retrain"), models)
    assert rates.failed <= 0.05


def test_01_null_calibration_by_the_default_policy(audit_truth):
    rates = audit_truth("retrain, two looks", pool("retrain"), 32, policy=TWO_LOOKS)
    assert rates.failed <= 0.05


def test_02_no_unlearning_fails(audit_lies):
    rates = audit_lies("none", pool("before"), 8)
    assert rates.passed == 0
    assert rates.failed >= 0.95


@pytest.mark.parametrize("models", [8, 16, 32, 128])
def test_03_fine_tuning_alone_fails(audit_lies, models):
    rates = audit_lies("fine_tune", pool("fine_tune"), models)
    assert rates.passed == 0
    assert models > 8 or rates.failed >= 0.95


def test_04_over_forgetting_fails_although_its_scores_are_low(audit_lies):
    found = pool("over_forget")
    assert found.learned.after.mean() < found.never_saw.after.mean() - 1
    rates = audit_lies("over_forget", found, 8)
    assert rates.failed >= 0.95
    assert rates.passed == 0


def test_05_exact_retraining_clears_at_128_and_not_at_8(audit_truth):
    many = audit_truth("retrain", pool("retrain"), 128)
    assert many.passed >= 0.95
    few = audit_truth("retrain", pool("retrain"), 8)
    assert few.passed == 0
    assert few.of(Outcome.INCONCLUSIVE) >= 0.95


@pytest.mark.parametrize(
    ("name", "setting", "records"),
    [("eight records", "natural", ONE_SUBJECT), ("one record", "single", slice(None))],
)
def test_05_one_subject_is_caught_from_16_on_and_cleared_at_128(
    audit_lies, audit_truth, name, setting, records
):
    options = {"records": records}
    for method in ("before", "fine_tune"):
        caught = audit_lies(f"{method}, {name}", pool(method, setting), 16, **options)
        assert caught.failed >= 0.95
        assert caught.passed == 0
    exact = pool("retrain", setting)
    few = audit_truth(f"retrain, {name}", exact, 16, **options)
    assert few.of(Outcome.INCONCLUSIVE) >= 0.95
    # The claim about a subject: one record's average needs more models than 128 by itself.
    claim = policy_at(128, levels=(Level.SUBJECT,))
    assert audit_truth(f"retrain, {name}", exact, 128, policy=claim, **options).passed >= 0.95


@pytest.mark.parametrize("method", ["before", "fine_tune", "retrain"])
def test_06_hardly_any_models_never_pass(audit_lies, method):
    one_record = pool(method, "single")
    rng = np.random.default_rng(0)
    with pytest.raises(TooFewModels):
        kept(one_record.draw(4, rng), rng)
    policy = policy_at(6, levels=(Level.SUBJECT,))
    assert audit_lies(f"{method}, one record", one_record, 6, policy=policy).passed <= 0.05


def test_06_an_attack_that_saw_nothing_before_has_no_signal(audit_lies):
    rates = audit_lies("no signal", blind(), 64)
    assert rates.passed == 0
    assert rates.of(Outcome.NO_SIGNAL) >= 0.95


def test_06_what_was_never_visible_does_not_pass_by_being_unlearned(audit_lies):
    """A perfect result after training that the attack could not see into."""
    exact = pool("retrain")
    quiet = Pool(learned=_unseen(exact.learned), never_saw=_unseen(exact.never_saw))
    assert audit_lies("nothing memorised", quiet, 128).passed == 0


def _unseen(half: Half) -> Half:
    """Return an arm whose models before unlearning had not learned the records either."""
    other = np.roll(np.arange(len(half)), 1)
    return replace(half, before=half.after[other])


@pytest.mark.parametrize("method", BAD)
def test_06_no_bad_method_passes_at_either_look_of_the_default_policy(audit_lies, method):
    assert audit_lies(f"{method}, two looks", pool(method), 32, policy=TWO_LOOKS).passed == 0
