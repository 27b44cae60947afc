"""Every reason that a verdict or a gate can have is told in the languages of reports."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.bounded import BoundedChecks, CertifiedChecks, decide_bounded, decide_certified
from audits.core.estimates import Hypothesis, Level
from audits.core.planted import BLIND, NOT_MADE, QUIET
from audits.core.policy import AuditData
from audits.core.verdict import ExactChecks, Outcome, decide, decide_exact
from audits.execution.gating import WORST
from audits.execution.report_models import cards
from audits.execution.report_reasons import REASONS
from audits.execution.report_retold import known_sentences, quoted, retold
from audits.templatetags.recorded import recorded
from tests.audits.core_evidence.test_verdict import (
    CLEAN,
    FINE,
    LEAKS,
    POLICY,
    UNCLEAR,
    around,
    measured,
)
from unlearning.core.release.gate import Quality, Thresholds, gate, passed

LANGUAGES = ("de", "fr")
SURROGATES = replace(POLICY, audit_data=AuditData.SURROGATE)
PARTS = tuple(
    Hypothesis(level=Level.SUBJECT, part=part, p=1e-9, found=around(0.35, 0.8)) for part in (1, 2)
)
BOUND = BoundedChecks(epsilon=1.0, delta=1e-6, people=1, accepted_epsilon=2.0, accepted_delta=1e-5)
HEAD = CertifiedChecks(
    epsilon=1.0,
    delta=1e-6,
    limit=0.5,
    spent_before=0.1,
    spent=0.2,
    removed=2,
    records=2,
    same_recipe=True,
    accepted_epsilon=2.0,
    accepted_delta=1e-5,
)
PROVEN = ExactChecks(manifest_matches=True, code_digest="ab", environment_digest="cd")
GOOD = Quality(accuracy=0.9, shards=(0.9, 0.8), adversarial=0.5)
WORSE = Quality(accuracy=0.5, shards=(0.7, 0.8), adversarial=0.1)
FELL = passed(gate(replace(GOOD, shards=()), replace(WORSE, shards=()), Thresholds())).reason
FELL_THRICE = passed(gate(GOOD, WORSE, Thresholds())).reason
UNKNOWN = "It passed, they said."
PLAIN = {
    "de": "Die Genauigkeit fiel um 40,00%, von 90,00% auf 50,00%; 2,00% werden hingenommen.",
    "fr": "L\u2019exactitude a baissé de 40,00%, de 90,00% à 50,00% ; 2,00% sont tolérés.",
}
SHARD = {
    "de": "Die Genauigkeit des Teils 0 fiel um 20,00%, von 90,00% auf 70,00%; 5,00% werden "
    "hingenommen.",
    "fr": "L\u2019exactitude du fragment 0 a baissé de 20,00%, de 90,00% à 70,00% ; 5,00% sont "
    "tolérés.",
}
ATTACKED = {
    "de": "Die Genauigkeit unter Angriff fiel um 40,00%, von 50,00% auf 10,00%; 2,00% werden "
    "hingenommen.",
    "fr": "L\u2019exactitude sous attaque a baissé de 40,00%, de 50,00% à 10,00% ; 2,00% sont "
    "tolérés.",
}
FINISHED = {
    "version_name": "base v1",
    "method": "retrain",
    "verdict": "",
    "reasons": (),
    "run": "1",
    "version_digest": "2",
    "forget_set_size": 3,
    "forget_digest": "4",
    "base": "",
    "escalated_from": "",
    "guarantee": "EXACT",
    "report": {},
    "hyperparameters": {},
    "seconds": 1.0,
    "retrain_seconds": 2.0,
    "retrain_seconds_predicted": 2.0,
    "unlearned": "5",
    "unlearned_name": "base v2",
    "unlearned_digest": "6",
    "status": "CLEARED",
}


def of_audits():
    for changes in (
        {},
        {"equivalence": CLEAN},
        {"leak": LEAKS},
        {"leak": UNCLEAR},
        {"leak": UNCLEAR, "debt": 2.5, "attempt": 3},
        {"spent": True, "attempt": 2},
        {"before": UNCLEAR},
        {"before": UNCLEAR, "least_seen": 0.02},
        {"before": CLEAN},
        {"instance_p": 0.0003},
        {"utility": None},
        {"utility": replace(FINE, unlearned_retained=0.9, unlearned_test=0.1)},
        {"can_pass": False},
        {"leak": LEAKS, "hypotheses": PARTS},
    ):
        yield decide(POLICY, measured(**changes))
    yield decide(SURROGATES, measured())
    several = {"u_lira": measured(hypotheses=PARTS), "rmia": measured(hypotheses=PARTS)}
    yield decide(POLICY, several)


def of_proofs():
    for changes in (
        {},
        {"smoke": Outcome.PASS_LEAK},
        {"smoke": Outcome.FAIL},
        {"inexact": ("a v1",)},
        {"manifest_matches": False, "overlapping": ("a v1", "b v2"), "code_digest": ""},
        {"environment_digest": ""},
    ):
        yield decide_exact(replace(PROVEN, **changes))
    for promised in (
        {},
        {"people": 3},
        {"epsilon": None},
        {"delta": 2.0},
        {"epsilon": 3.0},
        {"made_from": ("a v1",)},
    ):
        yield decide_bounded(replace(BOUND, **promised))
    for budget in ({}, {"same_recipe": False}, {"removed": 1}, {"spent": 0.9}, {"epsilon": 3.0}):
        yield decide_certified(replace(HEAD, **budget))


def of_gates():
    for after in (GOOD, WORSE):
        yield from (one.reason for one in gate(GOOD, after, Thresholds()))
        yield from (one.reason for one in gate(GOOD, after, Thresholds(), shard=WORST))
    unknown = replace(GOOD, adversarial=None)
    yield from (one.reason for one in gate(unknown, GOOD, Thresholds()))
    yield from (one.reason for one in gate(GOOD, unknown, Thresholds()))
    yield passed(gate(GOOD, GOOD, Thresholds())).reason
    yield from (QUIET, BLIND, NOT_MADE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_is_told_with_all_its_numbers(language):
    verdicts = [*of_audits(), *of_proofs()]
    reasons = {one for verdict in verdicts for one in verdict.reasons} | set(of_gates())
    assert len(reasons) > 50
    with translation.override(language):
        for reason in sorted(reasons):
            told = quoted(reason)
            assert isinstance(told, str), reason
            assert "lang=" not in recorded(reason), reason
            numbers = re.findall(r"\d+\.\d+", reason)
            assert sorted(numbers) == sorted(re.findall(r"\d+\.\d+", told.replace(",", ".")))
            assert "Record average" not in told
            assert "Subject" not in told


def test_a_sentence_that_fixes_more_words_is_known_before_one_that_fixes_less():
    with translation.override("de"):
        assert quoted("Smoke alarm: not run.") != "Rauchmelder: not run."
        assert quoted("Smoke alarm: PASS_LEAK.") == "Rauchmelder: PASS_LEAK."


def test_a_reason_that_only_an_old_record_has_stays_english():
    with translation.override("fr"):
        assert quoted("It passed, they said.") == {"en": "It passed, they said."}
    assert len(set(REASONS)) == len(REASONS)


def in_a_report(reason):
    stood_in = {"name": "base v3", "digest": "7", "release": "HELD", "reason": reason}
    release = {"state": "HELD", "reason": reason}
    [card] = cards({"runs": [{**FINISHED, "stood_in": stood_in, "release": release}]})
    gate_row, shown_row = (card["rows"][at] for at in (-6, -1))
    assert gate_row[1] == shown_row[1]
    return shown_row[1]


def on_the_case(reason):
    run = SimpleNamespace(
        **dict.fromkeys(("unlearned", "target"), "base v2"),
        interim=SimpleNamespace(metrics={"interim": {"reason": reason}}),
    )
    held = {"held_releases": [SimpleNamespace(run=run, reason=reason)], "held_stand_ins": [run]}
    page = render_to_string("audits/_todo.html", {**held, "case": SimpleNamespace(pk=UUID(int=1))})
    release, stand_in = re.findall(r"<p data-verbatim>(.+?)</p>", page)
    assert release == stand_in == recorded(reason)
    return release


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_of_a_gate_that_are_stored_together_are_each_told(language):
    two = f"{PLAIN[language]} {ATTACKED[language]}"
    three = f"{PLAIN[language]} {SHARD[language]} {ATTACKED[language]}"
    with translation.override(language):
        assert (in_a_report(FELL), in_a_report(FELL_THRICE)) == (two, three)
        pages = on_the_case(FELL), on_the_case(FELL_THRICE)
    assert pages == tuple(re.sub(r"(\d),(\d)", r"\1.\2", one) for one in (two, three))
    assert in_a_report(FELL) == on_the_case(FELL) == FELL


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "reason",
    [
        f"{UNKNOWN} {FELL}",
        f"{FELL} {UNKNOWN}",
        FELL.replace(" Adversarial", f" {UNKNOWN} Adversarial"),
        f"base v1, which it replaces, was held: {FELL}",
        f"Smoke alarm: not made. {UNKNOWN.lower()}",
    ],
)
def test_reasons_stored_together_with_one_that_nobody_told_stay_english_as_a_whole(
    language, reason
):
    with translation.override(language):
        assert in_a_report(reason) == {"en": reason}
        assert on_the_case(reason) == f'<span lang="en">{reason}</span>'


@settings(max_examples=30)
@given(
    known=st.lists(
        st.sampled_from([one for one in known_sentences() if one.endswith(".")]),
        min_size=2,
        max_size=3,
    ),
    value=st.sampled_from(["a v1, b v2", "2.00%", "12"]),
)
def test_what_is_known_is_told_alike_alone_and_beside_others(known, value):
    recorded_so = [re.sub(r"\{\w+\}", value, one) for one in known]
    with translation.override("de"):
        alone = [retold(one) for one in recorded_so]
        assert None not in alone
        assert retold(" ".join(recorded_so)) == " ".join(map(str, alone))


def test_the_training_of_a_version_is_named_by_the_gender_of_version():
    with translation.override("de"):
        assert quoted("Its training promised nothing.") == "Ihr Training versprach nichts."
