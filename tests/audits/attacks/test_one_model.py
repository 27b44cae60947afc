"""Attacks without shadow models: quantile regression, thresholds; and the update leak."""

from __future__ import annotations

import numpy as np
import pytest

from audits.attacks.quantile import Quantile
from audits.attacks.threshold import SIGNALS, Threshold, UnknownSignal
from audits.attacks.update_leak import UpdateLeak
from audits.core.attack import NothingToAttackWith, Observations, References
from audits.core.features import Outputs
from audits.core.likelihood import log_ratios, moments
from audits.core.roc import auc

CLASSES = 5


def answers(rng, count, height):
    """Labels whose margin depends on the class and on a rival that another class is."""
    labels = rng.integers(0, CLASSES, count)
    logits = rng.normal(size=(count, CLASSES))
    logits[np.arange(count), labels] += height + 3.0 * labels
    return Outputs(logits=logits, labels=labels)


def test_a_share_of_fresh_strangers_as_promised_exceeds_the_quantile():
    rng = np.random.default_rng(0)
    strangers, fresh = answers(rng, 600, 0.0), answers(rng, 2000, 0.0)
    for level in (0.8, 0.95):
        found = Quantile(level=level).score(Observations(target=fresh, strangers=strangers))
        for label in range(CLASSES):  # in every class, hard or easy
            above = (found[fresh.labels == label] > 0).mean()
            assert above == pytest.approx(1 - level, abs=0.08)


def test_the_quantile_attack_looks_at_difficulty_and_a_margin_does_not():
    rng = np.random.default_rng(1)
    strangers = answers(rng, 400, 0.0)
    ours, others = answers(rng, 300, 2.0), answers(rng, 300, 0.0)
    target = Outputs(
        logits=np.vstack([ours.logits, others.logits]),
        labels=np.concatenate([ours.labels, others.labels]),
    )
    member = np.arange(600) < 300
    found = Quantile().score(Observations(target=target, strangers=strangers))
    assert auc(found, member) > auc(target.margin, member) + 0.1


def test_without_features_the_quantile_is_that_of_all_strangers():
    rng = np.random.default_rng(2)
    margins, asked = rng.normal(size=201), np.array([-1.0, 0.0, 3.0])
    seen = Observations(
        target=Outputs.from_margins(asked), strangers=Outputs.from_margins(margins)
    )
    found = Quantile(penalty=0.0).score(seen)
    high, middle = np.quantile(margins, [0.95, 0.5])
    assert found == pytest.approx((asked - high) / (high - middle), abs=0.05)


def test_strangers_that_are_all_alike_give_numbers():
    same, asked = Outputs.from_margins(np.full(20, 1.5)), np.array([1.5, 3.5])
    seen = Observations(target=Outputs.from_margins(asked), strangers=same)
    assert Quantile().score(seen) == pytest.approx([0.0, 2.0], abs=0.01)


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_modified_entropy_is_song_and_mittals():
    rng = np.random.default_rng(3)
    outputs = Outputs(logits=rng.normal(0, 3, (40, CLASSES)), labels=rng.integers(0, CLASSES, 40))
    for row, p in enumerate(softmax(outputs.logits)):
        y = outputs.labels[row]
        expected = -(1 - p[y]) * np.log(p[y])
        expected -= sum(p[c] * np.log(1 - p[c]) for c in range(CLASSES) if c != y)
        assert outputs.modified_entropy[row] == pytest.approx(expected)
    assert outputs.table[:, 5] == pytest.approx(outputs.modified_entropy)


def test_entropy_and_confidence_stay_finite_and_ordered_where_a_softmax_saturates():
    heights = np.array([5.0, 50.0, 300.0])
    logits = np.zeros((3, 4))
    logits[:, 1] = heights
    sure, wrong = (Outputs(logits=logits, labels=np.full(3, label)) for label in (1, 0))
    assert (np.diff(sure.confidence) > 0).all()
    assert (np.diff(sure.modified_entropy) < 0).all()
    assert (np.diff(wrong.modified_entropy) > 0).all()
    assert np.isfinite(wrong.modified_entropy).all()
    assert (wrong.confidence == sure.confidence).all()


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_threshold_is_that_of_the_same_class(signal):
    rng = np.random.default_rng(4)
    strangers, target = answers(rng, 300, 0.0), answers(rng, 30, 1.0)
    found = Threshold(signal=signal).score(Observations(target=target, strangers=strangers))
    read = SIGNALS[signal]
    for row, label in enumerate(target.labels):
        usual = np.median(read(strangers)[strangers.labels == label])
        assert found[row] == pytest.approx(read(target)[row] - usual)


def test_a_class_with_few_strangers_is_compared_with_all():
    rng = np.random.default_rng(5)
    strangers = answers(rng, 9, 0.0)
    target = answers(rng, 3, 0.0)
    found = Threshold(signal="margin").score(Observations(target=target, strangers=strangers))
    assert found == pytest.approx(target.margin - np.median(strangers.margin))


def test_a_signal_that_there_is_not_is_refused():
    with pytest.raises(UnknownSignal, match="signal is 'luck'; it must be one of loss, margin"):
        Threshold(signal="luck")


def fallen(models=6, records=3):
    rng = np.random.default_rng(6)
    inside = References(
        margins=rng.normal(0, 1, (models, records)), earlier=rng.normal(3, 1, (models, records))
    )
    outside = References(
        margins=rng.normal(0, 1, (models, records)), earlier=rng.normal(0, 1, (models, records))
    )
    return inside, outside


def test_the_update_leak_is_the_likelihood_ratio_of_the_falls():
    inside, outside = fallen()
    before, after = np.array([3.0, 0.0, 8.0]), np.array([0.0, 0.0, 5.0])
    seen = Observations(
        target=Outputs.from_margins(after),
        earlier=Outputs.from_margins(before),
        learned=inside,
        never_saw=outside,
    )
    expected = log_ratios(
        (before - after)[None],
        moments(inside.earlier - inside.margins),
        moments(outside.earlier - outside.margins),
    )[0]
    assert UpdateLeak().score(seen) == pytest.approx(expected)
    assert (UpdateLeak().score(seen) > 0).tolist() == [True, False, True]


def test_without_shadow_models_the_update_leak_is_the_fall_itself():
    seen = Observations(
        target=Outputs.from_margins(np.array([1.0, 2.0])),
        earlier=Outputs.from_margins(np.array([4.0, 2.5])),
    )
    assert UpdateLeak().score(seen) == pytest.approx([3.0, 0.5])


def test_the_update_leak_refuses_shadow_models_without_their_version_before():
    inside, _ = fallen()
    bare = References(margins=inside.margins)
    seen = Observations(
        target=Outputs.from_margins(np.zeros(3)),
        earlier=Outputs.from_margins(np.zeros(3)),
        learned=bare,
        never_saw=bare,
    )
    with pytest.raises(NothingToAttackWith, match="margins before, too"):
        UpdateLeak().score(seen)
