"""Several attacks, several subjects: who may fail a model, and who has to clear it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core.contrast import keep, measure, measure_under, recompute, recompute_all
from audits.core.estimates import Hypothesis, Level, Measurements
from audits.core.failing import NotComparable
from audits.core.kept import Kept
from audits.core.policy import EvidencePolicy
from audits.core.verdict import Outcome, decide
from tests.audits.core_evidence.experiments import World, policy_at
from tests.audits.core_evidence.test_verdict import CLEAN, LEAKS, POLICY, SEEN, UNCLEAR, measured


def attack(p=0.5, found=CLEAN, **changes: object):
    hypotheses = tuple(
        Hypothesis(level=level, p=p, found=found.at(level))
        for level in (Level.RECORD_AVERAGE, Level.SUBJECT)
    )
    return measured(leak=found, hypotheses=hypotheses, **changes)


def outcome_of(**attacks: Measurements):
    return decide(POLICY, attacks)


def outcome(**attacks: Measurements):
    return outcome_of(**attacks).outcome


def test_one_attack_by_name_is_judged_as_without_one():
    for found in (CLEAN, LEAKS, UNCLEAR):
        one = attack(0.001, found)
        assert decide(POLICY, {"": one}) == decide(POLICY, one)


def test_any_attack_fails_a_model_and_all_that_decide_must_clear_it():
    assert outcome(lira=attack(), rmia=attack()) is Outcome.PASS_LEAK
    assert outcome(lira=attack(), rmia=attack(0.001, LEAKS)) is Outcome.FAIL
    assert outcome(lira=attack(), rmia=attack(0.5, UNCLEAR)) is Outcome.INCONCLUSIVE
    assert outcome(lira=attack(), rmia=attack(before=UNCLEAR)) is Outcome.INCONCLUSIVE


def test_an_attack_that_may_not_pass_can_only_fail():
    shown = {"can_pass": False}
    assert outcome(lira=attack(), shown=attack(0.5, UNCLEAR, **shown)) is Outcome.PASS_LEAK
    assert outcome(lira=attack(), shown=attack(0.001, LEAKS, **shown)) is Outcome.FAIL
    assert outcome(a=attack(**shown), b=attack(**shown)) is Outcome.INCONCLUSIVE
    assert outcome(a=attack(0.5, UNCLEAR), b=attack(**shown)) is Outcome.INCONCLUSIVE


def test_no_signal_needs_every_deciding_attack_to_be_blind():
    assert outcome(a=attack(before=CLEAN), b=attack(before=CLEAN)) is Outcome.NO_SIGNAL
    assert outcome(a=attack(before=CLEAN), b=attack(before=SEEN)) is Outcome.INCONCLUSIVE


def test_a_fail_is_corrected_for_the_number_of_attacks():
    """A p-value that fails one attack at one level is not enough where eight were asked."""
    single = attack(0.02, LEAKS)
    assert decide(POLICY, single).outcome is Outcome.FAIL
    many = {f"attack {number}": attack(0.9) for number in range(3)}
    assert (
        outcome(**many, leaking=single) is Outcome.PASS_LEAK
        or outcome(**many, leaking=single) is Outcome.INCONCLUSIVE
    )
    shown = decide(POLICY, {**many, "leaking": attack(0.001, LEAKS)})
    assert shown.outcome is Outcome.FAIL
    assert shown.reasons[0].startswith("leaking: Record average: after unlearning")
    assert "p = 0.006 after Holm's correction for 6 comparisons." in shown.reasons[0].replace(
        ")", ""
    )


def test_attacks_under_different_rules_are_not_judged_together():
    with pytest.raises(NotComparable, match="b has no hypotheses"):
        decide(POLICY, {"a": attack(), "b": measured()})
    with pytest.raises(NotComparable, match="different error probabilities"):
        decide(POLICY, {"a": attack(), "b": attack(alpha=0.01)})
    with pytest.raises(ValueError, match="at least one"):
        decide(POLICY, {})


def test_attacks_on_one_experiment_are_judged_from_what_each_kept():
    world = World(models=32, records=8)
    clean, leaking = world.kept(0), World(models=32, records=8, after=1.2).kept(0)
    policy = world.policy()
    assert recompute_all({"u_lira": clean}, policy) == replace(
        recompute(clean, policy), reasons=recompute_all({"u_lira": clean}, policy).reasons
    )
    found = recompute_all({"u_lira": clean, "rmia": leaking}, policy)
    assert found.outcome is Outcome.FAIL
    assert all(reason.startswith("rmia: ") for reason in found.reasons)
    assert "Holm's correction for 3 comparisons" in found.reasons[0]


def test_several_null_attacks_hardly_ever_fail_together():
    """At the edge of the margin, each of eight others on its own would fail in a twentieth."""
    rng = np.random.default_rng(0)
    draws = rng.uniform(size=(600, 8))
    failed = [
        outcome(main=attack(0.9), **{f"at{at}": attack(p, LEAKS) for at, p in enumerate(row)})
        is Outcome.FAIL
        for row in draws
    ]
    assert np.mean(failed) <= 0.07


# --- subjects -----------------------------------------------------------------------------------


def kept_of(world, owners, seed=0, leaking=None):
    scores = world.draw(seed)
    after = scores.after.copy()
    if leaking is not None:
        after[np.ix_(scores.member, owners == leaking)] += 2.0
    scores = replace(scores, after=after)
    index = np.random.default_rng(seed).permutation(len(owners))
    return keep(scores, seed=seed, index=index, subjects=owners)


OWNERS = np.arange(32) % 4
WORLD = World(models=32, before=2.0)


def test_each_subject_is_bounded_by_its_own_records():
    kept = kept_of(WORLD, OWNERS)
    sums = np.array(kept.leak.subjects_in)
    assert sums.shape == (4, kept.leak.n_in)
    assert sums.sum(0) == pytest.approx(kept.leak.subject_in)
    one = kept_of(WORLD, np.zeros(32, np.int64))
    assert one.leak.subjects_in == ()
    assert one == keep(WORLD.draw(0), seed=0, index=np.random.default_rng(0).permutation(32))


def test_the_subject_level_is_the_worst_subject_and_the_whole_set_is_beside_it():
    kept = kept_of(WORLD, OWNERS, leaking=2)
    found = measure(kept, 0.05).leak
    alone = [
        measure(
            replace(
                kept,
                leak=replace(
                    kept.leak, subject_in=one, subject_out=other, subjects_in=(), subjects_out=()
                ),
            ),
            0.05,
        ).leak.subject
        for one, other in zip(kept.leak.subjects_in, kept.leak.subjects_out, strict=True)
    ]
    assert found.subject.upper == max(one.upper for one in alone)
    assert found.subject.lower < max(one.lower for one in alone)
    assert found.whole_set is not None
    assert [level for level, _ in found.levels()] == list(Level)


def test_the_subject_that_leaks_is_named_by_its_random_number():
    verdict = recompute(kept_of(WORLD, OWNERS, leaking=2), WORLD.policy())
    assert verdict.outcome is Outcome.FAIL
    (named,) = [r for r in verdict.reasons if r.startswith("Subject 3 of 4, in a random order:")]
    assert "% confidence in this comparison by itself, above the margin 0.30" in named
    assert not [r for r in verdict.reasons if r.startswith("Subject 1 of 4")]


def test_clean_subjects_hardly_ever_fail_however_many_they_are():
    policy = WORLD.policy()
    owners = np.arange(32)
    found = [recompute(kept_of(WORLD, owners, seed), policy).outcome for seed in range(25)]
    assert found.count(Outcome.FAIL) <= 2


def test_nobody_passes_whom_the_attack_did_not_see_before():
    """All that leaks nothing passes, but for one of two people no attack could have told."""
    world, owners = World(models=128, before=3.0), np.arange(32) % 2
    scores = world.draw(0)
    hidden = scores.before.copy()
    hidden[np.ix_(scores.member, owners == 1)] -= world.before
    index = np.random.default_rng(0).permutation(32)
    both, one = (
        recompute(keep(each, seed=0, index=index, subjects=owners), world.policy())
        for each in (scores, replace(scores, before=hidden))
    )
    assert both.outcome is Outcome.PASS_LEAK
    assert any("before unlearning it had at least 0." in each for each in both.reasons)
    assert any("for every subject" in each for each in both.reasons)
    assert one.outcome is Outcome.INCONCLUSIVE
    assert one.reasons[0].startswith("Subject: before unlearning the attack's advantage is only")


def test_what_is_equivalent_by_one_attack_alone_is_told_and_not_claimed_of_all():
    found = outcome_of(u_lira=attack(equivalence=CLEAN), neighbourhood=attack())
    assert found.outcome is Outcome.PASS_LEAK
    assert any("u_lira: Record average: with 95 % confidence, told" in r for r in found.reasons)
    assert any("not compared by neighbourhood" in each for each in found.reasons)
    both = outcome_of(u_lira=attack(equivalence=CLEAN), other=attack(equivalence=CLEAN))
    assert both.outcome is Outcome.PASS_STRICT


# --- what was kept before -----------------------------------------------------------------------


@pytest.mark.parametrize("world", [World(models=8, after=1.2), World(models=8), World(models=64)])
def test_what_was_kept_before_subjects_and_attempts_gives_the_same_verdict(world):
    kept = world.kept(3)
    old = kept.as_dict()
    for name in ("attempt", "debt"):
        del old[name]
    for contrast in ("before", "leak"):
        for name in ("subjects_in", "subjects_out", "record_shift"):
            del old[contrast][name]
    again = Kept.from_dict(old)
    policy = policy_at(world.models)
    assert recompute(again, policy) == recompute(kept, policy)
    plain = decide(policy, measure(again, policy.alpha_at(world.models)))
    assert recompute(again, policy).outcome is plain.outcome


def test_the_p_values_are_the_bounds_turned_round():
    for seed in range(6):
        kept = World(models=12, after=0.4).kept(seed)
        policy = EvidencePolicy(looks=(12,), max_trainings=24)
        for one in measure_under(kept, policy).hypotheses:
            margin = policy.margin(one.level)
            for alpha, beyond in ((one.p * 1.02, True), (one.p * 0.98, False)):
                if 1e-6 < alpha < 0.5:
                    lower = measure(kept, alpha).leak.at(one.level).lower
                    assert (lower >= margin - 1e-9) is beyond


def test_inconclusive_says_what_so_many_models_could_show_at_best():
    verdict = recompute(World(models=8).kept(1), policy_at(8))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    (reach,) = [r for r in verdict.reasons if r.startswith("Subject: with 4 judged models")]
    assert "could at best bound the advantage at" in reach
    assert "above the margin 0.30" in reach
    assert "shows in 80 % of audits" in reach


def test_others_do_not_weaken_what_the_main_attack_finds():
    """The main attack fails at each level at the error of the look, however many others look."""
    others = {f"attack {number}": attack(0.9) for number in range(30)}
    found = decide(POLICY, {"u_lira": attack(0.04, LEAKS), **others})
    assert found.outcome is Outcome.FAIL
    assert found.reasons[0].startswith("u_lira: Record average: after unlearning")


def test_nothing_passes_without_an_attack_that_the_policy_asks_for():
    world = World(models=128, records=8)
    clean = world.kept(0)
    policy = replace(world.policy(), attacks=("u_lira", "neighbourhood"))
    alone = recompute_all({"u_lira": clean}, policy)
    assert recompute_all({"u_lira": clean, "neighbourhood": clean}, policy).outcome == "PASS_LEAK"
    assert alone.outcome is Outcome.INCONCLUSIVE
    assert alone.reasons[0].endswith("could not be made: neighbourhood.")
