"""A strict pass: by every deciding attack, unlearned models are like retrained ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from audits.attacks.neighbourhood import Neighbourhood
from audits.attacks.u_lira import ULira
from audits.core.attacked import judged_by
from audits.core.contrast import keep, recompute_all
from audits.core.kept import Kept
from audits.core.shadow_material import material
from audits.core.shadow_rows import ShadowRow, stack
from audits.core.verdict import Outcome
from tests.audits.core_evidence.experiments import policy_at

MODELS, RECORDS, COPIES = 64, 16, 3
POLICY = policy_at(MODELS, attacks=("u_lira", "neighbourhood"), equivalence=True)


@dataclass
class Made:
    """Margins of the records and of their copies, which follow them."""

    rng: np.random.Generator

    def answers(self, shift=0.0, dent=0.0):
        own = self.rng.normal(size=RECORDS) + shift
        around = own[:, None] + self.rng.normal(0, 0.3, (RECORDS, COPIES)) + dent
        return own, around


def rows(*, drift=0.0, dent=0.0, seed=1):
    """Models that learned by 2.5 deviations, and an unlearning that leaves no leak.

    ``drift`` moves both arms away from retrained models, ``dent`` only what they say of copies.
    """
    made, found = Made(np.random.default_rng(seed)), []
    for model in range(2 * MODELS):
        member = model % 2 == 0
        before, around = made.answers(2.5 * member)
        after, around_after = made.answers(drift, dent)
        again, around_again = made.answers()
        row = ShadowRow(
            model=model,
            member=member,
            before=before,
            after=after,
            neighbours_before=around,
            neighbours_after=around_after,
            canary_scores=np.empty(0),
            canary_member=np.empty(0, bool),
            retained_before=0.99,
            retained_after=0.99,
            test_before=0.95,
            test_after=0.95,
        )
        beside = {"retrained": again, "neighbours_retrained": around_again} if member else {}
        found.append(replace(row, **beside))
    return found


def judged(found, policy=POLICY):
    index = np.random.default_rng(5).permutation(RECORDS)
    scores = stack(found)
    alone = keep(scores, seed=0, index=index)
    watched = material(found, np.arange(RECORDS), scores.member)
    beside = judged_by(alone, Neighbourhood(), watched, index=index)
    read = Kept.from_dict(beside.as_dict())
    return recompute_all({"u_lira": alone, "neighbourhood": read}, policy)


def test_what_is_like_retraining_to_both_attacks_passes_strictly():
    verdict = judged(rows())
    assert verdict.outcome is Outcome.PASS_STRICT
    assert sum("retrained" in reason for reason in verdict.reasons) == 4  # attacks and levels


@pytest.mark.parametrize("far", [{"drift": 1.5}, {"dent": 0.6}])
def test_what_only_one_attack_tells_from_retraining_is_no_strict_pass(far):
    """A dent in what is said of copies is not seen by U-LiRA; both arms have it."""
    assert judged(rows(**far)).outcome is Outcome.PASS_LEAK


def test_a_dent_beside_the_records_would_be_a_strict_pass_to_u_lira_alone():
    scores = stack(rows(dent=0.6))
    alone = keep(scores, seed=0, index=np.arange(RECORDS))
    policy = replace(POLICY, attacks=("u_lira",))
    assert recompute_all({"u_lira": alone}, policy).outcome is Outcome.PASS_STRICT


def test_retrained_models_that_were_not_asked_about_copies_are_not_compared():
    """As of an audit that an earlier release began."""
    found = [replace(row, neighbours_retrained=None) for row in rows()]
    verdict = judged(found)
    assert verdict.outcome is Outcome.PASS_LEAK
    assert any("not compared by neighbourhood" in reason for reason in verdict.reasons)


def test_u_lira_through_the_driver_contrasts_retraining_as_the_main_attack_does():
    found, index = rows(drift=0.4), np.arange(RECORDS)
    scores = stack(found)
    alone = keep(scores, seed=0, index=index)
    watched = material(found, index, scores.member)
    driven = judged_by(alone, ULira(), watched, index=index).equivalence
    assert driven is not None
    assert alone.equivalence is not None
    np.testing.assert_allclose(driven.subject_in, alone.equivalence.subject_in, rtol=1e-7)
    np.testing.assert_allclose(driven.subject_out, alone.equivalence.subject_out, rtol=1e-7)
    assert driven.right_in == alone.equivalence.right_in
