from __future__ import annotations

from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from audits.queries.letter_models import model_sentences
from tests.audits.views import worlds
from unlearning.models import UnlearningRun

SENTENCE = (
    "We trained 64 models, half of them with your data, and removed it as we did from ours; an "
    "attack that guesses which ones had it is right at most 57 times in 100."
)


def context_with(sentence):
    finding = worlds.u_lira()
    extra = {"for_the_person": sentence} if sentence else {}
    case, run = worlds.judged(replace(finding, payload={**finding.payload, **extra}))
    return {"run": run, "case": case, "request": case}


def test_an_unlearned_model_is_told_of_in_the_words_of_its_evidence(db, site):
    text = render_to_string("audits/_what_was_done.html", context_with(SENTENCE))
    assert SENTENCE in text
    assert "found no trace" not in text


def test_evidence_of_an_earlier_release_has_the_general_words(db, site):
    text = render_to_string("audits/_what_was_done.html", context_with(""))
    assert "found no trace of" in text


@pytest.mark.parametrize(("sentence", "told"), [(SENTENCE, SENTENCE), ("", "found no trace of")])
def test_M7_a_letter_tells_of_a_model_in_the_words_of_its_evidence(db, site, sentence, told):
    context = context_with(sentence)
    UnlearningRun.objects.update(status="CLEARED")
    context["run"].refresh_from_db()
    (said,) = model_sentences(context["case"], "en", {"runs": [context["run"]]})
    assert told in said
    assert said.startswith("faces v1 was changed so as to unlearn your data")
