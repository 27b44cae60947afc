"""Every attack, carried out forward on experiments whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.attacks.lira_online import LiraOnline
from audits.attacks.population import Population
from audits.attacks.rmia import Rmia
from audits.attacks.threshold import Threshold
from audits.attacks.u_lira import ULira
from audits.attacks.update_leak import UpdateLeak
from audits.core.attack import NothingToAttackWith, Observations, RecordAttack, References
from audits.core.attacked import (
    Answers,
    Material,
    NoVerdict,
    attack_ratios,
    attack_scores,
    judged_by,
    kept_leak,
)
from audits.core.contrast import contrast, recompute
from audits.core.features import Outputs
from audits.core.kinds import of_kind
from audits.core.likelihood import BURN_IN, TooFewModels, forward
from audits.core.shadow_scores import ScoresRefused
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import World, policy_at

ATTACKS = of_kind(RecordAttack)
JUDGES = [name for name in ATTACKS if not ATTACKS[name].compares_versions]
MODELS, RECORDS, STRANGERS, COPIES, CLASSES = 12, 12, 40, 2, 4
FITTED = {"quantile": 1, "population": 3}  # runs: these fit a model for every attacked model
ALPHA = 0.05


def whole(rng, margins, labels):
    """Predictions whose label has these margins."""
    logits = rng.normal(size=(len(margins), CLASSES))
    rows = np.arange(len(margins))
    logits[rows, labels] = -np.inf
    logits -= np.log(np.exp(logits).sum(1, keepdims=True))
    logits[rows, labels] = margins
    return Outputs(logits=logits, labels=labels)


def answers(rng, hardness, shift, member):
    """Margins of n models; records differ in difficulty more than membership moves them."""
    n, records = len(member), len(hardness)
    margins = hardness + rng.normal(size=(n, records)) + shift * member[:, None]
    strangers = rng.normal(size=(n, STRANGERS)) + np.linspace(-2, 4, STRANGERS)
    members = rng.normal(size=(n, STRANGERS)) + np.linspace(-1, 5, STRANGERS)
    labels = np.arange(STRANGERS) % CLASSES
    return Answers(
        margins=margins,
        neighbours=margins[..., None] + rng.normal(0, 0.3, (n, records, COPIES)),
        strangers=strangers,
        outputs=tuple(whole(rng, row, np.arange(records) % CLASSES) for row in margins),
        stranger_outputs=tuple(whole(rng, row, labels) for row in strangers),
        member_outputs=tuple(whole(rng, row, labels) for row in members),
    )


def world(seed, *, before=0.0, after=0.0, models=MODELS, records=RECORDS):
    rng = np.random.default_rng(seed)
    member = rng.permutation(2 * models) < models
    hardness = rng.normal(1, 2, records)
    return Material(
        member=member,
        before=answers(rng, hardness, before, member),
        after=answers(rng, hardness, after, member),
    )


def verdict(name, seed, *, before=0.0, after=0.0):
    models = 8 if name in FITTED else MODELS
    material = world(seed, before=before, after=after, models=models)
    kept = World(models=models, records=RECORDS).kept(0)
    found = judged_by(kept, ATTACKS[name](), material, index=np.arange(RECORDS))
    assert found.can_pass is ATTACKS[name].can_pass
    return recompute(found, policy_at(models)).outcome


@pytest.mark.parametrize("name", JUDGES)
def test_where_nothing_is_to_be_seen_no_attack_fails_a_model_more_often_than_promised(name):
    runs = FITTED.get(name, 20)
    found = [verdict(name, seed) for seed in range(runs)]
    assert found.count(Outcome.FAIL) <= 2 * ALPHA * runs


@pytest.mark.parametrize("name", JUDGES)
def test_without_unlearning_every_attack_fails_the_model(name):
    assert verdict(name, 1, before=2.5, after=2.5) is Outcome.FAIL


@pytest.mark.parametrize("name", JUDGES)
def test_what_was_seen_before_and_is_gone_is_not_held_against_a_model(name):
    assert verdict(name, 5, before=2.5) is not Outcome.FAIL


def test_the_update_leak_finds_what_was_erased_and_is_kept_from_judging_it():
    erased = world(0, before=2.5)
    leak = contrast(kept_leak(UpdateLeak(), erased, index=np.arange(RECORDS)), ALPHA)
    assert leak.record_average.lower > 0.10
    kept = World(models=MODELS, records=RECORDS).kept(0)
    with pytest.raises(NoVerdict, match="nothing against the erasure"):
        judged_by(kept, UpdateLeak(), erased, index=np.arange(RECORDS))
    assert attack_scores(UpdateLeak(), erased).before is None


def test_the_update_leak_sees_nothing_where_nothing_was_learned():
    seen = 0
    for seed in range(20):
        kept = kept_leak(UpdateLeak(), world(seed), index=np.arange(RECORDS))
        found = contrast(kept, ALPHA)
        seen += max(found.record_average.lower - 0.10, found.subject.lower - 0.30) > 0
    assert seen <= 2 * ALPHA * 20


def slow(attack, material, *, before):
    """One model after the other, from the words of the contract."""
    now = material.before if before else material.after
    found = np.full(now.margins.shape, np.nan)
    for model, learned_it in enumerate(material.member):
        turn = sum(material.member[:model] == learned_it)
        arms = []
        for kind in (True, False):
            rows = [row for row, is_in in enumerate(material.member) if is_in == kind][:turn]
            arms.append(
                References(
                    margins=np.array([now.margins[row] for row in rows]),
                    neighbours=np.array([now.neighbours[row] for row in rows]),
                    earlier=None
                    if before
                    else np.array([material.before.margins[row] for row in rows]),
                    strangers=np.array([now.strangers[row] for row in rows]),
                )
                if rows
                else None
            )
        if turn < attack.burn_in:
            continue
        observed = Observations(
            target=now.outputs[model],
            earlier=None if before else material.before.outputs[model],
            neighbours=now.neighbours[model],
            members=now.member_outputs[model],
            strangers=now.stranger_outputs[model],
            learned=arms[0],
            never_saw=arms[1],
        )
        found[model] = attack.score(observed)
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_the_driver_equals_the_slow_loop(name):
    material, attack = world(1, before=1.0, models=6, records=3), ATTACKS[name]()
    found = attack_scores(attack, material)
    np.testing.assert_array_equal(found.after, slow(attack, material, before=False))
    if found.before is not None:
        np.testing.assert_array_equal(found.before, slow(attack, material, before=True))


def test_u_lira_through_the_driver_is_the_likelihood_ratio_of_forward():
    material = world(2, before=1.0, after=0.5)
    found = attack_scores(ULira(), material)
    assert found.before is not None
    for scores, now in ((found.before, material.before), (found.after, material.after)):
        expected = forward(now.margins, material.member)
        np.testing.assert_allclose(scores, expected, rtol=1e-8, atol=1e-9)
        assert attack_ratios(ULira(), scores, material.member) is scores


@pytest.mark.parametrize("name", ATTACKS)
def test_later_models_never_change_an_earlier_ratio(name):
    attack, longer = ATTACKS[name](), world(3, after=1.0, models=9, records=2)
    arms = np.flatnonzero(longer.member)[:8], np.flatnonzero(~longer.member)[:8]
    first = np.sort(np.concatenate(arms))
    shorter = Material(
        member=longer.member[first],
        before=chosen(longer.before, first),
        after=chosen(longer.after, first),
    )
    ratios = [
        attack_ratios(attack, attack_scores(attack, each).after, each.member)
        for each in (shorter, longer)
    ]
    np.testing.assert_allclose(ratios[0], ratios[1][first], rtol=1e-7, atol=1e-9)


def chosen(all_answers, rows):
    changes = {}
    for name, values in vars(all_answers).items():
        changes[name] = tuple(values[r] for r in rows) if type(values) is tuple else values[rows]
    return replace(all_answers, **changes)


def test_models_without_scores_are_left_out_of_the_second_stage():
    material = world(4, after=1.0)
    scores = attack_scores(Rmia(), material).after
    unscored = np.isnan(scores).all(1)
    assert unscored.sum() == 2 * Rmia.burn_in
    ratios = attack_ratios(Rmia(), scores, material.member)
    expected = forward(scores[~unscored], material.member[~unscored])
    np.testing.assert_array_equal(ratios[~unscored], expected)
    assert np.isnan(ratios).all(1).sum() == 2 * (Rmia.burn_in + BURN_IN)


def test_too_few_models_are_said_to_be_too_few():
    with pytest.raises(TooFewModels, match="An arm has 5 models"):
        kept_leak(Rmia(), world(0, models=6), index=np.arange(RECORDS))
    with pytest.raises(TooFewModels, match="1 and 1 models were judged"):
        kept_leak(LiraOnline(), world(0, models=5), index=np.arange(RECORDS))


def test_an_attack_says_what_the_experiment_lacks():
    material = world(0)
    margins_only = Material(
        member=material.member,
        before=Answers(margins=material.before.margins),
        after=Answers(margins=material.after.margins),
    )
    for attack in (Population(), Threshold()):
        with pytest.raises(NothingToAttackWith, match="only margins were kept"):
            attack_scores(attack, margins_only)
    with pytest.raises(NothingToAttackWith, match="RMIA needs strangers"):
        attack_scores(Rmia(), margins_only)
    found = attack_scores(ULira(), margins_only)
    whole_outputs = attack_scores(ULira(), material).after
    np.testing.assert_allclose(found.after, whole_outputs, rtol=1e-9, atol=1e-12)


def test_a_score_that_is_no_number_is_refused_and_not_left_out():
    material = world(0)
    margins = material.after.margins.copy()
    margins[-1, 3] = np.nan
    broken = replace(material, after=replace(material.after, margins=margins))
    with pytest.raises(ScoresRefused, match=r"record 3 the score nan under model 23"):
        attack_scores(ULira(), replace(broken, after=Answers(margins=margins)))


def test_answers_that_do_not_belong_together_are_refused():
    material = world(0)
    with pytest.raises(ScoresRefused, match="strangers has answers of 3 models; there are 24"):
        replace(material.after, strangers=np.zeros((3, 5)))
    with pytest.raises(ScoresRefused, match=r"they must be \[n\], \[n, k\] and \[n, k\]"):
        replace(material, member=material.member[1:])
