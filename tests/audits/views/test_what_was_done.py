from __future__ import annotations

from dataclasses import replace

import pytest

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


@pytest.mark.parametrize(("sentence", "told"), [(SENTENCE, SENTENCE), ("", "found no trace of")])
def test_M7_a_letter_tells_of_a_model_in_the_words_of_its_evidence(db, site, sentence, told):
    context = context_with(sentence)
    UnlearningRun.objects.update(status="CLEARED")
    context["run"].refresh_from_db()
    (said,) = model_sentences(context["case"], "en", {"runs": [context["run"]]})
    assert told in said
    assert said.startswith("faces v1 was changed so as to unlearn your data")
