"""Folds of whole people: an oracle, and what record-wise folds do where records are alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.contrast import keep_contrast
from audits.core.design import TwinDesign
from audits.core.levels import contrast
from audits.core.twins import Candidates, NoTwin, choose_twins
from audits.core.whole_people import StandIns, blocks, whole_stand_ins

PEOPLE, EACH, MODELS = 40, 6, 32


def candidates(rng, count, classes=2):
    return Candidates(labels=rng.integers(0, classes, count), position=rng.normal(size=count))


def naive(forget, pool, owner, subjects, seed):
    """The same, record by record and without an array."""
    serves: dict[int, int] = {}
    chosen: dict[int, int] = {}
    for record in np.random.default_rng(seed).permutation(len(forget.labels)).tolist():
        found = []
        for at in range(len(owner)):
            if at in chosen.values() or pool.labels[at] != forget.labels[record]:
                continue
            serving = serves.get(owner[at])
            if serving not in {None, subjects[record]}:
                continue
            far = (pool.position[at] - forget.position[record]) ** 2
            found.append((serving is None, far, at))
        if not found:
            return None
        at = min(found)[2]
        chosen[record] = at
        serves[owner[at]] = subjects[record]
    taken = set(chosen.values())
    leaving = [at for at in range(len(owner)) if owner[at] in serves and at not in taken]
    return [chosen[record] for record in range(len(forget.labels))], leaving


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_stand_ins_are_those_of_the_naive_loop(seed, people, several):
    rng = np.random.default_rng(seed)
    forget, pool = candidates(rng, 5), candidates(rng, 40)
    owner = blocks([int(one) if one else None for one in rng.integers(0, people + 1, 40)])
    subjects = np.arange(5) % several
    expected = naive(forget, pool, owner.tolist(), subjects.tolist(), seed)
    try:
        found = whole_stand_ins(forget, pool, owner, subjects=subjects, seed=seed)
    except NoTwin:
        assert expected is None or len(expected[1]) > 35 / 2
        return
    assert (found.chosen.tolist(), found.leaving.tolist()) == expected
    nobody_is_on_both_sides(found, owner, subjects)


def nobody_is_on_both_sides(found: StandIns, owner, subjects):
    stays = np.setdiff1d(np.arange(len(owner)), [*found.chosen, *found.leaving])
    assert not set(owner[found.chosen]) & set(owner[stays])
    served = {(owner[at], subjects[record]) for record, at in enumerate(found.chosen)}
    assert len({one for one, _ in served}) == len(served)


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_where_everybody_has_one_record_they_are_the_nearest_as_before(seed):
    rng = np.random.default_rng(seed)
    forget, pool = candidates(rng, 5), candidates(rng, 40)
    found = whole_stand_ins(forget, pool, blocks([None] * 40), seed=seed)
    assert (found.chosen == choose_twins(forget, pool, seed=seed)).all()
    assert not len(found.leaving)


def test_records_of_nobody_are_each_by_themselves():
    assert blocks([7, None, 7, None, 3]).tolist() == [0, 1, 0, 2, 3]


def test_it_refuses_where_more_than_half_would_leave():
    pool = Candidates(labels=np.zeros(5, int), position=np.arange(5.0))
    forget = Candidates(labels=np.zeros(1, int), position=np.zeros(1))
    with pytest.raises(NoTwin, match="3 of 4 retained records are of people whose other"):
        whole_stand_ins(forget, pool, blocks([1, 1, 1, 1, 2]), seed=0)


def test_it_refuses_where_everybody_stands_in_for_another_already():
    alike = Candidates(labels=np.zeros(2, int), position=np.zeros(2))
    with pytest.raises(NoTwin, match="Class 0 has no record left of anybody"):
        whole_stand_ins(alike, alike, blocks([1, 1]), subjects=np.array([0, 1]), seed=0)


# --- what it is for -----------------------------------------------------------------------------


def scores_of(learned, asked, owner, rng):
    """A memory that knows a person from any of their records: margins of the asked, [n, k]."""
    known = np.zeros((len(learned), owner.max() + 1), bool)
    for model, records in enumerate(learned):
        known[model, owner[records]] = True
    shared = rng.normal(size=(len(learned), PEOPLE))[:, owner[asked]]
    own = rng.normal(size=(len(learned), len(asked)))
    return 2.0 * known[:, owner[asked]] + 0.7 * shared + 0.7 * own


def advantage(asked, stays, owner, seed):
    """The record average and the subject of an experiment on models that forget nothing."""
    design = TwinDesign(seed=seed, looks=(MODELS,))
    learned = [np.concatenate([asked, stays] if one else [stays]) for one in design.member]
    scores = scores_of(learned, asked, owner, np.random.default_rng(seed))
    kept = keep_contrast(scores, design.member, np.arange(len(asked)))
    found = contrast(kept, 0.05)
    return found.record_average.estimate, found.subject.estimate


def folds(seed):
    """A person's records, and record-wise and person-wise stand-ins among everybody else's."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(PEOPLE), EACH)
    everybody = candidates(rng, len(owner))
    own, others = np.flatnonzero(owner == 0), np.flatnonzero(owner > 0)
    ours = Candidates(labels=everybody.labels[own], position=everybody.position[own])
    theirs = Candidates(labels=everybody.labels[others], position=everybody.position[others])
    singly = others[choose_twins(ours, theirs, seed=seed)]
    whole = whole_stand_ins(ours, theirs, blocks(owner[others].tolist()), seed=seed)
    return {
        "true": (own, others, owner),
        "records": (singly, np.setdiff1d(others, singly), owner),
        "people": (
            others[whole.chosen],
            np.delete(others, [*whole.chosen, *whole.leaving]),
            owner,
        ),
    }


def test_folds_of_records_hide_a_leak_of_records_that_are_alike_and_folds_of_people_do_not():
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in range(6):
        for name, (asked, stays, owner) in folds(seed).items():
            found.setdefault(name, []).append(advantage(asked, stays, owner, seed))
    mean = {name: np.mean(each, axis=0) for name, each in found.items()}
    assert mean["true"][0] > 0.5
    assert mean["records"][0] < 0.1
    assert mean["people"] == pytest.approx(mean["true"], abs=0.1)
