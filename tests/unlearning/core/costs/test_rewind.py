"""Going back pays where erasure is recent, and hardly where every epoch is shuffled."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unlearning.core.costs.drawing import mean_within
from unlearning.core.costs.checks import NotPossible
from unlearning.core.costs.rewind import continual_fraction, shuffled_fraction


@pytest.mark.parametrize(
    ("epochs", "records", "fraction"),
    [(1, 1, 0.50), (1, 5, 0.83), (1, 20, 0.95), (10, 1, 0.95), (10, 5, 0.98), (10, 20, 0.995)],
)
def test_a_shuffled_training_is_replayed_as_far_as_the_notes_say(epochs, records, fraction):
    assert shuffled_fraction(epochs, records) == pytest.approx(fraction, abs=0.005)


@pytest.mark.parametrize(
    ("scale", "fractions"),
    [(0.05, (0.05, 0.15, 0.26)), (0.1, (0.10, 0.29, 0.52)), (0.3, (0.26, 0.68, 0.93))],
)
def test_a_continual_training_is_replayed_as_far_as_the_notes_say(scale, fractions):
    found = [continual_fraction(scale, records) for records in (1, 10, 100)]
    assert found == pytest.approx(fractions, abs=0.006)


def test_a_shuffled_training_is_replayed_as_far_as_drawing_says():
    def one(rng):
        return 1 - rng.random(3).min() / 4  # first use of three records in the first of 4 epochs

    assert mean_within(one, shuffled_fraction(4, 3))


def test_a_continual_training_is_replayed_as_far_as_drawing_says():
    def age(rng):
        while (drawn := rng.exponential(0.3)) > 1:
            pass
        return drawn

    assert mean_within(lambda rng: max(age(rng) for _ in range(5)), continual_fraction(0.3, 5))


def test_half_the_distance_of_saved_states_is_lost():
    def one(rng):
        first, spacing = rng.random() / 2, 0.02  # two epochs, one record, a state every 0.02
        return 1 - np.floor(first / spacing) * spacing

    assert mean_within(one, shuffled_fraction(2, 1, spacing=0.02))
    assert shuffled_fraction(10, 50, spacing=0.5) == 1.0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: shuffled_fraction(0, 1), "epochs is 0; it must be a whole number of at least 1"),
        (lambda: shuffled_fraction(1, 0), "records is 0; it must be a whole number"),
        (lambda: continual_fraction(0.0, 1), r"scale is 0\.0; it must be at least 0\.01"),
        (
            lambda: continual_fraction(0.1, 1, spacing=2),
            "spacing is 2; it must be between 0 and 1",
        ),
    ],
)
def test_what_no_training_can_have_is_named(call, sentence):
    with pytest.raises(NotPossible, match=sentence):
        call()
