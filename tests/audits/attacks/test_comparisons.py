from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audits.attacks.competition import CAP, Competition
from audits.attacks.klom import Klom
from audits.core.attack import ModelComparison
from audits.core.comparison import TooFewToCompare, beside_null
from audits.core.kinds import of_kind

COMPARISONS = of_kind(ModelComparison)


def margins(seed, models, records=6, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, (models, records))


def test_both_comparisons_are_found():
    assert sorted(COMPARISONS) == ["competition", "klom"]


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_keeps_its_contract(name):
    attack = COMPARISONS[name]()
    assert vars(type(attack))["__dataclass_params__"].frozen
    assert all((attack.title, attack.paper, attack.adversary, attack.__doc__))
    assert attack.can_pass is False
    unlearned, retrained = margins(1, 16, shift=1.5), margins(2, 32)
    found = attack.compare(unlearned, retrained, seed=3)
    again = attack.compare(unlearned, retrained, seed=3)
    assert (found.values == again.values).all()
    assert (found.null == again.null).all()
    assert found.values.shape == (6,)
    assert found.null.shape == (100, 6)
    assert found.models == 16
    back = attack.distance(unlearned[:, ::-1], retrained[:, ::-1])
    assert (back[::-1] == attack.distance(unlearned, retrained)).all()
    assert (attack.distance(unlearned + 3, retrained + 3)) == pytest.approx(
        attack.distance(unlearned, retrained)
    )


@pytest.mark.parametrize("name", COMPARISONS)
def test_unlearned_models_that_differ_stand_above_the_null_in_both_directions(name):
    attack = COMPARISONS[name]()
    for shift in (-2.5, 2.5):
        found = attack.compare(margins(1, 32, shift=shift), margins(2, 64), seed=0, draws=40)
        assert found.percentiles.min() > 90
        assert found.average_percentile == 100


@pytest.mark.parametrize("name", COMPARISONS)
def test_models_that_do_not_differ_stand_anywhere_in_the_null(name):
    attack = COMPARISONS[name]()
    places = [
        attack.compare(margins(2 * s, 16), margins(2 * s + 1, 32), seed=s, draws=20).percentiles
        for s in range(40)
    ]
    flat = np.concatenate(places)
    assert 45 < flat.mean() < 55
    assert 15 < flat.std() < 29.5  # 28.9 were it uniform; a median of draws varies less
    assert (flat > 95).mean() < 0.05
    assert (flat < 5).mean() < 0.05
    assert stats.kstest(flat / 100, "uniform").statistic < 0.2


def test_the_average_over_records_that_move_together_is_no_surer_than_one_record():
    moving = np.random.default_rng(0).normal(size=(120, 48, 1))
    noise = np.random.default_rng(1).normal(scale=0.2, size=(120, 48, 20))
    world = moving + noise
    places = np.array(
        [Klom().compare(w[:16], w[16:], seed=0, draws=20).average_percentile for w in world]
    )
    assert (places > 95).mean() < 0.1
    assert places.std() > 15


@pytest.mark.parametrize("models", [64, 512])
def test_the_published_epsilon_of_identical_distributions_is_far_above_zero(models):
    found = Competition().distance(margins(0, models, 24), margins(1, models, 24))
    assert np.median(found) > 1.0  # two buckets of one half: a quarter of the full mark
    assert found.min() > 0.5


def test_the_divergence_of_identical_distributions_shrinks_with_more_models():
    few, many = (
        np.median(Klom().distance(margins(0, n, 24), margins(1, n, 24))) for n in (16, 256)
    )
    assert few > 1.0
    assert many < 0.2


def test_the_competition_epsilon_is_that_of_every_threshold_and_interval():
    unlearned, retrained = margins(0, 9, 5, shift=0.7), margins(1, 11, 5) * 0.8
    found = Competition().distance(unlearned, retrained)
    for record, value in enumerate(found):
        assert value == pytest.approx(by_hand(unlearned[:, record], retrained[:, record]))


def by_hand(unlearned, retrained, delta=1e-5):
    pool = np.sort(np.concatenate([unlearned, retrained]))
    cuts = [-np.inf, *((pool[1:] + pool[:-1]) / 2), np.inf]
    sought, other = unlearned, retrained
    if np.median(unlearned) <= np.median(retrained):
        sought, other = other, sought
    rules = [((other > t).mean(), (sought <= t).mean()) for t in cuts]
    narrow, wide = sorted((unlearned, retrained), key=np.ptp)
    for low in cuts:
        for high in [cut for cut in cuts if cut > low]:
            inside = [((x > low) & (x <= high)).mean() for x in (wide, narrow)]
            rules.append((inside[0], 1 - inside[1]))
    best = 0.0
    for fpr, fnr in rules:
        if (fpr > 0) != (fnr > 0):
            continue
        if fpr == fnr == 0:
            return CAP
        for one, two in ((fpr, fnr), (fnr, fpr)):
            best = max(best, np.log(max(1 - delta - one, 1e-300) / two))
    return best


def test_groups_that_one_threshold_parts_or_that_do_not_vary_reach_the_cap():
    assert (Competition().distance(margins(0, 8, shift=30), margins(1, 8)) == CAP).all()
    same = np.zeros((8, 6))
    assert (Competition().distance(same, margins(1, 8)) == CAP).all()
    assert (Competition().distance(same, same) == 0).all()
    assert (Klom().distance(same, same) == 0).all()


def test_equal_margins_are_never_parted():
    ours, theirs = np.repeat([0.0, 1.0], 8)[:, None], np.repeat([0.0, 1.0], [4, 12])[:, None]
    found = Competition().distance(ours, theirs)[0]
    # The only rules with two rates are those between 0 and 1: a half and a quarter are below.
    assert found == pytest.approx(np.log(0.5 / 0.25), abs=1e-4)


@pytest.mark.parametrize(
    ("unlearned", "retrained", "sentence"),
    [
        (np.zeros((3, 2)), np.zeros((8, 2)), "there are 3 unlearned and 8 retrained"),
        (np.zeros((4, 2)), np.zeros((7, 2)), "there are 4 unlearned and 7 retrained"),
        (np.zeros((4, 2)), np.zeros((8, 3)), r"shapes \(4, 2\) and \(8, 3\)"),
    ],
)
def test_too_few_models_and_other_records_are_refused(unlearned, retrained, sentence):
    with pytest.raises(TooFewToCompare, match=sentence):
        beside_null(Klom().distance, unlearned, retrained, seed=0)
