"""The epsilon that is promised is never below the one that integrals give."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from opacus.accountants import RDPAccountant
from scipy.stats import binom, norm

from unlearning.core.private import accounting
from unlearning.core.private.accounting import Mechanism, mechanism
from unlearning.core.private.terms import Privacy, PrivacyRefused
from unlearning.core.ranges import OutOfRange

DELTA = 1e-5
GRID = np.linspace(-60, 60, 240_001)


def delta_of(above, below, epsilon):
    """Oracle: the hockey-stick divergence of two densities on the grid."""
    return np.maximum(above - math.exp(epsilon) * below, 0).sum() * (GRID[1] - GRID[0])


def worst_delta(noise, rate, people, epsilon):
    """Oracle: delta of one step for people drawn apart who all push the same way, both ways."""
    moved = sum(
        binom.pmf(drawn, people, rate) * norm.pdf(GRID, drawn, noise)
        for drawn in range(people + 1)
    )
    still = norm.pdf(GRID, 0, noise)
    return max(delta_of(moved, still, epsilon), delta_of(still, moved, epsilon))


def test_one_step_on_everybody_is_the_gaussian_mechanism_by_hand():
    noise = 4.0
    orders = np.linspace(1.01, 400, 400_000)
    # Renyi divergence a / (2 sigma^2), turned into (epsilon, delta) by Balle et al. (2020).
    by_hand = (
        orders / (2 * noise**2)
        - (math.log(DELTA) + np.log(orders)) / (orders - 1)
        + np.log((orders - 1) / orders)
    ).min()
    found = Mechanism(noise=noise, rate=1.0, steps=1, delta=DELTA).epsilon()
    assert by_hand <= found <= by_hand * 1.01  # it tries some orders only, so it is above


@pytest.mark.parametrize("accountant", ["rdp", "prv"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_one_step_promises_no_less_than_the_integral(accountant, rate):
    one = Mechanism(noise=2.0, rate=rate, steps=1, delta=DELTA, accountant=accountant)
    assert worst_delta(2.0, rate, 1, one.epsilon()) <= DELTA


def test_it_is_what_the_accountant_of_opacus_says():
    accountant = RDPAccountant()
    for _ in range(7):
        accountant.step(noise_multiplier=2.0, sample_rate=0.25)
    found = Mechanism(noise=2.0, rate=0.25, steps=7, delta=DELTA).epsilon()
    assert found == pytest.approx(accountant.get_epsilon(DELTA), rel=1e-9)


def test_the_second_accountant_is_tighter_and_still_above_the_integral():
    given: dict[str, Any] = {"noise": 1.5, "rate": 0.1, "steps": 40, "delta": DELTA}
    rdp, prv = (Mechanism(**given, accountant=name).epsilon() for name in ("rdp", "prv"))
    assert prv < rdp < 1.5 * prv


def test_where_the_second_accountant_would_take_gigabytes_the_first_one_answers(monkeypatch):
    given: dict[str, Any] = {"noise": 2.0, "rate": 0.05, "steps": 1000, "delta": DELTA}
    called: list[tuple[float, ...]] = []

    def tighter(*each: float) -> float:
        called.append(each)
        return 3.0

    monkeypatch.setattr(accounting, "_prv", tighter)
    assert Mechanism(**given, accountant="prv").epsilon() == 3.0
    assert len(called) == 1
    large = Mechanism(**given).epsilon(6)
    assert Mechanism(**given, accountant="prv").epsilon(6) == large > 20
    assert len(called) == 1


@pytest.mark.parametrize("people", [2, 5])
def test_several_people_together_are_promised_no_less_than_the_integral(people):
    one = Mechanism(noise=6.0, rate=0.2, steps=1, delta=DELTA)
    assert worst_delta(6.0, 0.2, people, one.epsilon(people)) <= DELTA
    # The integral can tell: what one person is promised does not hold for them.
    assert worst_delta(6.0, 0.2, people, one.epsilon()) > DELTA


@pytest.mark.parametrize("rate", [0.98, 1.0])
def test_several_people_are_one_who_is_drawn_more_often_with_less_noise_where_many_are_drawn(rate):
    one = Mechanism(noise=6.0, rate=rate, steps=9, delta=DELTA)
    alike = Mechanism(noise=2.0, rate=1 - (1 - rate) ** 3, steps=9, delta=DELTA)
    assert one.epsilon(3) == pytest.approx(alike.epsilon(), rel=1e-9)


def test_a_rare_draw_is_met_by_basic_group_privacy_at_a_delta_that_adds_up():
    rare: dict[str, Any] = {"noise": 6.0, "rate": 0.1, "steps": 9}
    together = Mechanism(**rare, delta=DELTA).epsilon(3)
    alone = together / 3
    smaller = DELTA / (1 + math.exp(alone) + math.exp(2 * alone))
    assert Mechanism(**rare, delta=smaller).epsilon() <= alone
    merged = Mechanism(noise=2.0, rate=1 - 0.9**3, steps=9, delta=DELTA).epsilon()
    assert 3 * Mechanism(**rare, delta=DELTA).epsilon() < together < merged


def test_more_steps_more_people_and_less_noise_promise_less():
    given: dict[str, Any] = {"noise": 3.0, "rate": 0.1, "steps": 50, "delta": DELTA}
    base = Mechanism(**given).epsilon()
    assert base < Mechanism(**given | {"steps": 60}).epsilon()
    assert base < Mechanism(**given | {"noise": 2.5}).epsilon()
    assert base < Mechanism(**given | {"rate": 0.2}).epsilon()


def test_where_no_finite_bound_is_found_none_is_promised():
    assert Mechanism(noise=0.05, rate=0.5, steps=10**6, delta=DELTA).epsilon(200) > 1e6


def test_a_training_draws_a_batch_of_records_and_as_many_steps_as_it_has_batches():
    found = mechanism(Privacy(noise=2.0), records=100, people=40, batch_size=32, epochs=3)
    assert (found.rate, found.steps, found.noise) == (0.32, 12, 2.0)


def test_the_least_noise_that_reaches_epsilon_is_found():
    asked = Privacy(epsilon=1.0)
    found = mechanism(asked, records=1000, people=500, batch_size=50, epochs=2)
    less = Mechanism(**found.as_dict() | {"noise": found.noise - 0.01})
    assert found.epsilon() <= 1.0 < less.epsilon()


def test_a_training_that_would_pass_its_epsilon_is_refused_with_the_numbers():
    greedy = Privacy(noise=0.8, epsilon=0.5)
    with pytest.raises(PrivacyRefused, match=r"epsilon is 0\.5, and this training would reach"):
        mechanism(greedy, records=100, people=100, batch_size=20, epochs=10)


def test_a_delta_that_allows_to_publish_a_person_is_refused():
    with pytest.raises(PrivacyRefused, match="below 1 / 200"):
        mechanism(Privacy(noise=2.0, delta=0.005), records=400, people=200, batch_size=9, epochs=1)


def test_terms_are_checked_by_name():
    with pytest.raises(PrivacyRefused, match="neither noise nor epsilon"):
        Privacy()
    with pytest.raises(PrivacyRefused, match="allowed are rdp and prv"):
        Privacy(noise=1.0, accountant="gdp")
    with pytest.raises(OutOfRange, match=r"Privacy\.noise"):
        Privacy(noise=0.0)
    with pytest.raises(PrivacyRefused, match="object with some of: clip, noise"):
        Privacy.read({"noise": 1.0, "sigma": 2})


def test_without_opacus_the_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opacus.accountants", None)
    with pytest.raises(PrivacyRefused, match=r'pip install -e "\.\[privacy\]"'):
        Mechanism(noise=2.75, rate=0.1, steps=1, delta=DELTA).epsilon()
