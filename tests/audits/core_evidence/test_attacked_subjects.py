"""Attacks beside the main one tell several people apart as it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audits.attacks.neighbourhood import Neighbourhood
from audits.core.attacked import judged_by
from audits.core.contrast import keep, recompute_all
from audits.core.shadow_material import material
from audits.core.shadow_rows import stack
from audits.core.verdict import Outcome
from tests.audits.core_evidence.test_strict import POLICY, RECORDS, rows

OWNERS = np.arange(RECORDS) % 4
INDEX = np.random.default_rng(5).permutation(RECORDS)


def attacked(found, owners):
    scores = stack(found)
    alone = keep(scores, seed=0, index=INDEX, subjects=owners)
    watched = material(found, np.arange(RECORDS), scores.member)
    beside = judged_by(alone, Neighbourhood(), watched, index=INDEX, subjects=owners)
    return {"u_lira": alone, "neighbourhood": beside}


def dented(found, person):
    """A dent around one person's records, in the models that learned them."""
    mine = (person == OWNERS)[:, None]
    return [
        replace(row, neighbours_after=row.neighbours_after + 0.8 * mine * row.member)
        for row in found
    ]


def test_sums_of_people_are_parts_of_the_whole_under_the_same_numbers():
    for kept in attacked(rows(), OWNERS).values():
        for one in (kept.before, kept.leak, kept.equivalence):
            assert np.array(one.subjects_in).shape == (4, one.n_in)
            np.testing.assert_allclose(np.sum(one.subjects_in, 0), one.subject_in)
            np.testing.assert_allclose(np.sum(one.subjects_out, 0), one.subject_out)


def test_one_person_is_the_whole_set():
    alone, nobody = attacked(rows(), np.zeros(RECORDS, np.int64)), attacked(rows(), None)
    assert alone == nobody
    assert alone["neighbourhood"].leak.subjects_in == ()


def test_whoever_is_seen_beside_their_records_is_named_and_fails_the_run():
    verdict = recompute_all(attacked(dented(rows(), 2), OWNERS), POLICY)
    assert verdict.outcome is Outcome.FAIL
    named = [one for one in verdict.reasons if "of 4, in a random order" in one]
    assert named
    assert all("3 of 4" in one and "neighbourhood" in one for one in named)


def test_clean_people_fail_by_neither_attack():
    assert recompute_all(attacked(rows(), OWNERS), POLICY).outcome is not Outcome.FAIL
