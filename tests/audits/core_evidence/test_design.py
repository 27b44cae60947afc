from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.design import DesignRefused, TwinDesign, derived_seed

designs = st.builds(
    TwinDesign,
    seed=st.integers(0, 2**70),
    looks=st.sets(st.integers(1, 20), min_size=1, max_size=3).map(lambda s: tuple(sorted(s))),
    canaries=st.integers(0, 5),
)


@given(designs)
@settings(max_examples=40, deadline=None)
def test_every_look_is_balanced_exactly(design):
    for look in design.looks:
        assert design.member[: 2 * look].sum() == look
        assert (design.canary_member[: 2 * look].sum(0) == look).all()
    assert design.canary_member.shape == (design.models, design.canaries)


@given(designs, st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_a_further_look_changes_no_earlier_model(design, more):
    longer = TwinDesign(
        seed=design.seed,
        looks=(*design.looks, design.looks[-1] + more),
        canaries=design.canaries,
    )
    assert (longer.member[: design.models] == design.member).all()
    assert (longer.canary_member[: design.models] == design.canary_member).all()
    assert longer.model_seed(0, "train") == design.model_seed(0, "train")


def test_each_of_several_subjects_is_learned_by_half_of_the_models_of_every_look():
    design = TwinDesign(seed=3, looks=(8, 20), subjects=3)
    assert design.learns.shape == (40, 3)
    assert (design.learns[:16].sum(0) == 8).all()
    assert (design.learns.sum(0) == 20).all()
    assert len({tuple(column) for column in design.learns.T}) == 3


def test_subjects_are_drawn_regardless_of_one_another():
    designs = [TwinDesign(seed=seed, looks=(8,), subjects=2) for seed in range(60)]
    together = [(design.learns[:, 0] == design.learns[:, 1]).mean() for design in designs]
    assert abs(np.mean(together) - 0.5) < 0.05
    assert np.std(together) > 0.08


def test_another_subject_changes_nothing_for_the_first():
    alone, shared = TwinDesign(seed=3, canaries=2), TwinDesign(seed=3, canaries=2, subjects=4)
    assert (alone.learns[:, 0] == shared.learns[:, 0]).all()
    assert (alone.member == shared.member).all()
    assert (alone.canary_member == shared.canary_member).all()
    assert alone.digest() != shared.digest()


def test_no_two_models_share_a_seed():
    design = TwinDesign(seed=1)
    seeds = {design.model_seed(j, use) for j in range(64) for use in ("train", "unlearn")}
    assert len(seeds) == 128
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_canaries_are_drawn_regardless_of_the_arms():
    agreement = [
        (design.canary_member == design.member[:, None]).mean(0)
        for design in (TwinDesign(seed=seed, looks=(8,), canaries=4) for seed in range(40))
    ]
    assert np.std(agreement) > 0.08  # balanced arms would give exactly one half
    assert abs(np.mean(agreement) - 0.5) < 0.04


def test_the_digest_fixes_everything():
    design = TwinDesign(seed=5, canaries=2)
    assert design.digest() == TwinDesign(seed=5, canaries=2).digest()
    others = [TwinDesign(seed=6, canaries=2), TwinDesign(seed=5, canaries=3)]
    assert len({design.digest(), *(other.digest() for other in others)}) == 3


def test_a_derived_seed_depends_on_the_whole_path():
    assert derived_seed(1, "a", 1) == derived_seed(1, "a", 1)
    assert len({derived_seed(1, "a", 1), derived_seed(1, "a", "1"), derived_seed(2, "a", 1)}) == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"looks": ()}, "at least one model per arm"),
        ({"looks": (0,)}, "at least one model per arm"),
        ({"looks": (4, 4)}, "each must exceed the one before"),
        ({"subjects": 0}, "subjects is 0"),
        ({"canaries": -1}, "canaries is -1; it must be 0 or more."),
    ],
)
def test_it_refuses_numbers_without_meaning(changes, sentence):
    with pytest.raises(DesignRefused, match=sentence):
        TwinDesign(seed=0, **changes)
