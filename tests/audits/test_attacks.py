from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from audits.attacks.population import TooFewRecords, population_report
from audits.core.attack import NothingToAttackWith, Observations, RecordAttack, References
from audits.core.features import Outputs
from audits.core.kinds import of_kind
from audits.core.roc import auc

ATTACKS = of_kind(RecordAttack)
CLASSES = 10
# Calibrated per record on both arms; no other.
CAN_PASS = {"u_lira": True, "lira_online": True, "neighbourhood": True}
COPIES = 3


def outputs(rng, count, memorised, labels=None, height=6.0):
    """Logits whose label stands out where a record was memorised."""
    labels = rng.integers(0, CLASSES, count) if labels is None else labels
    logits = rng.normal(size=(count, CLASSES))
    logits[np.arange(count), labels] += np.where(memorised, height, 2.0)
    return Outputs(logits=logits, labels=labels)


def copies(rng, margins):
    """Margins of shifted or noised copies, shape [..., k, q]."""
    return margins[..., None] + rng.normal(0, 0.5, (*margins.shape, COPIES))


def references(rng, count, memorised, labels, strangers):
    """Eight shadow models of one arm; what they learned they knew even better before."""
    margins = np.stack([outputs(rng, count, memorised, labels).margin for _ in range(8)])
    earlier = [outputs(rng, count, memorised, labels, 12.0).margin for _ in range(8)]
    unseen = [outputs(rng, len(strangers), False, strangers).margin for _ in range(8)]
    return References(
        margins=margins,
        neighbours=copies(rng, margins),
        earlier=np.stack(earlier),
        strangers=np.stack(unseen),
    )


def turned(arm, back):
    """The same shadow models with the questioned records in another order."""
    return dataclasses.replace(
        arm,
        margins=arm.margins[:, back],
        neighbours=arm.neighbours[:, back],
        earlier=arm.earlier[:, back],
    )


def planted(seed, count=80):
    """Observations in which the first half of the questioned records are members."""
    rng = np.random.default_rng(seed)
    member = np.arange(count) < count // 2
    labels = rng.integers(0, CLASSES, count)
    seen, unseen = np.ones(count, bool), np.zeros(count, bool)
    target = outputs(rng, count, member, labels)
    strangers = outputs(rng, 200, np.zeros(200, bool))
    observations = Observations(
        target=target,
        earlier=outputs(rng, count, member, labels, 12.0),
        neighbours=copies(rng, target.margin),
        members=outputs(rng, 200, np.ones(200, bool)),
        strangers=strangers,
        learned=references(rng, count, seen, labels, strangers.labels),
        never_saw=references(rng, count, unseen, labels, strangers.labels),
    )
    return observations, member


@pytest.mark.parametrize("name", ATTACKS)
def test_planted_members_score_higher(name):
    observations, member = planted(0)
    scores = ATTACKS[name]().score(observations)
    assert scores.shape == member.shape
    assert scores.dtype == np.float64
    assert auc(scores, member) > 0.9


@pytest.mark.parametrize("name", ATTACKS)
def test_scores_repeat_and_do_not_depend_on_the_order_of_records(name):
    observations, _ = planted(1)
    attack = ATTACKS[name]()
    scores = attack.score(observations)
    assert (scores == attack.score(observations)).all()
    back = np.arange(80)[::-1]
    backwards = dataclasses.replace(
        observations,
        target=observations.target.take(back),
        earlier=observations.earlier.take(back),
        neighbours=observations.neighbours[back],
        learned=turned(observations.learned, back),
        never_saw=turned(observations.never_saw, back),
    )
    assert attack.score(backwards)[::-1] == pytest.approx(scores)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_says_what_it_is_and_what_it_lacks(name):
    attack = ATTACKS[name]
    assert vars(attack)["__dataclass_params__"].frozen
    assert all((attack.title, attack.paper, attack.adversary, attack.__doc__))
    assert attack.can_pass is CAN_PASS.get(name, False)
    target = planted(0)[0].target
    with pytest.raises(NothingToAttackWith, match=r"needs .*\."):
        attack().score(Observations(target=target))


def test_the_population_report_sees_what_stands_out_and_not_what_does_not():
    rng = np.random.default_rng(0)
    strangers = outputs(rng, 400, np.zeros(400, bool))
    original = outputs(rng, 60, np.ones(60, bool)), strangers
    clean = outputs(rng, 60, np.zeros(60, bool))
    report = population_report(clean, strangers, seed=1, original=original)
    assert report.original is not None
    assert report.original.auc.estimate > 0.9
    assert report.original.advantage.low > 0.5
    assert abs(report.auc.estimate - 0.5) < 0.15
    assert report.auc.low < 0.5 < report.auc.high
    assert report.records == 60
    assert report.original == population_report(*original, seed=1)


def test_looking_too_unfamiliar_counts_as_well():
    rng = np.random.default_rng(0)
    strangers = outputs(rng, 200, np.ones(200, bool))
    report = population_report(outputs(rng, 40, np.zeros(40, bool)), strangers, seed=0)
    assert report.advantage.estimate > 0.5


def test_strangers_are_matched_by_class():
    rng = np.random.default_rng(0)
    ours = outputs(rng, 60, np.zeros(60, bool), labels=np.arange(60) % 2)
    theirs = outputs(rng, 320, np.zeros(320, bool), labels=np.arange(320) % 8)
    assert population_report(ours, theirs, seed=0).records == 60
    few = theirs.take(np.flatnonzero(theirs.labels != 0))
    assert population_report(ours, few, seed=0).records == 30


@pytest.mark.parametrize(("count", "strangers"), [(0, 100), (29, 400), (60, 20)])
def test_it_is_not_computed_for_a_handful_of_records(count, strangers):
    rng = np.random.default_rng(0)
    theirs = outputs(rng, strangers, np.zeros(strangers, bool))
    with pytest.raises(TooFewRecords, match=r"not computed: .* at least 30 records"):
        population_report(outputs(rng, count, np.zeros(count, bool)), theirs, seed=0)
