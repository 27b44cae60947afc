from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit

from audits.attacks.rmia import GRID, Rmia, tuned
from audits.core.attack import NothingToAttackWith, Observations, References
from audits.core.features import Outputs
from audits.core.likelihood import TooFewModels

RECORDS, STRANGERS = 6, 50


def arm(rng, hardness, strangers, *, shift, models=7):
    return References(
        margins=rng.normal(hardness + shift, 1, (models, RECORDS)),
        strangers=rng.normal(strangers, 1, (models, STRANGERS)),
    )


def drawn(seed=0, models=7):
    rng = np.random.default_rng(seed)
    hardness, strangers = rng.normal(0, 2, RECORDS), rng.normal(0, 2, STRANGERS)
    return Observations(
        target=Outputs.from_margins(rng.normal(hardness, 1)),
        strangers=Outputs.from_margins(rng.normal(strangers, 1)),
        learned=arm(rng, hardness, strangers, shift=2.0, models=models),
        never_saw=arm(rng, hardness, strangers, shift=0.0, models=models),
    )


@pytest.mark.parametrize(("a", "gamma"), [(0.0, 1.0), (0.33, 1.0), (1.0, 2.0)])
def test_the_score_is_the_share_of_strangers_that_are_outdone(a, gamma):
    seen = drawn()
    found = Rmia(a=a, gamma=gamma).score(seen)

    def ratio(phi, shadow):
        mean = np.mean([expit(each) for each in shadow])
        return expit(phi) / (0.5 * ((1 + a) * mean + (1 - a)))

    for i, score in enumerate(found):
        own = ratio(seen.target.margin[i], seen.never_saw.margins[:, i])
        outdone = [
            own / ratio(seen.strangers.margin[z], seen.never_saw.strangers[:, z]) >= gamma
            for z in range(STRANGERS)
        ]
        assert score == np.mean(outdone)


def test_a_stranger_that_rises_as_much_is_outdone():
    alike = Outputs.from_margins(np.zeros(3))
    shadow = References(margins=np.ones((2, 3)), strangers=np.ones((2, 3)))
    seen = Observations(target=alike, strangers=alike, never_saw=shadow)
    assert (Rmia().score(seen) == 1.0).all()


def test_extreme_margins_give_numbers():
    seen = drawn()
    extreme = Outputs.from_margins(np.array([-800.0, 800.0, 0.0, -1e6, 1e6, 1.0]))
    shadow = dataclasses.replace(seen.never_saw, margins=np.full((3, RECORDS), -1e6))
    found = Rmia(a=1.0).score(dataclasses.replace(seen, target=extreme, never_saw=shadow))
    assert ((found >= 0) & (found <= 1)).all()


def test_tuning_chooses_the_best_a_over_shadow_models_only():
    seen = drawn(3)
    attack, area = tuned(seen.learned, seen.never_saw)
    assert attack.a in GRID
    areas = []
    for a in GRID:
        scores, member = [], []
        for inside, targets in ((True, seen.learned), (False, seen.never_saw)):
            for place in range(7):
                others = np.delete(np.arange(7), place)
                rest = References(
                    margins=seen.never_saw.margins[others],
                    strangers=seen.never_saw.strangers[others],
                )
                observed = Observations(
                    target=Outputs.from_margins(targets.margins[place]),
                    strangers=Outputs.from_margins(targets.strangers[place]),
                    never_saw=rest,
                )
                scores += list(Rmia(a=a).score(observed))
                member += [inside] * RECORDS
        gaps = np.array(scores)[member][:, None] - np.array(scores)[~np.array(member)]
        areas.append(np.mean(np.sign(gaps) / 2 + 0.5))
    assert area == pytest.approx(max(areas))
    assert areas[GRID.index(attack.a)] == pytest.approx(max(areas))
    assert tuned(seen.learned, seen.never_saw, attack=Rmia(gamma=2.0))[0].gamma == 2.0


def test_tuning_says_what_it_lacks():
    seen = drawn()
    bare = References(margins=seen.learned.margins)
    with pytest.raises(NothingToAttackWith, match="margins of strangers in both arms"):
        tuned(bare, seen.never_saw)
    with pytest.raises(TooFewModels, match="there are 1 and 1"):
        tuned(drawn(models=1).learned, drawn(models=1).never_saw)
