"""Stored sentences on a page: told where they are known, else quoted as English."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import translation

from audits.core.fleet_words import charged, of_pool
from audits.queries.limit_sentences import EARLIER, UNASKED
from audits.templatetags.recorded import recorded
from audits.views.saying import told


@pytest.mark.parametrize("template", [UNASKED, EARLIER[2]])
def test_a_limit_is_told_in_the_language_of_the_page_whichever_release_sealed_it(template):
    with translation.override("de"):
        said = recorded(template.format(count=1))
    assert "nicht durchsucht" in said
    assert "lang=" not in said


def test_a_sentence_that_nobody_told_is_marked_as_english_and_escaped():
    with translation.override("fr"):
        assert recorded("Said <b>so</b>.") == '<span lang="en">Said &lt;b&gt;so&lt;/b&gt;.</span>'
    assert recorded("Said so.") == "Said so."


def test_an_attack_is_named_by_its_title_and_its_numbers_keep_their_point():
    reason = "u_lira: Record average: with 95 % confidence, told from a retrained model with an "
    reason += "advantage of at most 0.089."
    assert recorded(reason).startswith("U-LiRA: Record average")
    with translation.override("de"):
        assert recorded(reason).startswith("U-LiRA: ")
        assert "0.089" in recorded(reason)
        assert "lang=" not in recorded(reason)


def test_what_audits_say_together_is_said_in_the_language_of_the_page():
    said = partial(of_pool, asked=3, passed=2, surviving=1, level=0.05)
    assert said().startswith("3 cases were judged")
    with translation.override("de"):
        assert said(say=told).startswith("3 Fälle wurden")
        assert charged(repeated=1, spent=0, owing=0, say=told).startswith("1 Audit folgte")
