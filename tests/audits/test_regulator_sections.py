"""What an authority must find in the regulator's edition, each by its name; and that it agrees."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as installed
from django.db import transaction
from django.test import override_settings
from django.utils import translation

from audits import keys
from audits.core.contrast import recompute
from audits.core.editions import LANGUAGES
from audits.execution import report_further as more
from audits.execution import report_retold, reporting
from audits.execution.report_checking import WORDS
from audits.execution.report_further import regulator_view
from audits.execution.report_labels import WORDS as LABELLED
from audits.execution.report_speech import say
from audits.queries.letter_texts import builtin_text, phrases
from audits.queries.limit_sentences import SUPPORTED, UNSUPPORTED
from tests.audits import sealed_cases, sealed_findings

pytestmark = pytest.mark.django_db  # values of the policy are read
TEMPLATES = installed.BASE_DIR / "templates" / "reports"


@pytest.fixture(scope="module")
def case(django_db_setup, django_db_blocker, tmp_path_factory):
    """One record with everything; what was written of it is rolled back."""
    folder = tmp_path_factory.mktemp("sections")
    with django_db_blocker.unblock(), override_settings(), transaction.atomic():
        sealed_cases.use_folder(installed, folder)
        request = sealed_cases.erased_case()
        data, vkey = bytes(request.record.data), keys.verifier_text()
        transaction.set_rollback(True)
    return reporting.sealed_case(data, vkey=vkey)


def view(case, language="en"):
    with translation.override(language):
        return regulator_view(case)


def block(shown, section, title):
    [found] = [one for one in shown["further"][section] if one["title"] == title]
    return found


def test_section_11_has_the_models_of_the_answer_and_the_remedies(case):
    for language in LANGUAGES:
        shown = view(case, language)
        with translation.override(language):
            models, remedies = say(more.MODELS_TITLE), say(more.REMEDIES_TITLE)
        told = block(shown, "communication", models)["sentences"]
        assert len(told) == 1 + 3
        assert any("legacy" in one for one in told)
        text = builtin_text("ANSWER_ERASED", language)
        said = block(shown, "communication", remedies)["sentences"]
        assert said[1] == text.blocks["remedy"]
        assert "77" in said[0]
        assert text.digest in said[2]
    assert phrases("en")["destroy"].partition("{version}")[2] in " ".join(
        block(view(case), "communication", more.MODELS_TITLE)["sentences"]
    )


def test_section_13_has_the_commands_of_others_and_what_they_print(case):
    template = (TEMPLATES / "verify.typ").read_text()
    for name in WORDS:
        assert f"said.{name}]" in template, name
        assert view(case)["words"][name] == WORDS[name]
    for command in ("python -I verify.py record.json", "go run .", "--seal-only"):
        assert command in template
    assert "ACCEPTED." in WORDS["go_prints"]
    assert "VERIFIED." in WORDS["program_prints"]
    assert "PAdES" in WORDS["seal_text"]


def test_section_14_has_procedure_assessment_changes_and_terms(case):
    shown = view(case)
    assert len(block(shown, "annex", more.PROCEDURE_TITLE)["sentences"]) == len(more.PROCEDURE)
    assert "docs/dpia.md" in block(shown, "annex", more.ASSESSMENT_TITLE)["sentences"][0]
    assert (installed.BASE_DIR / "docs" / "dpia.md").is_file()
    changes = block(shown, "annex", more.CHANGES_TITLE)["rows"]
    assert [row[0]["code"] for row in changes][:2] == ["expunge-record/1", "expunge-evidence/1"]
    terms = {row[0] for row in block(shown, "annex", more.TERMS_TITLE)["rows"]}
    page = re.sub(r"\s+", " ", (installed.BASE_DIR / "docs" / "glossary.md").read_text()).lower()
    assert len(terms) >= 12
    for term in terms - {"Lineage"}:
        assert f"**{term.partition(' (')[0].lower()}**" in page, term


def test_every_attached_file_has_words_in_the_language(case):
    rows = re.findall(r'^  \("[\w.-]+", "\w+",', (TEMPLATES / "record.typ").read_text(), re.M)
    assert len(rows) == len(LABELLED["files"])
    assert view(case, "fr")["words"]["files"][0] == "Le dossier scellé"


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_reasons_and_limits_are_told_and_not_quoted(case, language):
    with translation.override(language):
        for leak in (0.5, 0.8):
            reasons = recompute(
                sealed_findings.kept(seed=5, leak=leak), sealed_findings.POLICY
            ).reasons
            assert all(isinstance(report_retold.quoted(one), str) for one in reasons), reasons
        for known in (SUPPORTED, UNSUPPORTED):
            told = report_retold.quoted(known.format(count=3, names="a v1, b v2"))
            assert "a v1, b v2" in told
        [one, *_] = recompute(sealed_findings.kept(seed=5), sealed_findings.POLICY).reasons
        assert re.search(r"\b0,\d{3}\b", report_retold.quoted(one))
    limits = view(case, language)["limits"]
    assert [one for one in limits if isinstance(one, dict)] == []


def test_the_sections_of_one_case_agree(case):
    found = case.findings
    answers = found["answers"]
    deleted = sum(row["records"] for row in found["erasure"]["records"])
    assert answers["search"]["records"] == deleted
    runs = {row["run"]: row["look"] + 1 for row in found["evidence"] if row["kind"] == "U_LIRA"}
    assert {one["run"]: one["looks"] for one in answers["limits_first"]} == runs
    gone = sum("destroyed" in row[1].lower() for row in view(case)["ends"])
    assert answers["others"]["old_versions_gone"] == gone
    assert answers["others"]["old_versions_left"] == 0
