"""What the kept picture of a look gives away: an order of pairs, of no record and no value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audits.core.likelihood import cross_fit
from audits.core.roc import log_band, log_roc
from audits.core.shadow_rows import ShadowRow, stack
from audits.execution.look_plot import curve_numbers, look_curves, look_plot


def scored(records, models=24, seed=3):
    """Scores of some records under models half of which learned them."""
    rng = np.random.default_rng(seed)
    rows = []
    for model in range(models):
        member = model % 2 == 0
        after = rng.normal(size=records)
        rows.append(
            ShadowRow(
                model=model,
                member=member,
                before=after + 2 * member,
                after=after,
                canary_scores=rng.normal(size=8),
                canary_member=np.arange(8) < 4,
                retained_before=0.9,
                retained_after=0.9,
                test_before=0.9,
                test_after=0.9,
            )
        )
    return stack(rows)


def drawn(scores):
    return look_plot(look_curves(scores, seed=7))


def test_the_picture_does_not_say_which_record_is_which():
    scores = scored(5)
    order = [3, 0, 4, 1, 2]
    mixed = replace(scores, before=scores.before[:, order], after=scores.after[:, order])
    assert drawn(mixed) == drawn(scores)
    other = replace(scores, after=scores.before, before=scores.after)
    assert drawn(other) != drawn(scores)


@pytest.mark.parametrize("records", [1, 5])
def test_the_picture_holds_an_order_and_no_ratio(records):
    """Of one record, an order of the models; the kept numbers say more: the ratio of each."""
    scores = scored(records)
    ratios = cross_fit(scores.before, scores.member, seed=7)
    bent = np.sign(ratios) * np.abs(ratios) ** 3
    first, second = (log_roc(each, scores.member) for each in (ratios, bent))
    assert np.array_equal(first.fpr, second.fpr)
    assert np.array_equal(first.tpr, second.tpr)
    bands = [log_band(each, scores.member, seed=1) for each in (ratios, bent)]
    assert np.array_equal(bands[0].low, bands[1].low)


def test_the_numbers_beside_the_picture_are_those_of_its_steps_and_bands():
    curves = look_curves(scored(5), seed=7)
    said = curve_numbers(curves)
    assert said["negatives"] == 12
    for name, curve in curves.items():
        row = said[name]
        at = said["rates"].index(1.0)
        assert row["tpr"][at] == row["high"][at] == 1.0
        for rate, tpr in zip(said["rates"], row["tpr"], strict=True):
            steps = curve.roc.tpr[curve.roc.fpr <= rate * (1 + 1e-4)]
            assert tpr == (round(float(steps.max()), 5) if len(steps) else None)
        assert all(low <= high for low, high in zip(row["low"], row["high"], strict=True))
    assert said["before"]["tpr"][0] is None  # no point lies so far left
    assert said == curve_numbers(look_curves(scored(5), seed=7))
