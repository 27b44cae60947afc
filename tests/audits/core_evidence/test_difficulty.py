"""How hard records are, in the middle and in every tenth, and what a certificate covers of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audits.core.certificate import HARDEST, QUANTILES, TOLERANCE, why_too_hard
from audits.core.certificate_words import certificate_words
from audits.core.difficulty import decile, profile
from tests.audits.core_evidence.test_certificate import certificate, reason

OTHERS = np.linspace(-5, 5, 500)
scores = st.lists(st.floats(-6, 6), min_size=1, max_size=25).map(np.array)
profiles = st.lists(st.integers(1, HARDEST), min_size=9, max_size=9).map(
    lambda found: tuple(sorted(found))
)


@given(scores)
def test_quantiles_get_harder_and_the_fifth_is_the_median(found):
    told = profile(found, OTHERS)
    assert len(told) == len(QUANTILES) == 9
    assert list(told) == sorted(told)
    assert all(1 <= one <= HARDEST for one in told)
    assert told[4] == decile(found, OTHERS)


@given(scores, st.floats(0, 3))
def test_harder_records_are_in_no_easier_decile_at_any_quantile(found, step):
    pairs = zip(profile(found, OTHERS), profile(found - step, OTHERS), strict=True)
    assert all(easy <= hard for easy, hard in pairs)


def test_one_record_is_every_quantile_and_no_number_is_the_hardest():
    assert profile(np.array([0.0]), OTHERS) == (6,) * 9
    assert profile(np.array([3.0, np.nan]), OTHERS) == (HARDEST,) * 9
    assert profile(np.array([3.0, np.inf]), OTHERS) == (HARDEST,) * 9


def covered(here, there):
    stated = certificate(difficulty=there[4], profile=there)
    return not why_too_hard(stated, here[4], here)


@given(profiles, profiles)
def test_it_covers_what_is_no_harder_in_the_middle_and_hardly_harder_anywhere(here, there):
    naive = here[4] <= there[4] and all(
        here[at] <= there[at] + TOLERANCE for at in range(len(here))
    )
    assert covered(here, there) is naive


def test_a_few_hard_records_among_easy_ones_are_not_covered_by_even_ones():
    """Their median is easy: the decile of the median alone would have covered them."""
    mixed = np.array([4.5] * 6 + [-4.9] * 4)
    even = np.linspace(1, 2, 10)
    here, there = profile(mixed, OTHERS), profile(even, OTHERS)
    stated = certificate(difficulty=decile(even, OTHERS), profile=there)
    assert decile(mixed, OTHERS) < stated.difficulty
    said = why_too_hard(stated, decile(mixed, OTHERS), here)
    assert said.startswith("Of the records, 70% are in decile 10 of difficulty or easier")
    assert "as many are in decile 4" in said


def test_a_certificate_of_an_earlier_release_is_compared_by_the_median_alone():
    old, hard = certificate(), (1, 1, 1, 1, 7, 10, 10, 10, 10)
    assert old.profile is None
    assert why_too_hard(old, 7, hard) == ""
    assert "are in decile 8" in why_too_hard(old, 8, hard)


def test_the_digest_covers_the_profile_and_an_old_one_stays_as_it_was():
    new = certificate(profile=(7,) * 9)
    assert new.digest() != certificate().digest()
    assert replace(new, profile=(6,) * 9).digest() != new.digest()
    assert "does not have the digest" in reason(new, digest=certificate().digest())


def test_the_page_tells_quantiles_where_there_are_some():
    told = {"relied_on": "c1", "difficulty": 3, "profile": [1, 2], "certified_profile": [3, 4]}
    words = dict(certificate_words({"certificate": told}))
    assert words["Deciles of its quantiles from 10 to 90 %"] == "3, 4"
    assert words["Deciles of their quantiles from 10 to 90 %"] == "1, 2"
    assert len(certificate_words({"certificate": {"relied_on": "c1"}})) == 7
