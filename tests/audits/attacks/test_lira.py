from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audits.attacks.lira_offline import LiraOffline
from audits.attacks.lira_online import LiraOnline
from audits.core.attack import NothingToAttackWith, Observations, References
from audits.core.features import Outputs
from audits.core.likelihood import TooFewModels

RECORDS = 5


def drawn(models=12, copies=2):
    """Records of very different difficulty, which both arms share."""
    rng = np.random.default_rng(4)
    hardness = rng.normal(0, 20, RECORDS)

    def arm(shift):
        margins = rng.normal(hardness + shift, 1.5, (models, RECORDS))
        return References(
            margins=margins,
            neighbours=rng.normal(margins[..., None], 0.3, (*margins.shape, copies)),
        )

    target = rng.normal(hardness + 1, 1.5)
    return Observations(
        target=Outputs.from_margins(target),
        neighbours=rng.normal(target[:, None], 0.3, (RECORDS, copies)),
        learned=arm(2.0),
        never_saw=arm(0.0),
    )


def test_with_many_models_every_record_has_a_spread_of_its_own():
    seen = drawn()
    found = LiraOnline(own_spread_from=12).score(seen)
    for i, score in enumerate(found):
        inside, outside = seen.learned.margins[:, i], seen.never_saw.margins[:, i]
        phi = seen.target.margin[i]
        expected = stats.norm.logpdf(phi, np.median(inside), inside.std()) - stats.norm.logpdf(
            phi, np.median(outside), outside.std()
        )
        assert score == pytest.approx(expected)


def test_with_few_models_the_spread_is_that_of_residuals_and_not_of_raw_scores():
    seen = drawn()
    found = LiraOnline().score(seen)
    densities = []
    for arm in (seen.learned.margins, seen.never_saw.margins):
        centre = np.median(arm, 0)
        spread = (arm - centre).std()
        assert spread < arm.std() / 5  # raw scores mostly differ by difficulty
        densities.append(stats.norm.logpdf(seen.target.margin, centre, spread))
    assert found == pytest.approx(densities[0] - densities[1])


def test_the_offline_score_is_one_sided():
    seen = drawn()
    margins = np.median(seen.never_saw.margins, 0)[None] + np.array([[-9.0], [0.0], [9.0]])
    scores = [
        LiraOffline().score(
            Observations(target=Outputs.from_margins(row), never_saw=seen.never_saw)
        )
        for row in margins
    ]
    assert (np.diff(scores, axis=0) > 0).all()
    assert scores[1] == pytest.approx(np.log(2))


def test_the_offline_score_still_orders_what_lies_far_out():
    seen = drawn()
    far = [Outputs.from_margins(np.full(RECORDS, height)) for height in (1e3, 1e4)]
    near, farther = (
        LiraOffline().score(Observations(target=each, never_saw=seen.never_saw)) for each in far
    )
    assert np.isfinite(farther).all()
    assert (farther > near).all()


@pytest.mark.parametrize("kind", [LiraOnline, LiraOffline])
def test_copies_are_further_queries_that_are_averaged(kind):
    seen = drawn()
    plain, averaged = kind().score(seen), kind(copies=True).score(seen)
    assert (plain != averaged).all()
    bare = Observations(target=seen.target, learned=seen.learned, never_saw=seen.never_saw)
    with pytest.raises(NothingToAttackWith, match="needs the margins of neighbours"):
        kind(copies=True).score(bare)


@pytest.mark.parametrize("kind", [LiraOnline, LiraOffline])
def test_one_model_makes_no_gaussian(kind):
    with pytest.raises(TooFewModels, match="there are 1"):
        kind().score(drawn(models=1))
