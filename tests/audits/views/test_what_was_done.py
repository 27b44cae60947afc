from __future__ import annotations

from dataclasses import replace

import pytest

from audits.core.contrast import measure
from audits.core.plainly import for_the_person, pass_in_numbers
from audits.core.policy import AuditData
from audits.core.verdict import Outcome
from audits.queries.letter_models import model_sentences
from tests.audits.core_evidence.experiments import World, policy_at
from tests.audits.views import worlds
from unlearning.models import UnlearningRun

NUMBERS = {
    "data": "own_records",
    "models": 64,
    "right_at_most": 57,
    "right_before_at_least": 81,
    "wrong_in_100": 2.5,
}
FOUND = {
    "en": ("right at most 57 times in 100", "at least 81 times", "at most 2.5 such tests"),
    "fr": ("raison au plus 57 fois sur 100", "au moins 81 fois", "au plus 2,5 tests"),
    "de": ("höchstens 57 von 100", "mindestens 81 von 100", "höchstens 2,5 von 100"),
}


def told(locale, **more: object):
    finding = worlds.u_lira()
    case, run = worlds.judged(replace(finding, payload={**finding.payload, **more}))
    UnlearningRun.objects.update(status="CLEARED")
    run.refresh_from_db()
    (said,) = model_sentences(case, locale, {"runs": [run]})
    return said


@pytest.mark.parametrize("locale", ["en", "fr", "de"])
def test_M7_a_letter_tells_of_a_model_by_the_numbers_of_its_evidence(db, site, locale):
    said = told(locale, pass_in_numbers=NUMBERS, for_the_person="English prose.")
    assert [part for part in FOUND[locale] if part not in said] == []
    assert "English prose" not in said


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_M7_evidence_without_these_numbers_is_told_in_general_words(db, site, locale):
    none = {"en": "found no trace of", "fr": "aucune trace de vos données"}
    assert none[locale] in told(locale, pass_in_numbers=None)


@pytest.mark.parametrize("data", list(AuditData))
def test_M7_the_english_letter_says_what_the_evidence_says(db, site, data):
    policy = policy_at(128, audit_data=data)
    measured = measure(World(models=128).kept(1), policy.alpha_at(128))
    numbers = pass_in_numbers(Outcome.PASS_LEAK, measured, policy)
    assert for_the_person(Outcome.PASS_LEAK, measured, policy) in told(
        "en", pass_in_numbers=numbers
    )
    assert pass_in_numbers(Outcome.FAIL, measured, policy) is None
