from __future__ import annotations

import re

import numpy as np

from audits.core.contrast import keep
from audits.execution.histograms import histogram_svg
from audits.execution.look_plot import look_curves, look_plot
from audits.execution.svg_text import description_of
from tests.audits.core_evidence.experiments import World

WORLD = World(models=16, before=3.0)


def test_the_description_counts_what_the_kept_numbers_say():
    kept = WORLD.kept(1)
    words = description_of(histogram_svg(kept))
    said = sum(value > 0 for value in kept.before.subject_in)
    accused = sum(value > 0 for value in kept.leak.subject_out)
    assert f"Before unlearning: the attack says learned of {said} of {kept.before.n_in}" in words
    assert f"of {accused} of {kept.leak.n_out} that never saw them." in words


def test_the_same_kept_numbers_give_the_same_bytes():
    assert histogram_svg(WORLD.kept(1)) == histogram_svg(WORLD.kept(1))
    assert histogram_svg(WORLD.kept(1)) != histogram_svg(WORLD.kept(2))


def test_a_value_beyond_every_scale_is_drawn():
    scores = WORLD.draw(1)
    scores.before[scores.member] += 1e6
    text = histogram_svg(keep(scores, seed=1, index=np.arange(32))).decode()
    assert "nan" not in re.sub(r"<style.*?</style>", "", text).lower()
    assert "mathdefault" not in text


def test_the_curves_carry_bands_over_models():
    words = description_of(look_plot(look_curves(WORLD.draw(1), seed=1)))
    assert "Bands are 95 % bootstrap intervals over models." in words
