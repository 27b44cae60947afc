from __future__ import annotations

from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from tests.audits.views import worlds

SENTENCE = (
    "We trained 64 models, half of them with your data, and removed it as we did from ours; an "
    "attack that guesses which ones had it is right at most 57 times in 100."
)


def run_with(sentence):
    finding = worlds.u_lira()
    extra = {"for_the_person": sentence} if sentence else {}
    _, run = worlds.judged(replace(finding, payload={**finding.payload, **extra}))
    return run


@pytest.mark.parametrize("template", ["audits/_what_was_done.html", "letters/_what_was_done.txt"])
def test_an_unlearned_model_is_told_of_in_the_words_of_its_evidence(db, site, template):
    text = render_to_string(template, {"run": run_with(SENTENCE)})
    assert SENTENCE in " ".join(text.split())
    assert "found no trace" not in text
    assert all(
        len(line) <= 75 for line in text.splitlines() if template.endswith("txt") or not line
    )


@pytest.mark.parametrize("template", ["audits/_what_was_done.html", "letters/_what_was_done.txt"])
def test_evidence_of_an_earlier_release_has_the_general_words(db, site, template):
    text = render_to_string(template, {"run": run_with("")})
    assert "found no trace of" in text
