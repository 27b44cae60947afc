"""Every label, code and question of a record's answers has words in every language."""

from __future__ import annotations

import ast
import re

import pytest
from django.utils import translation

from audits.core import case_time, grounds, identity
from audits.core.answers_schema import SECTIONS
from audits.core.letter_rules import RULES
from audits.core.questions import QUESTIONS
from audits.core.regimes import REGIMES
from audits.core.roles import ROLES, Right
from audits.execution.report_answer_codes import CODES, coded
from audits.execution.report_answer_words import LABELS
from audits.execution.report_speech import say
from audits.models import Decision, ErasureRequest, Intake, Letter
from audits.queries import answers_data, answers_models, answers_site
from audits.queries.limit_sentences import EXACT
from config import environment
from config.settings import BASE_DIR
from lineage.models import SubjectIdentifier
from tests.words import LANGUAGES

# Words that are the same in both languages.
SAME: dict[str, set[str]] = {"fr": {"Audits", "audit", "Caches"}, "de": {"Software"}}
WAYS = {one.upper().replace(" ", "_") for one in EXACT}
BLIND = {*answers_data.ALWAYS_BLIND, "RECORDS_WITHOUT_OWNER", "PARTS_NOT_SEARCHED"}
# What every member that holds a code can hold, from where the code is defined.
HELD = {
    ("receipt", "answer_by"): Intake.AnswerBy.values,
    ("identity", "confirmed_by"): {"EMAIL_LINK", *identity.METHODS},
    ("identity", "level"): identity.LEVELS,
    ("checks", "doubt"): {*identity.DOUBTS, *identity.NOT_IDENTIFIED},
    ("checks", "method"): identity.METHODS,
    ("checks", "level"): identity.LEVELS,
    ("deadline", "rule"): {one.rule for one in REGIMES.values()},
    ("steps", "step"): {*case_time.ENDS.values(), case_time.LAST},
    ("waits", "reason"): case_time.REASONS.values(),
    ("decisions", "kind"): Decision.Kind.values,
    ("decisions", "state"): Decision.State.values,
    ("decisions", "refusal"): grounds.REFUSALS,
    ("grounds", "ground"): {*grounds.GROUNDS, *grounds.RESTRICTIONS},
    ("exceptions", "code"): grounds.EXCEPTIONS,
    ("letters", "letter"): {one for one in RULES if not one.endswith("_NOTICE")} | {"LIFT_NOTICE"},
    ("letters", "state"): Letter.State.values,
    ("search", "blind_spots"): BLIND,
    ("identifiers", "kind"): SubjectIdentifier.Kind.values,
    ("exact", "way"): {*WAYS, "DESTROY", "RETRAIN_OUTSIDE", "REPLAY"},
    ("exact", "not_redone"): answers_models.NOT_REDONE,
    ("not_run", "attack"): {*answers_models.NEVER, "OF_THE_POLICY"},
    ("not_run", "reason"): {*answers_models.NEVER.values(), "NOT_POSSIBLE"},
    ("reproduction", "repeatable"): {"VERDICTS_FROM_KEPT_NUMBERS", "PLANTED_CANARIES"},
    ("witnesses", "not_shown"): {"DISHONEST_RUN"},
    ("utility", "measured"): {"SHADOWS_RETAINED", "SHADOWS_TEST", "OLD_AND_NEW_VERSION"},
    ("subgroups", "group"): set(),  # no release writes one
    ("roles", "role"): map(answers_site._coded, ROLES),
    ("roles", "rights"): (answers_site._coded(str(one)) for one in Right),
    ("retention", "personal"): answers_site.PERSONAL,
    ("policy", "regime"): REGIMES,
    ("policy", "second_person"): environment.SECOND_PERSON,
    ("period", "outcome"): filter(None, ErasureRequest.Outcome.values),
    ("period", "cases"): {"UNDER_10", *(name for _, name in answers_site.BANDS)},
}


def test_every_code_that_an_answer_can_hold_has_words():
    kinds = {(part, name): kind for part in SECTIONS for name, kind in _kinds(part)}
    open_ones = {place for place, kind in kinds.items() if re.search(r"\bcode\b", kind.name)}
    assert open_ones == HELD.keys()
    chosen = {
        code
        for kind in kinds.values()
        for code in re.findall(r"\b[A-Z][A-Z_]+\b", kind.name)
        if kind.name.isupper() or " or " in kind.name
    } - {"SHA", "YYYY", "MM", "DD"}
    assert {"FORM", "GONE", "NONE", "SAME_BITS"} <= chosen
    wanted = chosen | _nones() | {code for held in HELD.values() for code in held}
    assert sorted(wanted - CODES.keys()) == []


def _kinds(part: str):
    return SECTIONS[part].members.items()


def _nones() -> set[str]:
    """Return the reasons that the queries give where a section has nothing to say."""
    found = set()
    for path in (BASE_DIR / "audits" / "queries").glob("answers*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("none", "rows_or")):
                found |= {
                    str(one.value)
                    for one in ast.walk(node.args[0])
                    if isinstance(one, ast.Constant) and str(one.value).isupper()
                }
    assert "NO_RUN" in found
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_code_or_question_stays_in_english(language):
    asked = {one.words for one in QUESTIONS.values()}
    used = {one for labels in LABELS.values() for one in labels} | set(CODES.values()) | asked
    with translation.override(language):
        alike = {one for one in used if say(one) == one}
        assert alike <= SAME[language], sorted(alike - SAME[language])
        assert "17" in coded("ART_17_1_B")
        assert coded("ART_17_1_B") != CODES["ART_17_1_B"]
    assert coded("UNHEARD_OF") == "UNHEARD_OF"
