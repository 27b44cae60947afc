"""An installation whose settings no case could use says so when it starts."""

from __future__ import annotations

import pytest

from config.checks import (
    canaries_can_be_planted,
    certificates_expire,
    instance_tests_are_meant,
    shards_can_be_trained,
    suppression_is_kept_long_enough,
    unlearning_method_is_usable,
)


def said(settings, method="scrub", **numbers: object) -> list[str]:
    settings.EXPUNGE_METHOD, settings.EXPUNGE_METHOD_SETTINGS = method, numbers
    return [one.msg for one in unlearning_method_is_usable()]


@pytest.mark.parametrize("method", ["scrub", "retrain", "finetune"])
def test_a_method_for_single_records_that_needs_what_is_kept_is_usable(settings, method):
    assert said(settings, method) == []


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("magic", "EXPUNGE_METHOD is 'magic', which is no method."),
        ("scrub_rewind", "EXPUNGE_METHOD is 'scrub_rewind', which needs what is not kept."),
        ("unsir", "EXPUNGE_METHOD is 'unsir', which needs what is not kept."),
    ],
)
def test_another_is_refused_by_name(settings, method, sentence):
    assert said(settings, method) == [sentence]
    hint = unlearning_method_is_usable()[0].hint or ""
    assert "finetune" in hint
    assert "scrub_rewind" not in hint


def test_numbers_are_held_to_their_ranges(settings):
    assert said(settings, epochs=3, learning_rate=0.01) == []
    assert said(settings, epochs=0) == [
        "EXPUNGE_METHOD_SETTINGS: epochs is 0; it must be a number from 1 to 100."
    ]
    (unknown,) = said(settings, size=1)
    assert unknown.startswith("EXPUNGE_METHOD_SETTINGS: scrub has no number 'size'; it has ")
    assert len(said(settings, epochs="many", learning_rate=True)) == 2


def test_certificates_that_never_expire_are_refused(settings):
    settings.EXPUNGE_CERTIFICATE_DAYS = 3650
    assert certificates_expire() == []
    settings.EXPUNGE_CERTIFICATE_DAYS = 3651
    (said,) = certificates_expire()
    assert said.msg == "EXPUNGE_CERTIFICATE_DAYS is 3651; it must lie between 0 and 3650."


def test_an_instance_test_with_more_models_than_the_pool_may_have_is_warned_of(settings):
    settings.EXPUNGE_POLICY = {}
    assert instance_tests_are_meant() == []
    settings.EXPUNGE_POLICY = {"alpha_instance": 0.01}
    (said,) = instance_tests_are_meant()
    assert said.msg == (
        "EXPUNGE_POLICY: alpha_instance is 0.01, for which each audit trains 100 models for the "
        "instance test; max_trainings is 64, and does not count them."
    )
    settings.EXPUNGE_POLICY = {"alpha_instance": 0.01, "max_trainings": 100}
    assert instance_tests_are_meant() == []
    settings.EXPUNGE_POLICY = {"alpha_instance": 0.01, "audit_data": "own_records"}
    assert instance_tests_are_meant() == []
    settings.EXPUNGE_POLICY = {"alpha_instance": 2}
    assert instance_tests_are_meant() == []  # it is refused when a case is planned


def test_shards_that_no_training_can_have_are_refused(settings):
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 4, 2
    assert shards_can_be_trained() == []
    settings.EXPUNGE_SLICES = 1001
    settings.EXPUNGE_RECIPE_MODULES = ["mine"]
    assert [one.msg for one in shards_can_be_trained()] == [
        "EXPUNGE_SLICES is 1001; it must be between 0 and 1000.",
        "EXPUNGE_SHARDS is 4, and EXPUNGE_RECIPE_MODULES does not allow "
        "unlearning.recipes.sharded, which trains shards; add it.",
    ]
    settings.EXPUNGE_SHARDS = settings.EXPUNGE_SLICES = 0
    assert shards_can_be_trained() == []


def test_canaries_that_would_show_nothing_are_refused(settings):
    settings.EXPUNGE_CANARIES = 8
    (error,) = canaries_can_be_planted()
    assert error.msg == (
        "EXPUNGE_CANARIES is 8; it must be 0, which plants no canaries, or between 32 and 4096."
    )
    for fine in (0, 64):
        settings.EXPUNGE_CANARIES = fine
        assert canaries_can_be_planted() == []


@pytest.mark.parametrize(("days", "errors"), [(0, 0), (5, 1), (23, 0), (400, 0)])
def test_a_suppression_that_ends_before_the_case_is_refused(settings, days, errors):
    settings.EXPUNGE_SUPPRESSION_DAYS, settings.EXPUNGE_DEADLINE_DAYS = days, 23
    found = suppression_is_kept_long_enough()
    assert [one.id for one in found] == ["expunge.E009"] * errors
    assert all(one.msg.startswith("EXPUNGE_SUPPRESSION_DAYS is 5; it must be 0") for one in found)
