"""An installation that would keep closed cases for no sensible time says so when it starts."""

from __future__ import annotations

import pytest

from config.retention_checks import closed_cases_are_kept_for_a_time, the_law_is_not_undercut


def test_the_defaults_are_sensible():
    assert closed_cases_are_kept_for_a_time() == the_law_is_not_undercut() == []


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"SETTLED": 90}, "names 'SETTLED'; allowed are ERASED, NO_DATA_FOUND, REFUSED"),
        ({"EXPIRED": 90}, "names 'EXPIRED'; allowed are ERASED"),
        ({"REFUSED": 29}, "has 29 for REFUSED; a whole number of days from 30"),
        ({"REFUSED": "90"}, "has '90' for REFUSED"),
        ({"REFUSED": True}, "has True for REFUSED"),
    ],
)
def test_another_outcome_or_number_of_days_is_refused(settings, days, sentence):
    settings.EXPUNGE_CASE_DAYS_BY_OUTCOME = days
    (error,) = closed_cases_are_kept_for_a_time()
    assert sentence in error.msg


def test_too_few_days_for_all_are_refused(settings):
    settings.EXPUNGE_CASE_DAYS = 29
    (error,) = closed_cases_are_kept_for_a_time()
    assert "EXPUNGE_CASE_DAYS is 29; a whole number of days from 30" in error.msg


def test_less_than_california_asks_for_is_warned_of(settings):
    settings.EXPUNGE_REGIME = "CALIFORNIA"
    assert the_law_is_not_undercut() == []
    settings.EXPUNGE_CASE_DAYS_BY_OUTCOME = {"REFUSED": 365}
    (warning,) = the_law_is_not_undercut()
    assert "fewer days are set by REFUSED: 365" in warning.msg
