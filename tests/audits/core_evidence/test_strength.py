"""Which passes of many survive together."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.strength import Strength, surviving
from tests.audits.core_evidence.test_multiplicity import benjamini_yekutieli


def test_passes_survive_only_among_all_that_was_asked():
    """Two hundred leaking models and a few good ones, audited at five per cent each."""
    rng = np.random.default_rng(4)
    share: dict[str, list[float]] = {"all": [], "passes alone": []}
    for _ in range(60):
        p = {key: (rng.uniform() if key < 190 else rng.uniform() ** 9) for key in range(200)}
        asked = {key: Strength(p=one) if one <= 0.05 else None for key, one in p.items()}
        chosen = {key: one for key, one in asked.items() if one}
        for name, kept in (
            ("all", surviving(asked, 0.05)),
            ("passes alone", surviving(chosen, 0.05)),
        ):
            share[name].append(sum(key < 190 for key in kept) / max(1, len(kept)))
    assert np.mean(share["all"]) <= 0.05
    assert np.mean(share["passes alone"]) > 0.1


@given(st.dictionaries(st.integers(0, 30), st.none() | st.floats(0, 0.1), max_size=24))
@settings(max_examples=60, deadline=None)
def test_of_planned_looks_survives_what_benjamini_and_yekutieli_reject_among_all(p):
    asked = {key: None if one is None else Strength(p=one) for key, one in p.items()}
    everything = {key: 1.0 if one is None else one for key, one in p.items()}
    assert set(surviving(asked, 0.05)) == benjamini_yekutieli(everything, 0.05)


def test_a_single_question_is_answered_at_its_own_error():
    assert surviving({"one": Strength(p=0.0499)}, 0.05) == ("one",)
    assert surviving({"one": Strength(p=0.0501)}, 0.05) == ()
    assert surviving({"one": Strength(log_e=math.log(20.1))}, 0.05) == ("one",)
    assert surviving({"one": None}, 0.05) == surviving({}, 0.05) == ()


def test_bets_and_planned_looks_are_corrected_together():
    asked = {
        "bet": Strength(log_e=math.log(200)),
        "look": Strength(p=0.001),
        "open": None,
        "weak": None,
    }
    assert set(surviving(asked, 0.05)) == {"bet", "look"}
    more = {**asked, **{str(place): None for place in range(40)}}
    assert surviving(more, 0.05) == ()


def test_it_is_read_as_it_was_kept():
    for one in (Strength(p=0.01), Strength(log_e=3.0)):
        assert Strength.of_evidence({"strength": asdict(one)}) == one
    assert Strength.of_evidence({"strength": None}) is None
    assert Strength.of_evidence({}) is None


def test_a_bet_that_is_too_large_for_a_number_is_still_one():
    assert math.isfinite(Strength(log_e=9000.0).among(3, 0.05))
