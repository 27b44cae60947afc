from __future__ import annotations

import re

import pytest

from audits.core.contrast import measure_under
from audits.core.estimates import Level
from audits.core.policy import EvidencePolicy, Mode
from audits.core.power_curve import power_curve
from audits.execution.power_plot import power_svg
from audits.execution.svg_text import description_of
from tests.audits.core_evidence.experiments import World

BOTH = (Level.RECORD_AVERAGE, Level.SUBJECT)


def policy(**changes: object):
    settings = {"looks": (16, 32), **changes}
    return EvidencePolicy(**settings)  # type: ignore[arg-type]  # settings of a test


def drawn(kept, rules):
    svg = power_svg(kept, rules)
    assert svg is not None
    return svg


def sizes(points, *, planned):
    return [one.models_per_arm for one in points if one.planned is planned]


@pytest.mark.parametrize("mode", list(Mode))
def test_at_the_look_that_was_taken_it_is_what_the_verdict_says(mode):
    kept, rules = World(models=16).kept(1), policy(mode=mode)
    measured = measure_under(kept, rules)
    for level, points in power_curve(kept, rules).items():
        (here,) = [one for one in points if one.models_per_arm == 16]
        assert here.power == measured.power[level]


def test_it_goes_beyond_the_looks_and_more_models_show_more():
    curves = power_curve(World(models=16).kept(1), policy())
    assert tuple(curves) == BOTH
    for points in curves.values():
        assert sizes(points, planned=True) == [16, 32]
        assert sizes(points, planned=False) == [64, 128, 256]
        bounds = [one.power.smallest_bound for one in points]
        assert bounds == sorted(bounds, reverse=True)
        found = [one.power.detectable or 1.0 for one in points]
        assert found == sorted(found, reverse=True)


def test_the_error_beyond_the_last_look_is_that_of_the_last():
    kept = World(models=16).kept(1)
    one, two = (
        power_curve(kept, policy(looks=looks))[Level.SUBJECT] for looks in ((16,), (8, 16))
    )
    strict = {point.models_per_arm: point.power.smallest_bound for point in two}
    for point in one:  # which has all of the error, where two looks share it
        assert strict[point.models_per_arm] > point.power.smallest_bound


def test_levels_without_a_known_power_have_no_curve():
    kept = World(models=16).kept(1)
    rules = policy(looks=(16, 256), max_trainings=512, levels=(Level.WORST_RECORD,))
    assert power_curve(kept, rules) == {}
    assert power_svg(kept, rules) is None


def test_the_description_says_the_numbers():
    kept = World(models=16).kept(1)
    words = description_of(drawn(kept, policy()))
    here = measure_under(kept, policy()).power[Level.SUBJECT]
    assert "Average over the records, margin 0.10: 16 models per arm rule out" in words
    assert (
        f"The person as a whole, margin 0.30: 16 models per arm rule out "
        f"{here.smallest_bound:.2f} at best and find {here.detectable:.2f} in 80 % of audits"
    ) in words
    assert "256 models per arm (beyond the policy)" in words


def test_many_looks_are_drawn_and_few_are_told():
    rules = policy(looks=tuple(range(8, 33)), mode=Mode.SEQUENTIAL)
    words = description_of(drawn(World(models=16).kept(1), rules))
    assert words.count("models per arm") == 2 * 6
    assert "The advantage that is found was not computed." in words


def test_the_same_numbers_give_the_same_bytes():
    kept = World(models=16).kept(1)
    first = drawn(kept, policy())
    assert first == drawn(kept, policy())
    assert first != drawn(kept, policy(margin_record=0.2))
    assert b"nan" not in re.sub(rb"<style.*?</style>", b"", first).lower()
