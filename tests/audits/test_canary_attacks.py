"""The contract that every attack on canaries keeps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from audits.core.attack import CanaryAttack, NothingToAttackWith, PlantedScores
from audits.core.kinds import of_kind

ATTACKS = of_kind(CanaryAttack)


def planted(seed, shift, canaries=200):
    """Scores that are standard normal but for a shift of the included canaries."""
    rng = np.random.default_rng(seed)
    included = rng.random(canaries) < 0.5
    after, before = rng.normal(size=(2, canaries))
    return PlantedScores(
        after=after + shift * included, before=before + 2.0 * included, included=included
    )


def test_both_attacks_on_canaries_are_found():
    assert sorted(ATTACKS) == ["gaussian_poison", "one_run"]


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_left_is_found_and_the_control_shows_that_it_could_be(name):
    attack = ATTACKS[name]()
    left, gone = attack.examine(planted(0, 2.0)), attack.examine(planted(1, 0.0))
    assert left.p_value < 1e-4
    assert left.statistic > gone.statistic
    assert gone.p_value > 0.05
    assert gone.control is not None
    assert gone.control < 1e-4
    assert gone.canaries == 200
    assert gone == attack.examine(planted(1, 0.0))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_fail_is_raised_no_more_often_than_promised_where_nothing_is_left(name):
    attack = ATTACKS[name]()
    p_values = [attack.examine(planted(seed, 0.0)).p_value for seed in range(200)]
    assert np.mean(np.array(p_values) <= 0.1) <= 0.15  # 0.1, and three standard errors of it


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_says_what_it_is_and_what_it_lacks(name):
    attack = ATTACKS[name]
    assert vars(attack)["__dataclass_params__"].frozen
    assert all((attack.title, attack.paper, attack.adversary, attack.__doc__))
    assert attack.can_pass is False
    nothing = dataclasses.replace(planted(0, 1.0), after=np.full(200, np.nan))
    with pytest.raises(NothingToAttackWith, match=r"needs .*\."):
        attack().examine(nothing)
